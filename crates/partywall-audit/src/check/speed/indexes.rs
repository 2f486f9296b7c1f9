use super::tables;
use crate::{
    Fault, Finding,
    catalogue::{Relation, RelationKind},
    check::Audit,
    sql::tidy,
};

/// From here on an index is built beside the writes.
const MANY: f32 = 100_000.0;

/// Tables of which no index is led by the tenant's column: each query reads the rows of all tenants.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in tables(audit).filter(|table| !table.is_partition) {
        let Some(column) = audit
            .subject
            .tenant_column(table.oid)
            .and_then(|number| table.column(number))
        else {
            continue;
        };
        if is_led(audit, table, column.number) {
            continue;
        }
        let name = tidy(&column.name);
        let why = format!(
            "no index begins with {name}, so `SELECT * FROM {}` reads the rows of all tenants to show those of one",
            table.name
        );
        let fix = create(table, &name);
        found.push(
            Finding::new(Fault::PerfNoIndex, table.name.to_string(), why, fix)
                .tables([table.name.to_string()]),
        );
    }
}

/// Whether an index begins with a column, or each partition holds one value of it.
pub(super) fn is_led(audit: &Audit<'_>, table: &Relation, column: i16) -> bool {
    is_led_without(audit, table, column, None)
}

/// The same, if one of the indexes were not there.
pub(super) fn is_led_without(
    audit: &Audit<'_>,
    table: &Relation,
    column: i16,
    without: Option<u32>,
) -> bool {
    let own = table.indexes.iter().any(|index| {
        Some(index.oid) != without
            && index.valid
            && !index.partial
            && index.columns.first().is_some_and(|key| {
                key.column == Some(column)
                    || (key.column.is_none() && super::casts::is_of(index, table, column))
            })
            && matches!(
                index.method.as_str(),
                "btree" | "hash" | "brin" | "gist" | "gin" | "spgist" | "columnar"
            )
    });
    if own {
        return true;
    }
    // A list of tenants for each partition: the others are left out without an index.
    if table.partitioned_by == Some('l') && table.partition_key == [column] {
        return true;
    }
    let name = table.column(column).map(|column| column.name.as_str());
    if table.kind != RelationKind::Partitioned {
        return false;
    }
    // An index may be on each partition by itself.
    let mut parts = audit
        .catalogue
        .relations
        .values()
        .filter(|part| part.is_partition && part.parents.contains(&table.oid))
        .peekable();
    parts.peek().is_some()
        && parts.all(|part| {
            name.and_then(|name| part.column_named(name))
                .is_some_and(|column| is_led_without(audit, part, column.number, without))
        })
}

/// Creates an index, beside the writes where there are many rows.
pub(super) fn create(table: &Relation, columns: &str) -> String {
    let beside = table.rows >= MANY && table.kind == RelationKind::Table;
    format!(
        "CREATE INDEX {}ON {} ({columns});",
        if beside { "CONCURRENTLY " } else { "" },
        table.name
    )
}
