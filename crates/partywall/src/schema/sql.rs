//! Writing SQL text: the only place where names become part of a statement.

use sha2::{Digest, Sha256};

/// Quotes an identifier.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a string literal, in the form that does not depend on `standard_conforming_strings`.
pub(crate) fn literal(text: &str) -> String {
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Quotes a list of identifiers.
pub(super) fn idents<S: AsRef<str>>(names: &[S]) -> String {
    names
        .iter()
        .map(|name| ident(name.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A name of at most 63 bytes, PostgreSQL's limit, which would otherwise cut it and let two names
/// collide. Longer ones end in a hash of the whole.
pub(super) fn object_name(parts: &[&str]) -> String {
    let name = parts.join("_");
    if name.len() <= 63 {
        return name;
    }
    let hash = short_hash(&name);
    let mut end = 63 - hash.len() - 1;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{hash}", name.split_at(end).0)
}

/// 16 hexadecimal digits of a SHA-256.
pub(super) fn short_hash(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(
            ident("a\"; drop table b; --"),
            "\"a\"\"; drop table b; --\""
        );
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("\\' or 1=1"), "E'\\\\'' or 1=1'");
    }

    #[test]
    fn long_names_stay_apart() {
        let long = "ä".repeat(60);
        let one = object_name(&[&long, "a", "key"]);
        let two = object_name(&[&long, "b", "key"]);
        assert!(one.len() <= 63 && two.len() <= 63 && one != two);
    }
}
