use super::{first, membership::without, tables};
use crate::{
    Fault, Finding,
    catalogue::Oid,
    check::{
        Audit,
        app::{App, listed},
    },
    sql::tidy,
};

/// Roles for which no policy holds, and that it can become.
///
/// Before PostgreSQL 16, CREATEROLE is such a way: whoever has it can make itself a member of any role but a
/// superuser, so also of one that runs programs on the server. Since then it needs ADMIN on the role, which is a
/// membership like others.
pub(super) fn find(audit: &Audit<'_>, app: &App<'_>, found: &mut Vec<Finding>) {
    let roles = &audit.catalogue.roles;
    let all = tables(audit, |_| true);
    let targets: Vec<Oid> = app
        .reach
        .becomes()
        .into_iter()
        .filter(|oid| roles.bypasses(*oid) && !by_another(audit, app, *oid))
        .collect();
    if let Some(target) = targets.first() {
        let names: Vec<String> = targets.iter().map(|oid| tidy(roles.name(*oid))).collect();
        let why = format!(
            "{} can become {}, for whom no policy holds: `SET ROLE {}; SELECT * FROM {}`",
            app.name(),
            listed(&names),
            tidy(roles.name(*target)),
            first(&all)
        );
        let fix = without(audit, app, &targets, "NOBYPASSRLS");
        found.push(
            Finding::new(Fault::RoleSetroleBypass, app.object(), why, fix).tables(all.clone()),
        );
    }
    if audit.catalogue.server.major() < 16 {
        let makers: Vec<Oid> = app
            .reach
            .becomes()
            .into_iter()
            .filter(|oid| !roles.bypasses(*oid))
            .filter(|oid| roles.get(*oid).is_some_and(|role| role.create_role))
            .collect();
        if let Some(maker) = makers.first() {
            let first_step = if *maker == app.role.oid {
                String::new()
            } else {
                format!("SET ROLE {}; ", tidy(roles.name(*maker)))
            };
            let why = format!(
                "{} can use CREATEROLE, by which it makes itself a member of any role but a superuser: `{first_step}GRANT pg_execute_server_program TO {}`",
                app.name(),
                app.name()
            );
            let mut fix = String::new();
            if makers.contains(&app.role.oid) {
                fix = format!("ALTER ROLE {} NOCREATEROLE;", app.name());
            }
            let others: Vec<Oid> = makers
                .into_iter()
                .filter(|oid| *oid != app.role.oid)
                .collect();
            let revokes = without(audit, app, &others, "NOCREATEROLE");
            if !fix.is_empty() && !revokes.is_empty() {
                fix.push('\n');
            }
            fix.push_str(&revokes);
            let object = format!("{} by CREATEROLE", app.object());
            found.push(Finding::new(Fault::RoleSetroleBypass, object, why, fix).tables(all));
        }
    }
}

/// Whether another of the application's roles is on the way, which has the same finding.
pub(super) fn by_another(audit: &Audit<'_>, app: &App<'_>, target: Oid) -> bool {
    audit.subject.app_roles.contains(&target)
        || app.reach.way_to_become(target).is_some_and(|way| {
            way.iter()
                .skip(1)
                .any(|(member, _)| audit.subject.app_roles.contains(member))
        })
}
