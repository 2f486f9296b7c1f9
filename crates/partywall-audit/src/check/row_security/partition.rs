use std::collections::{BTreeMap, BTreeSet};

use super::{Exposure, Scene};
use crate::{
    Fault, Finding,
    catalogue::{Oid, Relation},
    check::app::{App, ROWS, grantee, listed},
};

/// Partitions (and tables that inherit) which can be reached around the policies of the table above.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    /// By the table whose policies they step around.
    open: BTreeMap<Oid, BTreeSet<Oid>>,
}

impl Partitions {
    /// Looks at a table below one that has policies. Rights that come with owning it are the owner's fault.
    pub(super) fn see(&mut self, scene: &Scene<'_>, relation: &Relation, wall: &Relation) {
        let granted = bound(scene).any(|app| !app.granted(relation).is_empty());
        if granted && !relation.row_security {
            self.open.entry(wall.oid).or_default().insert(relation.oid);
        }
    }

    pub(super) fn report(&self, scene: &Scene<'_>, found: &mut Vec<Finding>) {
        let relations = &scene.audit.catalogue.relations;
        for (wall, open) in &self.open {
            let open: Vec<&Relation> = open.iter().filter_map(|oid| relations.get(oid)).collect();
            let (Some(wall), Some(first)) = (relations.get(wall), open.first()) else {
                continue;
            };
            let exposure = Exposure::granted(bound(scene), first);
            let object = match open.as_slice() {
                [one] => one.name.to_string(),
                _ => format!("partitions of {}", wall.name),
            };
            let why = format!(
                "the policies of {} hold only for what goes through it, and {} has rights on {} directly: {}",
                wall.name,
                listed(&exposure.roles),
                match open.len() {
                    1 => "the table below it".to_owned(),
                    many => format!("{many} tables below it"),
                },
                exposure.exploit(first)
            );
            let fix = close(scene, wall, &open);
            found.push(
                Finding::new(Fault::PartitionDirect, object, why, fix.trim_start())
                    .tables(open.iter().map(|it| it.name.to_string())),
            );
        }
    }
}

fn bound<'b, 'a>(scene: &'b Scene<'a>) -> impl Iterator<Item = &'b App<'a>> {
    scene.apps.iter().filter(|app| !app.bypasses())
}

/// Takes the rights on partitions away, since rows are reached through the table above all the same, and sees to it
/// that they are; and puts policies on tables that only inherit, whose rows come by themselves. Each line begins with
/// a line break.
pub(super) fn close(scene: &Scene<'_>, wall: &Relation, open: &[&Relation]) -> String {
    let (audit, style) = (scene.audit, &scene.style);
    let mut fix = String::new();
    for app in bound(scene) {
        let mut rights: BTreeSet<&str> = BTreeSet::new();
        for relation in open.iter().filter(|it| it.is_partition) {
            rights.extend(app.granted(relation).iter().map(|it| it.keyword()));
        }
        if !rights.is_empty() && app.commands(wall).is_empty() {
            let rights: Vec<&str> = rights.into_iter().collect();
            fix.push_str(&format!(
                "\nGRANT {} ON {} TO {};",
                rights.join(", "),
                wall.name,
                app.name()
            ));
        }
    }
    for relation in open {
        if relation.is_partition {
            let grantees: BTreeSet<Oid> = bound(scene)
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
            let column = scene.kin.above(relation).into_iter().find_map(|above| {
                let column = above.column(audit.subject.tenant_column(above.oid)?)?;
                relation.column_named(&column.name)
            })?;
            Some(style.equality(relation, column))
        });
        fix.push('\n');
        fix.push_str(&match predicate {
            Some(predicate) if relation.policies.is_empty() => style.protect(relation, &predicate),
            _ => style.switch_on(relation),
        });
    }
    fix
}
