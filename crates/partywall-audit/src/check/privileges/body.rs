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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_closed_is_no_body() {
        assert!(statements("'not closed").is_none());
    }
}
