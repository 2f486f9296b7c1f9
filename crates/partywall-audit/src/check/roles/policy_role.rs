use std::collections::{BTreeMap, BTreeSet};

use super::{first, membership::Cut};
use crate::{
    Fault, Finding,
    catalogue::{Command, Oid, PUBLIC, Relation},
    check::{
        Audit,
        app::{App, right},
    },
    sql::tidy,
    wall::Standing,
};

/// Policies of other roles that are wider than the application's own, and apply to it since it is a member.
pub(super) fn find(audit: &Audit<'_>, app: &App<'_>, found: &mut Vec<Finding>) {
    // For each role, the tables; and whether it takes SET ROLE.
    let mut wider: BTreeMap<(Oid, bool), BTreeSet<Oid>> = BTreeMap::new();
    for relation in audit.subject.tenant_tables(audit.catalogue) {
        if !relation.is_table() || !relation.row_security || !audit.subject.reports(relation) {
            continue;
        }
        for command in app.granted(relation) {
            for opening in openings(audit, app.role.oid, relation, command) {
                if let Some(role) = inherited_from(audit, app.role.oid, relation, &opening, command)
                {
                    wider.entry((role, false)).or_default().insert(relation.oid);
                }
            }
        }
        for role in becomes(audit, app) {
            for command in Command::ALL {
                let granted = audit
                    .catalogue
                    .may_any_column(role, relation, right(command))
                    && audit.catalogue.may_enter(role, relation.namespace);
                let own = |policy: &String| {
                    applies(relation, policy, |to| {
                        audit.catalogue.roles.has_rights_of(app.role.oid, to)
                    })
                };
                if granted
                    && openings(audit, role, relation, command)
                        .iter()
                        .any(|it| !own(it))
                {
                    wider.entry((role, true)).or_default().insert(relation.oid);
                }
            }
        }
    }
    for ((role, set_role), tables) in wider {
        let tables: Vec<String> = tables
            .iter()
            .filter_map(|oid| audit.catalogue.relations.get(oid))
            .map(|relation| relation.name.to_string())
            .collect();
        let (name, of) = (app.name(), tidy(audit.catalogue.roles.name(role)));
        let read = format!("SELECT * FROM {}", first(&tables));
        let why = if set_role {
            format!(
                "{name} can become {of}, whose policies let more rows through: `SET ROLE {of}; {read}`"
            )
        } else {
            format!(
                "{name} is a member of {of}, so the wider policies that were made for {of} apply to it too: `{read}` shows the rows of other tenants"
            )
        };
        let fix = if set_role {
            Cut::becoming(audit, app, &[role]).sql(audit)
        } else {
            Cut::acting(audit, app, &[role]).sql(audit)
        };
        let object = format!("role {name} as a member of {of}");
        found.push(Finding::new(Fault::PolicyRoleInherited, object, why, fix).tables(tables));
    }
}

/// Roles that it can become without having their rights before, none of which is a fault by itself.
fn becomes(audit: &Audit<'_>, app: &App<'_>) -> Vec<Oid> {
    let roles = &audit.catalogue.roles;
    app.reach
        .becomes()
        .into_iter()
        .filter(|role| {
            app.is_guise(*role)
                && !roles.has_rights_of(app.role.oid, *role)
                && !audit.subject.app_roles.contains(role)
        })
        .collect()
}

/// The permissive policies that let others' rows through to a role.
fn openings(audit: &Audit<'_>, role: Oid, relation: &Relation, command: Command) -> Vec<String> {
    match audit.wall.standing(role, relation.oid, command) {
        Standing::Open(openings) => openings
            .into_iter()
            // To read what all tenants share is what it is for.
            .filter(|it| command != Command::Select || !it.gap.is_meant())
            .map(|it| it.policy)
            .collect(),
        Standing::Exempt | Standing::Closed | Standing::Scoped => Vec::new(),
    }
}

fn applies(relation: &Relation, policy: &str, to: impl Fn(Oid) -> bool) -> bool {
    relation
        .policies
        .iter()
        .any(|it| it.name == policy && it.roles.iter().any(|role| *role == PUBLIC || to(*role)))
}

/// The role by which a policy applies to another that is a member of it, where the member has permissive
/// policies of its own for the command: then the policy was made for somebody else, and that it applies is a fault
/// of the membership, not of the policy.
pub(in crate::check) fn inherited_from(
    audit: &Audit<'_>,
    app: Oid,
    relation: &Relation,
    policy: &str,
    command: Command,
) -> Option<Oid> {
    let roles = &audit.catalogue.roles;
    let own = |role: &Oid| *role == PUBLIC || *role == app;
    let policy = relation.policies.iter().find(|it| it.name == policy)?;
    if policy.roles.iter().any(own) {
        return None;
    }
    let through = policy
        .roles
        .iter()
        .copied()
        .find(|role| roles.has_rights_of(app, *role))?;
    relation
        .policies
        .iter()
        .any(|it| {
            it.permissive
                && it.covers(command)
                && it.name != policy.name
                && it.roles.iter().any(|role| {
                    own(role) || (roles.has_rights_of(app, *role) && !policy.roles.contains(role))
                })
        })
        .then_some(through)
}
