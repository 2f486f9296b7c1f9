use std::collections::BTreeSet;

use super::{
    casts::is_of,
    indexes::{create, is_led_without},
    tables,
};
use crate::{
    Fault, Finding,
    catalogue::{Column, Index, Oid, Relation},
    check::{Audit, reach::Reach},
    sql::tidy,
};

/// Indexes that nothing uses under row-level security: their operators may tell of what they compare, so
/// PostgreSQL lets none of them see a row before the policies have.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let searched = searched(audit);
    for table in tables(audit).filter(|table| !table.is_partition && !searched.contains(&table.oid))
    {
        for index in &table.indexes {
            // A key that must be unique is there for that.
            if index.unique || index.exclusion || !index.valid || index.parent.is_some() {
                continue;
            }
            let tenant = audit.subject.tenant_column(table.oid);
            // The policies themselves come first, with whatever operators.
            let own = tenant.is_some_and(|tenant| is_of(index, table, tenant));
            let leaky = index
                .columns
                .iter()
                .skip(usize::from(own))
                .find(|key| !key.leakproof && (key.column.is_none() || key.column != tenant));
            let Some(key) = leaky else { continue };
            found.push(finding(
                audit,
                table,
                index,
                key.column.and_then(|column| table.column(column)),
            ));
        }
    }
}

fn finding(audit: &Audit<'_>, table: &Relation, index: &Index, column: Option<&Column>) -> Finding {
    let what = match column {
        Some(column) => format!("{} ({})", tidy(&column.name), column.type_name),
        None => "its expression".to_owned(),
    };
    let tenant = audit.subject.tenant_column(table.oid);
    let why = format!(
        "the operators for {what} are not leakproof, so the policies run first and `EXPLAIN SELECT * FROM {} WHERE …` \
         as the application shows a Filter where without policies it is an Index Cond: an index on a bigint, a date, a \
         uuid or a text is used, and for others a function that asks for the tenant itself",
        table.name
    );
    let mut fix = format!(
        "DROP INDEX {}.{};",
        tidy(&table.name.schema),
        tidy(&index.name)
    );
    if let Some(tenant) = tenant
        && index
            .columns
            .first()
            .is_some_and(|key| key.column == Some(tenant))
        && !is_led_without(audit, table, tenant, Some(index.oid))
    {
        let kept: Vec<i16> = index
            .columns
            .iter()
            .take_while(|key| key.leakproof)
            .filter_map(|key| key.column)
            .collect();
        let kept = if kept.is_empty() { vec![tenant] } else { kept };
        fix = format!("{}\n{fix}", create(table, &table.column_list(&kept)));
    }
    Finding::new(
        Fault::PerfLeakyOp,
        format!("index {}.{}", tidy(&table.name.schema), tidy(&index.name)),
        why,
        fix,
    )
    .tables([table.name.to_string()])
}

/// The tables that a function searches past the policies, for the context's tenant alone: their indexes are
/// used by it.
fn searched(audit: &Audit<'_>) -> BTreeSet<Oid> {
    let mut tables = BTreeSet::new();
    for function in audit.catalogue.functions.values() {
        let callable = function.security_definer
            && function.extension.is_none()
            && audit
                .askers()
                .iter()
                .any(|role| audit.catalogue.may_call(*role, function));
        if callable {
            let reached = Reach::of_function(audit, function);
            tables.extend(
                reached
                    .accesses
                    .iter()
                    .filter(|access| {
                        access.bound
                            && audit
                                .catalogue
                                .relations
                                .get(&access.table)
                                .is_some_and(|table| audit.catalogue.is_exempt(access.role, table))
                    })
                    .map(|access| access.table),
            );
        }
    }
    tables
}
