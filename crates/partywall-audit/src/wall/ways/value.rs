//! What a value can be, and when it is NULL.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use super::{MOST, Values, Want, Ways};
use crate::{
    expression::{Compare, Constant, Pick, Query, ROW, Term, bare},
    wall::way::{Literal, Way},
};

impl Ways<'_> {
    /// The values that a query's first column has.
    pub(super) fn rows(&self, query: &Query) -> Values {
        let mut values = Vec::new();
        for arm in &query.arms {
            let Some(target) = arm.targets.first() else {
                continue;
            };
            let ways = self.arm(arm);
            if !arm.always_a_row {
                values.extend(conditional(&ways, &self.values(target)));
                continue;
            }
            // Of an aggregate over all rows, only what is a value of one of them says that there is one.
            let parts = match bare(target) {
                Term::Coalesce(parts) => parts.as_slice(),
                other => std::slice::from_ref(other),
            };
            for part in parts {
                let of_a_row = matches!(bare(part), Term::Builtin(name, _)
                    if matches!(name.as_str(), "min" | "max" | "array_agg" | "any_value"));
                if of_a_row {
                    values.extend(conditional(&ways, &self.values(part)));
                } else {
                    values.extend(self.values(part));
                }
            }
        }
        self.at_most(values)
    }

    pub(super) fn at_most(&self, values: Values) -> Values {
        if values.len() > MOST {
            self.too_many.set(true);
            return vec![(Way::default(), Term::Other(Vec::new()))];
        }
        values
    }

    /// What a value can be, and when.
    pub(in crate::wall) fn values(&self, term: &Term) -> Values {
        let itself = || vec![(Way::default(), term.clone())];
        match term {
            Term::Cast { term, exact: true } => self.values(term),
            Term::Cast { term, exact } => self
                .values(term)
                .into_iter()
                .map(|(way, value)| {
                    let term = value.boxed();
                    (
                        way,
                        Term::Cast {
                            term,
                            exact: *exact,
                        },
                    )
                })
                .collect(),
            Term::Coalesce(terms) => {
                let mut before = vec![Way::default()];
                let mut values = Vec::new();
                for term in terms {
                    values.extend(conditional(&before, &self.values(term)));
                    before = self.both(&before, &self.null(term));
                }
                self.at_most(values)
            }
            Term::Case(arms, otherwise) => {
                let mut before = vec![Way::default()];
                let mut values = Vec::new();
                for (condition, result) in arms {
                    let taken = self.both(&before, &self.of(condition, Want::True));
                    values.extend(conditional(&taken, &self.values(result)));
                    before = self.both(&before, &self.untaken(condition));
                }
                values.extend(conditional(&before, &self.values(otherwise)));
                self.at_most(values)
            }
            Term::NullIf(value, _) => self.values(value),
            Term::Select(Pick::Scalar, query) => self.rows(query),
            Term::Raises => Vec::new(),
            Term::Builtin(name, members)
                if matches!(name.as_str(), "unnest" | "min" | "max" | "any_value")
                    && members.len() == 1 =>
            {
                members.first().map_or_else(itself, |it| self.values(it))
            }
            Term::Call(oid, arguments) => {
                let reads = self.library.routine(*oid).is_none_or(|routine| {
                    !routine.facts.relations.is_empty() || !routine.facts.depends_on_session()
                });
                let values = match self.inlined(term) {
                    Some(body) => self.deeper(|| self.values(&body), itself),
                    None => itself(),
                };
                // A value of the session whatever it does, unless it is somebody's that is written down.
                let written =
                    |value: &Term| matches!(bare(value), Term::Constant(it) if !it.is_nobody());
                if reads || !arguments.is_empty() || values.iter().any(|(_, it)| written(it)) {
                    values
                } else {
                    itself()
                }
            }
            _ => itself(),
        }
    }

    /// That a value is there.
    pub(super) fn present(&self, term: &Term) -> Vec<Way> {
        match term {
            Term::Constant(Constant::Null) => Vec::new(),
            Term::Constant(_) | Term::Array(_) => vec![Way::default()],
            Term::Cast { term, exact: true } => self.present(term),
            _ => vec![Way::of(Literal::Some(term.clone()))],
        }
    }

    /// That a value is NULL.
    pub(super) fn null(&self, term: &Term) -> Vec<Way> {
        let itself = || vec![Way::of(Literal::Null(term.clone()))];
        match term {
            Term::Constant(Constant::Null) => vec![Way::default()],
            Term::Constant(_)
            | Term::Array(_)
            | Term::Session(_)
            | Term::Raises
            | Term::IsNull(_)
            | Term::Is(..)
            | Term::Distinct(..)
            | Term::Setting {
                missing_ok: false, ..
            } => Vec::new(),
            Term::Column(column) => {
                let never = self
                    .catalogue
                    .relations
                    .get(&column.relation)
                    .and_then(|relation| relation.column(column.number))
                    .is_some_and(|it| it.not_null);
                // Of an outer join's row it can be NULL all the same.
                if never && column.source == ROW {
                    Vec::new()
                } else {
                    itself()
                }
            }
            Term::Cast { term, .. } => self.null(term),
            Term::And(_) | Term::Or(_) | Term::Not(_) => self.of(term, Want::Null),
            Term::Coalesce(terms) => terms.iter().fold(vec![Way::default()], |ways, term| {
                self.both(&ways, &self.null(term))
            }),
            Term::NullIf(value, nothing) => {
                let equal = Term::Operator(
                    Compare {
                        name: "=".to_owned(),
                        equality: true,
                        folds: false,
                        pattern: false,
                    },
                    vec![value.as_ref().clone(), nothing.as_ref().clone()],
                );
                self.either(self.null(value), self.of(&equal, Want::True))
            }
            Term::Case(arms, otherwise) => {
                let mut before = vec![Way::default()];
                let mut ways = Vec::new();
                for (condition, result) in arms {
                    let taken = self.both(&before, &self.of(condition, Want::True));
                    ways = self.either(ways, self.both(&taken, &self.null(result)));
                    before = self.both(&before, &self.untaken(condition));
                }
                self.either(ways, self.both(&before, &self.null(otherwise)))
            }
            Term::Operator(compare, members) => {
                let ways = members
                    .iter()
                    .fold(Vec::new(), |ways, term| self.either(ways, self.null(term)));
                if compare.equality || compare.name == "<>" || compare.pattern {
                    ways
                } else {
                    // A document has no such key, for one.
                    self.either(ways, itself())
                }
            }
            Term::Select(Pick::Exists, _) => Vec::new(),
            Term::Select(Pick::Scalar, query)
                if query
                    .arms
                    .iter()
                    .all(|arm| arm.sources.is_empty() && arm.conditions.is_empty()) =>
            {
                query.arms.iter().fold(Vec::new(), |ways, arm| {
                    self.either(ways, self.null(arm.targets.first().unwrap_or(&Term::NULL)))
                })
            }
            Term::Call(..) => match self.inlined(term) {
                Some(body) => self.deeper(|| self.null(&body), itself),
                None => itself(),
            },
            _ => itself(),
        }
    }
}

fn conditional(ways: &[Way], values: &Values) -> Values {
    ways.iter()
        .flat_map(|way| {
            values
                .iter()
                .filter_map(|(other, value)| Some((way.and(other)?, value.clone())))
        })
        .collect()
}
