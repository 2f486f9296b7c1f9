use super::{
    first,
    membership::{Cut, is_predefined},
    tables,
};
use crate::{
    Fault, Finding,
    catalogue::{Oid, PUBLIC},
    check::{
        Audit,
        app::{App, grantee, listed},
    },
    sql::tidy,
};

/// Roles of PostgreSQL's own that open the server.
const SERVER: [&str; 3] = [
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
];

/// Roles of PostgreSQL's own that open what no policy closes.
const READ: [&str; 4] = [
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_monitor",
    "pg_read_all_stats",
];

pub(super) fn find(audit: &Audit<'_>, app: &App<'_>, found: &mut Vec<Finding>) {
    let roles = held(audit, app, &SERVER);
    let functions = file_functions(audit, app);
    if roles.is_some() || !functions.is_empty() {
        found.push(server_access(audit, app, roles, &functions));
    }
    if let Some((names, fix)) = held(audit, app, &READ) {
        let has = |name: &str| names.iter().any(|it| it == name);
        let open = if has("pg_read_all_data") || has("pg_write_all_data") {
            tables(audit, |it| !it.row_security)
        } else {
            Vec::new()
        };
        let exploit = if has("pg_read_all_data") {
            match open.first() {
                Some(table) => format!("`SELECT * FROM {table}` needs no grant"),
                None => "`SELECT * FROM t` needs no grant, on this and on every later table without row-level security".to_owned(),
            }
        } else if has("pg_write_all_data") {
            "`DELETE FROM t` needs no grant, on any table without row-level security".to_owned()
        } else {
            "`SELECT query FROM pg_stat_activity` shows the statements of all sessions, with the values in them".to_owned()
        };
        let why = format!(
            "{} is a member of {}: {exploit}",
            app.name(),
            listed(&names)
        );
        found.push(Finding::new(Fault::PredefinedRead, app.object(), why, fix).tables(open));
    }
}

/// Which of some roles it is a member of, but those that come with another of PostgreSQL's own, and how to leave.
fn held(audit: &Audit<'_>, app: &App<'_>, wanted: &[&str]) -> Option<(Vec<String>, String)> {
    let roles = &audit.catalogue.roles;
    let targets: Vec<Oid> = wanted
        .iter()
        .filter_map(|name| roles.named(name))
        .map(|role| role.oid)
        .filter(|oid| {
            app.reach.way_to(*oid).is_some_and(|way| {
                let given = way
                    .last()
                    .is_some_and(|(member, _)| !is_predefined(*member));
                let another = way
                    .iter()
                    .skip(1)
                    .any(|(member, _)| audit.subject.app_roles.contains(member));
                // What lies behind a role that bypasses everything is no fault of its own.
                let beyond = way.iter().any(|(member, _)| roles.bypasses(*member));
                given && !another && !beyond
            })
        })
        .collect();
    let names = targets.iter().map(|oid| tidy(roles.name(*oid))).collect();
    let fix = Cut::acting(audit, app, &targets).sql(audit);
    (!targets.is_empty()).then_some((names, fix))
}

fn server_access(
    audit: &Audit<'_>,
    app: &App<'_>,
    roles: Option<(Vec<String>, String)>,
    functions: &[(String, String)],
) -> Finding {
    let all = tables(audit, |_| true);
    let table = first(&all);
    let (names, fix) = roles.unwrap_or_default();
    let exploit = match names.first().map(String::as_str) {
        Some("pg_execute_server_program") => format!(
            "`COPY {table} FROM PROGRAM 'psql …'` runs a program as the server, which may do anything"
        ),
        Some("pg_write_server_files") => format!(
            "`COPY {table} TO '/var/lib/postgresql/.ssh/authorized_keys'` writes files as the server"
        ),
        _ => "`SELECT pg_read_binary_file('base/1/1259')` reads the files that the tables are kept in"
            .to_owned(),
    };
    let mut has = Vec::new();
    if !names.is_empty() {
        has.push(format!("is a member of {}", listed(&names)));
    }
    if let Some((function, _)) = functions.first() {
        has.push(format!("may call {function}"));
    }
    let mut fixes: Vec<String> = functions
        .iter()
        .map(|(function, from)| format!("REVOKE EXECUTE ON FUNCTION {function} FROM {from};"))
        .collect();
    if !fix.is_empty() {
        fixes.push(fix);
    }
    let why = format!("{} {}: {exploit}", app.name(), has.join(" and "));
    Finding::new(Fault::RoleServerAccess, app.object(), why, fixes.join("\n")).tables(all)
}

/// Functions that read or write the server's files, and as whom it may call them.
fn file_functions(audit: &Audit<'_>, app: &App<'_>) -> Vec<(String, String)> {
    let apps = &audit.subject.app_roles;
    // Of a login that becomes one of the application's roles it is told of the role.
    let told = |to: Oid| {
        !apps.contains(&app.role.oid)
            && apps
                .iter()
                .any(|app| to == PUBLIC || audit.catalogue.roles.reachable(*app).contains(&to))
    };
    audit
        .catalogue
        .server
        .file_functions
        .iter()
        .filter(|(_, to)| app.is_guise(*to) && (*to == PUBLIC || !is_predefined(*to)))
        .filter(|(_, to)| !told(*to))
        .map(|(function, to)| (function.clone(), grantee(audit, *to)))
        .collect()
}
