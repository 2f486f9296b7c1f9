//! The names under which a proxy row keeps its values.
//!
//! A proxy row is a map by name, and reads by index take the n-th value in *alphabetical* order. So
//! where the select list is not in that order, values are also kept under keys that sort before
//! every real name, for as many leading columns as it takes.

use std::collections::BTreeMap;

/// The keys of a row in ascending order, each with the index of its column.
///
/// A name that occurs twice stands for its last column, as on sqlx. With `by_name_only` there are
/// no positional keys, and a read by index gets whichever column the alphabet puts there.
pub(super) fn layout(names: &[&str], by_name_only: bool) -> Vec<(String, usize)> {
    let by_name: BTreeMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(index, name)| (*name, index))
        .collect();
    let positional = if by_name_only {
        0
    } else {
        leading(names.len(), &by_name)
    };
    // PostgreSQL has no NUL in a name and at most 1664 columns in a list.
    let positional = (0..positional).map(|index| (format!("\0{index:04}"), index));
    positional
        .chain(
            by_name
                .iter()
                .map(|(name, index)| ((*name).to_owned(), *index)),
        )
        .collect()
}

/// How many columns need a positional key: the fewest after which the names, in their order, are
/// the remaining columns in theirs.
fn leading(columns: usize, by_name: &BTreeMap<&str, usize>) -> usize {
    (0..columns)
        .find(|skipped| {
            let rest = *skipped..columns;
            by_name.len() >= rest.len()
                && rest
                    .zip(by_name.values())
                    .all(|(column, index)| column == *index)
        })
        .unwrap_or(columns)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(names: &[&str]) -> Vec<(String, usize)> {
        layout(names, false)
    }

    #[test]
    fn ascending_names_need_no_help() {
        assert_eq!(
            keys(&["a", "b"]),
            [("a".to_owned(), 0), ("b".to_owned(), 1)]
        );
    }

    #[test]
    fn only_the_leading_columns_get_a_key() {
        assert_eq!(
            keys(&["c", "a", "b"]),
            [
                ("\x000000".to_owned(), 0),
                ("a".to_owned(), 1),
                ("b".to_owned(), 2),
                ("c".to_owned(), 0)
            ]
        );
    }

    #[test]
    fn a_repeated_name_is_its_last_column() {
        assert_eq!(
            keys(&["a", "a"]),
            [("\x000000".to_owned(), 0), ("a".to_owned(), 1)]
        );
    }

    #[test]
    fn a_whole_model_is_read_by_name() {
        assert_eq!(
            layout(&["b", "a"], true),
            [("a".to_owned(), 1), ("b".to_owned(), 0)]
        );
    }

    proptest! {
        #[test]
        fn the_nth_key_is_the_nth_column(names in proptest::collection::vec("[a-d]{1,2}", 0..9)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let keys = layout(&names, false);
            prop_assert!(keys.is_sorted_by(|(left, _), (right, _)| left < right));
            for (index, name) in names.iter().enumerate() {
                prop_assert_eq!(keys[index].1, index);
                prop_assert!(keys.iter().any(|(key, _)| key == name));
            }
        }
    }
}
