//! A way through a policy: what must hold, all of it, for a row to pass.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use std::{collections::BTreeSet, sync::Arc};

use crate::expression::{Constant, Source, Term};

/// Something that holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Literal {
    /// There is a row of a relation, in a sub-select.
    Source(Source),
    /// Two values are equal. `folds`: by an equality that takes different values for the same.
    Equal {
        left: Term,
        right: Term,
        folds: bool,
    },
    /// A value is one of a list.
    Member { item: Term, list: Term, folds: bool },
    /// Two values are there and differ.
    Differ { left: Term, right: Term },
    /// A condition is true.
    Holds(Term),
    /// A condition is false.
    Fails(Term),
    /// A value is NULL.
    Null(Term),
    /// A value is not NULL.
    Some(Term),
}

/// All that must hold. An empty one is open to every row.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    /// Many ways have most of theirs in common.
    literals: BTreeSet<Arc<Literal>>,
}

impl Way {
    pub(super) fn of(literal: Literal) -> Self {
        Self::of_all([literal])
    }

    pub(super) fn of_all(literals: impl IntoIterator<Item = Literal>) -> Self {
        Self {
            literals: literals.into_iter().map(Arc::new).collect(),
        }
    }

    pub(super) fn literals(&self) -> impl Iterator<Item = &Literal> {
        self.literals.iter().map(Arc::as_ref)
    }

    /// Both; `None` if they exclude each other.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        if other.literals().any(|literal| self.excludes(literal)) {
            return None;
        }
        let mut both = self.clone();
        both.literals.extend(other.literals.iter().cloned());
        Some(both)
    }

    fn excludes(&self, literal: &Literal) -> bool {
        let any = |is: &dyn Fn(&Literal) -> bool| self.literals().any(is);
        let null = |term: &Term| any(&|own| matches!(own, Literal::Null(null) if null == term));
        match literal {
            Literal::Holds(term) => any(&|own| matches!(own, Literal::Fails(it) if it == term)),
            Literal::Fails(term) => any(&|own| matches!(own, Literal::Holds(it) if it == term)),
            Literal::Some(term) => null(term),
            Literal::Null(term) => self.needs(term),
            Literal::Equal { left, right, .. } => {
                null(left)
                    || null(right)
                    || any(&|own| match own {
                        Literal::Equal {
                            left: l, right: r, ..
                        } => differ(left, right, l, r),
                        Literal::Differ { left: l, right: r } => l == left && r == right,
                        _ => false,
                    })
            }
            Literal::Member { item, .. } => null(item),
            Literal::Differ { left, right } => any(&|own| match own {
                Literal::Equal {
                    left: l, right: r, ..
                } => l == left && r == right,
                Literal::Null(term) => term == left || term == right,
                _ => false,
            }),
            Literal::Source(_) => false,
        }
    }

    /// Whether it needs that a value is there.
    fn needs(&self, term: &Term) -> bool {
        self.literals().any(|own| match own {
            Literal::Equal { left, right, .. } | Literal::Differ { left, right } => {
                left == term || right == term
            }
            Literal::Member { item, .. } => item == term,
            Literal::Some(own) => own == term,
            _ => false,
        })
    }
}

/// Whether two equations want one value to be two constants.
fn differ(left: &Term, right: &Term, other_left: &Term, other_right: &Term) -> bool {
    let apart = |one: &Term, other: &Term| match (one, other) {
        (Term::Constant(one), Term::Constant(other)) => {
            one != other && !matches!(one, Constant::Null) && !matches!(other, Constant::Null)
        }
        _ => false,
    };
    left == other_left && apart(right, other_right)
}
