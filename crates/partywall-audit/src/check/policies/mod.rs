//! Section 3 of the list of faults: policies.

mod compare;
mod function;
mod lookup;
mod null_tenant;
mod open;
mod remedy;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Audit,
    app::{App, right},
    roles::{inherited_from, leave},
};
use crate::{
    Finding,
    catalogue::{Command, Oid, PUBLIC, Policy, Relation},
    wall::{Gap, Opening, Standing},
};

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let tables = Table::all(audit);
    let granting = lookup::find(audit, &tables, found);
    for table in &tables {
        // Whoever can write itself into such a table gets all that it opens: told once, above.
        let grants = granting.contains(&table.relation.oid);
        open::find(audit, table, grants, found);
        null_tenant::find(audit, table, found);
        compare::patterns(audit, table, found);
    }
    compare::folds(audit, &tables, found);
    function::find(audit, &tables, found);
}

/// The policies of which it cannot be told what they let through, and why.
pub(super) fn undecided(audit: &Audit<'_>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for table in Table::all(audit) {
        for open in &table.openings {
            if let Gap::Opaque { why } = &open.opening.gap {
                let policy = crate::sql::tidy(&open.opening.policy);
                all.insert(
                    format!("policy {policy} on {}", table.relation.name),
                    format!("{why}, and trying it did not tell either"),
                );
            }
        }
    }
    all
}

/// Something that is open to one of the application's roles.
#[derive(Debug)]
struct Open {
    role: Oid,
    command: Command,
    opening: Opening,
}

/// A table of tenants that the application works with, under policies.
#[derive(Debug)]
struct Table<'a> {
    relation: &'a Relation,
    /// The roles that policies hold for, with the commands that are granted to each.
    roles: BTreeMap<Oid, Vec<Command>>,
    openings: Vec<Open>,
}

impl<'a> Table<'a> {
    fn all(audit: &Audit<'a>) -> Vec<Self> {
        let apps = App::bound(audit);
        let mut tables = Vec::new();
        for relation in audit.subject.tenant_tables(audit.catalogue) {
            if !relation.is_table() || !relation.row_security || !audit.subject.reports(relation) {
                continue;
            }
            let mut table = Self {
                relation,
                roles: BTreeMap::new(),
                openings: Vec::new(),
            };
            for app in &apps {
                let role = app.role.oid;
                let commands: Vec<Command> = Command::ALL
                    .into_iter()
                    .filter(|command| {
                        audit.catalogue.may_enter(role, relation.namespace)
                            && audit
                                .catalogue
                                .may_any_column(role, relation, right(*command))
                    })
                    .collect();
                if commands.is_empty() || audit.catalogue.is_exempt(role, relation) {
                    continue;
                }
                for command in &commands {
                    table.look(audit, role, *command);
                }
                table.roles.insert(role, commands);
            }
            if !table.roles.is_empty() {
                tables.push(table);
            }
        }
        tables
    }

    fn look(&mut self, audit: &Audit<'_>, role: Oid, command: Command) {
        let Standing::Open(openings) = audit.wall.standing(role, self.relation.oid, command) else {
            return;
        };
        for opening in openings {
            // That it applies is a fault of the membership.
            let inherited = inherited_from(audit, role, self.relation, &opening.policy, command);
            if inherited.is_none() {
                self.openings.push(Open {
                    role,
                    command,
                    opening,
                });
            }
        }
    }

    fn policy(&self, name: &str) -> Option<&'a Policy> {
        self.relation
            .policies
            .iter()
            .find(|policy| policy.name == name)
    }

    fn name(&self) -> String {
        self.relation.name.to_string()
    }

    /// The policies that some opening of a kind comes by, the restrictive ones that let it through as well.
    fn with_gap(&self, audit: &Audit<'_>, is_it: impl Fn(&Gap) -> bool) -> Vec<&'a Policy> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for open in self.openings.iter().filter(|open| is_it(&open.opening.gap)) {
            for policy in audit.wall.applying(open.role, self.relation, open.command) {
                let gaps = audit
                    .wall
                    .gaps(open.role, self.relation, policy, open.opening.check);
                if gaps.iter().any(&is_it) {
                    names.insert(&policy.name);
                }
            }
        }
        self.relation
            .policies
            .iter()
            .filter(|policy| names.contains(policy.name.as_str()))
            .collect()
    }
}

/// A policy as the object of a finding.
fn object(relation: &Relation, policy: &Policy) -> String {
    format!(
        "policy {} on {}",
        crate::sql::tidy(&policy.name),
        relation.name
    )
}

/// The roles of a policy, as SQL.
fn roles(audit: &Audit<'_>, policy: &Policy) -> String {
    let names: Vec<String> = policy
        .roles
        .iter()
        .map(|role| {
            if *role == PUBLIC {
                "PUBLIC".to_owned()
            } else {
                crate::sql::tidy(audit.catalogue.roles.name(*role))
            }
        })
        .collect();
    names.join(", ")
}
