//! What views, functions and rules let their reader touch, as whom, and whether they keep to the rows of the
//! context's tenant by themselves.

mod names;
pub(super) mod phrase;
mod query;
mod routine;
mod source;
mod written;

use std::collections::BTreeSet;

use names::Names;
use phrase::Part;
use query::{Around, Scan};
pub(super) use written::Written;

use super::Audit;
use crate::catalogue::{Catalogue, Function, Oid, Relation, RelationKind, Rule, Trigger};

/// A table that is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Access {
    pub(super) table: Oid,
    /// As whom.
    pub(super) role: Oid,
    /// Whether only rows that the context chooses are.
    pub(super) bound: bool,
    /// The view on the way that says as whom: the nearest one that reads as its owner.
    pub(super) view: Option<Oid>,
}

/// What something does.
#[derive(Clone, Debug, Default)]
pub(super) struct Reached {
    pub(super) accesses: BTreeSet<Access>,
    /// The roles as which it does more than can be read.
    pub(super) opaque: BTreeSet<Oid>,
}

impl Reached {
    /// What is touched as a role that no policy holds, though policies are there, and not bound to the context.
    pub(super) fn exempt(&self, audit: &Audit<'_>) -> Vec<Access> {
        self.accesses
            .iter()
            .filter(|access| !access.bound && holds_tenants(audit, access.table))
            .filter(|access| {
                audit
                    .catalogue
                    .relations
                    .get(&access.table)
                    .is_some_and(|table| audit.catalogue.is_exempt(access.role, table))
            })
            .copied()
            .collect()
    }
}

/// Whether tenants' rows are in a relation, be they only kept there.
pub(super) fn holds_tenants(audit: &Audit<'_>, relation: Oid) -> bool {
    audit.subject.is_tenants(relation)
        || audit
            .catalogue
            .relations
            .get(&relation)
            .is_some_and(|relation| kept_from(audit, relation).is_some())
}

/// The tenants' tables that a materialized view was made from, if there are any.
pub(super) fn kept_from(audit: &Audit<'_>, view: &Relation) -> Option<BTreeSet<Oid>> {
    if view.kind != RelationKind::MaterializedView {
        return None;
    }
    let mut tables = BTreeSet::new();
    let mut seen = BTreeSet::from([view.oid]);
    let mut ahead = vec![view];
    while let Some(next) = ahead.pop() {
        let Some(own) = &next.view else { continue };
        // Whoever refreshes it is no tenant: what it reads is not held by policies, and the functions that it
        // calls read for all.
        let mut reach = Reach::new(audit, next.owner);
        let outcome = reach.names.view(own);
        // What has no schema here is PostgreSQL's own.
        reach.calls(outcome.calls.iter().filter(|call| call.len() > 1));
        let reads = own.reads.iter().copied();
        for oid in reads.chain(reach.reached.accesses.iter().map(|access| access.table)) {
            let relation = audit.catalogue.relations.get(&oid);
            let is_table = relation.is_some_and(|it| it.kind != RelationKind::MaterializedView);
            if is_table && audit.subject.is_tenants(oid) {
                tables.insert(oid);
            } else if seen.insert(oid) {
                ahead.extend(relation);
            }
        }
    }
    (!tables.is_empty()).then_some(tables)
}

/// How deep views and functions may be in each other.
const DEEPEST: usize = 16;

/// A look at what is behind a view, a function or a rule.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    names: Names<'a>,
    /// Who runs the statement: views that read with the rights of the one who asks mean this role.
    invoker: Oid,
    seen: BTreeSet<(Oid, Oid, bool)>,
    reached: Reached,
}

impl<'a> Reach<'a> {
    fn new(audit: &Audit<'a>, invoker: Oid) -> Self {
        Self {
            names: Names::new(audit.catalogue, audit.subject),
            invoker,
            seen: BTreeSet::new(),
            reached: Reached::default(),
        }
    }

    /// What somebody reads who reads a relation.
    pub(super) fn of_relation(audit: &Audit<'a>, relation: &Relation, invoker: Oid) -> Reached {
        let mut reach = Self::new(audit, invoker);
        reach.relation(relation, invoker, false, None, 0);
        reach.reached
    }

    /// What is done by whoever calls a function that runs as its owner.
    pub(super) fn of_function(audit: &Audit<'a>, function: &Function) -> Reached {
        let mut reach = Self::new(audit, function.owner);
        reach.function(function, None, 0);
        reach.reached
    }

    /// What a trigger does whose function runs as its owner.
    pub(super) fn of_trigger(
        audit: &Audit<'a>,
        function: &Function,
        relation: &Relation,
        trigger: &Trigger,
    ) -> Reached {
        let mut reach = Self::new(audit, function.owner);
        reach.function(
            function,
            Some((relation.oid, transition_tables(trigger))),
            0,
        );
        reach.reached
    }

    /// What a rule does, which acts as the owner of its table.
    pub(super) fn of_rule(audit: &Audit<'a>, relation: &Relation, rule: &Rule) -> Reached {
        let mut reach = Self::new(audit, relation.owner);
        let mut names = reach.names.clone();
        names.row = Some(relation.oid);
        match phrase::read(&rule.definition) {
            Some(parts) => {
                // CREATE RULE … DO [INSTEAD] statement | (statement; …)
                let begin = query::position(&parts, 0, &["do"]);
                let action = parts.get(begin + 1..).unwrap_or(&[]);
                let action = match action {
                    [first, rest @ ..] if first.is_any(&["instead", "also"]) => rest,
                    _ => action,
                };
                let action = match action {
                    [Part::Round(inside), ..] => inside,
                    _ => action,
                };
                for statement in phrase::split(action, |part| *part == Part::Semicolon) {
                    let outcome = names.statement(statement, &Around::default());
                    reach.scans(&outcome.scans, relation.owner, None, 0);
                }
            }
            None => {
                reach.reached.opaque.insert(relation.owner);
            }
        }
        reach.reached
    }

    fn catalogue(&self) -> &'a Catalogue {
        self.names.catalogue
    }

    /// What is done by the functions of these names.
    fn calls<'c>(&mut self, calls: impl Iterator<Item = &'c Vec<String>>) {
        let names = self.names.clone();
        for called in calls.flat_map(|call| names.functions(call)) {
            if called.extension.is_none() && !called.is_trigger {
                self.function(called, None, 0);
            }
        }
    }

    fn scans(&mut self, scans: &[Scan], role: Oid, view: Option<Oid>, depth: usize) {
        for scan in scans {
            if let Some(relation) = self.catalogue().relations.get(&scan.relation) {
                self.relation(relation, role, scan.bound, view, depth);
            }
        }
    }

    fn relation(
        &mut self,
        relation: &Relation,
        role: Oid,
        bound: bool,
        view: Option<Oid>,
        depth: usize,
    ) {
        let Some(own) = relation
            .view
            .as_ref()
            .filter(|_| relation.kind == RelationKind::View)
        else {
            self.reached.accesses.insert(Access {
                table: relation.oid,
                role,
                bound,
                view,
            });
            return;
        };
        if depth > DEEPEST || !self.seen.insert((relation.oid, role, bound)) {
            return;
        }
        // PostgreSQL asks for the rights of whoever runs the statement, not of a view around.
        let (role, view) = if own.security_invoker {
            (self.invoker, None)
        } else {
            (relation.owner, Some(relation.oid))
        };
        let scans = self.names.view(own).scans;
        for scan in &scans {
            if let Some(inner) = self.catalogue().relations.get(&scan.relation) {
                self.relation(inner, role, bound || scan.bound, view, depth + 1);
            }
        }
        // What PostgreSQL says it reads, and the text did not tell.
        for other in own
            .reads
            .iter()
            .filter(|oid| scans.iter().all(|scan| scan.relation != **oid))
        {
            if let Some(inner) = self.catalogue().relations.get(other) {
                self.relation(inner, role, bound, view, depth + 1);
            }
        }
    }

    fn function(
        &mut self,
        function: &Function,
        row: Option<(Oid, BTreeSet<String>)>,
        depth: usize,
    ) {
        let role = if function.security_definer {
            function.owner
        } else {
            self.invoker
        };
        if depth > DEEPEST || !self.seen.insert((function.oid, role, false)) {
            return;
        }
        let outer = std::mem::replace(&mut self.invoker, role);
        let mut names = self.names.of_function(function);
        if let Some((relation, rows)) = row {
            names.row = Some(relation);
            names.rows = rows;
        }
        let body = names.body(function);
        if body.opaque && function.extension.is_none() {
            self.reached.opaque.insert(role);
        }
        self.scans(&body.outcome.scans, role, None, depth);
        for call in &body.outcome.calls {
            for called in self.names.of_function(function).functions(call) {
                if called.extension.is_none() && !called.is_trigger {
                    self.function(called, None, depth + 1);
                }
            }
        }
        self.invoker = outer;
    }
}

/// What a trigger's function calls the rows of its statement: `REFERENCING NEW TABLE AS new_rows`.
fn transition_tables(trigger: &Trigger) -> BTreeSet<String> {
    let parts = phrase::read(&trigger.definition).unwrap_or_default();
    parts
        .windows(4)
        .filter_map(|words| match words {
            [row, table, r#as, name]
                if row.is_any(&["new", "old"]) && table.is("table") && r#as.is("as") =>
            {
                name.word().map(str::to_owned)
            }
            _ => None,
        })
        .collect()
}

/// A list of tables' names.
pub(super) fn table_names(
    catalogue: &Catalogue,
    tables: impl IntoIterator<Item = Oid>,
) -> Vec<String> {
    let mut names: Vec<String> = tables
        .into_iter()
        .filter_map(|table| catalogue.relations.get(&table))
        .map(|relation| relation.name.to_string())
        .collect();
    names.sort();
    names.dedup();
    names
}
