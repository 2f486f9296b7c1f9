use super::{is_root, surrogate::is_integer, tables};
use crate::{
    Fault, Finding,
    catalogue::{Column, Identity, Privilege, Relation},
    check::{Audit, reach::phrase},
    sql::tidy,
};

/// `int8` (pg_type.dat).
const BIGINT: u32 = 20;

/// Numbers that one sequence gives to the rows of all tenants, in order.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in
        tables(audit).filter(|table| !is_root(audit, table.oid) && table.parents.is_empty())
    {
        for column in &table.columns {
            if is_numbered(column) && is_seen(audit, table, column) {
                let name = tidy(&column.name);
                let why = format!(
                    "one sequence numbers the rows of all tenants, so with `SELECT max({name}) - min({name}), count(*) \
                     FROM {}` a tenant sees how many rows the others make",
                    table.name
                );
                found.push(
                    Finding::new(
                        Fault::SeqShared,
                        format!("{}.{name}", table.name),
                        why,
                        fix(audit, table, column),
                    )
                    .tables([table.name.to_string()]),
                );
            }
        }
    }
}

fn is_numbered(column: &Column) -> bool {
    column.identity != Identity::No
        || column
            .default
            .as_deref()
            .is_some_and(|default| phrase::calls(default).iter().any(|call| call == "nextval"))
}

/// Whether the application reads the numbers, and can have some made.
fn is_seen(audit: &Audit<'_>, table: &Relation, column: &Column) -> bool {
    audit
        .askers_of(table, &[Privilege::Select])
        .iter()
        .any(|role| {
            table.grants.iter().any(|grant| {
                grant.privilege == Privilege::Select
                    && grant.column.is_none_or(|own| own == column.number)
                    && audit.catalogue.roles.has_rights_of(*role, grant.grantee)
            })
        })
}

/// The next numbers are random and in no order: old ones stay, and the type and what refers to it with them.
/// A small integer has no room for that and becomes a `bigint`, with the columns that refer to it.
fn fix(audit: &Audit<'_>, table: &Relation, column: &Column) -> String {
    let name = tidy(&column.name);
    let mut statements = Vec::new();
    if column.identity == Identity::No {
        statements.push(format!(
            "ALTER TABLE {} ALTER COLUMN {name} DROP DEFAULT;",
            table.name
        ));
    } else {
        statements.push(format!(
            "ALTER TABLE {} ALTER COLUMN {name} DROP IDENTITY;",
            table.name
        ));
    }
    if is_integer(column) && column.type_oid != BIGINT {
        statements.push(format!(
            "ALTER TABLE {} ALTER COLUMN {name} TYPE bigint;",
            table.name
        ));
        for child in audit.catalogue.relations.values() {
            for (constraint, reference) in child.foreign_keys() {
                let own =
                    constraint
                        .columns
                        .iter()
                        .zip(&reference.columns)
                        .filter(|(_, theirs)| {
                            constraint.parent.is_none()
                                && reference.relation == table.oid
                                && **theirs == column.number
                        });
                for own in own.filter_map(|(own, _)| child.column(*own)) {
                    if own.type_oid != BIGINT {
                        statements.push(format!(
                            "ALTER TABLE {} ALTER COLUMN {} TYPE bigint;",
                            child.name,
                            tidy(&own.name)
                        ));
                    }
                }
            }
        }
    }
    let random = "('x' || left(gen_random_uuid()::text, 8) || right(gen_random_uuid()::text, 7))::bit(60)::bigint";
    let default = if is_integer(column) {
        random.to_owned()
    } else {
        // A number in a text or a numeric.
        format!("({random})::{}", column.type_name)
    };
    statements.push(format!(
        "ALTER TABLE {} ALTER COLUMN {name} SET DEFAULT ({default});",
        table.name
    ));
    statements.join("\n")
}
