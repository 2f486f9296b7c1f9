use std::collections::BTreeSet;

use super::{first, membership::without, set_role::by_another, tables};
use crate::{
    Fault, Finding,
    catalogue::{Oid, RelationKind, Role},
    check::{Audit, app::App},
    sql::{ident, literal, tidy},
    subject::Belonging,
};

/// The superuser that PostgreSQL was set up with, which cannot be made less (`BOOTSTRAP_SUPERUSERID`).
const BOOTSTRAP: Oid = 10;

/// Attributes that open everything: SUPERUSER, BYPASSRLS, REPLICATION.
pub(super) fn find(audit: &Audit<'_>, app: &App<'_>, found: &mut Vec<Finding>) {
    let role = app.role;
    let name = app.name();
    let all = tables(audit, |_| true);
    let read = format!(
        "`SELECT * FROM {}` shows the rows of every tenant",
        first(&all)
    );
    if role.superuser {
        let why = format!("{name} is a superuser, for whom no policy holds: {read}");
        let fix = if role.oid == BOOTSTRAP {
            successor(audit, role)
        } else {
            format!(
                "ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS;{}",
                rights(audit, role, &name)
            )
        };
        found.push(Finding::new(Fault::RoleSuperuser, app.object(), why, fix).tables(all));
    } else if role.bypasses_row_security {
        let why = format!("{name} has BYPASSRLS, so no policy holds for it: {read}");
        let fix = format!("ALTER ROLE {name} NOBYPASSRLS;");
        found.push(Finding::new(Fault::RoleBypassrls, app.object(), why, fix).tables(all));
    } else if role.replication {
        let why = format!(
            "{name} has REPLICATION and can read the write-ahead log, which holds every row: {LOG}"
        );
        let fix = format!("ALTER ROLE {name} NOREPLICATION;");
        found.push(Finding::new(Fault::RoleReplication, app.object(), why, fix).tables(all));
    } else {
        borrowed_replication(audit, app, all, found);
    }
}

const LOG: &str = "`SELECT pg_create_logical_replication_slot('s', 'test_decoding')`, later `SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL)`, or a base backup";

/// The attribute of a role that it can become. It is not inherited, so `SET ROLE` is the only way.
fn borrowed_replication(
    audit: &Audit<'_>,
    app: &App<'_>,
    all: Vec<String>,
    found: &mut Vec<Finding>,
) {
    let roles = &audit.catalogue.roles;
    let targets: Vec<Oid> = app
        .reach
        .becomes()
        .into_iter()
        .filter(|oid| !roles.bypasses(*oid) && roles.get(*oid).is_some_and(|role| role.replication))
        .filter(|oid| !by_another(audit, app, *oid))
        .collect();
    let Some(target) = targets.first() else {
        return;
    };
    let target = tidy(roles.name(*target));
    let why = format!(
        "{} can become {target}, which can read the write-ahead log with every row in it: `SET ROLE {target}`, then {LOG}",
        app.name()
    );
    let fix = without(audit, app, &targets, "NOREPLICATION");
    if !fix.is_empty() {
        found.push(Finding::new(Fault::RoleReplication, app.object(), why, fix).tables(all));
    }
}

/// A login to use in place of the superuser that must stay one.
fn successor(audit: &Audit<'_>, role: &Role) -> String {
    let mut name = "tenant_app".to_owned();
    let mut number = 2;
    while audit.catalogue.roles.named(&name).is_some() {
        name = format!("tenant_app_{number}");
        number += 1;
    }
    format!(
        "-- {} must stay a superuser: let the application log in as this role instead, once it has a password.\n\
         CREATE ROLE {name} LOGIN;{}",
        tidy(&role.name),
        rights(audit, role, &name)
    )
}

/// What a role needs that is no superuser any more and has no rights of its own: those on the tenants' tables,
/// and to read what is everybody's.
fn rights(audit: &Audit<'_>, role: &Role, name: &str) -> String {
    let catalogue = audit.catalogue;
    let has_some = audit.subject.tenant_tables(catalogue).any(|it| {
        it.grants
            .iter()
            .any(|grant| catalogue.roles.has_rights_of(role.oid, grant.grantee))
    });
    if has_some && role.oid != BOOTSTRAP {
        return String::new();
    }
    let mut schemas: BTreeSet<&str> = BTreeSet::new();
    let mut grants = String::new();
    for relation in catalogue.relations.values() {
        let table = relation.is_table() && !relation.is_partition;
        let right = match audit.subject.belonging(relation.oid) {
            _ if relation.kind == RelationKind::Sequence
                && relation
                    .owned_by
                    .is_some_and(|(table, _)| audit.subject.is_tenants(table)) =>
            {
                "USAGE ON SEQUENCE"
            }
            Some(Belonging::Root(_)) if table => "SELECT ON",
            // What nothing protects is not granted by the way.
            Some(Belonging::Column(_) | Belonging::Person(_) | Belonging::Parent { .. })
                if table && (relation.row_security || role.oid == BOOTSTRAP) =>
            {
                "SELECT, INSERT, UPDATE, DELETE ON"
            }
            Some(Belonging::Global) if table => "SELECT ON",
            _ => continue,
        };
        schemas.insert(&relation.name.schema);
        grants.push_str(&format!("\nGRANT {right} {} TO {name};", relation.name));
    }
    let usage: String = schemas
        .iter()
        .map(|schema| format!("\nGRANT USAGE ON SCHEMA {} TO {name};", tidy(schema)))
        .collect();
    usage + &grants
}

/// Makes a role unless it is there. It may be named anything, so the block's own quotes are chosen to
/// differ from it.
pub(super) fn create_role(name: &str) -> String {
    let mut tag = "partywall".to_owned();
    while name.contains(&tag) {
        tag.push('_');
    }
    format!(
        "DO ${tag}$ BEGIN\n  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN\n    CREATE ROLE {} NOLOGIN;\n  END IF;\nEND ${tag}$;",
        literal(name),
        ident(name)
    )
}
