use super::{
    definition::{head, led_by, mentions},
    is_root, tables,
    unique::{is_written, lead},
};
use crate::{
    Fault, Finding,
    catalogue::{ConstraintKind, Index, Relation},
    check::Audit,
    sql::tidy,
};

/// `uuid` (pg_type.dat).
const UUID: u32 = 2950;

/// Exclusion constraints over the rows of all tenants.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in tables(audit).filter(|table| !is_root(audit, table.oid)) {
        for constraint in &table.constraints {
            // A unique or primary key WITHOUT OVERLAPS (PostgreSQL 18) is one as well.
            let index = table
                .indexes
                .iter()
                .find(|index| index.exclusion && index.constraint == Some(constraint.oid));
            let Some(index) = index.filter(|_| constraint.parent.is_none()) else {
                continue;
            };
            if is_scoped(audit, table, index) || !is_written(audit, table, index) {
                continue;
            }
            let (Some(lead), Some(head)) = (lead(audit, table), head(&constraint.definition))
            else {
                continue;
            };
            let excludes = constraint.kind == ConstraintKind::Exclusion;
            let lead = if excludes {
                lead.split(", ")
                    .map(|column| format!("{column} WITH ="))
                    .collect::<Vec<_>>()
                    .join(", ")
            } else {
                lead
            };
            let Some(tail) = led_by(&constraint.definition, &lead) else {
                continue;
            };
            let name = tidy(&constraint.name);
            let why = format!(
                "it holds over the rows of all tenants, so `INSERT INTO {} …` fails with 23P01 where another \
                 tenant's row is in the way and tells of it",
                table.name
            );
            // Equality of ordinary types is not in GiST by itself.
            let fix = format!(
                "CREATE EXTENSION IF NOT EXISTS btree_gist;\n\
                 ALTER TABLE {} DROP CONSTRAINT {name};\n\
                 ALTER TABLE {} ADD CONSTRAINT {name} {head}{tail};",
                table.name, table.name
            );
            found.push(
                Finding::new(
                    Fault::ExcludeGlobal,
                    format!("constraint {name} on {}", table.name),
                    why,
                    fix,
                )
                .tables([table.name.to_string()]),
            );
        }
    }
}

/// Whether only rows of one tenant can be in each other's way, or only by a value that nobody guesses.
fn is_scoped(audit: &Audit<'_>, table: &Relation, index: &Index) -> bool {
    let columns: Vec<i16> = index.columns.iter().filter_map(|key| key.column).collect();
    let tenant = audit.subject.tenant_column(table.oid);
    if tenant.is_some_and(|tenant| columns.contains(&tenant) || mentions(index, table, tenant)) {
        return true;
    }
    let secret = columns
        .iter()
        .filter_map(|column| table.column(*column))
        .any(|column| column.type_oid == UUID);
    secret
        || table.foreign_keys().any(|(constraint, reference)| {
            audit.subject.is_tenants(reference.relation)
                && !is_root(audit, reference.relation)
                && constraint
                    .columns
                    .iter()
                    .all(|column| columns.contains(column) || Some(*column) == tenant)
        })
}
