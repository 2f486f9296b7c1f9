//! Conditions by which a step is known to be done. They look at the catalogues alone, so they can be asked
//! whether or not the objects are there.

use crate::sql::{Name, literal};

/// The number of a relation; NULL if it is not there.
pub(super) fn relation(name: &Name) -> String {
    format!("pg_catalog.to_regclass({})", literal(&name.to_string()))
}

pub(super) fn role(name: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {})",
        literal(name)
    )
}

pub(super) fn column(table: &Name, column: &str) -> String {
    attribute(table, column, "NOT attisdropped")
}

pub(super) fn not_null(table: &Name, column: &str) -> String {
    attribute(table, column, "attnotnull")
}

fn attribute(table: &Name, column: &str, which: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = {} AND attname = {} AND {which})",
        relation(table),
        literal(column)
    )
}

pub(super) fn constraint(table: &Name, name: &str) -> String {
    a_constraint(table, name, "")
}

pub(super) fn validated(table: &Name, name: &str) -> String {
    a_constraint(table, name, " AND convalidated")
}

fn a_constraint(table: &Name, name: &str, which: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = {} AND conname = {}{which})",
        relation(table),
        literal(name)
    )
}

/// Whether a constraint has this column.
pub(super) fn constraint_has(table: &Name, name: &str, column: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid \
         AND a.attnum = ANY (k.conkey) WHERE k.conrelid = {} AND k.conname = {} AND a.attname = {})",
        relation(table),
        literal(name),
        literal(column)
    )
}

/// Whether an index is there, and valid.
pub(super) fn index(name: &Name) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = {} AND indisvalid AND indisready)",
        relation(name)
    )
}

pub(super) fn exists(name: &Name) -> String {
    format!("{} IS NOT NULL", relation(name))
}

/// Whether an index of a partition is part of its parent's.
pub(super) fn attached(index: &Name, parent: &Name) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = {} AND inhparent = {})",
        relation(index),
        relation(parent)
    )
}

pub(super) fn trigger(table: &Name, name: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = {} AND tgname = {})",
        relation(table),
        literal(name)
    )
}

pub(super) fn owner(table: &Name, role: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner \
         WHERE c.oid = {} AND r.rolname = {})",
        relation(table),
        literal(role)
    )
}

/// Whether row-level security is on and forced, and these policies are there.
pub(super) fn walled(table: &Name, policies: &[&str]) -> String {
    let mut all = vec![format!(
        "EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = {} AND relrowsecurity AND relforcerowsecurity)",
        relation(table)
    )];
    all.extend(policies.iter().map(|policy| {
        format!(
            "EXISTS (SELECT FROM pg_catalog.pg_policy WHERE polrelid = {} AND polname = {})",
            relation(table),
            literal(policy)
        )
    }));
    all.join("\n  AND ")
}

/// Whether somebody has these rights on a relation, by grants to just them, and no others.
pub(super) fn rights(relation: &Name, grantee: Option<&str>, rights: &[&str]) -> String {
    let mut rights = rights.to_vec();
    rights.sort_unstable();
    format!(
        "(SELECT coalesce(string_agg(DISTINCT a.privilege_type, ',' ORDER BY a.privilege_type), '') FROM pg_catalog.pg_class c, \
         pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner))) a \
         WHERE c.oid = {} AND a.grantee = {}) = {}",
        self::relation(relation),
        grantee_oid(grantee),
        literal(&rights.join(","))
    )
}

/// Whether somebody has a right in a schema, by a grant to just them.
pub(super) fn in_schema(schema: &str, grantee: Option<&str>, right: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_namespace n, \
         pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a \
         WHERE n.nspname = {} AND a.grantee = {} AND a.privilege_type = {})",
        literal(schema),
        grantee_oid(grantee),
        literal(right)
    )
}

fn grantee_oid(grantee: Option<&str>) -> String {
    grantee.map_or_else(
        || "0".to_owned(),
        |role| {
            format!(
                "(SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {})",
                literal(role)
            )
        },
    )
}
