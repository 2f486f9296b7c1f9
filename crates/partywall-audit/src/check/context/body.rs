//! SQL text with some of its calls written otherwise; everything else stays as it is.

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

use super::script::{Script, rewrite};
use crate::catalogue::Function;

/// Makes every `current_setting('…')` of a setting answer NULL where there is no value, or an empty one:
/// `NULLIF(current_setting('…', true), '')`. `None` if there is none.
pub(super) fn guarded(sql: &str, is_ours: impl Fn(&str) -> bool) -> Option<String> {
    rewrite(sql, "current_setting", |arguments, wrapped| {
        let first = arguments.first()?.trim();
        if !is_ours(&constant(first)?) {
            return None;
        }
        let call = format!("current_setting({first}, true)");
        Some(if wrapped {
            call
        } else {
            format!("NULLIF({call}, '')")
        })
    })
}

/// Makes every `set_config('…', …, false)` of a setting end with the transaction.
pub(super) fn local(sql: &str, is_ours: impl Fn(&str) -> bool) -> Option<String> {
    rewrite(sql, "set_config", |arguments, _| {
        let [name, value, last] = arguments else {
            return None;
        };
        let is_session = Script::of(last)?.tokens.iter().any(
            |token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("false")),
        );
        (is_session && is_ours(&constant(name)?))
            .then(|| format!("set_config({}, {}, true)", name.trim(), value.trim()))
    })
}

/// The settings and constant values that calls of `set_config` give: `None` for what is no constant, and
/// whether for the session.
pub(super) fn assignments(sql: &str) -> Vec<(String, Option<String>, bool)> {
    let mut found = Vec::new();
    rewrite(sql, "set_config", |arguments, _| {
        if let [name, value, last] = arguments
            && let Some(name) = constant(name)
        {
            let is_session = last.trim().eq_ignore_ascii_case("false");
            found.push((name.to_lowercase(), constant(value), is_session));
        }
        None
    });
    found
}

/// The settings that `SET` gives a value for the session.
pub(super) fn session_set(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let is_local = |name: &str| {
        found.push(name.to_lowercase());
        false
    };
    set(sql, is_local);
    found
}

/// Makes every `SET` of a setting end with the transaction: `SET LOCAL`.
pub(super) fn set_local(sql: &str, is_ours: impl Fn(&str) -> bool) -> Option<String> {
    set(sql, is_ours)
}

/// Finds `SET a.b =` and `SET SESSION a.b TO` at the beginning of statements, and in texts that EXECUTE is given,
/// and makes those local that `change` chooses.
fn set(sql: &str, mut change: impl FnMut(&str) -> bool) -> Option<String> {
    let script = Script::of(sql)?;
    let tokens = &script.tokens;
    let mut out = String::with_capacity(sql.len());
    let mut changed = false;
    let mut begins = true;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Token::SingleQuotedString(quoted) = token
            && let Some(inner) = quoted.trim_start().get(..4)
            && inner.eq_ignore_ascii_case("set ")
            && let Some(inner) = set(quoted, &mut change as &mut dyn FnMut(&str) -> bool)
        {
            out.push_str(&format!("'{inner}'"));
            changed = true;
            at += 1;
            continue;
        }
        let is_set =
            begins && matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("set"));
        if is_set
            && let Some((name, start)) = assigned(tokens, at + 1)
            && change(&name)
        {
            out.push_str("SET LOCAL ");
            changed = true;
            at = start;
            begins = false;
            continue;
        }
        if matches!(token, Token::SemiColon) {
            begins = true;
        } else if let Token::Word(word) = token {
            begins = matches!(
                word.value.to_lowercase().as_str(),
                "begin" | "then" | "else" | "loop"
            );
        } else if !matches!(token, Token::Whitespace(_)) {
            begins = false;
        }
        out.push_str(script.text(at));
        at += 1;
    }
    changed.then_some(out)
}

/// The setting of two parts that is given a value from a place on, and where its name begins.
fn assigned(tokens: &[Token], start: usize) -> Option<(String, usize)> {
    let next = |mut at: usize| {
        while matches!(tokens.get(at), Some(Token::Whitespace(_))) {
            at += 1;
        }
        at
    };
    let mut at = next(start);
    if matches!(tokens.get(at), Some(Token::Word(word)) if word.value.eq_ignore_ascii_case("session"))
    {
        at = next(at + 1);
    }
    let [Token::Word(space), Token::Period, Token::Word(name)] = tokens.get(at..at + 3)? else {
        return None;
    };
    let after = tokens.get(next(at + 3))?;
    let gives = matches!(after, Token::Eq)
        || matches!(after, Token::Word(word) if word.value.eq_ignore_ascii_case("to"));
    gives.then(|| (format!("{}.{}", space.value, name.value), at))
}

/// The settings that a body reads without a guard, and whether it fails where there is no value at all; else it
/// fails where the value is empty. A body that asks first, by IF or CASE, or that catches errors, is taken to know
/// what it does.
pub(super) fn unguarded(sql: &str) -> Vec<(String, bool)> {
    let Some(script) = Script::of(sql) else {
        return Vec::new();
    };
    let tokens = &script.tokens;
    let says = |word: &str| {
        tokens
            .iter()
            .any(|token| matches!(token, Token::Word(it) if it.value.eq_ignore_ascii_case(word)))
    };
    if says("if") || says("case") || says("exception") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut open: Vec<bool> = Vec::new();
    let mut word: Option<&Token> = None;
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token, Token::Whitespace(_)) {
            continue;
        }
        if matches!(token, Token::LParen) {
            let nullif =
                matches!(word, Some(Token::Word(it)) if it.value.eq_ignore_ascii_case("nullif"));
            open.push(nullif);
        } else if matches!(token, Token::RParen) {
            open.pop();
        } else if matches!(token, Token::Word(it) if it.value.eq_ignore_ascii_case("current_setting"))
            && let Some((arguments, end)) = script.arguments(at + 1)
            && let Some(name) = arguments.first().and_then(|name| constant(name))
        {
            let missing_ok = arguments
                .get(1)
                .is_some_and(|it| !it.trim().eq_ignore_ascii_case("false"));
            if !missing_ok && name.contains('.') {
                found.push((name.to_lowercase(), true));
            }
            if !open.contains(&true) && refuses_empty(tokens, end) {
                found.push((name.to_lowercase(), false));
            }
        }
        word = Some(token);
    }
    found
}

/// Whether a cast to a type that refuses the empty text comes at a place, behind brackets that close.
fn refuses_empty(tokens: &[Token], mut at: usize) -> bool {
    const TEXTS: [&str; 5] = ["text", "varchar", "character", "char", "name"];
    loop {
        match tokens.get(at) {
            Some(Token::Whitespace(_) | Token::RParen) => at += 1,
            Some(Token::DoubleColon) => break,
            _ => return false,
        }
    }
    let kind = tokens
        .iter()
        .skip(at + 1)
        .find(|token| !matches!(token, Token::Whitespace(_)));
    matches!(kind, Some(Token::Word(kind)) if !TEXTS.iter().any(|text| kind.value.eq_ignore_ascii_case(text)))
}

/// The statement that makes a function anew with another body.
pub(super) fn with_body(
    function: &Function,
    change: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let definition = function.definition.as_deref()?;
    let changed = if function.body.is_some() {
        change(definition)?
    } else {
        let body = change(&function.source)?;
        if !definition.contains(&function.source) {
            return None;
        }
        definition.replacen(&function.source, &body, 1)
    };
    Some(format!("{};", changed.trim_end()))
}

/// The value of a text that is a constant: `'app.tenant_id'`, `'app.tenant_id'::text`.
pub(super) fn constant(sql: &str) -> Option<String> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().ok()?;
    let mut tokens = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)));
    let (Token::SingleQuotedString(value) | Token::EscapedStringLiteral(value)) = tokens.next()?
    else {
        return None;
    };
    matches!(tokens.next(), None | Some(Token::DoubleColon)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_guarded_and_nothing_else_changes() {
        let ours = |name: &str| name == "app.t";
        for (before, after) in [
            (
                "a = current_setting('app.t')::uuid",
                "a = NULLIF(current_setting('app.t', true), '')::uuid",
            ),
            (
                "(a = (current_setting('app.t'::text))::uuid)",
                "(a = (NULLIF(current_setting('app.t'::text, true), ''))::uuid)",
            ),
            (
                "pg_catalog.current_setting('app.t', true) -- it's",
                "NULLIF(current_setting('app.t', true), '') -- it's",
            ),
            (
                "NULLIF(current_setting('app.t'), '')",
                "NULLIF(current_setting('app.t', true), '')",
            ),
            (
                "E'\\n' || \"odd \"\"name\" || current_setting ( 'app.t' , false )",
                "E'\\n' || \"odd \"\"name\" || NULLIF(current_setting('app.t', true), '')",
            ),
        ] {
            assert_eq!(guarded(before, ours).as_deref(), Some(after), "{before}");
        }
        for same in [
            "current_setting('other')",
            "'current_setting(''app.t'')'",
            "current_setting",
            "x",
        ] {
            assert_eq!(guarded(same, ours), None, "{same}");
        }
    }

    #[test]
    fn what_fails_without_a_context_is_seen() {
        for (sql, expected) in [
            (
                "SELECT current_setting('app.t')::uuid",
                vec![("app.t".to_owned(), true), ("app.t".to_owned(), false)],
            ),
            (
                "SELECT (current_setting('app.t', true))::json ->> 'a'",
                vec![("app.t".to_owned(), false)],
            ),
            (
                "SELECT NULLIF(current_setting('app.t', true), '')::uuid",
                vec![],
            ),
            (
                "SELECT nullif((select current_setting('app.t', true)), '')::uuid",
                vec![],
            ),
            ("SELECT current_setting('app.t', true)", vec![]),
            ("SELECT current_setting('app.t', true)::text", vec![]),
            (
                "SELECT CASE WHEN current_setting('app.t', true) = '' THEN NULL ELSE current_setting('app.t')::uuid END",
                vec![],
            ),
        ] {
            assert_eq!(unguarded(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_setting_for_the_session_becomes_the_transactions() {
        let ours = |name: &str| name == "app.t";
        assert_eq!(
            local(
                "BEGIN PERFORM set_config('app.t', f(a, 'x'), false); END",
                ours
            )
            .as_deref(),
            Some("BEGIN PERFORM set_config('app.t', f(a, 'x'), true); END")
        );
        assert_eq!(local("SELECT set_config('app.t', $1, true)", ours), None);
        assert_eq!(local("SELECT set_config('other', $1, false)", ours), None);
        assert_eq!(
            assignments("SELECT set_config('App.T', 'b', false), set_config('x', $1, true)"),
            [
                ("app.t".to_owned(), Some("b".to_owned()), true),
                ("x".to_owned(), None, false)
            ]
        );
        let body = "BEGIN SET app.t = 'a'; EXECUTE format('SET app.t = %L', $1); SET LOCAL app.t TO 'b'; UPDATE x SET app = 1; END";
        assert_eq!(session_set(body), ["app.t", "app.t"]);
        assert_eq!(
            set_local(body, ours).as_deref(),
            Some(
                "BEGIN SET LOCAL app.t = 'a'; EXECUTE format('SET LOCAL app.t = %L', $1); SET LOCAL app.t TO 'b'; UPDATE x SET app = 1; END"
            )
        );
        assert_eq!(set_local("BEGIN SET other.t = 'a'; END", ours), None);
    }
}
