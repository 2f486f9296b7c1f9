//! What no rollback undoes: numbers that sequences gave, and whatever reaches outside of the transaction. What
//! cannot be told to be harmless is not run.
//!
//! Whatever a statement sets off is followed: triggers, also those of partitions and of tables that a foreign
//! key changes, rules, views, policies, defaults, constraints, and the functions that any of them names. Texts
//! are followed by the names in them, so that more is followed than runs, and never less.

mod load;
mod text;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) use load::load;
use text::{Dynamic, Names, Said};

use crate::{
    catalogue::{Catalogue, Column, Function, Identity, Oid, Relation, RelationKind, Volatility},
    sql::tidy,
};

/// Extensions whose functions do nothing but answer, though they are written in C.
const HARMLESS: [&str; 18] = [
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "plpgsql",
    "postgis",
    "seg",
    "unaccent",
    "uuid-ossp",
    "vector",
];

/// What runs, and what of a relation is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Function(Oid),
    Read(Oid),
    /// A row is written as the administrator, without triggers and foreign keys.
    Make(Oid),
    /// A row is changed or deleted, or inserted with all of its columns given.
    Change(Oid),
    /// A row is inserted, with what the table gives it.
    Insert(Oid),
    /// It is emptied, with those that refer to it.
    Truncate(Oid),
}

/// What of the database may do something that stays.
#[derive(Debug)]
pub(super) struct Harm<'a> {
    catalogue: &'a Catalogue,
    /// Whether numbers may be spent.
    spends: bool,
    functions: BTreeMap<Oid, Said>,
    /// What their bodies name: functions, and relations.
    named: BTreeMap<Oid, (Vec<Oid>, Vec<Oid>)>,
    /// What constraints of domains say, by the types that have them in them.
    types: BTreeMap<Oid, Vec<Said>>,
    /// What domains give to a column that is not given.
    type_defaults: BTreeMap<Oid, Vec<Said>>,
    /// What an aggregate calls.
    aggregates: BTreeMap<Oid, Vec<Oid>>,
    names: Names,
    /// Why nothing at all can be run.
    anywhere: Option<String>,
    /// Why nothing can be made in the database.
    making: Option<String>,
}

impl<'a> Harm<'a> {
    fn new(catalogue: &'a Catalogue, spends: bool, loaded: load::Loaded) -> Self {
        let names = Names::of(catalogue);
        let functions = catalogue
            .functions
            .values()
            .filter(|it| !is_harmless(it))
            .map(|it| (it.oid, names.of_function(it)))
            .collect();
        let named = catalogue
            .functions
            .values()
            .filter(|it| !is_harmless(it))
            .map(|it| {
                let said = names.of_body(it);
                (it.oid, (said.functions, said.relations))
            })
            .collect();
        let said = |texts: BTreeMap<Oid, Vec<String>>| {
            texts
                .into_iter()
                .map(|(oid, texts)| (oid, texts.iter().map(|it| names.said(it)).collect()))
                .collect()
        };
        let mut it = Self {
            catalogue,
            spends,
            functions,
            named,
            types: said(loaded.checks),
            type_defaults: said(loaded.defaults),
            aggregates: loaded.aggregates,
            names,
            anywhere: None,
            making: None,
        };
        // An operator or a cast is written without its function's name.
        it.anywhere = loaded
            .unnamed
            .into_iter()
            .find_map(|oid| it.follow([Node::Function(oid)]))
            .map(|why| format!("of an operator or a cast: {why}"));
        if !loaded.is_whole {
            it.anywhere = Some("what its types, operators and casts do cannot be read".to_owned());
        }
        it.making = it.event_triggers();
        it
    }

    fn event_triggers(&self) -> Option<String> {
        const MADE: [&str; 5] = [
            "CREATE FUNCTION",
            "CREATE TABLE",
            "CREATE TRIGGER",
            "ALTER TABLE",
            "GRANT",
        ];
        self.catalogue
            .event_triggers
            .iter()
            .filter(|it| it.enabled)
            .filter(|it| it.tags.is_empty() || it.tags.iter().any(|tag| MADE.contains(&&**tag)))
            .find_map(|it| self.follow([Node::Function(it.function)]))
            .map(|why| format!("an event trigger: {why}"))
    }

    /// Why a relation is not read.
    pub(super) fn reading(&self, relation: &Relation) -> Option<String> {
        self.run([Node::Read(relation.oid)])
    }

    /// Why rows of a table are not changed or deleted.
    pub(super) fn changing(&self, relation: &Relation) -> Option<String> {
        self.run([Node::Change(relation.oid)])
    }

    /// Why a table is not emptied.
    pub(super) fn truncating(&self, relation: &Relation) -> Option<String> {
        self.run([Node::Truncate(relation.oid)])
    }

    /// Why the administrator writes no rows of a table, though no trigger and no foreign key runs.
    pub(super) fn making_rows(&self, relation: &Relation) -> Option<String> {
        self.run([Node::Make(relation.oid)])
    }

    /// Why a row is not inserted that leaves some columns to the table.
    pub(super) fn leaving(
        &self,
        relation: &Relation,
        is_given: &dyn Fn(&Column) -> bool,
    ) -> Option<String> {
        relation
            .columns
            .iter()
            .filter(|column| !is_given(column))
            .find_map(|column| {
                let (why, nodes) = self.default(relation, column);
                why.or_else(|| self.run(nodes))
            })
    }

    /// Why a function is not called.
    pub(super) fn calling(&self, function: &Function) -> Option<String> {
        self.run([Node::Function(function.oid)])
    }

    /// The relations that a function names, by itself or by functions and views that it names.
    pub(super) fn reached(&self, function: &Function) -> BTreeSet<Oid> {
        let (mut functions, mut relations) = (BTreeSet::from([function.oid]), BTreeSet::new());
        let mut ahead = vec![function.oid];
        while let Some(oid) = ahead.pop() {
            let Some((called, read)) = self.named.get(&oid) else {
                continue;
            };
            ahead.extend(called.iter().filter(|it| functions.insert(**it)));
            let mut below = read.clone();
            while let Some(oid) = below.pop() {
                let views = self.catalogue.relations.get(&oid);
                let view = views.and_then(|it| it.view.as_ref());
                if relations.insert(oid) {
                    below.extend(view.into_iter().flat_map(|it| &it.reads));
                }
            }
        }
        relations
    }

    /// Why no function, trigger or table is made.
    pub(super) fn making(&self) -> Option<String> {
        self.anywhere.clone().or_else(|| self.making.clone())
    }

    fn run(&self, start: impl IntoIterator<Item = Node>) -> Option<String> {
        self.anywhere.clone().or_else(|| self.follow(start))
    }

    /// The nearest thing that does what stays.
    fn follow(&self, start: impl IntoIterator<Item = Node>) -> Option<String> {
        let mut ahead: VecDeque<(Node, Option<String>)> =
            start.into_iter().map(|node| (node, None)).collect();
        let mut seen: BTreeSet<Node> = ahead.iter().map(|(node, _)| *node).collect();
        while let Some((node, by)) = ahead.pop_front() {
            let mut step = Step::default();
            self.step(node, &mut step);
            if let Some(why) = step.why {
                return Some(match by {
                    Some(by) => format!("{by}: {why}"),
                    None => why,
                });
            }
            for (next, name) in step.nodes {
                if seen.insert(next) {
                    ahead.push_back((next, by.clone().or(name)));
                }
            }
        }
        None
    }

    fn step(&self, node: Node, step: &mut Step) {
        match node {
            Node::Function(oid) => self.function(oid, step),
            Node::Read(oid)
            | Node::Make(oid)
            | Node::Change(oid)
            | Node::Insert(oid)
            | Node::Truncate(oid) => {
                if let Some(relation) = self.catalogue.relations.get(&oid) {
                    self.relation(node, relation, step);
                }
            }
        }
    }

    fn function(&self, oid: Oid, step: &mut Step) {
        let (Some(function), Some(said)) =
            (self.catalogue.functions.get(&oid), self.functions.get(&oid))
        else {
            return;
        };
        if let Some(calls) = self.aggregates.get(&oid) {
            step.nodes
                .extend(calls.iter().map(|it| (Node::Function(*it), None)));
            return;
        }
        let signature = function.signature();
        if !matches!(function.language.as_str(), "sql" | "plpgsql") {
            step.found(format!(
                "{signature} is written in {}, and may do anything",
                function.language
            ));
            return;
        }
        self.said(
            said,
            &signature,
            function.volatility == Volatility::Volatile,
            step,
        );
    }

    /// What a text does: of what it names, as far as it can write.
    fn said(&self, said: &Said, name: &str, writes: bool, step: &mut Step) {
        if let Some(word) = &said.outside {
            step.found(format!(
                "{name} reaches outside of the transaction by `{word}`"
            ));
        }
        if said.numbers && !self.spends {
            step.found(format!(
                "{name} takes a number from a sequence, which no rollback gives back"
            ));
        }
        let of = |relation: Oid| match (writes, said.inserts, said.changes) {
            (true, true, _) => Node::Insert(relation),
            (true, false, true) => Node::Change(relation),
            _ => Node::Read(relation),
        };
        let mut add = |node: Node| step.nodes.push((node, None));
        said.functions
            .iter()
            .for_each(|it| add(Node::Function(*it)));
        said.relations.iter().for_each(|it| add(of(*it)));
        if said.dynamic >= Dynamic::Tables {
            let tables = self.catalogue.relations.values();
            tables.for_each(|it| add(of(it.oid)));
        }
        if said.dynamic >= Dynamic::Functions {
            let functions = self.catalogue.functions.values();
            functions.for_each(|it| add(Node::Function(it.oid)));
        }
        if said.dynamic == Dynamic::Anything {
            step.found(format!(
                "{name} executes a statement that cannot be read, and may do anything"
            ));
        }
    }

    fn text(&self, text: &str, name: &str, writes: bool, step: &mut Step) {
        self.said(&self.names.said(text), name, writes, step);
    }

    fn relation(&self, node: Node, relation: &Relation, step: &mut Step) {
        let name = &relation.name;
        for column in &relation.columns {
            for said in self.types.get(&column.type_oid).into_iter().flatten() {
                let name = format!("the type of {name}.{}", tidy(&column.name));
                self.said(said, &name, false, step);
            }
            if let (true, Some(text)) = (column.generated, &column.default) {
                self.text(text, &format!("{name}.{}", tidy(&column.name)), false, step);
            }
        }
        let children: Vec<Oid> = self
            .catalogue
            .relations
            .values()
            .filter(|it| it.parents.contains(&relation.oid))
            .map(|it| it.oid)
            .collect();
        let of = |oid: Oid| match node {
            Node::Read(_) | Node::Function(_) => Node::Read(oid),
            Node::Make(_) => Node::Make(oid),
            // A new row of a partition has what the table gives it.
            Node::Change(_) | Node::Insert(_) => Node::Change(oid),
            Node::Truncate(_) => Node::Truncate(oid),
        };
        step.nodes
            .extend(children.into_iter().map(|child| (of(child), None)));
        if !matches!(node, Node::Make(_)) {
            self.seen(relation, step);
        }
        if let (Some(view), RelationKind::View) = (&relation.view, relation.kind) {
            let on = |oid: Oid| {
                if matches!(node, Node::Insert(_)) {
                    Node::Insert(oid)
                } else {
                    of(oid)
                }
            };
            step.nodes
                .extend(view.reads.iter().map(|below| (on(*below), None)));
        }
        if !matches!(node, Node::Read(_)) {
            self.written(node, relation, step);
        }
        if matches!(node, Node::Insert(_)) {
            for column in &relation.columns {
                let (why, nodes) = self.default(relation, column);
                step.why = step.why.take().or(why);
                step.nodes.extend(nodes.into_iter().map(|it| (it, None)));
            }
        }
    }

    /// What reading it calls.
    fn seen(&self, relation: &Relation, step: &mut Step) {
        for policy in &relation.policies {
            let name = format!("policy {} of {}", tidy(&policy.name), relation.name);
            for expression in [&policy.using, &policy.check].into_iter().flatten() {
                self.text(&expression.text, &name, false, step);
            }
        }
        if let (Some(view), RelationKind::View) = (&relation.view, relation.kind) {
            self.text(&view.definition, &relation.name.to_string(), false, step);
        }
    }

    /// What writing a row of it calls and changes besides.
    fn written(&self, node: Node, relation: &Relation, step: &mut Step) {
        let name = &relation.name;
        if relation.kind == RelationKind::Foreign {
            step.found(format!("writing to {name} reaches another server"));
        }
        for constraint in &relation.constraints {
            let name = format!("constraint {} of {name}", tidy(&constraint.name));
            if constraint.kind == crate::catalogue::ConstraintKind::Check {
                self.text(&constraint.definition, &name, false, step);
            }
        }
        for index in &relation.indexes {
            let is_plain = !index.partial && index.columns.iter().all(|it| it.column.is_some());
            if !is_plain {
                let name = format!("index {}", tidy(&index.name));
                self.text(&index.definition, &name, false, step);
            }
        }
        for rule in &relation.rules {
            let name = format!("rule {} of {name}", tidy(&rule.name));
            let action = rule.definition.split_once(" DO ").map_or("", |it| it.1);
            self.text(action, &name, true, step);
            step.nodes
                .extend(rule.touches.iter().map(|it| (Node::Change(*it), None)));
        }
        for trigger in &relation.triggers {
            let fires = if matches!(node, Node::Make(_)) {
                trigger.always
            } else {
                trigger.enabled
            };
            if fires {
                let by = Some(format!("trigger {} of {name}", tidy(&trigger.name)));
                step.nodes.push((Node::Function(trigger.function), by));
            }
        }
        if !matches!(node, Node::Make(_)) {
            self.keys(node, relation, step);
        }
    }

    /// What its foreign keys, and those that refer to it, read and change.
    fn keys(&self, node: Node, relation: &Relation, step: &mut Step) {
        for (_, there) in relation.foreign_keys() {
            step.nodes.push((Node::Read(there.relation), None));
        }
        for child in self.catalogue.relations.values() {
            for (_, there) in child
                .foreign_keys()
                .filter(|(_, there)| there.relation == relation.oid)
            {
                let changes = there.on_delete.changes() || there.on_update.changes();
                let next = if matches!(node, Node::Truncate(_)) {
                    Node::Truncate(child.oid)
                } else if changes {
                    Node::Change(child.oid)
                } else {
                    Node::Read(child.oid)
                };
                step.nodes.push((next, None));
            }
        }
    }

    /// What a column gets that is not given.
    fn default(&self, relation: &Relation, column: &Column) -> (Option<String>, Vec<Node>) {
        if column.generated {
            return (None, Vec::new());
        }
        let mut step = Step::default();
        let (name, at) = (&relation.name, tidy(&column.name));
        let of_type = self.type_defaults.get(&column.type_oid);
        let own = column.default.as_ref().map(|text| self.names.said(text));
        let takes = |said: &Said| said.numbers;
        let numbered = column.identity != Identity::No
            || own.iter().any(takes)
            || (own.is_none() && of_type.into_iter().flatten().any(takes));
        if numbered && !self.spends {
            step.found(format!(
                "{name}.{at} may take a number, which no rollback gives back"
            ));
        }
        let defaults = own.iter().chain(of_type.into_iter().flatten());
        for said in defaults {
            self.said(
                said,
                &format!("the default of {name}.{at}"),
                false,
                &mut step,
            );
        }
        (
            step.why,
            step.nodes.into_iter().map(|(node, _)| node).collect(),
        )
    }
}

/// Whether a function of an extension does nothing but answer.
fn is_harmless(function: &Function) -> bool {
    function
        .extension
        .as_ref()
        .is_some_and(|it| HARMLESS.contains(&it.as_str()))
}

/// What was found at one node.
#[derive(Debug, Default)]
struct Step {
    why: Option<String>,
    /// What runs next, and what it is called where that says more.
    nodes: Vec<(Node, Option<String>)>,
}

impl Step {
    fn found(&mut self, why: String) {
        self.why.get_or_insert(why);
    }
}
