//! SQL that puts a policy right.

use super::{Audit, Policy, Table, roles};
use crate::{
    catalogue::{Oid, Relation},
    sql::tidy,
    subject::alter_policy,
};

/// Drops a policy where another lets the tenant's own rows through already, and otherwise makes it ask for the
/// tenant. `also`: whether it is to ask for what it asks already as well.
pub(super) fn tenant(
    audit: &Audit<'_>,
    table: &Table<'_>,
    role: Oid,
    policy: &Policy,
    also: bool,
) -> String {
    let relation = table.relation;
    let drop = || format!("DROP POLICY {} ON {};", tidy(&policy.name), relation.name);
    let Some(predicate) = audit.predicate(relation) else {
        return drop();
    };
    if !also && policy.permissive && is_needless(audit, relation, role, policy) {
        return drop();
    }
    let with = |old: Option<&str>| {
        old.map(|old| {
            if also {
                format!("{predicate} AND ({old})")
            } else {
                predicate.clone()
            }
        })
    };
    let using = with(policy.using.as_ref().map(|it| it.text.as_str()));
    let check = with(policy.check.as_ref().map(|it| it.text.as_str()));
    alter_policy(relation, policy, using.as_deref(), check.as_deref())
}

/// Whether the tenant's own rows pass without it.
fn is_needless(audit: &Audit<'_>, relation: &Relation, role: Oid, policy: &Policy) -> bool {
    relation.policies.iter().any(|other| {
        other.name != policy.name
            && other.permissive
            && (other.command.is_none() || other.command == policy.command)
            && other
                .roles
                .iter()
                .any(|to| audit.catalogue.roles.has_rights_of(role, *to))
            && [false, true].iter().all(|check| {
                audit
                    .wall
                    .gaps(role, relation, other, *check)
                    .iter()
                    .all(crate::wall::Gap::is_meant)
            })
    })
}

/// `CREATE POLICY`.
pub(super) fn create(
    audit: &Audit<'_>,
    relation: &Relation,
    policy: &Policy,
    name: &str,
    command: &str,
    using: Option<&str>,
    check: Option<&str>,
) -> String {
    let mut sql = format!("CREATE POLICY {} ON {}", tidy(name), relation.name);
    if !policy.permissive {
        sql.push_str(" AS RESTRICTIVE");
    }
    sql.push_str(&format!(" FOR {command} TO {}", roles(audit, policy)));
    if let Some(using) = using {
        sql.push_str(&format!(" USING ({using})"));
    }
    if let Some(check) = check {
        sql.push_str(&format!(" WITH CHECK ({check})"));
    }
    sql.push(';');
    sql
}

/// The policy as it stands, made anew.
pub(super) fn again(audit: &Audit<'_>, relation: &Relation, policy: &Policy) -> String {
    create(
        audit,
        relation,
        policy,
        &policy.name,
        policy.command_keyword(),
        policy.using.as_ref().map(|it| it.text.as_str()),
        policy.check.as_ref().map(|it| it.text.as_str()),
    )
}

/// A name for a policy that the table has not yet.
pub(super) fn fresh(relation: &Relation, wish: &str) -> String {
    let mut name = wish.to_owned();
    while relation.policies.iter().any(|policy| policy.name == name) {
        name.push('_');
    }
    name
}
