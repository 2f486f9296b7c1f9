//! Section 8 of the list of faults: speed.

mod casts;
mod indexes;
mod leaky;
mod partitions;
mod rewrite;
mod volatile;

use super::Audit;
use crate::{
    Finding,
    catalogue::{Policy, Relation},
};

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    volatile::find(audit, found);
    casts::find(audit, found);
    indexes::find(audit, found);
    leaky::find(audit, found);
    partitions::find(audit, found);
}

/// The tenants' tables that the application uses, with the policies that it will have where it has none yet.
fn tables<'a>(audit: &'a Audit<'_>) -> impl Iterator<Item = &'a Relation> {
    audit
        .subject
        .tenant_tables(audit.catalogue)
        .filter(|table| {
            table.is_table()
                && table.extension.is_none()
                && audit.subject.reports(table)
                && !audit.askers_of(table, &super::objects::DATA).is_empty()
        })
}

/// The policies of a table that hold for the application.
fn policies<'a>(audit: &'a Audit<'_>, table: &'a Relation) -> impl Iterator<Item = &'a Policy> {
    let askers = audit.askers();
    table.policies.iter().filter(move |policy| {
        policy.roles.iter().any(|role| {
            askers
                .iter()
                .any(|asker| audit.catalogue.roles.has_rights_of(*asker, *role))
        })
    })
}
