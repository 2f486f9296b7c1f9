//! Section 6 of the list of faults: keys and constraints, which PostgreSQL checks as if there were no policies.

mod actions;
mod definition;
mod exclusions;
mod foreign;
mod nullable;
mod sequences;
mod serial;
mod surrogate;
mod unique;

pub(crate) use nullable::shows_null;
pub(crate) use unique::is_scoped;

use super::Audit;
use crate::{
    Finding,
    catalogue::{Index, Oid, Relation},
};
pub(crate) use surrogate::is_surrogate;

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    foreign::find(audit, found);
    actions::find(audit, found);
    unique::find(audit, found);
    exclusions::find(audit, found);
    serial::find(audit, found);
    sequences::find(audit, found);
    nullable::find(audit, found);
}

/// Whether a value that is taken tells nothing: it is a secret that a machine made, or only counts once it is proven.
/// A collision with it is then no oracle, here and in live attacks.
pub(crate) fn tells_nothing(table: &Relation, index: &Index) -> bool {
    let mut columns = index.columns.iter().filter_map(|key| key.column);
    columns.any(|column| table.column(column).is_some_and(surrogate::is_secret))
        || definition::asks_for_proof(index, table)
}

/// The tenants' tables, but partitions, which have what their parents have.
fn tables<'a>(audit: &'a Audit<'_>) -> impl Iterator<Item = &'a Relation> {
    audit
        .subject
        .tenant_tables(audit.catalogue)
        .filter(|table| {
            table.is_table()
                && !table.is_partition
                && table.extension.is_none()
                && audit.subject.reports(table)
        })
}

fn is_root(audit: &Audit<'_>, table: Oid) -> bool {
    audit.subject.root == Some(table)
}

/// A name for something new beside a relation, which nothing there has yet.
fn new_name(audit: &Audit<'_>, beside: &Relation, wanted: &str) -> String {
    /// What PostgreSQL cuts names to (NAMEDATALEN - 1).
    const LONGEST: usize = 63;
    let taken = |name: &str| {
        audit.catalogue.relations.values().any(|relation| {
            relation.namespace == beside.namespace
                && (relation.name.name == name
                    || relation.indexes.iter().any(|index| index.name == name))
        }) || beside
            .constraints
            .iter()
            .any(|constraint| constraint.name == name)
    };
    let mut number = 1;
    loop {
        let suffix = if number == 1 {
            String::new()
        } else {
            number.to_string()
        };
        let mut end = wanted.len().min(LONGEST - suffix.len());
        while !wanted.is_char_boundary(end) {
            end -= 1;
        }
        let name = format!("{}{suffix}", wanted.get(..end).unwrap_or(wanted));
        if !taken(&name) {
            return name;
        }
        number += 1;
    }
}
