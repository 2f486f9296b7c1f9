//! Names and texts in the bodies of functions. They say where to attack, and decide nothing.

use std::collections::BTreeSet;

/// Whether a text has a name in it as a word of its own.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let text = text.to_lowercase();
    let name = name.to_lowercase();
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    !name.is_empty()
        && text.match_indices(&name).any(|(at, found)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text
                .get(at + found.len()..)
                .and_then(|after| after.chars().next());
            !before.is_some_and(part) && !after.is_some_and(part)
        })
}

/// The texts between single quotes.
pub(super) fn quoted(text: &str) -> BTreeSet<String> {
    text.split('\'')
        .skip(1)
        .step_by(2)
        .filter(|text| !text.is_empty() && text.len() <= 100)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(mentions("SELECT * FROM Public.Invoices;", "invoices"));
        assert!(!mentions("SELECT * FROM invoices_old", "invoices"));
        assert!(!mentions("", ""));
        assert!(mentions("from \"Ünï\"", "ünï"));
    }

    #[test]
    fn texts_are_between_quotes() {
        assert_eq!(
            quoted("status = 'a' OR s = 'b'"),
            BTreeSet::from(["a".to_owned(), "b".to_owned()])
        );
    }
}
