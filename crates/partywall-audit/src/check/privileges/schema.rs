use std::collections::{BTreeMap, BTreeSet};

use super::tables::{holder, object};
use crate::{
    Fault, Finding,
    catalogue::{Namespace, Oid, Privilege},
    check::{
        Audit,
        app::{App, grantee},
        roles::NewOwner,
    },
    sql::tidy,
};

/// Making things in schemas where others look names up.
pub(super) fn find(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    let mut granted: BTreeMap<Oid, Vec<&Namespace>> = BTreeMap::new();
    let mut owned: BTreeMap<Oid, Vec<&Namespace>> = BTreeMap::new();
    for namespace in audit.catalogue.namespaces.values() {
        if !audit.subject.reports_schema(&namespace.name) {
            continue;
        }
        for app in apps {
            if let Some(owner) = owner(audit, app, namespace) {
                owned.entry(owner).or_default().push(namespace);
            }
        }
        let grantees: BTreeSet<Oid> = apps
            .iter()
            .flat_map(|app| app.grantees_in(namespace.oid, Privilege::Create))
            .filter(|grantee| *grantee != namespace.owner)
            .collect();
        for grantee in grantees {
            granted.entry(grantee).or_default().push(namespace);
        }
    }
    find_in_database(audit, apps, found);
    for (role, namespaces) in granted {
        let names = names(&namespaces);
        let fix = format!(
            "REVOKE CREATE ON SCHEMA {} FROM {};",
            names.join(", "),
            grantee(audit, role)
        );
        let why = why(&holder(audit, apps, role), &names);
        found.push(Finding::new(
            Fault::SchemaCreate,
            object(audit, role),
            why,
            fix,
        ));
    }
    for (role, namespaces) in owned {
        let Some(app) = apps.iter().find(|app| app.role.oid == role) else {
            continue;
        };
        let names = names(&namespaces);
        let owner = NewOwner::of(audit, app.role);
        let mut fix = owner.create();
        for name in &names {
            fix.push(format!("ALTER SCHEMA {name} OWNER TO {};", owner.sql()));
            fix.push(format!("GRANT USAGE ON SCHEMA {name} TO {};", app.name()));
        }
        let object = format!("{} as owner", app.object());
        let why = why(&format!("{}, as the owner,", app.name()), &names);
        found.push(Finding::new(
            Fault::SchemaCreate,
            object,
            why,
            fix.join("\n"),
        ));
    }
}

/// Making schemas: one that is called like a role comes before all others in that role's search path.
fn find_in_database(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    let server = &audit.catalogue.server;
    let database = tidy(&server.database);
    let grantees: BTreeSet<Oid> = server
        .database_grants
        .iter()
        .filter(|grant| {
            grant.privilege == Privilege::Create
                && grant.grantee != server.database_owner
                && apps.iter().any(|app| app.is_guise(grant.grantee))
        })
        .map(|grant| grant.grantee)
        .collect();
    for role in grantees {
        let victim = audit
            .subject
            .tenant_tables(audit.catalogue)
            .map(|table| tidy(audit.catalogue.roles.name(table.owner)))
            .next()
            .unwrap_or_else(|| "postgres".to_owned());
        let why = format!(
            "{} may make schemas in the database, and names are looked up first in the one that is called like the \
             role: what stands in `CREATE SCHEMA {victim}` answers {victim}'s next migration, with its rights",
            holder(audit, apps, role)
        );
        found.push(Finding::new(
            Fault::SchemaCreate,
            format!("{} in database {database}", object(audit, role)),
            why,
            format!(
                "REVOKE CREATE ON DATABASE {database} FROM {};",
                grantee(audit, role)
            ),
        ));
    }
}

/// The application, where it owns a schema: itself, or as the owner of the database.
fn owner(audit: &Audit<'_>, app: &App<'_>, namespace: &Namespace) -> Option<Oid> {
    let roles = &audit.catalogue.roles;
    let through_database = roles.name(namespace.owner) == "pg_database_owner"
        && roles.has_rights_of(app.role.oid, namespace.owner);
    (namespace.owner == app.role.oid || through_database).then_some(app.role.oid)
}

fn names(namespaces: &[&Namespace]) -> Vec<String> {
    namespaces.iter().map(|it| tidy(&it.name)).collect()
}

fn why(who: &str, names: &[String]) -> String {
    let schema = names.first().map_or("public", String::as_str);
    format!(
        "{who} may make things in {}, and whoever looks names up there runs them: `CREATE FUNCTION {schema}.lower(varchar) RETURNS text …` is called by the next migration with its rights",
        names.join(", ")
    )
}
