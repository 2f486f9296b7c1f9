//! How a statement is laid out, as far as it takes to put another around it.
//!
//! Safety rests on nothing here: whatever comes out is sent as one statement in the same scope, where
//! the layout was misread PostgreSQL reports a syntax error, and what a statement leaves on the session
//! is undone on entry.

use std::fmt::Write as _;

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Read,
    Write,
    /// Answers in text by itself, or not at all.
    Other,
}

/// Where the parts of a statement are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    verb: Verb,
    /// Where the statement itself begins, behind the `WITH` of it.
    main: usize,
    /// Behind its last word: what follows are semicolons and comments.
    end: usize,
}

impl Shape {
    pub(super) fn of(sql: &str) -> Self {
        let mut shape = Self {
            verb: Verb::Other,
            main: 0,
            end: 0,
        };
        let mut depth = 0_usize;
        let mut decided = false;
        let mut at = 0;
        while let Some((kind, length)) = token(sql.get(at..).unwrap_or_default()) {
            let text = sql.get(at..at + length).unwrap_or_default();
            match kind {
                Token::Blank => {}
                Token::Mark => match text {
                    "(" => depth += 1,
                    ")" => depth = depth.saturating_sub(1),
                    _ => {}
                },
                Token::Word if !decided => {
                    let word = text.to_ascii_lowercase();
                    // Until the first word brackets may stand in front of a SELECT.
                    let is_first = shape.end == 0 || sql.get(..at).is_some_and(only_brackets);
                    if depth == 0 || is_first {
                        match verb(&word) {
                            Some(verb) => {
                                shape.verb = verb;
                                shape.main = if is_first { 0 } else { at };
                                decided = true;
                            }
                            None => decided = is_first && word != "with",
                        }
                    }
                }
                Token::Word | Token::Quoted => {}
            }
            at += length;
            if kind != Token::Blank && text != ";" {
                shape.end = at;
            }
        }
        shape
    }

    pub(super) fn verb(&self) -> Verb {
        self.verb
    }

    /// A statement that answers with the rows of `sql` as text: each value cut behind `longest`
    /// characters and one more, at most `rows` rows, and for one that writes the number of rows it
    /// wrote as a further column.
    pub(super) fn as_text(
        &self,
        sql: &str,
        columns: usize,
        longest: usize,
        rows: usize,
    ) -> Option<String> {
        if self.verb == Verb::Other {
            return None;
        }
        let with = sql.get(..self.main)?;
        let main = sql.get(self.main..self.end)?;
        let names: Vec<String> = (1..=columns).map(|n| format!("c{n}")).collect();
        let before = if with.is_empty() { "WITH" } else { "," };
        let mut text = format!(
            "{with}\n{before} partywall_text({}) AS (\n{main}\n)\nSELECT ",
            names.join(", ")
        );
        for (n, name) in names.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}left({name}::text, {})", longest + 1);
        }
        if self.verb == Verb::Write {
            text.push_str(", (SELECT count(*) FROM partywall_text)::text");
        }
        let _ = write!(text, " FROM partywall_text LIMIT {rows}");
        Some(text)
    }
}

fn verb(word: &str) -> Option<Verb> {
    match word {
        "select" | "values" | "table" => Some(Verb::Read),
        "insert" | "update" | "delete" | "merge" => Some(Verb::Write),
        _ => None,
    }
}

fn only_brackets(before: &str) -> bool {
    let mut at = 0;
    while let Some((kind, length)) = token(before.get(at..).unwrap_or_default()) {
        let text = before.get(at..at + length).unwrap_or_default();
        if kind != Token::Blank && text != "(" && text != ";" {
            return false;
        }
        at += length;
    }
    true
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// White space and comments.
    Blank,
    Word,
    Quoted,
    Mark,
}

/// The kind and length of the first token.
pub(super) fn token(sql: &str) -> Option<(Token, usize)> {
    let first = sql.chars().next()?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
    if matches!(first, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') {
        return Some((Token::Blank, 1));
    }
    if sql.starts_with("--") {
        return Some((Token::Blank, sql.find(['\n', '\r']).unwrap_or(sql.len())));
    }
    if sql.starts_with("/*") {
        return Some((Token::Blank, comment(sql)));
    }
    if first == '\'' || first == '"' {
        return Some((Token::Quoted, quoted(sql, first, false)));
    }
    if sql.starts_with("E'") || sql.starts_with("e'") {
        return Some((Token::Quoted, 1 + quoted(sql.get(1..)?, '\'', true)));
    }
    if first == '$'
        && let Some(length) = dollar_quoted(sql)
    {
        return Some((Token::Quoted, length));
    }
    if is_word(first) {
        return Some((Token::Word, sql.find(|c| !is_word(c)).unwrap_or(sql.len())));
    }
    Some((Token::Mark, first.len_utf8()))
}

/// Block comments nest.
fn comment(sql: &str) -> usize {
    let mut depth = 0_usize;
    let mut skip = false;
    let pairs = sql.char_indices().zip(sql.chars().skip(1));
    for ((at, one), two) in pairs {
        match (skip, one, two) {
            (true, ..) => skip = false,
            (false, '/', '*') => (depth, skip) = (depth + 1, true),
            (false, '*', '/') => {
                (depth, skip) = (depth - 1, true);
                if depth == 0 {
                    return at + 2;
                }
            }
            (false, ..) => {}
        }
    }
    sql.len()
}

/// A doubled quote reads as two quoted tokens, which does no harm.
fn quoted(sql: &str, quote: char, escapes: bool) -> usize {
    let mut escaped = false;
    for (at, c) in sql.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if escapes => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    sql.len()
}

fn dollar_quoted(sql: &str) -> Option<usize> {
    let (tag, rest) = sql.strip_prefix('$')?.split_once('$')?;
    let is_tag = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    let delimiter = format!("${tag}$");
    let body = rest
        .find(&delimiter)
        .map_or(rest.len(), |end| end + delimiter.len());
    is_tag.then_some(delimiter.len() + body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_of(sql: &str) -> (Verb, &str) {
        let shape = Shape::of(sql);
        (shape.verb, sql.get(shape.main..shape.end).unwrap())
    }

    #[test]
    fn the_statement_behind_its_with() {
        for (sql, verb, main) in [
            ("select 1; -- done", Verb::Read, "select 1"),
            (
                " /* a */ (select 1) union (select 2) ;;",
                Verb::Read,
                " /* a */ (select 1) union (select 2)",
            ),
            (
                "with a as (select 1) select * from a",
                Verb::Read,
                "select * from a",
            ),
            (
                "WITH a AS (DELETE FROM x RETURNING *) SELECT 1",
                Verb::Read,
                "SELECT 1",
            ),
            (
                "with a as (select ')') delete from x returning 1",
                Verb::Write,
                "delete from x returning 1",
            ),
            (
                "with a as (select $x$)$x$) values (1)",
                Verb::Read,
                "values (1)",
            ),
            ("with a as (select E'\\')') table a", Verb::Read, "table a"),
            (
                "insert into a select 1",
                Verb::Write,
                "insert into a select 1",
            ),
            ("explain select 1", Verb::Other, "explain select 1"),
            ("show all", Verb::Other, "show all"),
            ("", Verb::Other, ""),
        ] {
            assert_eq!(main_of(sql), (verb, main), "{sql}");
        }
    }

    #[test]
    fn nothing_makes_it_panic() {
        for sql in [
            "'", "\"", "$", "$$", "$a$", "/*", "/*/", "/*/*/", "é'", "E'", "((", "))", "--", "with",
        ] {
            let shape = Shape::of(sql);
            let _ = shape.as_text(sql, 2, 3, 4);
        }
    }
}
