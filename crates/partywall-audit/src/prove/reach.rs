//! Which views show a table, and in which of their columns.

use std::collections::BTreeSet;

use crate::{
    catalogue::{Catalogue, Oid, Relation},
    expression::Node,
};

/// The views and materialized views that read a table, themselves or through others, in order of their names.
pub(super) fn views_of<'a>(catalogue: &'a Catalogue, table: &Relation) -> Vec<&'a Relation> {
    let mut reached = BTreeSet::from([table.oid]);
    loop {
        let more: Vec<Oid> = catalogue
            .relations
            .values()
            .filter(|view| !reached.contains(&view.oid))
            .filter(|view| {
                view.view
                    .as_ref()
                    .is_some_and(|it| it.reads.iter().any(|read| reached.contains(read)))
            })
            .map(|view| view.oid)
            .collect();
        if more.is_empty() {
            break;
        }
        reached.extend(more);
    }
    reached.remove(&table.oid);
    let mut views: Vec<&Relation> = reached
        .iter()
        .filter_map(|oid| catalogue.relations.get(oid))
        .collect();
    views.sort_by(|a, b| a.name.cmp(&b.name));
    views
}

/// The name under which a view shows a column of a table, as it is.
pub(super) fn shown_as(
    catalogue: &Catalogue,
    view: &Relation,
    table: Oid,
    column: i16,
) -> Option<String> {
    let number = origin(catalogue, view, table, column, 0)?;
    Some(view.column(number)?.name.clone())
}

fn origin(
    catalogue: &Catalogue,
    view: &Relation,
    table: Oid,
    column: i16,
    depth: u32,
) -> Option<i16> {
    if depth > 20 {
        return None;
    }
    let tree = &view.view.as_ref()?.tree;
    let query = if let Node::List(queries) = tree {
        queries.first()?
    } else {
        tree
    };
    query.list("targetList").iter().find_map(|target| {
        let number: i16 = target.number("resno")?;
        let from: Oid = target.number("resorigtbl")?;
        let at: i16 = target.number("resorigcol")?;
        if from == table && at == column {
            return Some(number);
        }
        let inner = catalogue.relations.get(&from)?;
        (origin(catalogue, inner, table, column, depth + 1)? == at).then_some(number)
    })
}

/// The relations that a tree reads.
pub(super) fn relations_in(tree: &Node) -> BTreeSet<Oid> {
    let mut found = BTreeSet::new();
    tree.walk(&mut |node| {
        if node.tag() == "RTE" || node.tag() == "RANGETBLENTRY" {
            found.extend(node.number::<Oid>("relid").filter(|oid| *oid != 0));
        }
    });
    found
}

/// The functions that a tree calls.
pub(super) fn functions_in(tree: &Node) -> BTreeSet<Oid> {
    let mut found = BTreeSet::new();
    tree.walk(&mut |node| {
        for field in ["funcid", "opfuncid"] {
            found.extend(node.number::<Oid>(field).filter(|oid| *oid != 0));
        }
    });
    found
}

/// The texts in a tree.
pub(super) fn texts_in(tree: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    tree.walk(&mut |node| {
        found.extend(crate::subject::text_constant(node));
    });
    found
}
