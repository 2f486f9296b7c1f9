//! Section 1 of the list of faults: whether row-level security is on.

mod child;
mod closed;
mod kin;
mod off;
mod partition;
mod style;
mod template;

pub(crate) use style::Style;

use std::collections::BTreeSet;

use kin::Kin;

use super::{Audit, app::App};
use crate::{
    Finding,
    catalogue::{Command, Relation},
    subject::Belonging,
};

/// What the rules of this section look at besides the audit.
struct Scene<'a> {
    audit: &'a Audit<'a>,
    apps: Vec<App<'a>>,
    style: Style,
    kin: Kin<'a>,
}

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let scene = Scene {
        audit,
        apps: App::all(audit),
        style: Style::of(audit),
        kin: Kin::of(audit.catalogue),
    };
    let mut partitions = partition::Partitions::default();
    for relation in audit.catalogue.relations.values() {
        if !relation.is_table() || !audit.subject.reports(relation) {
            continue;
        }
        let above = scene.kin.above(relation);
        let tenants = |it: &Relation| audit.subject.is_tenants(it.oid);
        if !tenants(relation) && !above.iter().any(|above| tenants(above)) {
            continue;
        }
        let exposure = Exposure::of(&scene.apps, relation);
        if exposure.commands.is_empty() {
            continue;
        }
        // Whose policies the rows have when they are reached through it.
        if let Some(wall) = above.iter().find(|above| above.row_security) {
            partitions.see(&scene, relation, wall);
            continue;
        }
        // What is wrong with its parent is mended there, for both.
        if above
            .iter()
            .any(|above| !Exposure::of(&scene.apps, above).commands.is_empty())
        {
            continue;
        }
        if relation.row_security {
            found.extend(closed::find(&scene, relation));
        } else if !relation.policies.is_empty() {
            found.push(off::dormant(&scene, relation, &exposure));
        } else if let Some(Belonging::Parent { .. }) = audit.subject.belonging(relation.oid) {
            found.extend(child::unscoped(&scene, relation, &exposure));
        } else {
            found.extend(off::off(&scene, relation, &exposure));
        }
    }
    partitions.report(&scene, found);
}

/// What the application can do with the rows of a table.
struct Exposure {
    /// The names of its roles that can do something.
    roles: Vec<String>,
    commands: BTreeSet<Command>,
}

impl Exposure {
    /// By grants and as an owner.
    fn of(apps: &[App<'_>], relation: &Relation) -> Self {
        Self::by(apps.iter(), |app| app.commands(relation))
    }

    /// By grants alone.
    fn granted<'b, 'a: 'b>(apps: impl Iterator<Item = &'b App<'a>>, relation: &Relation) -> Self {
        Self::by(apps, |app| app.granted(relation))
    }

    fn by<'b, 'a: 'b>(
        apps: impl Iterator<Item = &'b App<'a>>,
        can: impl Fn(&App<'a>) -> Vec<Command>,
    ) -> Self {
        let mut it = Self {
            roles: Vec::new(),
            commands: BTreeSet::new(),
        };
        for app in apps {
            let commands = can(app);
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
