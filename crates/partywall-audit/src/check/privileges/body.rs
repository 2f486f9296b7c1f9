use std::collections::BTreeSet;

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
fn bracket(tokens: &[Token], open: usize) -> (&[Token], usize) {
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
fn arguments(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            depth = depth_behind(token, depth);
            *token == Token::Comma && depth == 0
        })
        .collect()
}

/// Where a word is outside of brackets, from a place on and before the bracket around it closes.
fn outside(tokens: &[Token], from: usize, what: &str) -> Option<usize> {
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

/// What a trigger's function makes of rows: which of its variables hold more of them than keys.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Columns that identify a row and say nothing else of it.
    pub(super) keys: BTreeSet<String>,
    /// Columns that say more.
    pub(super) columns: BTreeSet<String>,
    /// Names of tables that rows can be read from, those of the statement among them.
    pub(super) tables: BTreeSet<String>,
    /// Names that stand for a whole row.
    rows: BTreeSet<String>,
    /// Variables that hold something of one.
    variables: BTreeSet<String>,
}

impl Rows {
    pub(super) fn new(
        keys: BTreeSet<String>,
        columns: BTreeSet<String>,
        tables: BTreeSet<String>,
    ) -> Self {
        Self {
            keys,
            columns,
            tables,
            rows: ["new", "old"].map(str::to_owned).into(),
            variables: BTreeSet::new(),
        }
    }

    /// Whether the body hands something of a row to a function of these names, `pg_notify` among them.
    pub(super) fn are_sent(&mut self, body: &[Vec<Token>], senders: &BTreeSet<String>) -> bool {
        loop {
            let known = (self.rows.len(), self.variables.len());
            let mut declares = false;
            for statement in body {
                self.learn(statement, &mut declares);
            }
            if known == (self.rows.len(), self.variables.len()) {
                break;
            }
        }
        body.iter().any(|statement| self.sends(statement, senders))
    }

    /// Follows assignments.
    fn learn(&mut self, statement: &[Token], declares: &mut bool) {
        let mut statement = statement;
        if is(statement.first(), "declare") {
            *declares = true;
            statement = statement.get(1..).unwrap_or_default();
        }
        if let Some(at) = outside(statement, 0, "begin") {
            *declares = false;
            statement = statement.get(at + 1..).unwrap_or_default();
        }
        if let Some((variable, value)) = assignment(statement, *declares) {
            if matches!(value, [only] if word(Some(only)).is_some_and(|it| self.rows.contains(&it)))
            {
                self.rows.insert(variable);
            } else if self.holds(value) {
                self.variables.insert(variable);
            }
        }
        if let Some(at) = outside(statement, 0, "for")
            && let Some(within) = outside(statement, at, "in")
            && let Some(name) = word(statement.get(at + 1))
            && self.sources(statement.get(within..).unwrap_or_default())
        {
            self.rows.insert(name);
        }
        let reads = outside(statement, 0, "select").or_else(|| outside(statement, 0, "returning"));
        if let Some(from) = reads
            && let Some(into) = outside(statement, from, "into")
        {
            let mut at = into + 1;
            if is(statement.get(at), "strict") {
                at += 1;
            }
            let names = statement.get(at..).unwrap_or_default();
            let end = names
                .iter()
                .enumerate()
                .position(|(at, token)| (at % 2 == 1) != (*token == Token::Comma));
            let names = names.get(..end.unwrap_or(names.len())).unwrap_or_default();
            // What is read, without where it goes to.
            let mut read: Vec<Token> = statement.get(from..into).unwrap_or_default().to_vec();
            read.extend_from_slice(statement.get(at + names.len()..).unwrap_or_default());
            if self.selects(&read) {
                self.variables
                    .extend(names.iter().filter_map(|token| word(Some(token))));
            }
        }
    }

    fn sends(&self, statement: &[Token], senders: &BTreeSet<String>) -> bool {
        let called = statement.iter().enumerate().any(|(at, token)| {
            let Some(name) = word(Some(token)).filter(|name| senders.contains(name)) else {
                return false;
            };
            if statement.get(at + 1) != Some(&Token::LParen) {
                return false;
            }
            let (inside, _) = bracket(statement, at + 1);
            let arguments = arguments(inside);
            // The first of `pg_notify` is the channel.
            let skip = usize::from(name == "pg_notify");
            arguments.into_iter().skip(skip).any(|it| self.holds(it))
        });
        // `EXECUTE format('NOTIFY …', …)`
        let executed = statement
            .iter()
            .position(|token| is(Some(token), "execute"));
        let built = executed.is_some_and(|at| {
            let rest = statement.get(at..).unwrap_or_default();
            let notifies = rest.iter().filter_map(text).any(|text| {
                let inner = statements(text).unwrap_or_default();
                let mut words = inner.iter().flatten();
                words.any(|token| is(Some(token), "notify") || is(Some(token), "pg_notify"))
            });
            notifies && self.holds(rest)
        });
        called || built
    }

    /// Whether an expression holds more of a row than its keys.
    fn holds(&self, tokens: &[Token]) -> bool {
        let selects = tokens.iter().enumerate().any(|(at, token)| {
            is(Some(token), "select") && self.selects(tokens.get(at..).unwrap_or_default())
        });
        selects || self.mentions(tokens, &self.rows)
    }

    fn mentions(&self, tokens: &[Token], rows: &BTreeSet<String>) -> bool {
        tokens.iter().enumerate().any(|(at, token)| {
            let Some(name) = word(Some(token)) else {
                return false;
            };
            let before = at.checked_sub(1).and_then(|at| tokens.get(at));
            let next = tokens.get(at + 1);
            let (row, variable) = (rows.contains(&name), self.variables.contains(&name));
            if before == Some(&Token::Period) || !(row || variable) || next == Some(&Token::LParen)
            {
                return false;
            }
            if next == Some(&Token::Period) {
                return word(tokens.get(at + 2)).is_none_or(|column| !self.keys.contains(&column));
            }
            // `NEW IS DISTINCT FROM OLD` is true or false.
            let compared = is(next, "is")
                || (is(before, "from") && at > 1 && is(tokens.get(at - 2), "distinct"));
            !compared && !self.picks_key(tokens, at)
        })
    }

    /// `to_jsonb(NEW) ->> 'id'`, `payload -> 'id'`
    fn picks_key(&self, tokens: &[Token], at: usize) -> bool {
        let mut next = at + 1;
        while tokens.get(next) == Some(&Token::RParen) {
            next += 1;
        }
        matches!(tokens.get(next), Some(Token::Arrow | Token::LongArrow))
            && matches!(tokens.get(next + 1), Some(Token::SingleQuotedString(key)) if self.keys.contains(key))
    }

    /// Whether a query reads rows of the tables: it begins with SELECT, or with what comes before it.
    fn sources(&self, query: &[Token]) -> bool {
        query.windows(2).any(|pair| {
            let [before, token] = pair else { return false };
            (is(Some(before), "from") || is(Some(before), "join") || *before == Token::Period)
                && word(Some(token)).is_some_and(|it| self.tables.contains(&it))
        })
    }

    /// Whether what a query selects holds more of a row than its keys.
    fn selects(&self, query: &[Token]) -> bool {
        let from = outside(query, 1, "from");
        let list = query
            .get(1..from.unwrap_or(query.len()))
            .unwrap_or_default();
        let mut rows = self.rows.clone();
        let rest = from.map_or(&[][..], |at| query.get(at..).unwrap_or_default());
        let mut derived = false;
        for (at, pair) in rest.windows(2).enumerate() {
            // `FROM (SELECT NEW.note) x`
            if let [Token::LParen, token] = pair
                && is(Some(token), "select")
            {
                let (inside, close) = bracket(rest, at);
                let alias = if is(rest.get(close + 1), "as") {
                    close + 2
                } else {
                    close + 1
                };
                if self.selects(inside) {
                    derived = true;
                    rows.extend(word(rest.get(alias)));
                }
            }
        }
        if !derived && !self.sources(rest) {
            return self.mentions(list, &rows);
        }
        for (at, token) in rest.iter().enumerate() {
            if let Some(table) = word(Some(token)).filter(|it| self.tables.contains(it)) {
                rows.insert(table);
                let alias = if is(rest.get(at + 1), "as") {
                    at + 2
                } else {
                    at + 1
                };
                rows.extend(word(rest.get(alias)).filter(|it| !CLAUSES.contains(&it.as_str())));
            }
        }
        let bare = list.iter().enumerate().any(|(at, token)| {
            let before = at.checked_sub(1).and_then(|at| list.get(at));
            let counted = at > 1 && is(list.get(at - 2), "count") && before == Some(&Token::LParen);
            let next = list.get(at + 1);
            // The columns of a sub-select can be called anything.
            let says_more = |name: &String| {
                self.columns.contains(name)
                    || (derived && is_name(token) && !self.keys.contains(name))
            };
            let typed = before == Some(&Token::DoubleColon) || is(before, "as");
            let column = word(Some(token)).is_some_and(|it| says_more(&it))
                && !typed
                && before != Some(&Token::Period)
                && !matches!(next, Some(Token::Period | Token::LParen));
            let all = *token == Token::Mul
                && !counted
                && matches!(
                    before,
                    None | Some(Token::Comma | Token::Period | Token::LParen)
                );
            column || all
        });
        bare || self.mentions(list, &rows)
    }
}

/// Whether a token is a name and no key word.
pub(super) fn is_name(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.keyword == Keyword::NoKeyword || word.quote_style.is_some())
}

/// Words that follow a table where an alias could.
const CLAUSES: [&str; 12] = [
    "where", "group", "order", "limit", "join", "left", "inner", "cross", "on", "having", "loop",
    "union",
];

/// The variable and the value of `v := …`, `v = …`, and of a declaration with a value.
fn assignment(statement: &[Token], declares: bool) -> Option<(String, &[Token])> {
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

    fn sent(body: &str) -> bool {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut rows = Rows::new(
            set(&["id", "tenant_id"]),
            set(&["note", "status"]),
            set(&["invoices", "added"]),
        );
        rows.are_sent(&statements(body).unwrap(), &set(&["pg_notify", "tell"]))
    }

    #[test]
    fn rows_are_followed_to_where_they_are_sent() {
        for body in [
            "PERFORM pg_notify('c', row_to_json(NEW)::text)",
            "PERFORM pg_notify('c', OLD.note)",
            "PERFORM pg_notify('c', \"new\".note)",
            "PERFORM tell(NEW)",
            "a := NEW.note; b := a || 'x'; PERFORM pg_notify('c', b)",
            "PERFORM pg_notify('c', b); b := a; a := NEW.note",
            "r := OLD; PERFORM pg_notify('c', r.status)",
            "SELECT n INTO x FROM (SELECT NEW.note AS n) y; PERFORM pg_notify('c', x)",
            "SELECT * INTO x FROM public.invoices; PERFORM pg_notify('c', x::text)",
            "EXECUTE 'NOTIFY c, ' || quote_literal(NEW.note)",
            "EXECUTE $q$SELECT pg_notify('c', $1)$q$ USING NEW.note",
            "FOR it IN SELECT * FROM added LOOP PERFORM pg_notify('c', it.note); END LOOP",
        ] {
            assert!(sent(body), "{body}");
        }
    }

    #[test]
    fn keys_and_what_is_not_sent_are_none() {
        for body in [
            "PERFORM pg_notify('c', NEW.id::text)",
            "PERFORM pg_notify(NEW.note, 'x')",
            "PERFORM pg_notify('c', 'row_to_json(NEW)')",
            "NEW.note := row_to_json(OLD); PERFORM pg_notify('c', NEW.id)",
            "PERFORM log(NEW)",
            "IF NEW.note <> OLD.note THEN PERFORM pg_notify('c', TG_OP); END IF",
            "SELECT i AS k INTO x FROM (SELECT NEW.id AS i) y; PERFORM pg_notify('c', x::text)",
            "SELECT count(*) INTO x FROM invoices WHERE note = NEW.note; PERFORM pg_notify('c', x::text)",
            "EXECUTE 'NOTIFY c' USING NEW.id",
            "EXECUTE format('UPDATE t SET x = %L', NEW.note)",
            "FOR it IN SELECT * FROM added LOOP PERFORM pg_notify('c', it.id); END LOOP",
            "-- pg_notify('c', NEW.note)",
        ] {
            assert!(!sent(body), "{body}");
        }
    }

    #[test]
    fn odd_texts_end() {
        for body in [
            "",
            ";;;",
            "pg_notify(",
            "pg_notify('c', NEW",
            ":=",
            "x :=",
            "SELECT",
            "a.b.c)))((((",
        ] {
            let _ = sent(body);
        }
        assert!(statements("'not closed").is_none());
    }
}
