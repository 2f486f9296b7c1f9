use std::collections::BTreeSet;

use super::{Exposure, Scene, Style, off};
use crate::{
    Fault, Finding,
    catalogue::{Oid, Privilege, Relation},
    check::{
        Audit,
        app::{App, listed},
    },
    sql::tidy,
    subject::Belonging,
};

/// A table whose rows belong to tenants through their parents, and that nothing protects.
pub(super) fn unscoped(
    scene: &Scene<'_>,
    relation: &Relation,
    exposure: &Exposure,
) -> Option<Finding> {
    let (audit, style) = (scene.audit, &scene.style);
    let path = path(audit, relation)?;
    let predicate = predicate(audit, style, relation)?;
    let why = format!(
        "its rows belong to those of {}, and nothing protects it from {}: {}",
        path.first()?.parent.name,
        listed(&exposure.roles),
        exposure.exploit(relation)
    );
    let mut fix = style.protect(relation, &predicate);
    // The policy looks at the parents with the rights of whoever asks.
    for (at, step) in path.iter().enumerate() {
        let parent = step.parent;
        let blind: Vec<String> = scene
            .apps
            .iter()
            .filter(|app| {
                !app.bypasses()
                    && !app.commands(relation).is_empty()
                    && !audit
                        .catalogue
                        .may_any_column(app.role.oid, parent, Privilege::Select)
            })
            .map(App::name)
            .collect();
        if blind.is_empty() {
            continue;
        }
        // What was out of reach needed no protection.
        if !parent.row_security
            && let Some(predicate) = style.predicate(audit, parent)
        {
            fix.push('\n');
            fix.push_str(&style.protect(parent, &predicate));
        }
        fix.push_str(&format!(
            "\nGRANT SELECT ({}) ON {} TO {};",
            parent.column_list(&needed(audit, step, path.get(at + 1))),
            parent.name,
            blind.join(", ")
        ));
    }
    fix.push_str(&off::below(scene, relation));
    Some(
        Finding::new(Fault::ChildUnscoped, relation.name.to_string(), why, fix)
            .tables([relation.name.to_string()]),
    )
}

/// `EXISTS (…)`: the row's parent is there and the tenant's, or its parent's parent is.
pub(super) fn predicate(audit: &Audit<'_>, style: &Style, relation: &Relation) -> Option<String> {
    let path = path(audit, relation)?;
    let child = tidy(&relation.name.name);
    let alias = |level: usize| {
        let base = if child.starts_with("parent") {
            "above"
        } else {
            "parent"
        };
        match level {
            0 => base.to_owned(),
            more => format!("{base}_{}", more + 1),
        }
    };
    // From the far end: each look is inside the one before.
    let mut inner: Option<String> = None;
    for (level, step) in path.iter().enumerate().rev() {
        let from = match level {
            0 => child.clone(),
            more => alias(more - 1),
        };
        let to = alias(level);
        let mut conditions: Vec<String> = step
            .columns
            .iter()
            .map(|(own, theirs)| {
                Some(format!(
                    "{to}.{} = {from}.{}",
                    tidy(&step.parent.column(*theirs)?.name),
                    tidy(&step.child.column(*own)?.name)
                ))
            })
            .collect::<Option<_>>()?;
        match inner.take() {
            Some(inner) => conditions.push(inner),
            None => {
                let column = audit.subject.tenant_column(step.parent.oid)?;
                let column = step.parent.column(column)?;
                conditions.push(style.equality_of(step.parent, column, &to));
            }
        }
        inner = Some(format!(
            "EXISTS (SELECT FROM {} {to} WHERE {})",
            step.parent.name,
            conditions.join(" AND ")
        ));
    }
    inner
}

/// A foreign key on the way to the tenant.
struct Step<'a> {
    child: &'a Relation,
    parent: &'a Relation,
    /// The child's and the parent's.
    columns: Vec<(i16, i16)>,
}

/// The foreign keys from a table to one that has the tenant in a column.
fn path<'a>(audit: &Audit<'a>, relation: &'a Relation) -> Option<Vec<Step<'a>>> {
    let mut seen: BTreeSet<Oid> = BTreeSet::new();
    let mut path = Vec::new();
    let mut child = relation;
    while let Some(Belonging::Parent { constraint, .. }) = audit.subject.belonging(child.oid) {
        if !seen.insert(child.oid) {
            return None;
        }
        let (constraint, reference) = child.foreign_keys().find(|(it, _)| it.oid == *constraint)?;
        let parent = audit.catalogue.relations.get(&reference.relation)?;
        let columns = constraint
            .columns
            .iter()
            .copied()
            .zip(reference.columns.iter().copied())
            .collect();
        path.push(Step {
            child,
            parent,
            columns,
        });
        child = parent;
    }
    Some(path)
}

/// The columns of a parent that the policy reads: those that the child refers to, those that refer on, or the
/// tenant's.
fn needed(audit: &Audit<'_>, step: &Step<'_>, next: Option<&Step<'_>>) -> Vec<i16> {
    let mut columns: BTreeSet<i16> = step.columns.iter().map(|(_, theirs)| *theirs).collect();
    match next {
        Some(next) => columns.extend(next.columns.iter().map(|(own, _)| *own)),
        None => columns.extend(audit.subject.tenant_column(step.parent.oid)),
    }
    columns.into_iter().collect()
}
