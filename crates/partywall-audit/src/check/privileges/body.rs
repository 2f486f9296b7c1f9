use sqlparser::{
    dialect::PostgreSqlDialect,
    keywords::Keyword,
    tokenizer::{Token, Tokenizer},
};

/// The statements of a function's body or of a job, as tokens without space and comments.
///
/// PL/pgSQL is no SQL that a parser reads; its tokens are SQL's. `None` for what is not even that.
pub(super) fn statements(text: &str) -> Option<Vec<Vec<Token>>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize()
        .ok()?;
    let mut all = vec![Vec::new()];
    for token in tokens {
        if token == Token::SemiColon {
            all.push(Vec::new());
        } else if !matches!(token, Token::Whitespace(_) | Token::EOF)
            && let Some(last) = all.last_mut()
        {
            last.push(token);
        }
    }
    all.retain(|statement| !statement.is_empty());
    Some(all)
}

/// A name or a key word, in lower case unless it is quoted.
pub(super) fn word(token: Option<&Token>) -> Option<String> {
    let Some(Token::Word(word)) = token else {
        return None;
    };
    Some(match word.quote_style {
        Some(_) => word.value.clone(),
        None => word.value.to_lowercase(),
    })
}

/// What a string says.
pub(super) fn text(token: &Token) -> Option<&str> {
    if let Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) = token {
        Some(text)
    } else if let Token::DollarQuotedString(text) = token {
        Some(&text.value)
    } else {
        None
    }
}

/// Whether a token is a word.
pub(super) fn is(token: Option<&Token>, what: &str) -> bool {
    word(token).as_deref() == Some(what)
}

/// How many brackets are open behind a token.
fn depth_behind(token: &Token, depth: usize) -> usize {
    if matches!(token, Token::LParen | Token::LBracket) {
        depth + 1
    } else if matches!(token, Token::RParen | Token::RBracket) {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

/// The tokens in the brackets that open at a place, and where they close.
pub(super) fn bracket(tokens: &[Token], open: usize) -> (&[Token], usize) {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth = depth_behind(token, depth);
        if depth == 0 {
            return (tokens.get(open + 1..at).unwrap_or_default(), at);
        }
    }
    (tokens.get(open + 1..).unwrap_or_default(), tokens.len())
}

/// Cuts at commas that are in no brackets.
pub(super) fn arguments(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            depth = depth_behind(token, depth);
            *token == Token::Comma && depth == 0
        })
        .collect()
}

/// Where a word is outside of brackets, from a place on and before the bracket around it closes.
pub(super) fn outside(tokens: &[Token], from: usize, what: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        if depth == 0 && *token == Token::RParen {
            return None;
        }
        depth = depth_behind(token, depth);
        if depth == 0 && is(Some(token), what) {
            return Some(at);
        }
    }
    None
}

/// Whether a token is a name and no key word.
pub(super) fn is_name(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.keyword == Keyword::NoKeyword || word.quote_style.is_some())
}

/// The variable and the value of `v := …`, `v = …`, and of a declaration with a value.
pub(super) fn assignment(statement: &[Token], declares: bool) -> Option<(String, &[Token])> {
    let mut depth = 0_usize;
    for (at, token) in statement.iter().enumerate() {
        depth = depth_behind(token, depth);
        if depth > 0 {
            continue;
        }
        let assigns = *token == Token::Assignment;
        if declares && (assigns || *token == Token::Eq || is(Some(token), "default")) {
            return Some((word(statement.first())?, statement.get(at + 1..)?));
        }
        let begins = at == 1
            || at
                .checked_sub(2)
                .and_then(|at| word(statement.get(at)))
                .is_some_and(|it| matches!(it.as_str(), "then" | "else" | "loop" | "begin"));
        if !declares && (assigns || (*token == Token::Eq && begins)) {
            let target = at.checked_sub(1).and_then(|at| statement.get(at));
            return Some((word(target)?, statement.get(at + 1..)?));
        }
    }
    None
}

/// Words that follow a table where an alias could.
const CLAUSES: [&str; 14] = [
    "where", "group", "order", "limit", "join", "left", "inner", "cross", "on", "having", "loop",
    "union", "using", "right",
];

/// What a source is called, whose name ends here.
pub(super) fn alias(tokens: &[Token], at: usize) -> Option<String> {
    let at = if is(tokens.get(at), "as") { at + 1 } else { at };
    word(tokens.get(at)).filter(|it| !CLAUSES.contains(&it.as_str()))
}

/// Whether a name stands where a table does, with a schema or without.
pub(super) fn is_source(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let first = if before(1) == Some(&Token::Period) {
        before(3)
    } else {
        before(1)
    };
    first == Some(&Token::Comma)
        || first == Some(&Token::LParen)
        || ["from", "join", "only"].iter().any(|it| is(first, it))
}

/// The names behind INTO, and where they end.
pub(super) fn targets(statement: &[Token], into: usize) -> (Vec<String>, usize) {
    let mut at = into + 1;
    if is(statement.get(at), "strict") {
        at += 1;
    }
    let names = statement.get(at..).unwrap_or_default();
    let end = names
        .iter()
        .enumerate()
        .position(|(at, token)| (at % 2 == 1) != (*token == Token::Comma))
        .unwrap_or(names.len());
    let found = names
        .iter()
        .take(end)
        .filter_map(|token| word(Some(token)))
        .collect();
    (found, at + end)
}

/// Without what says how many rows there are, or whether there are any.
pub(super) fn without_counts(tokens: &[Token]) -> Vec<Token> {
    let mut left = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let counts = is(Some(token), "count") || is(Some(token), "exists");
        if counts && tokens.get(at + 1) == Some(&Token::LParen) {
            at = bracket(tokens, at + 1).1;
        } else {
            left.push(token.clone());
        }
        at += 1;
    }
    left
}

/// Whether what is from here to there is only compared with something, which is true or false: `NEW.note IS
/// DISTINCT FROM OLD.note`, `NEW.status = 'paid'`.
pub(super) fn is_compared(tokens: &[Token], from: usize, to: usize) -> bool {
    let compares = |token: Option<&Token>| {
        matches!(
            token,
            Some(
                Token::Eq
                    | Token::DoubleEq
                    | Token::Neq
                    | Token::Lt
                    | Token::Gt
                    | Token::LtEq
                    | Token::GtEq
            )
        )
    };
    let before = |back: usize| from.checked_sub(back).and_then(|at| tokens.get(at));
    let mut to = to;
    if tokens.get(to) == Some(&Token::DoubleColon) {
        to += 2;
    }
    let next = tokens.get(to);
    compares(next)
        || ["is", "in", "like", "ilike", "between"]
            .iter()
            .any(|it| is(next, it))
        || (is(next, "not") && !is(tokens.get(to + 1), "null"))
        || compares(before(1))
        || (is(before(1), "from") && is(before(2), "distinct"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_closed_is_no_body() {
        assert!(statements("'not closed").is_none());
    }
}
