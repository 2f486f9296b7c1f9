//! What a trigger's function makes of rows: which of its variables hold more of them than keys.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::tokenizer::Token;

use super::body::{
    alias, arguments, assignment, bracket, is, is_compared, is_name, is_source, outside,
    statements, targets, text, without_counts, word,
};

/// What the columns of some rows say.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// Columns that identify a row and say nothing else of it.
    pub(super) keys: BTreeSet<String>,
    /// Columns that say more.
    pub(super) columns: BTreeSet<String>,
}

impl Shape {
    /// Of rows that may be of either: one name can be a key here and more than that there.
    pub(super) fn or(&mut self, other: &Self) {
        self.keys.extend(other.keys.iter().cloned());
        self.columns.extend(other.columns.iter().cloned());
        self.keys.retain(|key| !self.columns.contains(key));
    }
}

/// What is known of a body's names.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Of the rows of the statement.
    own: Shape,
    /// Names of tables that rows can be read from, those of the statement among them.
    tables: BTreeMap<String, Shape>,
    /// Names that stand for a row, or for something of one.
    held: BTreeMap<String, Shape>,
}

/// What a query reads.
#[derive(Debug, Default)]
struct Scope {
    held: BTreeMap<String, Shape>,
    /// Columns that say more, by their name alone.
    columns: BTreeSet<String>,
    /// Whether it reads what is made of rows: of that, columns can be called anything.
    derived: bool,
    sourced: bool,
}

impl Rows {
    pub(super) fn new(own: Shape, tables: BTreeMap<String, Shape>) -> Self {
        let held = ["new", "old"].map(|row| (row.to_owned(), own.clone()));
        Self {
            own,
            tables,
            held: held.into(),
        }
    }

    /// Whether the body hands something of a row to a function of these names, `pg_notify` among them.
    pub(super) fn are_sent(&mut self, body: &[Vec<Token>], senders: &BTreeSet<String>) -> bool {
        loop {
            let known = self.held.len();
            let mut declares = false;
            for statement in body {
                self.learn(statement, &mut declares);
            }
            if known == self.held.len() {
                break;
            }
        }
        body.iter().any(|statement| self.sends(statement, senders))
    }

    fn hold(&mut self, name: String, shape: Shape) {
        if let Some(known) = self.held.get_mut(&name) {
            known.or(&shape);
        } else {
            self.held.insert(name, shape);
        }
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
            let row = match value {
                [only] => word(Some(only)).and_then(|name| self.held.get(&name).cloned()),
                _ => None,
            };
            if row.is_some() || self.holds(value) {
                self.hold(variable, row.unwrap_or_else(|| self.own.clone()));
            }
        }
        if let Some(at) = outside(statement, 0, "for")
            && let Some(within) = outside(statement, at, "in")
            && let Some(name) = word(statement.get(at + 1))
        {
            let end = outside(statement, within, "loop").unwrap_or(statement.len());
            let query = statement.get(within + 1..end).unwrap_or_default();
            if self.selects(query) {
                let shape = self.shape(query);
                self.hold(name, shape);
            }
        }
        if let Some(at) = outside(statement, 0, "execute") {
            self.learn_executed(statement.get(at + 1..).unwrap_or_default());
            return;
        }
        let reads = outside(statement, 0, "select").or_else(|| outside(statement, 0, "returning"));
        if let Some(from) = reads
            && let Some(into) = outside(statement, from, "into")
        {
            let (names, end) = targets(statement, into);
            // What is read, without where it goes to.
            let mut read: Vec<Token> = statement.get(from..into).unwrap_or_default().to_vec();
            read.extend_from_slice(statement.get(end..).unwrap_or_default());
            if self.selects(&read) {
                let shape = self.shape(&read);
                for name in names {
                    self.hold(name, shape.clone());
                }
            }
        }
    }

    /// `EXECUTE 'SELECT ($1).note' INTO name USING NEW`
    fn learn_executed(&mut self, tokens: &[Token]) {
        let Some(into) = outside(tokens, 0, "into") else {
            return;
        };
        let (names, end) = targets(tokens, into);
        let statement = tokens.get(..into).unwrap_or_default();
        let given = tokens.get(end..).unwrap_or_default();
        let queries: Vec<Vec<Token>> = statement
            .iter()
            .filter_map(text)
            .filter_map(statements)
            .flatten()
            .collect();
        let reads = queries.iter().any(|query| {
            let list = query.get(..outside(query, 0, "from").unwrap_or(query.len()));
            let given_back = list
                .unwrap_or_default()
                .iter()
                .any(|token| matches!(token, Token::Placeholder(_)));
            self.selects(query) || (given_back && self.holds(given))
        });
        // Put together of a row's values, and read from nothing else.
        let of_row = self.holds(statement)
            && queries
                .iter()
                .all(|query| outside(query, 0, "from").is_none());
        if reads || of_row {
            for name in names {
                self.hold(name, self.own.clone());
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
            // `PERFORM pg_notify(…, note) FROM added`
            let begin = statement
                .get(..at)
                .unwrap_or_default()
                .iter()
                .rposition(|token| is(Some(token), "perform") || is(Some(token), "select"));
            let query = begin.and_then(|begin| statement.get(begin..));
            let scope = self.scope(query.unwrap_or_default());
            let (inside, _) = bracket(statement, at + 1);
            let arguments = arguments(inside);
            // The first of `pg_notify` is the channel.
            let skip = usize::from(name == "pg_notify");
            arguments
                .into_iter()
                .skip(skip)
                .any(|it| self.holds(it) || self.shows(it, &scope))
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
        let tokens = without_counts(tokens);
        let selects = tokens.iter().enumerate().any(|(at, token)| {
            is(Some(token), "select") && self.selects(tokens.get(at..).unwrap_or_default())
        });
        selects || mentions(&tokens, &self.held)
    }

    /// Whether what a query selects holds more of a row than its keys: it begins with SELECT, or with what comes
    /// before it.
    fn selects(&self, query: &[Token]) -> bool {
        let end = outside(query, 1, "from")
            .or_else(|| outside(query, 1, "union"))
            .unwrap_or(query.len());
        let list = query.get(1..end).unwrap_or_default();
        if self.shows(list, &self.scope(query)) {
            return true;
        }
        outside(query, 1, "union")
            .and_then(|at| query.get(at + 1..))
            .and_then(|rest| rest.get(outside(rest, 0, "select")?..))
            .is_some_and(|rest| self.selects(rest))
    }

    /// Whether an expression of a query holds more of a row than its keys.
    fn shows(&self, list: &[Token], scope: &Scope) -> bool {
        let list = without_counts(list);
        if !scope.derived && !scope.sourced {
            return mentions(&list, &self.held);
        }
        let bare = list.iter().enumerate().any(|(at, token)| {
            let before = at.checked_sub(1).and_then(|at| list.get(at));
            let next = list.get(at + 1);
            let says_more = |name: &String| {
                scope.columns.contains(name)
                    || (scope.derived
                        && (is_name(token) || name == "value")
                        && !self.own.keys.contains(name))
            };
            let typed = before == Some(&Token::DoubleColon) || is(before, "as");
            let column = word(Some(token)).is_some_and(|it| says_more(&it))
                && !typed
                && before != Some(&Token::Period)
                && !matches!(next, Some(Token::Period | Token::LParen))
                && !is_compared(&list, at, at + 1);
            let all = *token == Token::Mul
                && matches!(
                    before,
                    None | Some(Token::Comma | Token::Period | Token::LParen)
                );
            column || all
        });
        bare || mentions(&list, &scope.held)
    }

    /// What the rows of a query are, where they are known.
    fn shape(&self, query: &[Token]) -> Shape {
        let scope = self.scope(query);
        let mut sources = scope
            .held
            .iter()
            .filter(|(name, _)| !self.held.contains_key(*name))
            .map(|(_, shape)| shape);
        let Some(mut shape) = sources.next().cloned() else {
            return self.own.clone();
        };
        sources.for_each(|other| shape.or(other));
        shape
    }

    /// What stands in the FROM of a query.
    fn scope(&self, query: &[Token]) -> Scope {
        let mut scope = Scope {
            held: self.held.clone(),
            ..Scope::default()
        };
        let Some(from) = outside(query, 1, "from") else {
            return scope;
        };
        let rest = query.get(from..).unwrap_or_default();
        let end = ENDS.iter().filter_map(|end| outside(rest, 1, end)).min();
        let rest = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let mut at = 0;
        while let Some(token) = rest.get(at) {
            let before = at.checked_sub(1).and_then(|at| rest.get(at));
            if *token == Token::LParen {
                let (inside, close) = bracket(rest, at);
                let called = before.is_some_and(|it| word(Some(it)).is_some())
                    && !is(before, "from")
                    && !is(before, "join")
                    && !is(before, "lateral")
                    && !is(before, "on");
                let made = if is(inside.first(), "select") {
                    // `FROM (SELECT NEW.note) x`
                    Some(self.selects(inside))
                } else {
                    // `FROM jsonb_each_text(to_jsonb(NEW))`
                    called.then(|| self.holds(inside))
                };
                if let Some(made) = made {
                    if made {
                        scope.derived = true;
                        let mut shape = self.own.clone();
                        if called && !shape.columns.contains("key") {
                            shape.keys.insert("key".to_owned());
                        }
                        scope
                            .held
                            .extend(alias(rest, close + 1).map(|name| (name, shape)));
                    }
                    at = close;
                }
            } else if let Some(name) = word(Some(token))
                && let Some(shape) = self.tables.get(&name)
                && is_source(rest, at)
            {
                scope.sourced = true;
                scope.columns.extend(shape.columns.iter().cloned());
                scope
                    .held
                    .extend(alias(rest, at + 1).map(|name| (name, shape.clone())));
                scope.held.insert(name, shape.clone());
            }
            at += 1;
        }
        scope
    }
}

/// Words that end FROM.
const ENDS: [&str; 9] = [
    "where", "group", "having", "window", "order", "limit", "offset", "union", "loop",
];

fn mentions(tokens: &[Token], held: &BTreeMap<String, Shape>) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let next = tokens.get(at + 1);
        let Some(shape) = word(Some(token)).and_then(|name| held.get(&name)) else {
            return false;
        };
        if before == Some(&Token::Period) || next == Some(&Token::LParen) {
            return false;
        }
        if next == Some(&Token::Period) {
            let more = word(tokens.get(at + 2)).is_none_or(|it| !shape.keys.contains(&it));
            return more && !is_compared(tokens, at, at + 3);
        }
        !is_compared(tokens, at, at + 1) && !picks_key(tokens, at, shape)
    })
}

/// `to_jsonb(NEW) ->> 'id'`, `payload -> 'id'`
fn picks_key(tokens: &[Token], at: usize, shape: &Shape) -> bool {
    let mut next = at + 1;
    while tokens.get(next) == Some(&Token::RParen) {
        next += 1;
    }
    matches!(tokens.get(next), Some(Token::Arrow | Token::LongArrow))
        && matches!(tokens.get(next + 1), Some(Token::SingleQuotedString(key)) if shape.keys.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(keys: &[&str], columns: &[&str]) -> Shape {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Shape {
            keys: set(keys),
            columns: set(columns),
        }
    }

    fn sent(body: &str) -> bool {
        let own = shape(&["id", "tenant_id"], &["note", "status"]);
        let mut rows = Rows::new(
            own.clone(),
            [
                ("invoices".to_owned(), own.clone()),
                ("added".to_owned(), own),
                (
                    "customers".to_owned(),
                    shape(&["id", "number"], &["email", "note"]),
                ),
            ]
            .into(),
        );
        let senders = ["pg_notify", "tell"].map(str::to_owned).into();
        rows.are_sent(&statements(body).unwrap(), &senders)
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
            "PERFORM pg_notify('c', json_agg(x)::text) FROM added x",
            "PERFORM pg_notify('c', note) FROM added",
            "PERFORM pg_notify('c', value) FROM jsonb_each_text(to_jsonb(NEW))",
            "PERFORM pg_notify('c', x.value) FROM jsonb_each_text(to_jsonb(NEW)) AS x (key, value)",
            "SELECT c.email INTO e FROM public.customers c WHERE c.id = NEW.id; PERFORM pg_notify('c', e)",
            "SELECT email INTO STRICT e FROM only customers; PERFORM pg_notify('c', e)",
            "FOR e IN SELECT email FROM customers LOOP PERFORM pg_notify('c', e); END LOOP",
            "FOR c IN SELECT id, email FROM customers LOOP PERFORM pg_notify('c', c.email); END LOOP",
            "EXECUTE 'SELECT ($1).note' INTO p USING NEW; PERFORM pg_notify('c', p)",
            "EXECUTE 'SELECT email FROM customers WHERE id = $1' INTO p USING NEW.id; PERFORM pg_notify('c', p)",
            "EXECUTE format('SELECT %L', NEW.note) INTO p; PERFORM pg_notify('c', p)",
            "PERFORM pg_notify('c', CASE WHEN NEW.note <> 'x' THEN NEW.note END)",
            "SELECT 1 INTO x UNION SELECT NEW.note; PERFORM pg_notify('c', x)",
            "PERFORM pg_notify('c', (SELECT email FROM customers WHERE id = NEW.id))",
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
            "PERFORM pg_notify('c', json_build_object('id', NEW.id, 'changed', NEW.note IS DISTINCT FROM OLD.note)::text)",
            "PERFORM pg_notify('c', json_build_object('id', NEW.id, 'paid', NEW.status = 'paid')::text)",
            "PERFORM pg_notify('c', json_build_object('id', NEW.id, 'same', OLD.note::text = NEW.note)::text)",
            "PERFORM pg_notify('c', id::text) FROM added",
            "PERFORM pg_notify('c', json_agg(x.id)::text) FROM added x WHERE x.note <> ''",
            "PERFORM pg_notify('c', count(x)::text) FROM added x",
            "SELECT c.id INTO e FROM public.customers c WHERE c.note = NEW.note; PERFORM pg_notify('c', e)",
            "FOR c IN SELECT id FROM customers LOOP PERFORM pg_notify('u_' || c.id, NEW.id::text); END LOOP",
            "FOR c IN SELECT * FROM customers LOOP PERFORM pg_notify('c', c.number::text); END LOOP",
            "EXECUTE 'SELECT count(*) FROM t WHERE note = $1' INTO n USING NEW.note; PERFORM pg_notify('c', n)",
            "EXECUTE format('SELECT count(*) FROM t WHERE note = %L', NEW.note) INTO n; PERFORM pg_notify('c', n)",
            "SELECT EXISTS (SELECT note FROM customers WHERE note = NEW.note) INTO f; PERFORM pg_notify('c', f::text)",
            "SELECT name INTO n FROM countries WHERE code = NEW.note; PERFORM pg_notify('c', n)",
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
            "FROM (",
            "SELECT x FROM (",
            "EXECUTE INTO",
            "a.b.c)))((((",
        ] {
            let _ = sent(body);
        }
    }
}
