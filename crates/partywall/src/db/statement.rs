use sea_orm::Value;

use super::{
    Refused,
    shape::{Token, token},
};

/// A statement on its way to the server.
#[derive(Clone, Debug)]
pub struct Job {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Job {
    pub(crate) fn new(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        Self {
            sql: sql.into(),
            values: values.into_iter().collect(),
        }
    }
}

impl From<sea_orm::Statement> for Job {
    fn from(statement: sea_orm::Statement) -> Self {
        Self {
            sql: statement.sql,
            values: statement.values.map(|values| values.0).unwrap_or_default(),
        }
    }
}

/// What a statement can leave behind on its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// Settings at most, which the entry function resets before the next scope.
    None,
    /// Anything: prepared statements, cursors, listeners, locks. The connection is closed after use.
    Session,
}

/// Decides by a statement's first word.
///
/// The extended protocol, the only one that carries a statement here, refuses a text with more than
/// one statement, so the first word says which command runs. What is not on the short list of
/// commands that touch no session state counts as touching it.
///
/// # Errors
///
/// [`Refused`] for commands that would end the transaction, or that need another protocol.
pub(crate) fn trace(sql: &str) -> Result<Trace, Refused> {
    let Some((word, after)) = first_word(sql) else {
        return Err(Refused::Empty);
    };
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(&[
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint",
        "release",
    ]) {
        return Err(Refused::TransactionControl);
    }
    if is(&["prepare"])
        && first_word(after).is_some_and(|(word, _)| word.eq_ignore_ascii_case("transaction"))
    {
        return Err(Refused::TransactionControl);
    }
    if is(&["copy"]) {
        return Err(Refused::Copy);
    }
    let keeps = is(&["prepare", "execute", "deallocate", "listen"]);
    if keeps || (is(&["declare"]) && is_held(after)) {
        return Err(Refused::Session);
    }
    let drops_owned = is(&["drop"])
        && first_word(after).is_some_and(|(word, _)| word.eq_ignore_ascii_case("owned"));
    if is(&["alter", "do", "reassign", "lock"]) || drops_owned {
        return Err(Refused::Administration);
    }
    let plain = is(&[
        "select", "insert", "update", "delete", "merge", "values", "table", "with", "explain",
        "show", "notify",
    ]);
    Ok(if plain { lingers(sql) } else { Trace::Session })
}

/// Whether the cursor that is declared outlives its transaction: `WITH HOLD` stands before `FOR`.
fn is_held(declaration: &str) -> bool {
    let mut at = 0;
    let mut last = String::new();
    while let Some((token, length)) = token(declaration.get(at..).unwrap_or_default()) {
        let text = declaration.get(at..at + length).unwrap_or_default();
        at += length;
        if token == Token::Blank {
            continue;
        }
        let word = text.to_ascii_lowercase();
        match (last.as_str(), word.as_str()) {
            (_, "for") => return false,
            ("with", "hold") => return true,
            _ => last = word,
        }
    }
    false
}

/// A query can still take a lock that outlives the transaction, or change a setting for the session.
/// Both are undone on entry, also where the text hides them; closing the connection undoes them now.
fn lingers(sql: &str) -> Trace {
    let text = sql.to_ascii_lowercase();
    let words = ["advisory", "set_config", "pg_settings", "setseed", "u&\""];
    if words.iter().any(|word| text.contains(word)) {
        Trace::Session
    } else {
        Trace::None
    }
}

/// Lets `COPY … TO STDOUT` pass.
///
/// # Errors
///
/// [`Refused::Copy`] for every other statement. One that reads from the client would wait for data
/// that nobody sends.
pub(crate) fn trace_copy_out(sql: &str) -> Result<Trace, Refused> {
    let is_copy = first_word(sql).is_some_and(|(word, _)| word.eq_ignore_ascii_case("copy"));
    let text = sql.to_ascii_lowercase();
    let mut words = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut last = "";
    let to_client =
        words.any(|word| std::mem::replace(&mut last, word) == "to" && word == "stdout");
    if is_copy && to_client && !text.contains("stdin") {
        Ok(lingers(sql))
    } else {
        Err(Refused::Copy)
    }
}

/// The first word after white space, comments and opening brackets, as PostgreSQL's scanner sees it,
/// and what follows it. The word is empty where something else stands there, which no command does.
fn first_word(sql: &str) -> Option<(&str, &str)> {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c', '(', ';']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment
                .split_once(['\n', '\r'])
                .map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = after_comment(comment)?;
        } else {
            break;
        }
    }
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    (!rest.is_empty()).then(|| rest.split_at(end))
}

/// What follows a block comment. PostgreSQL's nest, and are read from left to right, two characters at
/// a time: in `/*/` the slash does not close what the star has just opened.
fn after_comment(comment: &str) -> Option<&str> {
    let bytes = comment.as_bytes();
    let (mut at, mut depth) = (0, 1_usize);
    while depth > 0 {
        match bytes.get(at..at + 2)? {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    comment.get(at..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_pass_without_a_trace() {
        for sql in [
            "select 1",
            " \n\t-- a comment\n SELECT 1",
            "/* a /* nested */ comment */ ( ( select 1 ) )",
            "with a as (select 1) select * from a",
            "INSERT INTO note VALUES (1)",
            "explain analyze select 1",
        ] {
            assert_eq!(trace(sql), Ok(Trace::None), "{sql}");
        }
    }

    #[test]
    fn whatever_else_closes_the_connection() {
        for sql in [
            "set role x",
            "unlisten *",
            "declare c cursor for select 1",
            "declare c cursor without hold for select 'with hold'",
            "declare \"with hold\" scroll cursor for select hold from a, with_hold",
            "select pg_advisory_lock(1)",
            "select Set_Config('a.b', 'c', false)",
            "select u&\"set\\005fconfig\"('a.b', 'c', false)",
            "update pg_settings set setting = 'c' where name = 'a.b'",
            "create temp table t ()",
            "call p()",
            "vacuum",
            "\u{a0}select 1",
        ] {
            assert_eq!(trace(sql), Ok(Trace::Session), "{sql}");
        }
    }

    #[test]
    fn transaction_control_is_refused_however_it_is_dressed() {
        for sql in [
            "commit",
            "COMMIT AND CHAIN",
            "/* select */ commit",
            "/*/* select */*/commit",
            "/*/*/ select */*/commit",
            "/* x /*/ y */ z */ commit",
            "/**/commit",
            "/***/commit",
            "/*//**/*/commit",
            "-- select\ncommit",
            "-- select\rcommit",
            ";;commit",
            "\x0bcommit",
            "END",
            "abort;",
            "rollback to s",
            "savepoint a",
            "release a",
            "start transaction",
            "begin",
            "prepare /* a */ transaction 'x'",
        ] {
            assert_eq!(trace(sql), Err(Refused::TransactionControl), "{sql}");
        }
        assert_eq!(
            trace("alter role current_user password 'x'"),
            Err(Refused::Administration)
        );
        assert_eq!(trace("lock table note"), Err(Refused::Administration));
        assert_eq!(trace("do $$ begin end $$"), Err(Refused::Administration));
        assert_eq!(
            trace("drop /* */ owned by current_user"),
            Err(Refused::Administration)
        );
        for sql in [
            "listen x",
            "prepare a as select 1",
            "execute a",
            "deallocate all",
            "declare c cursor with hold for select 1",
            "/* */ DECLARE \"for\" no scroll CURSOR With /* a */ -- b\n Hold FOR SELECT 1",
        ] {
            assert_eq!(trace(sql), Err(Refused::Session), "{sql}");
        }
        assert_eq!(trace("copy note to stdout"), Err(Refused::Copy));
        assert_eq!(trace_copy_out("copy note to stdout"), Ok(Trace::None));
        let locks = "copy (select pg_advisory_lock(1)) to stdout";
        assert_eq!(trace_copy_out(locks), Ok(Trace::Session));
        assert_eq!(trace(""), Err(Refused::Empty));
        assert_eq!(trace("/* unterminated"), Err(Refused::Empty));
    }

    proptest! {
        #[test]
        fn never_panics(sql in "\\PC*") {
            let _ = trace(&sql);
        }

        #[test]
        fn dressing_changes_nothing(before in "(( |\t|\n)|--[^\n\r]{0,5}\n|/\\*[a-z ]{0,5}\\*/){0,6}") {
            prop_assert_eq!(trace(&format!("{before}commit")), Err(Refused::TransactionControl));
            prop_assert_eq!(trace(&format!("{before}select 1")), Ok(Trace::None));
        }
    }
}
