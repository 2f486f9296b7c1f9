//! Section 2 of the list of faults: roles.

mod attribute;
mod membership;
mod owner;
mod policy_role;
mod predefined;
mod set_role;

pub(super) use owner::NewOwner;
pub(super) use policy_role::inherited_from;

use self::membership::Cut;
use super::{Audit, app::App};
use crate::{
    Finding,
    catalogue::{Oid, Relation},
};

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let apps = App::all(audit);
    for app in &apps {
        attribute::find(audit, app, found);
        if app.bypasses() {
            continue;
        }
        owner::find(audit, app, found);
        set_role::find(audit, app, found);
        predefined::find(audit, app, found);
        policy_role::find(audit, app, found);
    }
    // To become a role that bypasses the policies is what some of them are for: Supabase's `service_role`.
    for login in &App::logins(audit) {
        attribute::find(audit, login, found);
        owner::find(audit, login, found);
        predefined::find(audit, login, found);
    }
}

/// Takes a role out of others, unless it lives by one of them.
pub(super) fn leave(audit: &Audit<'_>, role: Oid, others: &[Oid]) -> Option<String> {
    let apps = App::all(audit);
    let app = apps.iter().find(|app| app.role.oid == role)?;
    let cut = Cut::acting(audit, app, others);
    let fix = cut.sql(audit);
    (!fix.is_empty() && !cut.starves(audit)).then_some(fix)
}

/// The names of the tenants' tables, but partitions, that meet a condition.
fn tables(audit: &Audit<'_>, mut which: impl FnMut(&Relation) -> bool) -> Vec<String> {
    audit
        .subject
        .tenant_tables(audit.catalogue)
        .filter(|it| it.is_table() && !it.is_partition && which(it))
        .map(|it| it.name.to_string())
        .collect()
}

/// What an attacker reads first: one of the tables.
fn first(tables: &[String]) -> &str {
    tables.first().map_or("any_table", String::as_str)
}
