use std::{fmt, sync::Arc};

use super::{ScopeError, Selection, Values};

/// What a piece of work may touch: for each dimension, whose rows.
///
/// Cheap to clone. Two rules make it safe to pass around:
///
/// * **It cannot be forged by accident.** It has no `Default`, no `Deserialize` and no conversion
///   from an id. The only constructor says [`trusted`](Scope::trusted), so that every place that
///   vouches for a scope can be found by searching for one word.
/// * **It only narrows.** [`narrow`](Scope::narrow) adds a dimension or takes values away. There is
///   no way to widen one, and no value that means "all": an empty list matches no row.
///
/// ```
/// use partywall::{Dimension, Scope, TENANT};
/// use uuid::Uuid;
///
/// const AUTHOR: Dimension<i64> = Dimension::new("author");
/// let (acme, globex) = (Uuid::now_v7(), Uuid::now_v7());
///
/// let both = Scope::trusted([TENANT.any_of([acme, globex])]);
/// let mine = both.narrow([TENANT.is(acme), AUTHOR.is(7)])?;
/// assert!(mine.narrow([TENANT.is(globex)]).is_err());
/// # Ok::<(), partywall::scope::ScopeError>(())
/// ```
///
/// ```compile_fail
/// let scope = partywall::Scope { selections: Default::default() }; // private
/// ```
///
/// ```compile_fail
/// let scope: partywall::Scope = uuid::Uuid::now_v7().into(); // an id is not a right
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Scope {
    /// Ascending by dimension, one entry each.
    selections: Arc<[Selection]>,
}

impl Scope {
    /// Vouches for a scope: the caller has made sure that whoever asked may touch these rows.
    ///
    /// In a request the scope comes from the layer that checked the membership. Call this only
    /// where that check is: when the same dimension is given twice, both hold, so rows must match
    /// each of them.
    #[must_use]
    pub fn trusted(selections: impl IntoIterator<Item = Selection>) -> Self {
        let mut merged: Vec<Selection> = Vec::new();
        for selection in selections {
            match merged
                .iter_mut()
                .find(|known| known.dimension() == selection.dimension())
            {
                None => merged.push(selection),
                Some(known) => *known = intersection(known, &selection),
            }
        }
        merged.sort_by_key(Selection::dimension);
        Self {
            selections: merged.into(),
        }
    }

    /// A scope within this one: further dimensions, or fewer values for a dimension it has.
    ///
    /// # Errors
    ///
    /// [`ScopeErrorKind::Widens`](super::ScopeErrorKind::Widens) when a value lies outside this
    /// scope, naming the dimension. Nothing is cut silently: asking for another tenant's rows is a
    /// mistake worth hearing of.
    pub fn narrow(
        &self,
        selections: impl IntoIterator<Item = Selection>,
    ) -> Result<Self, ScopeError> {
        let mut narrowed = self.selections.to_vec();
        for selection in selections {
            match narrowed
                .iter_mut()
                .find(|known| known.dimension() == selection.dimension())
            {
                None => narrowed.push(selection),
                Some(known) => {
                    if let Some(value) = selection.values().outside(known.values()) {
                        return Err(ScopeError::widens(
                            selection.dimension(),
                            Some(value.clone()),
                        ));
                    }
                    *known = selection;
                }
            }
        }
        narrowed.sort_by_key(Selection::dimension);
        Ok(Self {
            selections: narrowed.into(),
        })
    }

    /// Checks that this scope reaches no further than `outer`: it fixes every dimension that
    /// `outer` fixes, to values that `outer` holds.
    ///
    /// # Errors
    ///
    /// [`ScopeErrorKind::Widens`](super::ScopeErrorKind::Widens) with the first dimension that does.
    pub fn check_within(&self, outer: &Self) -> Result<(), ScopeError> {
        for fixed in outer.selections() {
            let Some(inner) = self.get(fixed.dimension()) else {
                return Err(ScopeError::widens(fixed.dimension(), None));
            };
            if let Some(value) = inner.outside(fixed.values()) {
                return Err(ScopeError::widens(fixed.dimension(), Some(value.clone())));
            }
        }
        Ok(())
    }

    /// Whether no dimension holds more than one owner, so that a login reads it that knows no lists.
    pub(crate) fn names_single_owners(&self) -> bool {
        self.selections
            .iter()
            .all(|selection| match selection.values() {
                Values::One(_) => true,
                Values::List(list) => list.len() <= 1,
            })
    }

    /// The selections, ascending by dimension.
    #[must_use]
    pub fn selections(&self) -> &[Selection] {
        &self.selections
    }

    /// The values held for a dimension, if the scope has it.
    #[must_use]
    pub fn get(&self, dimension: &str) -> Option<&Values> {
        self.selections
            .iter()
            .find(|selection| selection.dimension() == dimension)
            .map(Selection::values)
    }

    /// The values held for a dimension.
    ///
    /// # Errors
    ///
    /// [`ScopeErrorKind::Missing`](super::ScopeErrorKind::Missing), naming the dimension.
    pub fn require(&self, dimension: &str) -> Result<&Values, ScopeError> {
        self.get(dimension)
            .ok_or_else(|| ScopeError::missing(dimension))
    }

    /// Whether any dimension holds a list: such a scope runs under the list login, whose policies
    /// compare with a list.
    #[must_use]
    pub fn has_list(&self) -> bool {
        self.selections
            .iter()
            .any(|selection| matches!(selection.values(), Values::List(_)))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, selection) in self.selections.iter().enumerate() {
            if n > 0 {
                f.write_str(", ")?;
            }
            selection.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

/// The values that both selections hold. Two different single values leave an empty list.
fn intersection(left: &Selection, right: &Selection) -> Selection {
    match (left.values(), right.values()) {
        (Values::One(one), other) | (other, Values::One(one)) if other.contains(one) => {
            Selection::one(left.dimension(), one.clone())
        }
        (Values::List(list), other) => Selection::list(
            left.dimension(),
            left.sql_type(),
            list.iter()
                .filter(|value| other.contains(value))
                .cloned()
                .collect(),
        ),
        (Values::One(_), _) => Selection::list(left.dimension(), left.sql_type(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{Dimension, ScopeErrorKind};
    use proptest::prelude::*;

    const A: Dimension<i64> = Dimension::new("a");
    const B: Dimension<i64> = Dimension::new("b");

    fn selection(dimension: Dimension<i64>) -> impl Strategy<Value = Selection> {
        prop_oneof![
            (0_i64..4).prop_map(move |n| dimension.is(n)),
            proptest::collection::vec(0_i64..4, 0..4).prop_map(move |list| dimension.any_of(list)),
        ]
    }

    fn scope() -> impl Strategy<Value = Scope> {
        (
            proptest::option::of(selection(A)),
            proptest::option::of(selection(B)),
        )
            .prop_map(|(a, b)| Scope::trusted(a.into_iter().chain(b)))
    }

    /// The rows (a, b) that a scope matches, over the whole small universe.
    fn matched(scope: &Scope) -> Vec<(i64, i64)> {
        let holds = |name: &str, n: i64| {
            scope
                .get(name)
                .is_none_or(|values| values.contains(&crate::scope::ScopeValue::BigInt(n)))
        };
        (0..4)
            .flat_map(|a| (0..4).map(move |b| (a, b)))
            .filter(|(a, b)| holds("a", *a) && holds("b", *b))
            .collect()
    }

    proptest! {
        #[test]
        fn narrowing_never_adds_a_row(outer in scope(), a in selection(A), b in selection(B)) {
            if let Ok(inner) = outer.narrow([a, b]) {
                let around = matched(&outer);
                prop_assert!(matched(&inner).iter().all(|row| around.contains(row)));
                prop_assert!(inner.check_within(&outer).is_ok());
            }
        }

        #[test]
        fn narrowing_to_what_is_inside_succeeds(outer in scope()) {
            prop_assert!(outer.narrow(outer.selections().to_vec()).is_ok());
            prop_assert!(outer.check_within(&outer).is_ok());
        }

        #[test]
        fn within_means_no_further_row(left in scope(), right in scope()) {
            if left.check_within(&right).is_ok() {
                let around = matched(&right);
                prop_assert!(matched(&left).iter().all(|row| around.contains(row)));
            }
        }

        #[test]
        fn a_dimension_given_twice_holds_twice(one in selection(A), two in selection(A)) {
            let both = matched(&Scope::trusted([one.clone(), two.clone()]));
            let (one, two) = (matched(&Scope::trusted([one])), matched(&Scope::trusted([two])));
            prop_assert!(both.iter().all(|row| one.contains(row) && two.contains(row)));
            prop_assert_eq!(both.len(), one.iter().filter(|row| two.contains(row)).count());
        }
    }

    #[test]
    fn an_empty_list_matches_nothing() {
        assert!(matched(&Scope::trusted([A.any_of([])])).is_empty());
        assert!(!matched(&Scope::trusted([A.any_of([1])])).is_empty());
    }

    #[test]
    fn widening_names_the_dimension() {
        let error = Scope::trusted([A.is(1)]).narrow([A.is(2)]).unwrap_err();
        assert_eq!(error.kind(), ScopeErrorKind::Widens);
        assert_eq!(error.dimension(), Some("a"));
        assert_eq!(
            error.to_string(),
            "a nested scope may only narrow: `a` `2` is outside the scope around it"
        );
    }
}
