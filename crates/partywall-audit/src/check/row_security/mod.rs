//! Section 1 of the list of faults: whether row-level security is on.

mod child;
mod closed;
mod off;
mod partition;
mod style;

pub(super) use style::Style;

use std::collections::BTreeSet;

use super::{Audit, app::App};
use crate::{
    Finding,
    catalogue::{Command, Oid, Relation},
    subject::Belonging,
};

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let apps = App::all(audit);
    let style = Style::of(audit);
    let mut partitions = partition::Partitions::default();
    for relation in audit.catalogue.relations.values() {
        if !relation.is_table() || !audit.subject.reports(relation) {
            continue;
        }
        let above = ancestors(audit, relation);
        let tenants = audit.subject.is_tenants(relation.oid)
            || above
                .iter()
                .any(|above| audit.subject.is_tenants(above.oid));
        if !tenants {
            continue;
        }
        let exposure = Exposure::of(&apps, relation);
        if exposure.commands.is_empty() {
            continue;
        }
        // Nearest first: whose policies the rows have when they are reached through it.
        if let Some(wall) = above.iter().rev().find(|above| above.row_security) {
            partitions.see(&apps, relation, wall);
            continue;
        }
        // What is wrong with its parent is mended there, for both.
        if above
            .iter()
            .any(|above| !Exposure::of(&apps, above).commands.is_empty())
        {
            continue;
        }
        if relation.row_security {
            closed::find(audit, &apps, &style, relation, found);
        } else if !relation.policies.is_empty() {
            found.push(off::dormant(audit, &style, relation, &exposure));
        } else if let Some(Belonging::Parent { .. }) = audit.subject.belonging(relation.oid) {
            found.extend(child::unscoped(audit, &apps, &style, relation, &exposure));
        } else {
            found.extend(off::off(audit, &style, relation, &exposure));
        }
    }
    partitions.report(audit, &style, found);
}

/// What the application can do with the rows of a table.
struct Exposure {
    /// The names of its roles that can do something.
    roles: Vec<String>,
    commands: BTreeSet<Command>,
}

impl Exposure {
    fn of(apps: &[App<'_>], relation: &Relation) -> Self {
        let mut it = Self {
            roles: Vec::new(),
            commands: BTreeSet::new(),
        };
        for app in apps {
            let commands = app.commands(relation);
            if !commands.is_empty() {
                it.roles.push(app.name());
                it.commands.extend(commands);
            }
        }
        it
    }

    /// What an attacker would run, and what comes of it.
    fn exploit(&self, relation: &Relation) -> String {
        let table = &relation.name;
        if self.commands.contains(&Command::Select) {
            format!("`SELECT * FROM {table}` shows the rows of every tenant")
        } else if self.commands.contains(&Command::Delete) {
            format!("`DELETE FROM {table}` deletes the rows of every tenant")
        } else if self.commands.contains(&Command::Update) {
            let column = relation.columns.first().map_or("id", |column| &column.name);
            let column = crate::sql::tidy(column);
            format!("`UPDATE {table} SET {column} = {column}` writes the rows of every tenant")
        } else {
            format!("`INSERT INTO {table} VALUES (…)` makes rows of any tenant")
        }
    }
}

/// The tables that it inherits from or is a partition of, the nearest last.
fn ancestors<'a>(audit: &Audit<'a>, relation: &'a Relation) -> Vec<&'a Relation> {
    let mut found: Vec<&Relation> = Vec::new();
    let mut ahead: Vec<Oid> = relation.parents.clone();
    while let Some(oid) = ahead.pop() {
        if let Some(parent) = audit.catalogue.relations.get(&oid)
            && found.iter().all(|known| known.oid != oid)
        {
            found.insert(0, parent);
            ahead.extend(&parent.parents);
        }
    }
    found
}

/// The tables that inherit from it or are its partitions, at any depth.
fn descendants<'a>(audit: &Audit<'a>, relation: &Relation) -> Vec<&'a Relation> {
    let mut found: Vec<&Relation> = Vec::new();
    let mut above = BTreeSet::from([relation.oid]);
    loop {
        let more: Vec<&Relation> = audit
            .catalogue
            .relations
            .values()
            .filter(|it| !above.contains(&it.oid) && it.parents.iter().any(|up| above.contains(up)))
            .collect();
        if more.is_empty() {
            return found;
        }
        above.extend(more.iter().map(|it| it.oid));
        found.extend(more);
    }
}
