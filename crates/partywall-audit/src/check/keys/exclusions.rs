use super::{
    definition::{head, led_by, mentions},
    is_root, tables,
    unique::{is_written, lead},
};
use crate::{
    Fault, Finding,
    catalogue::{Constraint, ConstraintKind, Index, Relation},
    check::{
        Audit,
        reach::phrase::{self, Part},
    },
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
            let equal = Equal::of(constraint);
            if is_scoped(audit, table, index, &equal) || !is_written(audit, table, index) {
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
            let drop = format!("ALTER TABLE {} DROP CONSTRAINT {name};", table.name);
            let between_tenants = audit
                .subject
                .tenant_column(table.oid)
                .is_some_and(|tenant| index.columns.iter().any(|key| key.column == Some(tenant)));
            let fix = if between_tenants {
                // What it says of other tenants' rows means nothing within one.
                drop
            } else {
                // Equality of ordinary types is not in GiST by itself.
                format!(
                    "CREATE EXTENSION IF NOT EXISTS btree_gist;\n{drop}\n\
                     ALTER TABLE {} ADD CONSTRAINT {name} {head}{tail};",
                    table.name
                )
            };
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

/// Whether only rows of one tenant can be in each other's way, or only by a value that nobody guesses. What is
/// excluded by anything but equality says nothing of that: other tenants' rows differ in it.
fn is_scoped(audit: &Audit<'_>, table: &Relation, index: &Index, equal: &Equal) -> bool {
    let columns: Vec<i16> = index
        .columns
        .iter()
        .enumerate()
        .filter(|(at, _)| equal.holds(*at))
        .filter_map(|(_, key)| key.column)
        .collect();
    let tenant = audit.subject.tenant_column(table.oid);
    if tenant.is_some_and(|tenant| {
        columns.contains(&tenant)
            || (index.columns.iter().all(|key| key.column != Some(tenant))
                && mentions(index, table, tenant))
    }) {
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

/// Which members of an exclusion constraint exclude equal values: all of a key WITHOUT OVERLAPS but its last,
/// which is a range that nothing hangs on here.
struct Equal(Option<Vec<bool>>);

impl Equal {
    fn of(constraint: &Constraint) -> Self {
        if constraint.kind != ConstraintKind::Exclusion {
            return Self(None);
        }
        let parts = phrase::read(&constraint.definition).unwrap_or_default();
        let members = parts.iter().find_map(Part::round).unwrap_or(&[]);
        let operators = phrase::split(members, |part| *part == Part::Comma)
            .iter()
            .map(|member| {
                matches!(member, [.., with, operator] if with.is("with") && operator.is_operator("="))
            })
            .collect();
        Self(Some(operators))
    }

    /// Whether a member does.
    fn holds(&self, at: usize) -> bool {
        self.0
            .as_ref()
            .is_none_or(|members| members.get(at).copied().unwrap_or(false))
    }
}
