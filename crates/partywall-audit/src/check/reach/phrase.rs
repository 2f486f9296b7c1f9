//! SQL text as a tree of brackets: enough to tell clauses, conditions and names apart in any statement, of any
//! version and in PL/pgSQL's bodies as well, which no grammar for plain SQL reads.

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

/// A token, or all of what stands between two brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) enum Part {
    /// A key word or a name. Without quotes it is in lower case.
    Word {
        text: String,
        quoted: bool,
    },
    /// A string, in whatever quotes.
    Text(String),
    Number,
    /// `$1`.
    Parameter(String),
    Comma,
    Semicolon,
    Dot,
    /// `::`.
    Cast,
    /// Any operator. `OPERATOR(pg_catalog.=)` is `=`.
    Operator(String),
    /// `(…)`.
    Round(Vec<Self>),
    /// `[…]`.
    Square(Vec<Self>),
}

impl Part {
    /// Whether it is this key word.
    pub(in crate::check) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word { text, quoted: false } if text == word)
    }

    pub(in crate::check) fn is_any(&self, words: &[&str]) -> bool {
        matches!(self, Self::Word { text, quoted: false } if words.contains(&text.as_str()))
    }

    pub(in crate::check) fn is_operator(&self, operator: &str) -> bool {
        matches!(self, Self::Operator(own) if own == operator)
    }

    /// A name, or a key word that may be one.
    pub(in crate::check) fn word(&self) -> Option<&str> {
        if let Self::Word { text, .. } = self {
            Some(text)
        } else {
            None
        }
    }

    pub(in crate::check) fn round(&self) -> Option<&[Self]> {
        if let Self::Round(inside) = self {
            Some(inside)
        } else {
            None
        }
    }

    /// The inside of brackets that hold a query.
    pub(in crate::check) fn query(&self) -> Option<&[Self]> {
        self.round().filter(|inside| begins_query(inside))
    }
}

/// Whether a statement that reads or writes rows begins here.
pub(in crate::check) fn begins_query(parts: &[Part]) -> bool {
    match parts.first() {
        Some(Part::Round(inside)) => {
            begins_query(inside)
                && parts.get(1).is_none_or(|next| {
                    next.is_any(&["union", "intersect", "except", "order", "limit"])
                })
        }
        Some(first) => first.is_any(&[
            "select", "with", "values", "insert", "update", "delete", "merge", "table",
        ]),
        None => false,
    }
}

/// How deep brackets may be in each other.
const DEEPEST: usize = 200;

/// Reads SQL. `None` if its brackets or quotes do not match, or are deeper than anybody writes them.
pub(in crate::check) fn read(sql: &str) -> Option<Vec<Part>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().ok()?;
    let mut open: Vec<Vec<Part>> = vec![Vec::new()];
    for token in tokens {
        if matches!(token, Token::Whitespace(_) | Token::EOF) {
            continue;
        }
        if matches!(token, Token::LParen | Token::LBracket) {
            open.push(Vec::new());
            if open.len() > DEEPEST {
                return None;
            }
            continue;
        }
        let part = if matches!(token, Token::RParen | Token::RBracket) {
            let inside = open.pop()?;
            let before = open.last_mut()?;
            match inside.last() {
                Some(Part::Operator(operator))
                    if before.last().is_some_and(|it| it.is("operator")) =>
                {
                    before.pop();
                    Part::Operator(operator.clone())
                }
                _ if token == Token::RParen => Part::Round(inside),
                _ => Part::Square(inside),
            }
        } else {
            single(token)
        };
        open.last_mut()?.push(part);
    }
    let whole = open.pop()?;
    open.is_empty().then_some(whole)
}

fn single(token: Token) -> Part {
    if let Token::Word(word) = token {
        let quoted = word.quote_style.is_some();
        let text = if quoted {
            word.value.replace("\"\"", "\"")
        } else {
            word.value.to_lowercase()
        };
        return Part::Word { text, quoted };
    }
    if let Token::SingleQuotedString(text)
    | Token::EscapedStringLiteral(text)
    | Token::NationalStringLiteral(text)
    | Token::UnicodeStringLiteral(text)
    | Token::SingleQuotedByteStringLiteral(text)
    | Token::HexStringLiteral(text) = token
    {
        return Part::Text(text);
    }
    if let Token::DollarQuotedString(text) = token {
        return Part::Text(text.value);
    }
    if let Token::Placeholder(name) = token {
        return Part::Parameter(name);
    }
    if matches!(token, Token::Number(..)) {
        return Part::Number;
    }
    for (mark, part) in [
        (Token::Comma, Part::Comma),
        (Token::SemiColon, Part::Semicolon),
        (Token::Period, Part::Dot),
        (Token::DoubleColon, Part::Cast),
    ] {
        if token == mark {
            return part;
        }
    }
    Part::Operator(token.to_string())
}

/// Parts a list at what meets a condition, which is left out.
pub(in crate::check) fn split(parts: &[Part], at: impl Fn(&Part) -> bool) -> Vec<&[Part]> {
    parts.split(|part| at(part)).collect()
}

/// Calls `see` for the inside of every bracket, from the outside in.
pub(in crate::check) fn groups<'a>(parts: &'a [Part], see: &mut impl FnMut(&'a [Part])) {
    for part in parts {
        if let Part::Round(inside) | Part::Square(inside) = part {
            see(inside);
            groups(inside, see);
        }
    }
}

/// The names of the functions that an expression calls, without their schemas.
pub(in crate::check) fn calls(sql: &str) -> Vec<String> {
    fn look(parts: &[Part], found: &mut Vec<String>) {
        let mut typed = false;
        for (at, part) in parts.iter().enumerate() {
            match part {
                Part::Word { text, .. } => {
                    let called = matches!(parts.get(at + 1), Some(Part::Round(_)));
                    if called && !typed && !part.is_any(&["in", "any", "all", "and", "or", "not"]) {
                        found.push(text.clone());
                    }
                }
                Part::Round(inside) | Part::Square(inside) => look(inside, found),
                Part::Text(_)
                | Part::Number
                | Part::Parameter(_)
                | Part::Comma
                | Part::Semicolon
                | Part::Dot
                | Part::Cast
                | Part::Operator(_) => {}
            }
            // `::numeric(10,2)` is no call.
            typed =
                *part == Part::Cast || (typed && (matches!(part, Part::Dot | Part::Word { .. })));
        }
    }
    let mut found = Vec::new();
    look(&read(sql).unwrap_or_default(), &mut found);
    found
}
