use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Fault, Finding,
    catalogue::{Oid, PUBLIC, Privilege},
    check::{
        Audit,
        app::{App, grantee},
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
            let names: Vec<String> = tables
                .iter()
                .filter_map(|oid| audit.catalogue.relations.get(oid))
                .map(|relation| relation.name.to_string())
                .collect();
            let Some(table) = names.first() else { continue };
            let who = holder(audit, apps, role);
            let (keyword, why) = if privilege == Privilege::Truncate {
                let why = format!(
                    "{who} may truncate, which no policy stops: `TRUNCATE {table} CASCADE` removes the rows of every tenant"
                );
                ("TRUNCATE", why)
            } else {
                let why = format!(
                    "{who} may put triggers on tables that all tenants write: `CREATE TRIGGER steal BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION pg_temp.steal()` sees the rows of every tenant"
                );
                ("TRIGGER", why)
            };
            let grantee = grantee(audit, role);
            let fix = format!("REVOKE {keyword} ON {} FROM {grantee};", names.join(", "));
            found.push(Finding::new(fault, object(audit, role), why, fix).tables(names));
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
    for relation in audit.subject.tenant_tables(audit.catalogue) {
        if !relation.is_table() || !audit.subject.reports(relation) {
            continue;
        }
        for role in apps
            .iter()
            .flat_map(|app| app.grantees(relation, &[privilege]))
        {
            found.entry(role).or_default().insert(relation.oid);
        }
    }
    found
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
