//! What stands in FROM, and what the conditions say of it.

use super::{
    names::{Names, type_end},
    phrase::{self, Part, begins_query},
    query::{Around, Outcome, path, position},
};
use crate::catalogue::Oid;

/// What rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Relation(Oid),
    /// A sub-select, a WITH query, a function.
    Derived,
}

/// One source of rows of a statement.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) alias: String,
    pub(super) kind: Kind,
    /// Whether only rows that the context chooses come from it.
    pub(super) bound: bool,
}

/// A side of an equality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The tenant of the context.
    Context,
    /// A column of a source.
    Column(usize, String),
    /// A name that is no column of this statement: of one around it, a parameter, a variable.
    Free(Vec<String>),
    Nothing,
}

/// Two values are equal in every row that counts.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) left: Side,
    pub(super) right: Side,
    /// The sources of which it chooses rows: an outer join keeps those of one side whatever it says.
    pub(super) may_bind: Vec<usize>,
    /// Names from outside that it says are the context's.
    pub(super) implied: Vec<Vec<String>>,
}

impl Names<'_> {
    /// Reads what stands between FROM and the next clause.
    pub(super) fn from(
        &self,
        parts: &[Part],
        around: &Around,
        sources: &mut Vec<Source>,
        facts: &mut Vec<Fact>,
        out: &mut Outcome,
    ) {
        let mut at = 0;
        let mut join = "";
        while at < parts.len() {
            let first = sources.len();
            at = self.item(parts, at, around, sources, facts, out);
            let new: Vec<usize> = (first..sources.len()).collect();
            let old: Vec<usize> = (0..first).collect();
            let may_bind: Vec<usize> = match join {
                "left" => new.clone(),
                "right" => old.clone(),
                "full" => Vec::new(),
                _ => (0..sources.len()).collect(),
            };
            if parts.get(at).is_some_and(|part| part.is("on")) {
                let end = condition_end(parts, at + 1);
                self.conditions(
                    parts.get(at + 1..end).unwrap_or(&[]),
                    sources,
                    &may_bind,
                    around,
                    facts,
                );
                at = end;
            } else if parts.get(at).is_some_and(|part| part.is("using")) {
                for column in parts
                    .get(at + 1)
                    .and_then(Part::round)
                    .unwrap_or(&[])
                    .iter()
                    .filter_map(Part::word)
                {
                    for right in &new {
                        for left in &old {
                            facts.push(Fact {
                                left: Side::Column(*left, column.to_owned()),
                                right: Side::Column(*right, column.to_owned()),
                                may_bind: may_bind.clone(),
                                implied: Vec::new(),
                            });
                        }
                    }
                }
                at += 2;
            }
            join = "";
            while let Some(part) = parts.get(at) {
                at += 1;
                if *part == Part::Comma {
                    break;
                }
                for kind in ["left", "right", "full"] {
                    if part.is(kind) {
                        join = kind;
                    }
                }
                if part.is("join") {
                    break;
                }
            }
        }
    }

    /// One item of FROM. Says where it ends.
    fn item(
        &self,
        parts: &[Part],
        mut at: usize,
        around: &Around,
        sources: &mut Vec<Source>,
        facts: &mut Vec<Fact>,
        out: &mut Outcome,
    ) -> usize {
        while parts
            .get(at)
            .is_some_and(|part| part.is_any(&["only", "lateral"]))
        {
            at += 1;
        }
        let first = sources.len();
        if let Some(Part::Round(inside)) = parts.get(at) {
            at += 1;
            if begins_query(inside) {
                let mut lateral = around.clone();
                lateral.push(sources);
                let inner = self.statement(inside, &lateral);
                let bound =
                    inner.is_bound() || (inner.scans.is_empty() && self.selects_context(inside));
                out.absorb(inner);
                sources.push(Source {
                    alias: String::new(),
                    kind: Kind::Derived,
                    bound,
                });
            } else {
                self.from(inside, around, sources, facts, out);
            }
        } else {
            let (name, end) = path(parts, at);
            if end == at {
                return at + 1;
            }
            at = end;
            let source = match (name.as_slice(), parts.get(at)) {
                (_, Some(Part::Round(arguments))) => {
                    out.calls.push(name.clone());
                    self.inside(arguments, around, out);
                    at += 1;
                    Source {
                        alias: name.last().cloned().unwrap_or_default(),
                        kind: Kind::Derived,
                        bound: false,
                    }
                }
                ([single], _) if self.rows.contains(single) => Source {
                    alias: single.clone(),
                    kind: Kind::Derived,
                    bound: true,
                },
                ([single], _) if around.with(single).is_some() => Source {
                    alias: single.clone(),
                    kind: Kind::Derived,
                    bound: around.with(single) == Some(true),
                },
                _ => match self.relation(&name) {
                    Some(relation) => Source {
                        alias: name.last().cloned().unwrap_or_default(),
                        kind: Kind::Relation(relation.oid),
                        bound: false,
                    },
                    None => Source {
                        alias: name.last().cloned().unwrap_or_default(),
                        kind: Kind::Derived,
                        bound: false,
                    },
                },
            };
            sources.push(source);
        }
        if parts.get(at).is_some_and(|part| part.is_operator("*")) {
            at += 1;
        }
        if parts.get(at).is_some_and(|part| part.is("with"))
            && parts.get(at + 1).is_some_and(|part| part.is("ordinality"))
        {
            at += 2;
        }
        if parts.get(at).is_some_and(|part| part.is("as")) {
            at += 1;
        }
        if let Some(Part::Word { text, quoted }) = parts.get(at)
            && (*quoted || !NO_ALIAS.contains(&text.as_str()))
        {
            at += 1;
            if sources.len() == first + 1
                && let Some(source) = sources.last_mut()
            {
                source.alias.clone_from(text);
            }
        }
        if parts.get(at).and_then(Part::round).is_some() {
            at += 1;
        }
        if parts.get(at).is_some_and(|part| part.is("tablesample")) {
            at += 3;
        }
        at
    }

    /// Reads a condition for what must be equal.
    pub(super) fn conditions(
        &self,
        parts: &[Part],
        sources: &[Source],
        may_bind: &[usize],
        around: &Around,
        facts: &mut Vec<Fact>,
    ) {
        // What CASE and BETWEEN part is no condition by itself.
        if parts.iter().any(|part| part.is("case")) {
            return;
        }
        let arms = phrase::split(parts, |part| part.is("or"));
        if arms.len() > 1 {
            self.either(&arms, sources, may_bind, around, facts);
            return;
        }
        for conjunct in phrase::split(parts, |part| part.is("and")) {
            match conjunct {
                [Part::Round(inside)] if !begins_query(inside) => {
                    self.conditions(inside, sources, may_bind, around, facts);
                }
                _ => self.conjunct(conjunct, sources, may_bind, around, facts),
            }
        }
    }

    /// A source is bound by OR if each of its arms binds it, or asks for rows of no tenant.
    fn either(
        &self,
        arms: &[&[Part]],
        sources: &[Source],
        may_bind: &[usize],
        around: &Around,
        facts: &mut Vec<Fact>,
    ) {
        for at in may_bind {
            let mut own = None;
            let all = arms.iter().all(|arm| {
                let mut found = Vec::new();
                self.conditions(arm, sources, may_bind, around, &mut found);
                let bound = found.into_iter().find(|fact| {
                    [(&fact.left, &fact.right), (&fact.right, &fact.left)]
                        .iter()
                        .any(|(one, other)| {
                            matches!(one, Side::Column(source, _) if source == at)
                                && **other == Side::Context
                        })
                });
                let shared = self.asks_for_nobody(arm, sources, *at);
                own = own.take().or(bound.clone());
                bound.is_some() || shared
            });
            if all && let Some(fact) = own {
                facts.push(fact);
            }
        }
    }

    /// `tenant_id IS NULL`.
    fn asks_for_nobody(&self, arm: &[Part], sources: &[Source], at: usize) -> bool {
        let arm = match arm {
            [Part::Round(inside)] => inside,
            _ => arm,
        };
        let [name @ .., is, null] = arm else {
            return false;
        };
        is.is("is")
            && null.is("null")
            && matches!(self.side(name, sources, &Around::default()), Side::Column(source, column)
                if source == at
                    && matches!(sources.get(at).map(|source| source.kind),
                        Some(Kind::Relation(relation)) if self.is_tenant_column(relation, &column)))
    }

    fn conjunct(
        &self,
        parts: &[Part],
        sources: &[Source],
        may_bind: &[usize],
        around: &Around,
        facts: &mut Vec<Fact>,
    ) {
        if let [exists, inside] = parts
            && exists.is("exists")
            && let Some(query) = inside.query()
        {
            for path in self.statement(query, around).implied {
                facts.push(Fact {
                    left: self.name(path.clone(), sources),
                    right: Side::Context,
                    may_bind: may_bind.to_vec(),
                    implied: if matches!(self.name(path.clone(), sources), Side::Column(..)) {
                        Vec::new()
                    } else {
                        vec![path]
                    },
                });
            }
            return;
        }
        let (function, end) = path(parts, 0);
        if let ([Part::Round(arguments)], false) =
            (parts.get(end..).unwrap_or(&[]), function.is_empty())
        {
            let arguments = phrase::split(arguments, |part| *part == Part::Comma);
            for at in self.vouches(&function, arguments.len()) {
                if let Some(argument) = arguments.get(at) {
                    let side = self.side(argument, sources, around);
                    let implied = match &side {
                        Side::Free(path) => vec![path.clone()],
                        Side::Context | Side::Column(..) | Side::Nothing => Vec::new(),
                    };
                    facts.push(Fact {
                        left: side,
                        right: Side::Context,
                        may_bind: may_bind.to_vec(),
                        implied,
                    });
                }
            }
            return;
        }
        let equal = parts
            .iter()
            .position(|part| part.is_operator("=") || part.is("in"));
        let Some(at) = equal else { return };
        let (Some(left), Some(right)) = (parts.get(..at), parts.get(at + 1..)) else {
            return;
        };
        if left.first().is_some_and(|part| part.is("not"))
            || left.last().is_some_and(|part| part.is("not"))
        {
            return;
        }
        if let ([Part::Round(left)], [Part::Round(right)]) = (left, right)
            && !begins_query(left)
            && !begins_query(right)
            && left.contains(&Part::Comma)
        {
            let (left, right) = (
                phrase::split(left, |part| *part == Part::Comma),
                phrase::split(right, |part| *part == Part::Comma),
            );
            for (left, right) in left.iter().zip(right) {
                facts.push(self.fact(left, right, sources, may_bind, around));
            }
            return;
        }
        facts.push(self.fact(left, right, sources, may_bind, around));
    }

    fn fact(
        &self,
        left: &[Part],
        right: &[Part],
        sources: &[Source],
        may_bind: &[usize],
        around: &Around,
    ) -> Fact {
        let (left, right) = (
            self.side(left, sources, around),
            self.side(right, sources, around),
        );
        let mut implied = Vec::new();
        for pair in [(&left, &right), (&right, &left)] {
            if let (Side::Free(path), Side::Context) = pair {
                implied.push(path.clone());
            }
        }
        Fact {
            left,
            right,
            may_bind: may_bind.to_vec(),
            implied,
        }
    }

    fn side(&self, parts: &[Part], sources: &[Source], around: &Around) -> Side {
        if self.is_context(parts) {
            return Side::Context;
        }
        let parts = match parts {
            [any, rest @ ..] if any.is_any(&["any", "some"]) => rest,
            _ => parts,
        };
        let cast = parts.iter().position(|part| *part == Part::Cast);
        let (parts, rest) = parts.split_at(cast.unwrap_or(parts.len()));
        if !rest.is_empty() && type_end(rest, 1) != rest.len() {
            return Side::Nothing;
        }
        if let [Part::Round(inside)] = parts {
            if begins_query(inside) {
                let inner = self.statement(inside, around);
                return if inner.is_bound()
                    || (inner.scans.is_empty() && self.selects_context(inside))
                {
                    Side::Context
                } else {
                    Side::Nothing
                };
            }
            return self.side(inside, sources, around);
        }
        match parts {
            [Part::Parameter(name)] => Side::Free(vec![name.clone()]),
            _ => match path(parts, 0) {
                (name, end) if end == parts.len() && !name.is_empty() => self.name(name, sources),
                _ => Side::Nothing,
            },
        }
    }

    fn name(&self, path: Vec<String>, sources: &[Source]) -> Side {
        match sources.iter().position(|source| self.has(source, &path)) {
            Some(at) => Side::Column(at, path.last().cloned().unwrap_or_default()),
            None => Side::Free(path),
        }
    }

    /// `SELECT current_setting(…)`, from nothing.
    fn selects_context(&self, query: &[Part]) -> bool {
        let list = match query {
            [select, rest @ ..] if select.is("select") => rest,
            _ => return false,
        };
        if position(list, 0, &["from"]) != list.len() {
            return false;
        }
        let value = list.split(|part| part.is("as")).next().unwrap_or(list);
        self.is_context(value)
    }
}

/// Words that follow an item of FROM and are no alias.
const NO_ALIAS: [&str; 22] = [
    "on",
    "using",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
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
    "tablesample",
    "when",
];

/// Where the condition of a join ends.
fn condition_end(parts: &[Part], from: usize) -> usize {
    parts
        .iter()
        .enumerate()
        .skip(from)
        .find_map(|(at, part)| {
            (*part == Part::Comma
                || (part.is_any(&["join", "inner", "cross", "natural", "full"]))
                || (part.is_any(&["left", "right"])
                    && parts
                        .get(at + 1)
                        .is_some_and(|next| next.is_any(&["join", "outer"]))))
            .then_some(at)
        })
        .unwrap_or(parts.len())
}
