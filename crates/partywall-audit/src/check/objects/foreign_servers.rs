use crate::{
    Fault, Finding,
    catalogue::{ForeignServer, Oid, PUBLIC, Privilege},
    check::{
        Audit,
        app::{App, grantee},
    },
    sql::tidy,
};

/// Servers that the application may make foreign tables of, or ask by `dblink`, as whoever a user mapping says:
/// not held by any policy, and by no grant on a table.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let apps = App::bound(audit);
    for server in &audit.catalogue.foreign_servers {
        let mut roles: Vec<Oid> = apps
            .iter()
            .filter(|app| is_mapped(server, app) && asks(audit, app))
            .flat_map(|app| usable_by(server, app))
            .collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            continue;
        }
        let name = tidy(&server.name);
        let names: Vec<String> = roles.iter().map(|role| grantee(audit, *role)).collect();
        let names = names.join(", ");
        let why = format!(
            "{names} may use it and everybody's user mapping logs in to it, so \
             `CREATE FOREIGN TABLE … SERVER {name}` or `dblink` reads whatever that login may, of all tenants"
        );
        found.push(Finding::new(
            Fault::ForeignTable,
            format!("server {name}"),
            why,
            format!("REVOKE USAGE ON FOREIGN SERVER {name} FROM {names};"),
        ));
    }
}

/// By whom the application may use a server, other than by owning it.
fn usable_by(server: &ForeignServer, app: &App<'_>) -> Vec<Oid> {
    server
        .grants
        .iter()
        .filter(|grant| {
            grant.privilege == Privilege::Usage
                && grant.grantee != server.owner
                && app.is_guise(grant.grantee)
        })
        .map(|grant| grant.grantee)
        .collect()
}

fn is_mapped(server: &ForeignServer, app: &App<'_>) -> bool {
    server
        .mapped
        .iter()
        .any(|role| *role == PUBLIC || app.is_guise(*role))
}

/// Whether it can make a foreign table anywhere, or has a function that asks without one.
fn asks(audit: &Audit<'_>, app: &App<'_>) -> bool {
    let catalogue = audit.catalogue;
    let creates = catalogue
        .namespaces
        .keys()
        .any(|namespace| !app.grantees_in(*namespace, Privilege::Create).is_empty())
        || catalogue
            .server
            .database_grants
            .iter()
            .any(|grant| grant.privilege == Privilege::Create && app.is_guise(grant.grantee));
    creates
        || catalogue.functions.values().any(|function| {
            function.extension.as_deref() == Some("dblink")
                && catalogue.may_call(app.role.oid, function)
        })
}
