use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Fault, Finding,
    catalogue::{Oid, PUBLIC, Privilege, Relation, RelationKind},
    check::{
        Audit,
        app::{App, grantee},
        reach::{Reach, table_names},
    },
};

/// Rights on tenants' tables that step around policies: TRUNCATE and TRIGGER. One finding for each role that they
/// were granted to; the application has them as that role. An owner's are the owner's fault.
pub(super) fn find(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    for (privilege, fault) in [
        (Privilege::Truncate, Fault::PrivTruncate),
        (Privilege::Trigger, Fault::PrivTrigger),
    ] {
        for (role, tables) in granted(audit, apps, privilege) {
            let relations: Vec<&Relation> = tables
                .iter()
                .filter_map(|oid| audit.catalogue.relations.get(oid))
                .collect();
            let names: Vec<String> = relations.iter().map(|it| it.name.to_string()).collect();
            let Some(table) = names.first() else { continue };
            let who = holder(audit, apps, role);
            let (keyword, why) = if privilege == Privilege::Truncate {
                let why = format!(
                    "{who} may truncate, which no policy stops: `TRUNCATE {table} CASCADE` removes the rows of every tenant"
                );
                ("TRUNCATE", why)
            } else {
                let is_view = relations.first().is_some_and(|it| !it.is_table());
                let (what, when) = if is_view {
                    ("views", "INSTEAD OF")
                } else {
                    ("tables", "BEFORE")
                };
                let why = format!(
                    "{who} may put triggers on {what} that all tenants write: `CREATE TRIGGER steal {when} INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION pg_temp.steal()` sees the rows of every tenant"
                );
                ("TRIGGER", why)
            };
            let grantee = grantee(audit, role);
            let fix = format!("REVOKE {keyword} ON {} FROM {grantee};", names.join(", "));
            let opened = relations.iter().flat_map(|it| behind(audit, it));
            found.push(
                Finding::new(fault, object(audit, role), why, fix)
                    .tables(table_names(audit.catalogue, opened)),
            );
        }
    }
}

/// By whom the right was granted to, the tables.
fn granted(
    audit: &Audit<'_>,
    apps: &[App<'_>],
    privilege: Privilege,
) -> BTreeMap<Oid, BTreeSet<Oid>> {
    let mut found: BTreeMap<Oid, BTreeSet<Oid>> = BTreeMap::new();
    for relation in audit.catalogue.relations.values() {
        if !audit.subject.reports(relation) || relation.extension.is_some() {
            continue;
        }
        let grantees: BTreeSet<Oid> = apps
            .iter()
            .flat_map(|app| app.grantees(relation, &[privilege]))
            .collect();
        // The rows that are written to a view are in its triggers as well.
        let is_view = relation.kind == RelationKind::View
            && privilege == Privilege::Trigger
            && !audit.askers_of(relation, &WRITES).is_empty();
        if grantees.is_empty() || !(relation.is_table() || is_view) {
            continue;
        }
        if behind(audit, relation).is_empty() {
            continue;
        }
        for role in grantees {
            found.entry(role).or_default().insert(relation.oid);
        }
    }
    found
}

const WRITES: [Privilege; 3] = [Privilege::Insert, Privilege::Update, Privilege::Delete];

/// The tenants' tables that are written by who writes a table or a view.
fn behind(audit: &Audit<'_>, relation: &Relation) -> BTreeSet<Oid> {
    if relation.kind != RelationKind::View {
        let own = audit.subject.is_tenants(relation.oid);
        return own.then_some(relation.oid).into_iter().collect();
    }
    Reach::of_relation(audit, relation, relation.owner)
        .accesses
        .into_iter()
        .map(|access| access.table)
        .filter(|table| audit.subject.is_tenants(*table))
        .collect()
}

/// A grantee as the object of a finding.
pub(super) fn object(audit: &Audit<'_>, role: Oid) -> String {
    if role == PUBLIC {
        "PUBLIC".to_owned()
    } else {
        format!("role {}", grantee(audit, role))
    }
}

/// Who has what was granted to a role: `app`, `app, as everybody`, `app, as a member of staff`.
pub(super) fn holder(audit: &Audit<'_>, apps: &[App<'_>], role: Oid) -> String {
    let Some(app) = apps
        .iter()
        .find(|app| app.role.oid == role)
        .or_else(|| apps.iter().find(|app| app.is_guise(role)))
    else {
        return grantee(audit, role);
    };
    if app.role.oid == role {
        app.name()
    } else if role == PUBLIC {
        format!("{}, as everybody,", app.name())
    } else {
        format!("{}, as a member of {},", app.name(), grantee(audit, role))
    }
}
