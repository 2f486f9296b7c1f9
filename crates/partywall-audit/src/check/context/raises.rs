//! GUC_ERROR: without a context a query fails, where it should find nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, applies, body, opening::Opened, some};
use crate::{
    Fault, Finding,
    catalogue::{Function, Policy, Relation},
    expression::Node,
    subject::{alter_policy, is_current_setting, text_constant},
};

/// What goes wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Raises {
    /// `current_setting` without `missing_ok`.
    Missing,
    /// A cast of the empty text.
    Empty,
}

#[derive(Default)]
struct Wrong<'a> {
    raises: BTreeSet<Raises>,
    tables: BTreeSet<String>,
    policies: Vec<(&'a Relation, &'a Policy)>,
    functions: Vec<&'a Function>,
}

pub(super) fn find(audit: &Audit<'_>, openings: &[Opened<'_>], found: &mut Vec<Finding>) {
    let mut wrong: BTreeMap<String, Wrong<'_>> = BTreeMap::new();
    for relation in audit.guarded() {
        for policy in relation
            .policies
            .iter()
            .filter(|policy| applies(audit, &policy.roles))
        {
            // What is open has to be written anew as a whole.
            if openings
                .iter()
                .any(|it| it.relation.oid == relation.oid && it.policy.name == policy.name)
            {
                continue;
            }
            for expression in [&policy.using, &policy.check].into_iter().flatten() {
                for (setting, raises) in of_tree(&expression.tree) {
                    let it = wrong.entry(setting).or_default();
                    it.raises.insert(raises);
                    it.tables.insert(relation.name.to_string());
                    if !it.policies.iter().any(|(other, known)| {
                        other.oid == relation.oid && known.name == policy.name
                    }) {
                        it.policies.push((relation, policy));
                    }
                }
                for function in audit.subject.readings.called_by(&expression.tree) {
                    let Some(function) = audit.catalogue.functions.get(&function) else {
                        continue;
                    };
                    for (setting, raises) in of_function(function) {
                        let it = wrong.entry(setting).or_default();
                        it.raises.insert(raises);
                        it.tables.insert(relation.name.to_string());
                        if !it.functions.iter().any(|known| known.oid == function.oid) {
                            it.functions.push(function);
                        }
                    }
                }
            }
        }
    }
    for (setting, it) in wrong {
        if let Some(finding) = finding(&setting, &it) {
            found.push(finding);
        }
    }
}

fn finding(setting: &str, wrong: &Wrong<'_>) -> Option<Finding> {
    let is_ours = |name: &str| name.eq_ignore_ascii_case(setting);
    let mut fixes: Vec<String> = Vec::new();
    for function in &wrong.functions {
        fixes.extend(body::with_body(function, |sql| body::guarded(sql, is_ours)));
    }
    for (relation, policy) in &wrong.policies {
        let guard = |part: &Option<crate::catalogue::Expression>| {
            part.as_ref()
                .and_then(|expression| body::guarded(&expression.text, is_ours))
        };
        let (using, check) = (guard(&policy.using), guard(&policy.check));
        if using.is_some() || check.is_some() {
            fixes.push(alter_policy(
                relation,
                policy,
                using.as_deref(),
                check.as_deref(),
            ));
        }
    }
    let first = wrong.tables.first()?;
    if fixes.is_empty() {
        return None;
    }
    let how = match (
        wrong.raises.contains(&Raises::Missing),
        wrong.raises.contains(&Raises::Empty),
    ) {
        (true, false) => "while nobody has set it (42704)",
        (false, _) => "while it is empty, as it is after a transaction that set it (22P02)",
        (true, true) => "while nobody has set it (42704) and while it is empty (22P02)",
    };
    let why = format!(
        "`SELECT * FROM {first}` fails instead of finding nothing {how}, because {} read `{setting}` without a guard",
        if wrong.policies.is_empty() {
            format!(
                "the functions behind the policies of {}",
                some(&wrong.tables)
            )
        } else {
            format!("the policies of {}", some(&wrong.tables))
        }
    );
    Some(
        Finding::new(
            Fault::GucError,
            format!("setting {setting}"),
            why,
            fixes.join("\n"),
        )
        .tables(wrong.tables.iter().cloned()),
    )
}

/// The settings that an expression reads without a guard.
fn of_tree(tree: &Node) -> Vec<(String, Raises)> {
    let mut found = Vec::new();
    look(tree, false, false, &mut found);
    found
}

/// `cast`: whether what comes out is cast to a type that refuses the empty text. `guarded`: whether a CASE around
/// it asked first.
fn look(node: &Node, cast: bool, guarded: bool, found: &mut Vec<(String, Raises)>) {
    if is_current_setting(node) {
        let arguments = node.list("args");
        let Some(name) = arguments
            .first()
            .and_then(text_constant)
            .map(|name| name.to_lowercase())
        else {
            return;
        };
        // PostgreSQL's own are always there.
        let missing_ok = !name.contains('.') || arguments.get(1).is_some_and(is_not_false);
        if guarded {
            return;
        }
        if !missing_ok {
            found.push((name.clone(), Raises::Missing));
        }
        if cast {
            found.push((name, Raises::Empty));
        }
        return;
    }
    match node.tag() {
        "COERCEVIAIO" => {
            let refuses = node
                .number("resulttype")
                .is_some_and(|kind: u32| !is_text(kind));
            below(node, cast || refuses, guarded, found);
        }
        // What it is, seen otherwise.
        "RELABELTYPE" | "COERCETODOMAIN" | "COLLATEEXPR" | "COALESCEEXPR" => {
            below(node, cast, guarded, found)
        }
        "SUBLINK" | "QUERY" | "TARGETENTRY" | "" => below(node, cast, guarded, found),
        "CASEEXPR" | "CASEWHEN" => below(node, false, true, found),
        _ => below(node, false, guarded, found),
    }
}

fn below(node: &Node, cast: bool, guarded: bool, found: &mut Vec<(String, Raises)>) {
    for child in node.children() {
        look(child, cast, guarded, found);
    }
}

/// Whether a type takes the empty text: `text`, `varchar`, `bpchar`, `name`, `"char"`.
const fn is_text(kind: u32) -> bool {
    matches!(kind, 25 | 1043 | 1042 | 19 | 18)
}

/// Whether it is anything but the constant `false`.
fn is_not_false(node: &Node) -> bool {
    node.tag() != "CONST"
        || node.list("constvalue").iter().any(|part| match part {
            Node::Bytes(bytes) => bytes.first() == Some(&1),
            Node::Null | Node::Atom(_) | Node::List(_) | Node::Struct(_) => false,
        })
}

/// The settings that a function reads without a guard. A body that asks first, by IF or CASE, or that catches
/// errors, is taken to know what it does.
fn of_function(function: &Function) -> Vec<(String, Raises)> {
    match &function.body {
        Some(tree) => of_tree(tree),
        None if matches!(function.language.as_str(), "sql" | "plpgsql") => {
            body::unguarded(&function.source)
                .into_iter()
                .map(|(name, missing)| {
                    (
                        name,
                        if missing {
                            Raises::Missing
                        } else {
                            Raises::Empty
                        },
                    )
                })
                .collect()
        }
        None => Vec::new(),
    }
}
