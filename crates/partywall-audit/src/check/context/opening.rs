//! Policies that a missing context, an empty one or another setting opens.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, reaches, some};
use crate::{
    Fault, Finding,
    catalogue::{Command, Expression, Function, Oid, Policy, Privilege, Relation},
    expression::Node,
    sql::{literal, tidy},
    subject::{Form, alter_policy},
    wall::{Gap, Standing},
};

/// A policy of a table that a setting opens.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) relation: &'a Relation,
    pub(super) policy: &'a Policy,
    command: Command,
    gap: Gap,
}

impl Opened<'_> {
    /// The setting that opens it by some value.
    pub(super) fn flag(&self) -> Option<&str> {
        match &self.gap {
            Gap::Flag { setting } => Some(setting),
            Gap::Always
            | Gap::Unset { .. }
            | Gap::Empty { .. }
            | Gap::Default { .. }
            | Gap::NullTenant { .. }
            | Gap::SharedTenant { .. }
            | Gap::Pattern { .. }
            | Gap::Fold { .. }
            | Gap::Columns { .. }
            | Gap::Lookup { .. }
            | Gap::Privileged { .. }
            | Gap::Opaque { .. } => None,
        }
    }
}

/// Every policy that a setting opens to the application.
pub(super) fn all<'a>(audit: &Audit<'a>) -> Vec<Opened<'a>> {
    let mut all: Vec<Opened<'a>> = Vec::new();
    for relation in audit.guarded() {
        for role in &audit.subject.app_roles {
            if !reaches(audit, *role, relation) {
                continue;
            }
            for command in Command::ALL {
                let privilege = match command {
                    Command::Select => Privilege::Select,
                    Command::Insert => Privilege::Insert,
                    Command::Update => Privilege::Update,
                    Command::Delete => Privilege::Delete,
                };
                if !audit.catalogue.may_any_column(*role, relation, privilege) {
                    continue;
                }
                let Standing::Open(openings) = audit.wall.standing(*role, relation.oid, command)
                else {
                    continue;
                };
                for opening in openings {
                    let policy = relation
                        .policies
                        .iter()
                        .find(|policy| policy.name == opening.policy);
                    let is_setting = matches!(
                        opening.gap,
                        Gap::Unset { .. }
                            | Gap::Empty { .. }
                            | Gap::Default { .. }
                            | Gap::Flag { .. }
                    );
                    let Some(policy) = policy.filter(|_| is_setting) else {
                        continue;
                    };
                    let known = all.iter().any(|it| {
                        it.relation.oid == relation.oid
                            && it.policy.name == policy.name
                            && it.gap == opening.gap
                    });
                    if !known {
                        all.push(Opened {
                            relation,
                            policy,
                            command,
                            gap: opening.gap,
                        });
                    }
                }
            }
        }
    }
    all
}

/// One finding for each setting and what it does.
pub(super) fn find(audit: &Audit<'_>, openings: &[Opened<'_>], found: &mut Vec<Finding>) {
    let mut groups: BTreeMap<(Fault, &str), Vec<&Opened<'_>>> = BTreeMap::new();
    for opened in openings {
        let key = match &opened.gap {
            Gap::Unset { setting } => (Fault::FailOpenUnset, setting.as_str()),
            Gap::Empty { setting } => {
                // What is open without any value is told once.
                let unset = openings.iter().any(|other| {
                    other.relation.oid == opened.relation.oid
                        && other.policy.name == opened.policy.name
                        && matches!(&other.gap, Gap::Unset { setting: same } if same == setting)
                });
                if unset {
                    continue;
                }
                (Fault::FailOpenEmpty, setting.as_str())
            }
            Gap::Default { setting } => (Fault::GucDefault, setting.as_str()),
            Gap::Flag { setting } => (Fault::GucAdminFlag, setting.as_str()),
            Gap::Always
            | Gap::NullTenant { .. }
            | Gap::SharedTenant { .. }
            | Gap::Pattern { .. }
            | Gap::Fold { .. }
            | Gap::Columns { .. }
            | Gap::Lookup { .. }
            | Gap::Privileged { .. }
            | Gap::Opaque { .. } => continue,
        };
        groups.entry(key).or_default().push(opened);
    }
    for ((fault, setting), opened) in groups {
        let Some(first) = opened.first() else {
            continue;
        };
        let tables: BTreeSet<String> = opened
            .iter()
            .map(|it| it.relation.name.to_string())
            .collect();
        let attack = statement(first);
        let set = literal(setting);
        let why = if fault == Fault::FailOpenUnset {
            format!(
                "on a fresh connection, where nobody has set `{setting}` yet, `{attack}` reaches the rows of every tenant in {}",
                some(&tables)
            )
        } else if fault == Fault::FailOpenEmpty {
            format!(
                "`{setting}` is empty on a connection whose last transaction set it, and then `{attack}` reaches the rows of every tenant in {}",
                some(&tables)
            )
        } else if fault == Fault::GucDefault {
            format!(
                "where `{setting}` has no value, as on a fresh connection, a tenant that is written down stands in: `{attack}` reaches the rows of that one before any context is set",
            )
        } else {
            format!(
                "anybody who can send a statement can set `{setting}`, for example by `SELECT set_config({set}, 'on', true)`, and with the right value `{attack}` reaches the rows of every tenant in {}",
                some(&tables)
            )
        };
        let mut fixes: Vec<String> = Vec::new();
        for it in &opened {
            let emptied = fault == Fault::FailOpenEmpty;
            let fix = emptied
                .then(|| unless_empty(it.relation, it.policy))
                .flatten()
                .unwrap_or_else(|| mend(audit, it.relation, it.policy));
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        found.push(
            Finding::new(fault, format!("setting {setting}"), why, fixes.join("\n")).tables(tables),
        );
    }
}

/// What an attacker would run.
fn statement(opened: &Opened<'_>) -> String {
    let table = &opened.relation.name;
    match opened.command {
        Command::Select => format!("SELECT * FROM {table}"),
        Command::Insert => format!("INSERT INTO {table} …"),
        Command::Update => format!("UPDATE {table} SET …"),
        Command::Delete => format!("DELETE FROM {table}"),
    }
}

/// A comparison that is no equality, as of a path with those below it, with NULL in the place of an empty setting.
fn unless_empty(relation: &Relation, policy: &Policy) -> Option<String> {
    let keep = |expression: &Expression| {
        let [left, right] = expression.tree.list("args") else {
            return None;
        };
        let row = |node: &Node| {
            let mut found = false;
            node.walk(&mut |node| found |= node.tag() == "VAR");
            found
        };
        let compares = expression.tree.tag() == "OPEXPR"
            && (left.tag() == "VAR" || right.tag() == "VAR")
            && !(row(left) && row(right));
        let column = [left, right]
            .into_iter()
            .find_map(|side| relation.column(side.number("varattno")?))?;
        let equals = expression
            .text
            .starts_with(&format!("({} = ", tidy(&column.name)));
        (compares && !equals).then(|| sealed(&expression.text))?
    };
    let using = match &policy.using {
        Some(using) => Some(keep(using)?),
        None => None,
    };
    let check = match &policy.check {
        Some(check) => Some(keep(check)?),
        None => None,
    };
    Some(alter_policy(
        relation,
        policy,
        using.as_deref(),
        check.as_deref(),
    ))
}

/// `NULLIF(current_setting(…), '')` for a bare `current_setting(…)`. `None` if there is none.
fn sealed(text: &str) -> Option<String> {
    const CALL: &str = "current_setting(";
    let (before, after) = text.split_once(CALL)?;
    if before.ends_with("NULLIF(") || after.contains(CALL) {
        return None;
    }
    let mut quoted = false;
    let end = after.find(|c| {
        quoted ^= c == '\'';
        c == ')' && !quoted
    })?;
    let (arguments, behind) = after.split_at_checked(end + 1)?;
    Some(format!("{before}NULLIF({CALL}{arguments}, ''){behind}"))
}

/// Puts the bare comparison in the place of a policy, or drops one that says nothing of the tenant where
/// another lets the tenant's rows through.
pub(super) fn mend(audit: &Audit<'_>, relation: &Relation, policy: &Policy) -> String {
    let speaks = |policy: &Policy| {
        audit
            .subject
            .comparisons
            .get(&relation.oid)
            .is_some_and(|comparisons| comparisons.iter().any(|it| it.policy == policy.name))
    };
    let another = relation.policies.iter().any(|other| {
        other.name != policy.name
            && other.permissive
            && (other.command.is_none() || other.command == policy.command)
            && speaks(other)
    });
    if policy.permissive && another && !speaks(policy) {
        return format!("DROP POLICY {} ON {};", tidy(&policy.name), relation.name);
    }
    let predicate = match audit.subject.main_form(audit.catalogue) {
        // The same comparison would be as open as it is.
        Some(Form::Function(function)) if audit.wall.is_at_fault(function) => {
            let Some(form) = audit.wall.setting_of(function) else {
                return by_hand(audit, function);
            };
            audit.subject.predicate_by(audit.catalogue, relation, &form)
        }
        _ => audit.predicate(relation),
    };
    let predicate = predicate.as_deref().unwrap_or("false");
    alter_policy(
        relation,
        policy,
        policy.using.as_ref().map(|_| predicate),
        policy.check.as_ref().map(|_| predicate),
    )
}

/// What a function looks up cannot be written for whoever made it.
fn by_hand(audit: &Audit<'_>, function: Oid) -> String {
    let function = audit.catalogue.functions.get(&function);
    let name = function.map_or_else(|| "the function".to_owned(), Function::signature);
    format!(
        "-- The policies compare with {name}: make it answer nothing where the setting has no value."
    )
}
