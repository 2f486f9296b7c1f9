//! What PostgreSQL's own functions and operators are to a policy.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use super::{Constant, Term};

/// Whether an operator matches a pattern or a part of a text: LIKE, regular expressions, `starts_with`.
pub(super) fn is_pattern(operator: &str) -> bool {
    matches!(
        operator,
        "~~" | "~~*" | "!~~" | "!~~*" | "~" | "~*" | "!~" | "!~*" | "^@"
    )
}

/// Whether a function matches a pattern or a part of a text.
pub(crate) fn is_pattern_function(name: &str) -> bool {
    matches!(
        name,
        "starts_with"
            | "strpos"
            | "position"
            | "like"
            | "textlike"
            | "texticlike"
            | "regexp_like"
            | "regexp_match"
            | "regexp_matches"
            | "regexp_instr"
            | "textregexeq"
            | "like_escape"
            | "similar_to_escape"
    )
}

/// Whether a function takes a part of a text.
pub(crate) fn takes_a_part(name: &str) -> bool {
    matches!(
        name,
        "left" | "right" | "substr" | "substring" | "split_part" | "text_substr"
    )
}

/// Whether a function or an operator makes one value of several, so that its values being equal says little.
pub(crate) fn is_many_to_one(name: &str) -> bool {
    matches!(
        name,
        "%" | "/"
            | ">>"
            | "&"
            | "@"
            | "mod"
            | "div"
            | "abs"
            | "sign"
            | "trunc"
            | "round"
            | "floor"
            | "ceil"
            | "ceiling"
            | "date_trunc"
            | "length"
            | "char_length"
            | "character_length"
            | "octet_length"
            | "bit_length"
            | "ascii"
    ) || name.starts_with("hash")
        || name.ends_with("_hash")
}

/// Whether a function makes one text of several that differ in case.
pub(crate) fn folds_case(name: &str) -> bool {
    matches!(name, "lower" | "upper" | "initcap" | "casefold")
}

/// Whether a function that answers a cast keeps different values apart: numbers become wider, or the cast
/// fails; fixed-width text loses blanks that do not count.
pub(super) fn is_exact_cast(name: &str) -> bool {
    matches!(
        name,
        "int2" | "int4" | "int8" | "oid" | "text" | "varchar" | "bpchar" | "name" | "uuid"
    )
}

/// A call of one of PostgreSQL's functions.
pub(super) fn builtin(name: &str, members: Vec<Term>) -> Term {
    match (name, members.as_slice()) {
        ("current_setting", [setting, rest @ ..]) => {
            let name = match bare(setting) {
                Term::Constant(Constant::Text(name)) => Some(name.to_ascii_lowercase()),
                _ => None,
            };
            // What no statement sets but by becoming somebody else. The application is no superuser, or that is
            // the fault.
            match name.as_deref() {
                Some("role") => return Term::Session("role"),
                Some("session_authorization") => return Term::Session("session_user"),
                Some("is_superuser") => return Term::Constant(Constant::Text("off".to_owned())),
                _ => {}
            }
            let missing_ok = rest
                .first()
                .is_some_and(|term| *term != Term::FALSE && *term != Term::NULL);
            Term::Setting { name, missing_ok }
        }
        ("current_user" | "current_role" | "user" | "getpgusername", []) => {
            Term::Session("current_user")
        }
        ("session_user", []) => Term::Session("session_user"),
        ("pg_backend_pid", []) => Term::Session("pg_backend_pid"),
        _ => Term::Builtin(name.to_owned(), members),
    }
}

/// A term without the casts around it.
pub(crate) fn bare(term: &Term) -> &Term {
    match term {
        Term::Cast { term, .. } => bare(term),
        other => other,
    }
}
