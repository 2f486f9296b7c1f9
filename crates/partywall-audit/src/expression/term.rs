//! What an expression says, whether PostgreSQL's own tree of it was read or the text of a function's body.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are left as they are"
)]

use std::collections::BTreeSet;

use super::Constant;
use crate::catalogue::Oid;

/// The row that the expression is about: of a policy, the row of its table.
pub(crate) const ROW: u32 = 0;

/// A column of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Column {
    /// Which of the rows at hand: [`ROW`], or one of a sub-select. Every `FROM` entry has its own number, so
    /// that columns mean the same wherever they stand.
    pub(crate) source: u32,
    pub(crate) relation: Oid,
    /// Zero for the whole row.
    pub(crate) number: i16,
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Compare {
    /// `=`, `~~`, `->>`.
    pub(crate) name: String,
    /// Whether it is the equality of the types it compares.
    pub(crate) equality: bool,
    /// Whether values of different bytes can be equal by it: `citext`, a collation that is not deterministic.
    pub(crate) folds: bool,
    /// Whether it matches a pattern or a part of a text.
    pub(crate) pattern: bool,
}

/// Part of a query that a sub-select can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pick {
    /// `EXISTS (…)`
    Exists,
    /// `… = ANY (SELECT …)`, `IN`: the comparison, in which [`Term::Output`] stands for the query's columns.
    Any(Box<Term>),
    /// `(SELECT …)`
    Scalar,
    /// `ARRAY(SELECT …)`
    List,
    /// `ALL`, and what is not told apart.
    Other,
}

/// A row of a relation in a sub-select.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) number: u32,
    pub(crate) relation: Oid,
    /// Who reads it, if not the one whose policy it is: the owner of a SECURITY DEFINER function.
    pub(crate) reader: Option<Oid>,
}

/// One SELECT of a query: several of them are alternatives (`UNION`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arm {
    pub(crate) sources: Vec<Source>,
    /// What holds for every row of the answer: `WHERE` and inner joins.
    pub(crate) conditions: Vec<Term>,
    pub(crate) targets: Vec<Term>,
    /// What is in it besides, of which nothing follows for the answer: outer joins, ORDER BY …
    pub(crate) besides: Vec<Term>,
    /// Whether it can answer a row where no row meets its conditions: an aggregate over all.
    pub(crate) always_a_row: bool,
}

/// A query.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Query {
    pub(crate) arms: Vec<Arm>,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    Column(Column),
    Constant(Constant),
    /// `current_setting(name, missing_ok)`; no name if it is not a constant.
    Setting {
        name: Option<String>,
        missing_ok: bool,
    },
    /// `current_user`, `session_user`, `pg_backend_pid()`: what tells sessions apart besides settings.
    Session(&'static str),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    IsNull(Box<Self>),
    /// `IS TRUE`, `IS FALSE`; `None` for `IS UNKNOWN`.
    Is(Box<Self>, Option<bool>),
    Coalesce(Vec<Self>),
    /// `CASE`: its conditions and results, and what is left.
    Case(Vec<(Self, Self)>, Box<Self>),
    NullIf(Box<Self>, Box<Self>),
    /// A cast. Exact if different values stay different.
    Cast {
        term: Box<Self>,
        exact: bool,
    },
    Operator(Compare, Vec<Self>),
    /// `IS DISTINCT FROM`
    Distinct(Compare, Box<Self>, Box<Self>),
    /// `item = ANY (list)`, or ALL.
    Any {
        compare: Compare,
        item: Box<Self>,
        list: Box<Self>,
        all: bool,
    },
    Array(Vec<Self>),
    /// A function of the database's own.
    Call(Oid, Vec<Self>),
    /// A function of PostgreSQL's, or of a name that is not found.
    Builtin(String, Vec<Self>),
    Select(Pick, Query),
    /// An argument of the function whose body it is, from 1.
    Parameter(u32),
    /// A column of the sub-select whose test it is, from 1.
    Output(u32),
    /// That PostgreSQL raises an error here.
    Raises,
    /// What is not told apart, with what is in it.
    Other(Vec<Self>),
}

impl Term {
    pub(crate) const TRUE: Self = Self::Constant(Constant::Bool(true));
    pub(crate) const FALSE: Self = Self::Constant(Constant::Bool(false));
    pub(crate) const NULL: Self = Self::Constant(Constant::Null);

    pub(crate) fn boxed(self) -> Box<Self> {
        Box::new(self)
    }

    /// Calls `see` for every member.
    pub(crate) fn each<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Column(_)
            | Self::Constant(_)
            | Self::Setting { .. }
            | Self::Session(_)
            | Self::Parameter(_)
            | Self::Output(_)
            | Self::Raises => {}
            Self::Not(term) | Self::IsNull(term) | Self::Is(term, _) | Self::Cast { term, .. } => {
                see(term);
            }
            Self::And(terms)
            | Self::Or(terms)
            | Self::Coalesce(terms)
            | Self::Operator(_, terms)
            | Self::Array(terms)
            | Self::Call(_, terms)
            | Self::Builtin(_, terms)
            | Self::Other(terms) => terms.iter().for_each(see),
            Self::Case(arms, otherwise) => {
                for (condition, result) in arms {
                    see(condition);
                    see(result);
                }
                see(otherwise);
            }
            Self::NullIf(one, other) | Self::Distinct(_, one, other) => {
                see(one);
                see(other);
            }
            Self::Any { item, list, .. } => {
                see(item);
                see(list);
            }
            Self::Select(pick, query) => {
                if let Pick::Any(test) = pick {
                    see(test);
                }
                for arm in &query.arms {
                    arm.conditions
                        .iter()
                        .chain(&arm.targets)
                        .chain(&arm.besides)
                        .for_each(&mut *see);
                }
            }
        }
    }

    /// Calls `see` for it and all below it.
    pub(crate) fn walk<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        see(self);
        self.each(&mut |member| member.walk(see));
    }

    /// The same, without what is in sub-selects.
    pub(crate) fn walk_here<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        see(self);
        if !matches!(self, Self::Select(..)) {
            self.each(&mut |member| member.walk_here(see));
        }
    }

    /// A copy in which `change` has replaced what it answers for; below what it replaced nothing more is.
    pub(crate) fn replaced(&self, change: &dyn Fn(&Self) -> Option<Self>) -> Self {
        if let Some(other) = change(self) {
            return other;
        }
        let one = |term: &Self| Box::new(term.replaced(change));
        let all = |terms: &[Self]| {
            terms
                .iter()
                .map(|term| term.replaced(change))
                .collect::<Vec<_>>()
        };
        match self {
            Self::Column(_)
            | Self::Constant(_)
            | Self::Setting { .. }
            | Self::Session(_)
            | Self::Parameter(_)
            | Self::Output(_)
            | Self::Raises => self.clone(),
            Self::Not(term) => Self::Not(one(term)),
            Self::IsNull(term) => Self::IsNull(one(term)),
            Self::Is(term, truth) => Self::Is(one(term), *truth),
            Self::Cast { term, exact } => Self::Cast {
                term: one(term),
                exact: *exact,
            },
            Self::And(terms) => Self::And(all(terms)),
            Self::Or(terms) => Self::Or(all(terms)),
            Self::Coalesce(terms) => Self::Coalesce(all(terms)),
            Self::Operator(compare, terms) => Self::Operator(compare.clone(), all(terms)),
            Self::Array(terms) => Self::Array(all(terms)),
            Self::Call(function, terms) => Self::Call(*function, all(terms)),
            Self::Builtin(name, terms) => Self::Builtin(name.clone(), all(terms)),
            Self::Other(terms) => Self::Other(all(terms)),
            Self::Case(arms, otherwise) => Self::Case(
                arms.iter()
                    .map(|(condition, result)| {
                        (condition.replaced(change), result.replaced(change))
                    })
                    .collect(),
                one(otherwise),
            ),
            Self::NullIf(left, right) => Self::NullIf(one(left), one(right)),
            Self::Distinct(compare, left, right) => {
                Self::Distinct(compare.clone(), one(left), one(right))
            }
            Self::Any {
                compare,
                item,
                list,
                all,
            } => Self::Any {
                compare: compare.clone(),
                item: one(item),
                list: one(list),
                all: *all,
            },
            Self::Select(pick, query) => {
                let pick = match pick {
                    Pick::Any(test) => Pick::Any(one(test)),
                    Pick::Exists | Pick::Scalar | Pick::List | Pick::Other => pick.clone(),
                };
                let arms = query
                    .arms
                    .iter()
                    .map(|arm| Arm {
                        sources: arm.sources.clone(),
                        conditions: all(&arm.conditions),
                        targets: all(&arm.targets),
                        besides: all(&arm.besides),
                        always_a_row: arm.always_a_row,
                    })
                    .collect();
                Self::Select(pick, Query { arms })
            }
        }
    }

    /// A copy whose sub-selects' rows are others than those of any other copy, and are read by `reader`.
    pub(crate) fn renewed(&self, next: &mut u32, reader: Option<Oid>) -> Self {
        let mut own = BTreeSet::new();
        self.walk(&mut |term| {
            if let Self::Select(_, query) = term {
                for source in query.arms.iter().flat_map(|arm| &arm.sources) {
                    own.insert(source.number);
                }
            }
        });
        let Some(highest) = own.iter().next_back() else {
            return self.clone();
        };
        let base = *next;
        *next += highest + 1;
        self.moved(&own, base, reader)
    }

    fn moved(&self, own: &BTreeSet<u32>, base: u32, reader: Option<Oid>) -> Self {
        self.replaced(&|term| match term {
            Self::Column(column) if own.contains(&column.source) => Some(Self::Column(Column {
                source: base + column.source,
                ..*column
            })),
            Self::Select(pick, query) => {
                let all = |terms: &[Self]| -> Vec<Self> {
                    terms
                        .iter()
                        .map(|term| term.moved(own, base, reader))
                        .collect()
                };
                let pick = match pick {
                    Pick::Any(test) => Pick::Any(Box::new(test.moved(own, base, reader))),
                    Pick::Exists | Pick::Scalar | Pick::List | Pick::Other => pick.clone(),
                };
                let arms = query
                    .arms
                    .iter()
                    .map(|arm| Arm {
                        sources: arm
                            .sources
                            .iter()
                            .map(|source| Source {
                                number: base + source.number,
                                relation: source.relation,
                                reader: source.reader.or(reader),
                            })
                            .collect(),
                        conditions: all(&arm.conditions),
                        targets: all(&arm.targets),
                        besides: all(&arm.besides),
                        always_a_row: arm.always_a_row,
                    })
                    .collect();
                Some(Self::Select(pick, Query { arms }))
            }
            _ => None,
        })
    }
}
