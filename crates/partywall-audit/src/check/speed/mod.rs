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
    let mut slow = Vec::new();
    volatile::find(audit, &mut slow);
    casts::find(audit, &mut slow);
    indexes::find(audit, &mut slow);
    leaky::find(audit, &mut slow);
    partitions::find(audit, &mut slow);
    // A policy that is to be written anew is made fast after that: as it stands now, it would undo the fix.
    let others: Vec<&str> = found.iter().flat_map(|it| written(&it.fix)).collect();
    slow.retain(|it| !written(&it.fix).any(|policy| others.contains(&policy)));
    found.extend(slow);
}

/// The policies that a fix writes anew: `own ON public.invoices`.
fn written(fix: &str) -> impl Iterator<Item = &str> {
    fix.lines().filter_map(|line| {
        let policy = line
            .strip_prefix("ALTER POLICY ")
            .or_else(|| line.strip_prefix("DROP POLICY "))?;
        let end = [" USING (", " WITH CHECK (", " TO ", ";"]
            .iter()
            .filter_map(|end| policy.find(end))
            .min()?;
        policy.get(..end)
    })
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
