//! From a condition to the ways through it. What is answered is never narrower than the condition: where it is
//! not understood, a way says less than it does.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

mod value;

use std::cell::Cell;

use super::way::{Literal, Way};
use crate::{
    catalogue::Catalogue,
    expression::{Compare, Constant, Library, Pick, Query, Term},
};

/// What is asked of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    True,
    False,
    Null,
}

/// How many ways are told apart at most.
const MOST: usize = 200;
/// How deep functions are followed.
const DEEPEST: usize = 12;

/// Finds ways.
#[derive(Debug)]
pub(super) struct Ways<'a> {
    catalogue: &'a Catalogue,
    library: &'a Library,
    /// The next number for a row of a sub-select.
    next: &'a Cell<u32>,
    depth: Cell<usize>,
    /// Whether something had to be left out, since there was too much of it.
    pub(super) too_many: Cell<bool>,
}

type Values = Vec<(Way, Term)>;

impl<'a> Ways<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, library: &'a Library, next: &'a Cell<u32>) -> Self {
        Self {
            catalogue,
            library,
            next,
            depth: Cell::new(0),
            too_many: Cell::new(false),
        }
    }

    /// The ways through a policy's condition. Each policy's sub-selects have rows of their own.
    pub(super) fn through(&self, condition: &Term) -> Vec<Way> {
        let condition = self.renewed(condition, None);
        self.of(&condition, Want::True)
    }

    fn renewed(&self, term: &Term, reader: Option<u32>) -> Term {
        let mut next = self.next.get();
        let term = term.renewed(&mut next, reader);
        self.next.set(next);
        term
    }

    /// Every way of one with every way of the other.
    pub(super) fn both(&self, some: &[Way], others: &[Way]) -> Vec<Way> {
        if some.len().saturating_mul(others.len()) > MOST {
            self.too_many.set(true);
            // To say less is to let more through.
            let kept = if some.len() <= others.len() {
                some
            } else {
                others
            };
            return kept.iter().take(MOST).cloned().collect();
        }
        let mut ways: Vec<Way> = some
            .iter()
            .flat_map(|one| others.iter().filter_map(|other| one.and(other)))
            .collect();
        ways.sort();
        ways.dedup();
        ways
    }

    fn either(&self, mut some: Vec<Way>, others: Vec<Way>) -> Vec<Way> {
        some.extend(others);
        some.sort();
        some.dedup();
        if some.len() > MOST {
            self.too_many.set(true);
            return vec![Way::default()];
        }
        some
    }

    fn all_of<'t>(&self, terms: impl Iterator<Item = &'t Term>, want: Want) -> Vec<Way> {
        terms.fold(vec![Way::default()], |ways, term| {
            if ways.is_empty() {
                return ways;
            }
            self.both(&ways, &self.of(term, want))
        })
    }

    fn any_of<'t>(&self, terms: impl Iterator<Item = &'t Term>, want: Want) -> Vec<Way> {
        terms.fold(Vec::new(), |ways, term| {
            self.either(ways, self.of(term, want))
        })
    }

    pub(super) fn of(&self, term: &Term, want: Want) -> Vec<Way> {
        let open = || vec![Way::default()];
        match term {
            Term::Constant(Constant::Bool(it)) => match want {
                Want::True if *it => open(),
                Want::False if !*it => open(),
                Want::True | Want::False | Want::Null => Vec::new(),
            },
            Term::Constant(Constant::Null) => match want {
                Want::Null => open(),
                Want::True | Want::False => Vec::new(),
            },
            Term::Raises => Vec::new(),
            Term::And(terms) => match want {
                Want::True => self.all_of(terms.iter(), want),
                Want::False | Want::Null => self.any_of(terms.iter(), want),
            },
            Term::Or(terms) => match want {
                Want::False => self.all_of(terms.iter(), want),
                Want::True | Want::Null => self.any_of(terms.iter(), want),
            },
            Term::Not(term) => match want {
                Want::True => self.of(term, Want::False),
                Want::False => self.of(term, Want::True),
                Want::Null => self.of(term, Want::Null),
            },
            Term::IsNull(term) => match want {
                Want::True => self.null(term),
                Want::False => self.present(term),
                Want::Null => Vec::new(),
            },
            Term::Is(term, truth) => self.is(term, *truth, want),
            Term::Coalesce(terms) => match want {
                Want::Null => self.all_of(terms.iter(), Want::Null),
                Want::True | Want::False => {
                    let mut before = open();
                    let mut ways = Vec::new();
                    for term in terms {
                        ways = self.either(ways, self.both(&before, &self.of(term, want)));
                        before = self.both(&before, &self.null(term));
                    }
                    ways
                }
            },
            Term::Case(arms, otherwise) => {
                let mut before = open();
                let mut ways = Vec::new();
                for (condition, result) in arms {
                    let taken = self.both(&before, &self.of(condition, Want::True));
                    if !taken.is_empty() {
                        ways = self.either(ways, self.both(&taken, &self.of(result, want)));
                    }
                    before = self.both(&before, &self.untaken(condition));
                }
                self.either(ways, self.both(&before, &self.of(otherwise, want)))
            }
            Term::Cast { term, exact: true } => self.of(term, want),
            Term::Operator(compare, members) => match members.as_slice() {
                [left, right] => self.compare(term, compare, left, right, want),
                _ => self.plain(term, want),
            },
            Term::Distinct(compare, left, right) => {
                let equal = Term::Operator(
                    compare.clone(),
                    vec![left.as_ref().clone(), right.as_ref().clone()],
                );
                match want {
                    // Both are there and equal, or both are NULL.
                    Want::False => self.either(
                        self.of(&equal, Want::True),
                        self.both(&self.null(left), &self.null(right)),
                    ),
                    Want::True => {
                        let ways = self.either(
                            self.of(&equal, Want::False),
                            self.both(&self.null(left), &self.present(right)),
                        );
                        self.either(ways, self.both(&self.present(left), &self.null(right)))
                    }
                    Want::Null => Vec::new(),
                }
            }
            Term::Any {
                compare,
                item,
                list,
                all,
            } if want == Want::True && !all && compare.equality => self.member(compare, item, list),
            Term::Select(pick, query) => self.select(term, pick, query, want),
            Term::Call(..) => match self.inlined(term) {
                Some(body) => self.deeper(|| self.of(&body, want), || self.plain(term, want)),
                None => self.plain(term, want),
            },
            _ => self.plain(term, want),
        }
    }

    fn plain(&self, term: &Term, want: Want) -> Vec<Way> {
        match want {
            Want::True => vec![Way::of(Literal::Holds(term.clone()))],
            Want::False => vec![Way::of(Literal::Fails(term.clone()))],
            Want::Null => self.null(term),
        }
    }

    fn deeper<T>(&self, run: impl FnOnce() -> T, instead: impl FnOnce() -> T) -> T {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            return instead();
        }
        self.depth.set(depth + 1);
        let answer = run();
        self.depth.set(depth);
        answer
    }

    /// The body of a function with these arguments, where it is known. One that depends on the session alone
    /// and reads no table is a value of the session whatever it does: nothing is gained by looking inside,
    /// unless it is asked whether it is true or NULL.
    fn inlined(&self, term: &Term) -> Option<Term> {
        let Term::Call(oid, arguments) = term else {
            return None;
        };
        let function = self.catalogue.functions.get(oid)?;
        let result = self.library.routine(*oid)?.result.as_ref()?;
        let reader = function.security_definer.then_some(function.owner);
        let body = self.renewed(result, reader);
        let body = body.replaced(&|term| match term {
            Term::Parameter(number) => {
                let at = usize::try_from(*number).ok()?.checked_sub(1)?;
                Some(
                    arguments
                        .get(at)
                        .cloned()
                        .unwrap_or(Term::Other(Vec::new())),
                )
            }
            _ => None,
        });
        Some(body)
    }

    /// That a condition of a CASE did not hold. Where that is not simple, nothing is said.
    fn untaken(&self, condition: &Term) -> Vec<Way> {
        let ways = self.either(
            self.of(condition, Want::False),
            self.of(condition, Want::Null),
        );
        if ways.len() > 6 {
            return vec![Way::default()];
        }
        ways
    }

    fn is(&self, term: &Term, truth: Option<bool>, want: Want) -> Vec<Way> {
        let wants = match (truth, want) {
            (_, Want::Null) => return Vec::new(),
            (Some(true), Want::True) => vec![Want::True],
            (Some(true), Want::False) => vec![Want::False, Want::Null],
            (Some(false), Want::True) => vec![Want::False],
            (Some(false), Want::False) => vec![Want::True, Want::Null],
            (None, Want::True) => vec![Want::Null],
            (None, Want::False) => vec![Want::True, Want::False],
        };
        wants.into_iter().fold(Vec::new(), |ways, want| {
            self.either(ways, self.of(term, want))
        })
    }

    fn compare(
        &self,
        whole: &Term,
        compare: &Compare,
        left: &Term,
        right: &Term,
        want: Want,
    ) -> Vec<Way> {
        if want == Want::Null {
            return self.null(whole);
        }
        if want == Want::True
            && let Some(query) = counted(compare, left, right)
        {
            return query
                .arms
                .iter()
                .fold(Vec::new(), |ways, arm| self.either(ways, self.arm(arm)));
        }
        let mut ways = Vec::new();
        for (one_way, one) in self.values(left) {
            for (other_way, other) in self.values(right) {
                let Some(way) = one_way.and(&other_way) else {
                    continue;
                };
                for way_of in self.compared(compare, one.clone(), other, want) {
                    ways.extend(way.and(&way_of));
                }
            }
        }
        self.either(ways, Vec::new())
    }

    fn compared(&self, compare: &Compare, left: Term, right: Term, want: Want) -> Vec<Way> {
        if left == Term::NULL || right == Term::NULL {
            return Vec::new();
        }
        let differs = compare.name == "<>" || compare.name == "!=";
        if !compare.equality && !differs {
            let term = Term::Operator(compare.clone(), vec![left, right]);
            return self.plain(&term, want);
        }
        let equal = (want == Want::True) == compare.equality;
        if let (Term::Constant(one), Term::Constant(other)) = (&left, &right)
            && !compare.folds
            && std::mem::discriminant(one) == std::mem::discriminant(other)
        {
            return if (one == other) == equal {
                vec![Way::default()]
            } else {
                Vec::new()
            };
        }
        // The constant last, and otherwise in one order, so that equal equations are the same.
        let (left, right) = match (&left, &right) {
            (Term::Constant(_), _) => (right, left),
            (_, Term::Constant(_)) => (left, right),
            _ if right < left => (right, left),
            _ => (left, right),
        };
        if left == right {
            return if equal {
                self.present(&left)
            } else {
                Vec::new()
            };
        }
        vec![Way::of(if equal {
            Literal::Equal {
                left,
                right,
                folds: compare.folds,
            }
        } else {
            Literal::Differ { left, right }
        })]
    }

    fn member(&self, compare: &Compare, item: &Term, list: &Term) -> Vec<Way> {
        let mut ways = Vec::new();
        for (item_way, item) in self.values(item) {
            for (list_way, list) in self.values(list) {
                let Some(way) = item_way.and(&list_way) else {
                    continue;
                };
                match list {
                    Term::Array(members) => {
                        for member in members {
                            let equal = Term::Operator(compare.clone(), vec![item.clone(), member]);
                            ways.extend(
                                self.of(&equal, Want::True)
                                    .iter()
                                    .filter_map(|equal| way.and(equal)),
                            );
                        }
                    }
                    Term::Select(Pick::List, query) => {
                        for (value_way, value) in self.rows(&query) {
                            let Some(way) = way.and(&value_way) else {
                                continue;
                            };
                            for equal in self.compared(compare, item.clone(), value, Want::True) {
                                ways.extend(way.and(&equal));
                            }
                        }
                    }
                    // array_agg and the like: one value of a sub-select's rows.
                    Term::Builtin(name, members)
                        if matches!(name.as_str(), "array_agg" | "array_remove") =>
                    {
                        let value = members.into_iter().next().unwrap_or(Term::NULL);
                        for equal in self.compared(compare, item.clone(), value, Want::True) {
                            ways.extend(way.and(&equal));
                        }
                    }
                    Term::Constant(it) if is_empty(&it) => {}
                    list => {
                        let literal = Literal::Member {
                            item: item.clone(),
                            list,
                            folds: compare.folds,
                        };
                        ways.extend(way.and(&Way::of(literal)));
                    }
                }
            }
        }
        self.either(ways, Vec::new())
    }

    fn select(&self, term: &Term, pick: &Pick, query: &Query, want: Want) -> Vec<Way> {
        match (pick, want) {
            (Pick::Exists, Want::True) => self.exists(query),
            (Pick::Exists, Want::Null) => Vec::new(),
            (Pick::Any(test), Want::True) => query.arms.iter().fold(Vec::new(), |ways, arm| {
                let test = test.replaced(&|term| match term {
                    Term::Output(number) => {
                        let at = usize::try_from(*number).ok()?.checked_sub(1)?;
                        arm.targets.get(at).cloned()
                    }
                    _ => None,
                });
                let tests = self.of(&test, Want::True);
                self.either(ways, self.both(&self.arm(arm), &tests))
            }),
            (Pick::Scalar, want) => {
                // Where no rows are read there is exactly one; elsewhere there may be none, which is NULL.
                let reads = query
                    .arms
                    .iter()
                    .any(|arm| !arm.sources.is_empty() || !arm.conditions.is_empty());
                if want == Want::Null && reads {
                    return self.plain(term, want);
                }
                query.arms.iter().fold(Vec::new(), |ways, arm| {
                    let found = match (arm.targets.first(), arm.always_a_row, want) {
                        (None, ..) => Vec::new(),
                        (Some(target), false, _) => {
                            self.both(&self.arm(arm), &self.of(target, want))
                        }
                        // Some row met it.
                        (Some(Term::Builtin(name, of)), true, Want::True)
                            if matches!(name.as_str(), "bool_or" | "bool_and" | "every") =>
                        {
                            self.both(&self.arm(arm), &self.all_of(of.iter(), want))
                        }
                        // A number of rows, for one, which can be none.
                        (Some(_), true, _) => self.plain(term, want),
                    };
                    self.either(ways, found)
                })
            }
            _ => self.plain(term, want),
        }
    }

    fn exists(&self, query: &Query) -> Vec<Way> {
        query.arms.iter().fold(Vec::new(), |ways, arm| {
            let found = if arm.always_a_row {
                vec![Way::default()]
            } else {
                self.arm(arm)
            };
            self.either(ways, found)
        })
    }

    /// That there is a row of one SELECT.
    fn arm(&self, arm: &crate::expression::Arm) -> Vec<Way> {
        let sources = arm.sources.iter().copied().map(Literal::Source);
        self.both(
            &[Way::of_all(sources)],
            &self.all_of(arm.conditions.iter(), Want::True),
        )
    }
}

/// Whether a constant is a list of nothing, or NULL: as text, or as the server holds it (src/include/utils/array.h),
/// with a number of dimensions that is zero.
fn is_empty(list: &Constant) -> bool {
    match list {
        Constant::Null => true,
        Constant::Text(text) => text == "{}",
        Constant::Bytes(_, bytes) => bytes.len() == 16 && bytes.get(4..8) == Some(&[0; 4]),
        Constant::Bool(_) | Constant::Number(_) => false,
    }
}

/// `(SELECT count(*) FROM …) > 0` is an EXISTS.
fn counted<'t>(compare: &Compare, left: &'t Term, right: &Term) -> Option<&'t Query> {
    let (Term::Select(Pick::Scalar, query), Term::Constant(Constant::Number(number))) =
        (left, right)
    else {
        return None;
    };
    let [arm] = query.arms.as_slice() else {
        return None;
    };
    let [Term::Builtin(name, _)] = arm.targets.as_slice() else {
        return None;
    };
    let at_least_one = match compare.name.as_str() {
        ">" => *number >= 0,
        ">=" | "=" => *number >= 1,
        "<>" => *number == 0,
        _ => false,
    };
    (name == "count" && at_least_one).then_some(query)
}
