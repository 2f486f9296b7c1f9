use std::collections::BTreeSet;

use crate::{
    catalogue::{Catalogue, Oid, Privilege, Relation, RelationKind},
    plan::{Note, Outline, Phase, Step, done},
    sql::tidy,
};

/// A view reads with its owner's rights. The tables' owner is bound by their policies, since they are forced.
pub(super) fn add(outline: &Outline<'_>, steps: &mut Vec<Step>, notes: &mut Vec<Note>) {
    let catalogue = outline.catalogue;
    let tenants: BTreeSet<Oid> = outline
        .tenants()
        .flat_map(|(table, _)| table.all().map(|relation| relation.oid))
        .collect();
    let mut views: Vec<&Relation> = catalogue
        .relations
        .values()
        .filter(|relation| relation.extension.is_none() && reads(catalogue, relation, &tenants))
        .collect();
    views.sort_by(|a, b| a.name.cmp(&b.name));
    let owner = tidy(&outline.owner.name);
    for view in views {
        let name = &view.name;
        let is_asked = outline
            .apps
            .iter()
            .filter_map(|app| app.oid)
            .any(|app| catalogue.may_any_column(app, view, Privilege::Select));
        if view.kind == RelationKind::MaterializedView {
            if is_asked {
                notes.push(Note::new(
                    format!("materialized view {name}"),
                    "holds the rows of every tenant and no policy protects it: make it a view, or revoke it from the application; \
                     REFRESH has to run as a role that the policies do not hold for",
                ));
            }
            continue;
        }
        let is_app = outline.apps.iter().any(|app| app.oid == Some(view.owner));
        let is_invoker = view.view.as_ref().is_some_and(|view| view.security_invoker);
        if is_invoker || is_app || Some(view.owner) == outline.owner.oid {
            continue;
        }
        steps.push(
            Step::new(
                Phase::Protect,
                format!("owner of view {name}"),
                "has the view read as a role that the policies hold for",
            )
            .sql(format!("ALTER VIEW {name} OWNER TO {owner};"))
            .undo(format!(
                "ALTER VIEW {name} OWNER TO {};",
                tidy(catalogue.roles.name(view.owner))
            ))
            .locks("ACCESS EXCLUSIVE on the view, for an instant")
            .done(done::owner(name, &outline.owner.name)),
        );
    }
}

/// Whether a view reads one of these, itself or by other views.
fn reads(catalogue: &Catalogue, relation: &Relation, tables: &BTreeSet<Oid>) -> bool {
    let mut seen = BTreeSet::new();
    let mut ahead: Vec<Oid> = relation
        .view
        .iter()
        .flat_map(|view| view.reads.iter().copied())
        .collect();
    while let Some(oid) = ahead.pop() {
        if tables.contains(&oid) {
            return true;
        }
        if seen.insert(oid) {
            let view = catalogue
                .relations
                .get(&oid)
                .and_then(|relation| relation.view.as_ref());
            ahead.extend(view.into_iter().flat_map(|view| view.reads.iter().copied()));
        }
    }
    false
}
