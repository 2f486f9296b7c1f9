//! GUC_INCONSISTENT: policies read the tenant from different settings.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, applies, opening::mend, some};
use crate::{
    Fault, Finding,
    catalogue::{Policy, Relation},
    subject::{Belonging, Form, With},
};

struct Use<'a> {
    relation: &'a Relation,
    policy: &'a Policy,
    settings: &'a BTreeSet<String>,
}

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut uses: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
    for relation in audit.guarded() {
        let Some(column) = audit
            .subject
            .tenant_column(relation.oid)
            .and_then(|it| relation.column(it))
        else {
            continue;
        };
        // The same dimension, whatever the column is called: the tenants' own key and those that refer to it.
        let is_family = matches!(
            audit.subject.belonging(relation.oid),
            Some(Belonging::Root(_))
        ) || audit
            .subject
            .inferred
            .tenant_columns
            .iter()
            .any(|taken| taken.value == column.name);
        let dimension = if is_family { "" } else { column.name.as_str() };
        for comparison in audit
            .subject
            .comparisons
            .get(&relation.oid)
            .into_iter()
            .flatten()
        {
            let With::Context {
                reads,
                form: Form::Setting { .. } | Form::Function(_),
            } = &comparison.with
            else {
                continue;
            };
            let policy = relation
                .policies
                .iter()
                .find(|policy| policy.name == comparison.policy);
            let Some(policy) = policy.filter(|policy| applies(audit, &policy.roles)) else {
                continue;
            };
            if comparison.column == column.number && !reads.settings.is_empty() {
                uses.entry(dimension).or_default().push(Use {
                    relation,
                    policy,
                    settings: &reads.settings,
                });
            }
        }
    }
    for uses in uses.values() {
        of_dimension(audit, uses, found);
    }
    within_policies(audit, found);
}

/// One policy that takes the tenant from another setting while the first has no value.
fn within_policies(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut odd: BTreeMap<(String, String), Vec<(&Relation, &Policy)>> = BTreeMap::new();
    for relation in audit.guarded() {
        for policy in &relation.policies {
            if applies(audit, &policy.roles)
                && let Some(settings) = audit.wall.falls_back(relation, policy)
            {
                odd.entry(settings).or_default().push((relation, policy));
            }
        }
    }
    for ((first, other), policies) in odd {
        let tables: BTreeSet<String> = policies
            .iter()
            .map(|(relation, _)| relation.name.to_string())
            .collect();
        let Some(table) = tables.first() else {
            continue;
        };
        let why = format!(
            "policies of {} read the tenant from `{first}` and, while that has no value, from `{other}`, so a request that sets none of them runs `SELECT * FROM {table}` as whoever `{other}` was left at",
            some(&tables),
        );
        let mut fixes: Vec<String> = Vec::new();
        for (relation, policy) in policies {
            let fix = mend(audit, relation, policy);
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        let object = format!("setting {other}");
        found.push(
            Finding::new(Fault::GucInconsistent, object, why, fixes.join("\n")).tables(tables),
        );
    }
}

/// The settings that most policies read are right, or those that were given; the others are odd.
fn of_dimension(audit: &Audit<'_>, uses: &[Use<'_>], found: &mut Vec<Finding>) {
    let mut votes: BTreeMap<&BTreeSet<String>, usize> = BTreeMap::new();
    for it in uses {
        *votes.entry(it.settings).or_default() += 1;
    }
    let given = audit
        .subject
        .inferred
        .contexts
        .iter()
        .any(|taken| taken.because == "given");
    let right = votes.iter().max_by_key(|(settings, count)| {
        let is_given = given && !audit.subject.contexts.is_disjoint(settings);
        (is_given, **count, std::cmp::Reverse(**settings))
    });
    let Some((&right, _)) = right else { return };
    let mut odd: BTreeMap<&BTreeSet<String>, Vec<&Use<'_>>> = BTreeMap::new();
    for it in uses {
        if it.settings.is_disjoint(right) {
            odd.entry(it.settings).or_default().push(it);
        }
    }
    let list = |settings: &BTreeSet<String>| {
        let names: Vec<String> = settings.iter().map(|name| format!("`{name}`")).collect();
        names.join(" and ")
    };
    for (settings, uses) in odd {
        let Some(name) = settings.first() else {
            continue;
        };
        let tables: BTreeSet<String> = uses.iter().map(|it| it.relation.name.to_string()).collect();
        let Some(first) = tables.first() else {
            continue;
        };
        let why = format!(
            "policies of {} read the tenant from {} and the others from {}, so a request that sets one alone runs `SELECT * FROM {first}` as whoever the other was left at",
            some(&tables),
            list(settings),
            list(right),
        );
        let mut fixes: Vec<String> = Vec::new();
        for it in uses {
            let fix = mend(audit, it.relation, it.policy);
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        found.push(
            Finding::new(
                Fault::GucInconsistent,
                format!("setting {name}"),
                why,
                fixes.join("\n"),
            )
            .tables(tables),
        );
    }
}
