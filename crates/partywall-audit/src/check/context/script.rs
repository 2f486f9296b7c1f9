//! SQL text as tokens that remember how they were written.

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

/// A text and its tokens.
pub(super) struct Script<'a> {
    pub(super) tokens: Vec<Token>,
    texts: Vec<&'a str>,
}

impl<'a> Script<'a> {
    /// `None` for what is no SQL.
    pub(super) fn of(sql: &'a str) -> Option<Self> {
        let spanned = Tokenizer::new(&PostgreSqlDialect {}, sql)
            .with_unescape(false)
            .tokenize_with_location()
            .ok()?;
        // Lines and columns are counted from 1, columns in characters.
        let mut starts = spanned
            .iter()
            .map(|it| (it.span.start.line, it.span.start.column))
            .peekable();
        let mut offsets: Vec<usize> = Vec::with_capacity(spanned.len() + 1);
        let (mut line, mut column) = (1, 1);
        for (at, c) in sql.char_indices() {
            if starts.next_if_eq(&(line, column)).is_some() {
                offsets.push(at);
            }
            (line, column) = if c == '\n' {
                (line + 1, 1)
            } else {
                (line, column + 1)
            };
        }
        offsets.push(sql.len());
        let texts: Vec<&str> = offsets
            .iter()
            .zip(offsets.iter().skip(1))
            .filter_map(|(start, end)| sql.get(*start..*end))
            .collect();
        (texts.len() == spanned.len()).then(|| Self {
            tokens: spanned.into_iter().map(|it| it.token).collect(),
            texts,
        })
    }

    /// A token as it was written.
    pub(super) fn text(&self, at: usize) -> &'a str {
        self.texts.get(at).copied().unwrap_or_default()
    }

    /// The arguments of a call whose bracket opens at or after a token, and the place after the one that closes it.
    pub(super) fn arguments(&self, start: usize) -> Option<(Vec<String>, usize)> {
        let mut at = start;
        while matches!(self.tokens.get(at), Some(Token::Whitespace(_))) {
            at += 1;
        }
        if !matches!(self.tokens.get(at), Some(Token::LParen)) {
            return None;
        }
        let mut depth = 1;
        let mut arguments = vec![String::new()];
        loop {
            at += 1;
            let token = self.tokens.get(at)?;
            if matches!(token, Token::LParen) {
                depth += 1;
            } else if matches!(token, Token::RParen) {
                if depth == 1 {
                    return Some((arguments, at + 1));
                }
                depth -= 1;
            } else if depth == 1 && matches!(token, Token::Comma) {
                arguments.push(String::new());
                continue;
            }
            arguments.last_mut()?.push_str(self.text(at));
        }
    }
}

/// Writes calls of a function otherwise, where `change` says how: it is given the arguments as text, and whether
/// the call is the first argument of NULLIF.
pub(super) fn rewrite(
    sql: &str,
    function: &str,
    mut change: impl FnMut(&[String], bool) -> Option<String>,
) -> Option<String> {
    let script = Script::of(sql)?;
    let tokens = &script.tokens;
    let mut out = String::with_capacity(sql.len());
    let mut changed = false;
    // Where the name with its schema begins in `out`, and the last two tokens that are no space.
    let mut before: [Option<&Token>; 2] = [None, None];
    let mut qualified_at = 0;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_name =
            matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(function));
        if is_name && let Some((arguments, end)) = script.arguments(at + 1) {
            let has_schema = matches!(before, [Some(Token::Word(_)), Some(Token::Period)]);
            let wrapped = !has_schema
                && matches!(before, [Some(Token::Word(word)), Some(Token::LParen)] if word.value.eq_ignore_ascii_case("nullif"));
            if let Some(text) = change(&arguments, wrapped) {
                if has_schema {
                    out.truncate(qualified_at);
                }
                out.push_str(&text);
                changed = true;
                at = end;
                before = [None, tokens.get(end - 1)];
                continue;
            }
        }
        if matches!(token, Token::Word(_)) {
            qualified_at = out.len();
        }
        out.push_str(script.text(at));
        if !matches!(token, Token::Whitespace(_)) {
            before = [before[1], Some(token)];
        }
        at += 1;
    }
    changed.then_some(out)
}
