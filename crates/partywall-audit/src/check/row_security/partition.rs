use std::collections::{BTreeMap, BTreeSet};

use super::{Style, ancestors};
use crate::{
    Fault, Finding,
    catalogue::{Oid, Relation},
    check::{
        Audit,
        app::{App, ROWS, grantee, listed},
    },
};

/// Partitions (and tables that inherit) which can be reached around the policies of the table above.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    /// By the table whose policies they step around.
    open: BTreeMap<Oid, BTreeSet<Oid>>,
}

impl Partitions {
    /// Looks at a table below one that has policies. Rights that come with owning it are the owner's fault.
    pub(super) fn see(&mut self, apps: &[App<'_>], relation: &Relation, wall: &Relation) {
        let granted = apps
            .iter()
            .any(|app| !app.bypasses() && !app.granted(relation).is_empty());
        if granted && !relation.row_security {
            self.open.entry(wall.oid).or_default().insert(relation.oid);
        }
    }

    pub(super) fn report(&self, audit: &Audit<'_>, style: &Style, found: &mut Vec<Finding>) {
        let apps = App::bound(audit);
        for (wall, open) in &self.open {
            let open: Vec<&Relation> = open
                .iter()
                .filter_map(|oid| audit.catalogue.relations.get(oid))
                .collect();
            let (Some(wall), Some(first)) = (audit.catalogue.relations.get(wall), open.first())
            else {
                continue;
            };
            let roles: Vec<String> = apps
                .iter()
                .filter(|app| open.iter().any(|it| !app.granted(it).is_empty()))
                .map(App::name)
                .collect();
            let object = match open.as_slice() {
                [one] => one.name.to_string(),
                _ => format!("partitions of {}", wall.name),
            };
            let why = format!(
                "the policies of {} hold only for what goes through it, and {} has rights on {} directly: `SELECT * FROM {}` shows the rows of every tenant",
                wall.name,
                listed(&roles),
                match open.len() {
                    1 => "the table below it".to_owned(),
                    many => format!("{many} tables below it"),
                },
                first.name
            );
            let fix = close(audit, style, &apps, &open);
            found.push(
                Finding::new(Fault::PartitionDirect, object, why, fix.trim_start())
                    .tables(open.iter().map(|it| it.name.to_string())),
            );
        }
    }
}

/// Takes the rights on partitions away, since rows are reached through the table above all the same; and puts
/// policies on tables that only inherit, whose rows come by themselves. Each line begins with a line break.
pub(super) fn close(
    audit: &Audit<'_>,
    style: &Style,
    apps: &[App<'_>],
    open: &[&Relation],
) -> String {
    let mut fix = String::new();
    for relation in open {
        if relation.is_partition {
            let grantees: BTreeSet<Oid> = apps
                .iter()
                .flat_map(|app| app.grantees(relation, &ROWS))
                .collect();
            if !grantees.is_empty() {
                let from: Vec<String> = grantees.iter().map(|it| grantee(audit, *it)).collect();
                fix.push_str(&format!(
                    "\nREVOKE ALL ON {} FROM {};",
                    relation.name,
                    from.join(", ")
                ));
            }
            continue;
        }
        let predicate = style.predicate(audit, relation).or_else(|| {
            let column = ancestors(audit, relation).iter().rev().find_map(|above| {
                let column = above.column(audit.subject.tenant_column(above.oid)?)?;
                relation.column_named(&column.name)
            })?;
            Some(style.equality(relation, column))
        });
        match predicate {
            Some(predicate) if relation.policies.is_empty() => {
                fix.push('\n');
                fix.push_str(&style.protect(relation, &predicate));
            }
            _ => {
                fix.push('\n');
                fix.push_str(&style.switch_on(relation));
            }
        }
    }
    fix
}
