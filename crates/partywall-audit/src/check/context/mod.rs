//! Section 4 of the list of faults: the tenant context.

mod body;
mod default;
mod inconsistent;
mod opening;
mod raises;
mod script;
mod session;
mod settable;

use std::collections::BTreeSet;

use super::Audit;
use crate::{
    Finding,
    catalogue::{Oid, Privilege, Relation},
};

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let openings = opening::all(audit);
    opening::find(audit, &openings, found);
    raises::find(audit, &openings, found);
    // What opens policies is as good as a context for whoever gets to set it.
    let mut settings: BTreeSet<&str> = audit.subject.contexts.iter().map(String::as_str).collect();
    settings.extend(openings.iter().filter_map(opening::Opened::flag));
    default::find(audit, &settings, found);
    inconsistent::find(audit, found);
    session::find(audit, &settings, found);
    settable::find(audit, found);
}

impl<'a> Audit<'a> {
    /// The tenants' tables with row-level security that the application's roles can do something with, and
    /// that are to be reported on.
    fn guarded(&self) -> impl Iterator<Item = &'a Relation> {
        let (catalogue, subject) = (self.catalogue, self.subject);
        subject.tenant_tables(catalogue).filter(move |relation| {
            relation.row_security
                && subject.reports(relation)
                && subject
                    .app_roles
                    .iter()
                    .any(|role| reaches(self, *role, relation))
        })
    }
}

fn reaches(audit: &Audit<'_>, role: Oid, relation: &Relation) -> bool {
    const DATA: [Privilege; 4] = [
        Privilege::Select,
        Privilege::Insert,
        Privilege::Update,
        Privilege::Delete,
    ];
    audit.catalogue.may_enter(role, relation.namespace)
        && DATA
            .iter()
            .any(|privilege| audit.catalogue.may_any_column(role, relation, *privilege))
}

/// Whether a policy holds for one of the application's roles.
fn applies(audit: &Audit<'_>, roles: &[Oid]) -> bool {
    audit.subject.app_roles.iter().any(|app| {
        roles
            .iter()
            .any(|role| audit.catalogue.roles.has_rights_of(*app, *role))
    })
}

/// `public.a`, `public.a and public.b`, `public.a and 7 other tables`.
fn some(tables: &BTreeSet<String>) -> String {
    let mut names = tables.iter();
    match (names.next(), names.next(), names.count()) {
        (None, _, _) => "no table".to_owned(),
        (Some(one), None, _) => one.clone(),
        (Some(one), Some(other), 0) => format!("{one} and {other}"),
        (Some(one), Some(_), more) => format!("{one} and {} other tables", more + 1),
    }
}
