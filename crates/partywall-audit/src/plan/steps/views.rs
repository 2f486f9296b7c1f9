use std::collections::BTreeSet;

use super::ownership;
use crate::{
    Fault,
    catalogue::{Catalogue, Oid, Privilege, Relation, RelationKind},
    plan::{Note, Outline, Phase, Step, done, stand::Stand},
    sql::tidy,
};

/// A view reads with its owner's rights. The tables' owner is bound by their policies, since they are forced.
pub(super) fn add(outline: &Outline<'_>, steps: &mut Vec<Step>, notes: &mut Vec<Note>) {
    let catalogue = outline.catalogue;
    let tenants: BTreeSet<Oid> = outline
        .tenants()
        .filter(|(table, _)| {
            table.stand == Stand::Open || outline.faults.on(table.name(), &[Fault::ViewDefiner])
        })
        .flat_map(|(table, _)| table.all().map(|relation| relation.oid))
        .collect();
    let mut views: Vec<&Relation> = catalogue
        .relations
        .values()
        .filter(|relation| relation.extension.is_none() && reads(catalogue, relation, &tenants))
        .collect();
    views.sort_by(|a, b| a.name.cmp(&b.name));
    let owner = tidy(&outline.owner.name);
    let moved: BTreeSet<Oid> = outline
        .tables()
        .flat_map(|table| ownership::moved(outline, table))
        .map(|relation| relation.owner)
        .collect();
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
        if !catalogue.roles.bypasses(view.owner) && !moved.contains(&view.owner) {
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

/// What is done with another's rights is for people to judge: some of it is meant to reach all tenants.
pub(super) fn definers(outline: &Outline<'_>, notes: &mut Vec<Note>) {
    let catalogue = outline.catalogue;
    let apps = || outline.apps.iter().filter_map(|app| app.oid);
    for function in catalogue.functions.values().filter(|function| {
        function.security_definer
            && function.extension.is_none()
            && Some(function.owner) != outline.owner.oid
            && !apps().any(|app| app == function.owner)
            && (function.is_trigger || apps().any(|app| catalogue.may_call(app, function)))
    }) {
        let owner = tidy(catalogue.roles.name(function.owner));
        let what = if catalogue.roles.bypasses(function.owner) {
            format!(
                "runs as {owner}, for whom no policy holds: ALTER {} {} OWNER TO {}, unless it is meant to reach all tenants",
                function.keyword(),
                function.signature(),
                tidy(&outline.owner.name)
            )
        } else {
            format!(
                "runs as {owner}, who may have no rights on the tables any more when they are another's"
            )
        };
        notes.push(Note::new(
            format!("function {}", function.signature()),
            what,
        ));
    }
}

/// Tenants that PostgreSQL takes for the same although their names differ.
pub(super) fn folded(outline: &Outline<'_>, notes: &mut Vec<Note>) {
    for (table, tenant) in outline.tenants() {
        let column = tenant
            .number
            .and_then(|number| table.relation.column(number));
        if column.is_some_and(|column| {
            !column.deterministic || column.type_name.rsplit('.').next() == Some("citext")
        }) {
            notes.push(Note::new(
                format!("{}.{}", table.name(), tenant.sql()),
                "takes tenants for the same that differ in case alone: use uuid, bigint or text",
            ));
        }
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
