//! One statement: which relations it reads or writes, and whether it keeps to rows of the context's tenant.

use std::collections::BTreeMap;

use super::{
    names::Names,
    phrase::{self, Part, begins_query},
    source::{Fact, Kind, Side, Source},
};
use crate::catalogue::{Oid, Relation, View};

/// A relation that a statement reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) relation: Oid,
    /// Whether only rows that the context chooses are touched.
    pub(super) bound: bool,
}

/// What a statement does.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) scans: Vec<Scan>,
    /// Names of the functions that it calls, or of what looks like one.
    pub(super) calls: Vec<Vec<String>>,
    /// Names from outside that equal a column of a bound row.
    pub(super) implied: Vec<Vec<String>>,
    /// Whether one of its sources is no relation and bound: a WITH query, the rows of a trigger.
    pub(super) derived: bool,
}

impl Outcome {
    /// Whether it reads rows, and only those that the context chooses.
    pub(super) fn is_bound(&self) -> bool {
        (self.derived || !self.scans.is_empty()) && self.scans.iter().all(|scan| scan.bound)
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.scans.extend(other.scans);
        self.calls.extend(other.calls);
    }
}

/// What is known where a statement begins: WITH queries, and the rows of the statement around it.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    with: BTreeMap<String, bool>,
    sources: Vec<Source>,
    depth: usize,
}

impl Around {
    /// Whether a WITH query of this name is there, and whether it is bound.
    pub(super) fn with(&self, name: &str) -> Option<bool> {
        self.with.get(name).copied()
    }

    /// The rows of the statement around come first.
    pub(super) fn push(&mut self, sources: &[Source]) {
        self.sources.splice(0..0, sources.iter().cloned());
    }
}

/// Queries nest at most so deep before no further look is taken.
const DEEPEST: usize = 12;

/// Words that end a list of sources.
const CLAUSES: [&str; 12] = [
    "where",
    "group",
    "having",
    "window",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "returning",
    "set",
    "when",
];

const JOINS: [&str; 7] = ["join", "inner", "left", "right", "full", "cross", "natural"];

impl Names<'_> {
    /// Looks through what a view or materialized view reads.
    pub(super) fn view(&self, view: &View) -> Outcome {
        let parts = phrase::read(&view.definition).unwrap_or_default();
        let parts = phrase::split(&parts, |part| *part == Part::Semicolon);
        let query = parts.first().copied().unwrap_or(&[]);
        self.statement(query, &Around::default())
    }

    /// Looks through a statement. What is no statement at all is looked through for the queries in it.
    pub(super) fn statement(&self, parts: &[Part], around: &Around) -> Outcome {
        let mut out = Outcome::default();
        if around.depth > DEEPEST {
            return out;
        }
        let mut around = Around {
            depth: around.depth + 1,
            ..around.clone()
        };
        let parts = self.with(parts, &mut around, &mut out);
        let arms = phrase::split(parts, |part| part.is_any(&["union", "intersect", "except"]));
        let several = arms.len() > 1;
        for arm in arms {
            let arm = match arm {
                [first, rest @ ..] if first.is_any(&["all", "distinct"]) => rest,
                _ => arm,
            };
            match arm {
                [Part::Round(inside), ..] if begins_query(inside) => {
                    let inner = self.statement(inside, &around);
                    out.implied.extend(inner.implied.clone());
                    out.derived |= inner.derived;
                    out.absorb(inner);
                }
                [first, ..] if first.is("insert") => self.insert(arm, &around, &mut out),
                _ => self.arm(arm, &around, &mut out),
            }
        }
        if several {
            out.implied.clear();
        }
        out
    }

    /// The WITH queries, and what follows them.
    fn with<'p>(&self, parts: &'p [Part], around: &mut Around, out: &mut Outcome) -> &'p [Part] {
        let mut at = match parts {
            [with, recursive, ..] if with.is("with") && recursive.is("recursive") => 2,
            [with, ..] if with.is("with") => 1,
            _ => return parts,
        };
        while let Some(name) = parts.get(at).and_then(Part::word) {
            let Some(query) = parts
                .get(at..)
                .and_then(|rest| rest.iter().position(|part| part.query().is_some()))
                .map(|found| at + found)
            else {
                break;
            };
            let inside = parts.get(query).and_then(Part::round).unwrap_or(&[]);
            // A WITH RECURSIVE query reads itself: what it is made of decides.
            around.with.insert(name.to_owned(), true);
            let inner = self.statement(inside, around);
            around.with.insert(name.to_owned(), inner.is_bound());
            out.absorb(inner);
            at = query + 1;
            if parts.get(at) != Some(&Part::Comma) {
                break;
            }
            at += 1;
        }
        parts.get(at..).unwrap_or(&[])
    }

    /// SELECT, UPDATE, DELETE, MERGE, or a bare expression.
    fn arm(&self, arm: &[Part], around: &Around, out: &mut Outcome) {
        let mut sources: Vec<Source> = Vec::new();
        let mut facts: Vec<Fact> = Vec::new();
        let at = match arm.first() {
            Some(first) if first.is("update") => {
                let end = position(arm, 1, &["set"]);
                self.from(
                    arm.get(1..end).unwrap_or(&[]),
                    around,
                    &mut sources,
                    &mut facts,
                    out,
                );
                position(arm, end, &["from"])
            }
            Some(first) if first.is("merge") => {
                let begin = position(arm, 0, &["into"]) + 1;
                let end = position(arm, begin, &["using"]);
                self.from(
                    arm.get(begin..end).unwrap_or(&[]),
                    around,
                    &mut sources,
                    &mut facts,
                    out,
                );
                let condition = position(arm, end, &["on"]);
                let stop = position(arm, condition, &["when"]);
                let all: Vec<usize> = (0..=sources.len()).collect();
                self.from(
                    arm.get(end + 1..condition).unwrap_or(&[]),
                    around,
                    &mut sources,
                    &mut facts,
                    out,
                );
                self.conditions(
                    arm.get(condition + 1..stop).unwrap_or(&[]),
                    &sources,
                    &all,
                    around,
                    &mut facts,
                );
                stop
            }
            Some(first) if first.is("delete") => {
                let end = position(arm, 2, &["using", "where", "returning"]);
                self.from(
                    arm.get(2..end).unwrap_or(&[]),
                    around,
                    &mut sources,
                    &mut facts,
                    out,
                );
                position(arm, end, &["using"])
            }
            Some(first) if first.is("table") => 0,
            _ => position(arm, 0, &["from"]),
        };
        let end = position(arm, at + 1, &CLAUSES);
        self.from(
            arm.get(at + 1..end).unwrap_or(&[]),
            around,
            &mut sources,
            &mut facts,
            out,
        );
        let begin = position(arm, 0, &["where"]);
        let end = position(arm, begin + 1, &CLAUSES);
        let all: Vec<usize> = (0..sources.len()).collect();
        self.conditions(
            arm.get(begin + 1..end).unwrap_or(&[]),
            &sources,
            &all,
            around,
            &mut facts,
        );
        self.bind(&mut sources, &facts, around);

        for fact in &facts {
            for (one, other) in [(&fact.left, &fact.right), (&fact.right, &fact.left)] {
                if let (Side::Column(source, _), Side::Free(path)) = (one, other)
                    && sources.get(*source).is_some_and(|source| source.bound)
                {
                    out.implied.push(path.clone());
                }
            }
            out.implied.extend(fact.implied.iter().cloned());
        }
        for source in &sources {
            match source.kind {
                Kind::Relation(relation) => out.scans.push(Scan {
                    relation,
                    bound: source.bound,
                }),
                Kind::Derived => out.derived |= source.bound,
            }
        }
        let mut inner = around.clone();
        inner.sources.splice(0..0, sources);
        self.inside(arm, &inner, out);
    }

    /// The queries and the calls in an expression.
    pub(super) fn inside(&self, parts: &[Part], around: &Around, out: &mut Outcome) {
        for (at, part) in parts.iter().enumerate() {
            let Part::Round(inside) = part else {
                if let Part::Square(inside) = part {
                    self.inside(inside, around, out);
                }
                continue;
            };
            let before = at.checked_sub(1).and_then(|before| parts.get(before));
            let name = before
                .filter(|part| !part.is_any(&NOT_CALLED))
                .and_then(Part::word);
            if begins_query(inside) {
                // Those among the sources are looked through already.
                if !among_sources(parts, at) {
                    let inner = self.statement(inside, around);
                    out.absorb(inner);
                }
            } else {
                if let Some(name) = name {
                    let mut path = vec![name.to_owned()];
                    if let (Some(Part::Dot), Some(schema)) = (
                        at.checked_sub(2).and_then(|it| parts.get(it)),
                        at.checked_sub(3)
                            .and_then(|it| parts.get(it))
                            .and_then(Part::word),
                    ) {
                        path.insert(0, schema.to_owned());
                    }
                    out.calls.push(path);
                }
                self.inside(inside, around, out);
            }
        }
    }

    /// Binds sources until nothing follows any more.
    fn bind(&self, sources: &mut [Source], facts: &[Fact], around: &Around) {
        // Names from outside of which the same condition asks for the context: an argument that is looked up
        // among the user's memberships.
        let vouched = |source: usize, side: &Side| {
            matches!(side, Side::Free(_))
                && facts.iter().any(|fact| {
                    fact.may_bind.contains(&source)
                        && [(&fact.left, &fact.right), (&fact.right, &fact.left)]
                            .iter()
                            .any(|(one, other)| *one == side && **other == Side::Context)
                })
        };
        loop {
            let mut changed = false;
            for fact in facts {
                for (one, other) in [(&fact.left, &fact.right), (&fact.right, &fact.left)] {
                    let Side::Column(source, column) = one else {
                        continue;
                    };
                    if !fact.may_bind.contains(source)
                        || sources.get(*source).is_none_or(|source| source.bound)
                    {
                        continue;
                    }
                    if (vouched(*source, other)
                        || self.follows(sources, *source, column, other, around))
                        && let Some(source) = sources.get_mut(*source)
                    {
                        source.bound = true;
                        changed = true;
                    }
                }
            }
            if !changed {
                return;
            }
        }
    }

    fn follows(
        &self,
        sources: &[Source],
        source: usize,
        column: &str,
        other: &Side,
        around: &Around,
    ) -> bool {
        let Some(own) = sources.get(source) else {
            return false;
        };
        let linked = |other: &Source, name: &str| {
            other.bound
                && match (&own.kind, &other.kind) {
                    (Kind::Relation(own), Kind::Relation(other)) => {
                        self.linked((*own, column), (*other, name))
                    }
                    (Kind::Relation(_) | Kind::Derived, Kind::Relation(_) | Kind::Derived) => true,
                }
        };
        match other {
            Side::Context => true,
            Side::Column(other, name) => {
                sources.get(*other).is_some_and(|other| linked(other, name))
            }
            Side::Free(path) => {
                let Some(name) = path.last() else {
                    return false;
                };
                around
                    .sources
                    .iter()
                    .find(|outer| self.has(outer, path))
                    .is_some_and(|outer| linked(outer, name))
            }
            Side::Nothing => false,
        }
    }

    /// Whether a name may be a column of a source.
    pub(super) fn has(&self, source: &Source, path: &[String]) -> bool {
        match path {
            [column] => match source.kind {
                Kind::Relation(relation) => self.column(relation, column).is_some(),
                Kind::Derived => false,
            },
            [.., alias, _] => *alias == source.alias,
            [] => false,
        }
    }

    /// INSERT: whose the new rows are.
    fn insert(&self, arm: &[Part], around: &Around, out: &mut Outcome) {
        let into = position(arm, 0, &["into"]) + 1;
        let (name, mut at) = path(arm, into);
        let Some(relation) = self.relation(&name) else {
            self.arm(arm, around, out);
            return;
        };
        if arm.get(at).is_some_and(|part| part.is("as")) {
            at += 2;
        }
        let mut columns: Vec<String> = Vec::new();
        if let Some(Part::Round(inside)) = arm.get(at)
            && !begins_query(inside)
        {
            columns = inside
                .iter()
                .filter_map(Part::word)
                .map(str::to_owned)
                .collect();
            at += 1;
        }
        if columns.is_empty() {
            columns = relation
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect();
        }
        let end = position_of(arm, at, |at, part| {
            part.is("returning")
                || (part.is("on") && arm.get(at + 1).is_some_and(|it| it.is("conflict")))
        });
        let rows = arm.get(at..end).unwrap_or(&[]);
        let values = rows.iter().position(|part| part.is("values"));
        let place = self.subject.tenant_column(relation.oid).and_then(|number| {
            let name = &relation.column(number)?.name;
            Some(columns.iter().position(|column| column == name))
        });
        let bound = match (place, values) {
            // No tenants' rows, or those of a parent: nothing says whose they are.
            (None, _) => false,
            (Some(None), _) => self.default_is_context(relation),
            (Some(Some(place)), Some(values)) => {
                let mut tuples = rows
                    .get(values + 1..)
                    .unwrap_or(&[])
                    .iter()
                    .filter_map(Part::round)
                    .peekable();
                tuples.peek().is_some()
                    && tuples.all(|tuple| {
                        phrase::split(tuple, |part| *part == Part::Comma)
                            .get(place)
                            .is_some_and(|value| {
                                self.is_context(value)
                                    || (matches!(value, [word] if word.is("default"))
                                        && self.default_is_context(relation))
                            })
                    })
            }
            (Some(Some(place)), None) => {
                let list = position(rows, 0, &["from"]);
                let value = phrase::split(rows.get(1..list).unwrap_or(&[]), |part| {
                    *part == Part::Comma
                })
                .get(place)
                .copied()
                .unwrap_or(&[]);
                self.is_context(value)
                    || (self.names_tenant(value) && self.statement(rows, around).is_bound())
            }
        };
        out.scans.push(Scan {
            relation: relation.oid,
            bound,
        });
        if values.is_none() && !rows.is_empty() {
            let inner = self.statement(rows, around);
            out.absorb(inner);
            self.inside(arm.get(end..).unwrap_or(&[]), around, out);
        } else {
            self.inside(arm.get(at..).unwrap_or(&[]), around, out);
        }
    }

    /// Whether a value is a column that says the tenant in some table.
    fn names_tenant(&self, value: &[Part]) -> bool {
        let (name, end) = path(value, 0);
        end == value.len()
            && name.last().is_some_and(|name| {
                self.subject
                    .tenant_tables(self.catalogue)
                    .any(|table| self.is_tenant_column(table.oid, name))
            })
    }

    /// Whether a new row is the context's tenant's, or a new tenant, where nobody says whose it is.
    fn default_is_context(&self, relation: &Relation) -> bool {
        self.subject
            .tenant_column(relation.oid)
            .and_then(|number| relation.column(number))
            .and_then(|column| column.default.as_deref())
            .and_then(phrase::read)
            .is_some_and(|default| {
                self.is_context(&default) || self.subject.root == Some(relation.oid)
            })
    }
}

/// Whether a bracket is one of the sources, and no expression.
fn among_sources(parts: &[Part], at: usize) -> bool {
    parts.get(..at).is_some_and(|before| {
        let from = before
            .iter()
            .rposition(|part| part.is_any(&["from", "using"]) || part.is_any(&JOINS));
        let clause = before.iter().rposition(|part| {
            part.is_any(&[
                "select",
                "where",
                "group",
                "having",
                "order",
                "limit",
                "returning",
                "set",
                "on",
            ])
        });
        from > clause
    })
}

/// Words that brackets follow without a call.
const NOT_CALLED: [&str; 26] = [
    "in",
    "any",
    "all",
    "some",
    "exists",
    "values",
    "and",
    "or",
    "not",
    "as",
    "on",
    "using",
    "where",
    "when",
    "then",
    "else",
    "select",
    "from",
    "join",
    "by",
    "over",
    "filter",
    "returning",
    "lateral",
    "array",
    "row",
];

/// Where one of some key words stands, or the end.
pub(super) fn position(parts: &[Part], from: usize, words: &[&str]) -> usize {
    position_of(parts, from, |at, part| {
        part.is_any(words)
            // IS [NOT] DISTINCT FROM
            && !(part.is("from")
                && at.checked_sub(1).and_then(|it| parts.get(it)).is_some_and(|it| it.is("distinct"))
                && at
                    .checked_sub(2)
                    .and_then(|it| parts.get(it))
                    .is_some_and(|it| it.is_any(&["is", "not"])))
    })
}

fn position_of(parts: &[Part], from: usize, is: impl Fn(usize, &Part) -> bool) -> usize {
    parts
        .iter()
        .enumerate()
        .skip(from)
        .find_map(|(at, part)| is(at, part).then_some(at))
        .unwrap_or(parts.len())
}

/// A name with its qualifiers, and where it ends.
pub(super) fn path(parts: &[Part], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(word) = parts.get(at).and_then(Part::word) {
        path.push(word.to_owned());
        at += 1;
        if parts.get(at) != Some(&Part::Dot) {
            break;
        }
        at += 1;
    }
    (path, at)
}
