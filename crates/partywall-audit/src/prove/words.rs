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

/// What reaches outside of the transaction, or cannot be undone: never called, also not by a trigger.
const OUTSIDE: [&str; 26] = [
    "dblink",
    "dblink_exec",
    "dblink_connect",
    "dblink_send_query",
    "nextval",
    "setval",
    "program",
    "http",
    "http_get",
    "http_post",
    "net",
    "pg_sleep",
    "pg_sleep_for",
    "pg_sleep_until",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_advisory_lock",
    "pg_try_advisory_lock",
    "pg_read_file",
    "pg_read_binary_file",
    "pg_ls_dir",
    "lo_import",
    "lo_export",
    "pg_logical_emit_message",
    "pg_file_write",
];

/// The word by which a function's text reaches outside of the transaction. Numbers of sequences may be meant to
/// be spent.
pub(super) fn outside(text: &str, spends: bool) -> Option<&'static str> {
    OUTSIDE
        .into_iter()
        .filter(|word| !(spends && *word == "nextval"))
        .find(|word| mentions(text, word))
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
    fn what_reaches_outside_is_known() {
        assert_eq!(
            outside("PERFORM dblink_exec('x')", true),
            Some("dblink_exec")
        );
        assert_eq!(outside("SELECT 1", false), None);
        assert_eq!(outside("SELECT nextval('s')", false), Some("nextval"));
        assert_eq!(outside("SELECT nextval('s')", true), None);
        assert_eq!(
            quoted("status = 'a' OR s = 'b'"),
            BTreeSet::from(["a".to_owned(), "b".to_owned()])
        );
    }
}
