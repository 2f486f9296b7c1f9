//! The database's own functions: what they answer and what they read.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::{ast::Statement, dialect::PostgreSqlDialect, parser::Parser, tokenizer::Token};

use super::{
    Constant, Facts, Node, Pick, Term,
    plpgsql::{self, tokens},
    statement::Statements,
    tree::Trees,
    words,
};
use crate::catalogue::{Catalogue, Function, Oid};

/// A function, as far as it could be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routine {
    /// What it answers, in which [`Term::Parameter`] stands for its arguments; of one that answers several rows,
    /// any of them. `None` if it could not be told.
    pub(crate) result: Option<Term>,
    /// What it reads, with what the functions that it calls read.
    pub(crate) facts: Facts,
    /// Relations that its text names without their schema, so that the session's search path decides which are
    /// meant.
    pub(crate) unqualified_relations: BTreeSet<String>,
    /// Functions that its text names in the same way.
    pub(crate) unqualified_functions: BTreeSet<String>,
}

/// All functions.
#[derive(Debug, Default)]
pub(crate) struct Library {
    routines: BTreeMap<Oid, Routine>,
}

impl Library {
    /// Reads the bodies of all functions in SQL and PL/pgSQL.
    pub(crate) fn of(catalogue: &Catalogue) -> Self {
        let mut library = Self::default();
        let mut direct = BTreeMap::new();
        for function in catalogue.functions.values() {
            let result = if function.is_trigger {
                None
            } else {
                answer(catalogue, function)
            };
            let mut facts = Facts::default();
            if let Some(result) = &result {
                facts.see(result);
            }
            let (mut relations, mut functions) = (BTreeSet::new(), BTreeSet::new());
            if function.body.is_none() && matches!(function.language.as_str(), "sql" | "plpgsql") {
                let scanned = scan(catalogue, function, &mut relations, &mut functions);
                facts.add(&scanned);
            } else if function.body.is_none() {
                facts.unread.insert(function.oid);
            }
            if result.is_none() {
                facts.unread.insert(function.oid);
            }
            direct.insert(function.oid, facts.clone());
            library.routines.insert(
                function.oid,
                Routine {
                    result,
                    facts,
                    unqualified_relations: relations,
                    unqualified_functions: functions,
                },
            );
        }
        // What the called ones read, the caller reads.
        for (oid, routine) in &mut library.routines {
            let mut seen = BTreeSet::from([*oid]);
            let mut ahead: Vec<Oid> = routine.facts.functions.iter().copied().collect();
            while let Some(next) = ahead.pop() {
                if !seen.insert(next) {
                    continue;
                }
                if let Some(facts) = direct.get(&next) {
                    routine.facts.add(facts);
                    ahead.extend(&facts.functions);
                }
            }
        }
        library
    }

    pub(crate) fn routine(&self, function: Oid) -> Option<&Routine> {
        self.routines.get(&function)
    }

    /// What a term reads, with what the functions that it calls read.
    pub(crate) fn facts(&self, term: &Term) -> Facts {
        let mut facts = Facts::default();
        facts.see(term);
        for function in facts.functions.clone() {
            match self.routines.get(&function) {
                Some(routine) => facts.add(&routine.facts),
                None => {
                    facts.unread.insert(function);
                }
            }
        }
        facts
    }
}

/// The term of a policy's expression, or of another about one row of a relation.
pub(crate) fn expression(catalogue: &Catalogue, relation: Oid, tree: &Node) -> Term {
    Trees::new(catalogue).expression(relation, tree)
}

fn of_query(catalogue: &Catalogue, tree: &Node) -> super::Query {
    // A rule's action and a function's body are lists of queries, of which the last one answers.
    let mut tree = tree;
    while let Node::List(members) = tree {
        match members.last() {
            Some(last) => tree = last,
            None => return super::Query::default(),
        }
    }
    Trees::new(catalogue).query_alone(tree)
}

fn answer(catalogue: &Catalogue, function: &Function) -> Option<Term> {
    if let Some(body) = &function.body {
        return Some(Term::Select(Pick::Scalar, of_query(catalogue, body)));
    }
    let mut statements = Statements::new(catalogue, function);
    match function.language.as_str() {
        "sql" => {
            let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &function.source).ok()?;
            match parsed.last()? {
                Statement::Query(query) => {
                    Some(Term::Select(Pick::Scalar, statements.query(query)))
                }
                _ => None,
            }
        }
        "plpgsql" => plpgsql::result(&function.source, statements),
        _ => None,
    }
}

/// What the tokens of a body tell, whatever it does with them: more than it reads, never less.
fn scan(
    catalogue: &Catalogue,
    function: &Function,
    unqualified_relations: &mut BTreeSet<String>,
    unqualified_functions: &mut BTreeSet<String>,
) -> Facts {
    let mut facts = Facts::default();
    let Some(outside) = tokens(&function.source) else {
        facts.unread.insert(function.oid);
        return facts;
    };
    let executes = outside.iter().any(
        |token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("execute")),
    );
    let mut texts = Vec::new();
    if executes {
        facts.unread.insert(function.oid);
        // The statement may be put together of any of its texts.
        for token in &outside {
            let text = match token {
                Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => text,
                Token::DollarQuotedString(text) => &text.value,
                _ => continue,
            };
            texts.extend(tokens(text));
        }
    }
    texts.push(outside);
    for tokens in texts {
        let (relations, functions) = (&mut *unqualified_relations, &mut *unqualified_functions);
        names(catalogue, &tokens, relations, functions, &mut facts);
    }
    facts
}

/// What is named among some tokens.
fn names(
    catalogue: &Catalogue,
    tokens: &[Token],
    unqualified_relations: &mut BTreeSet<String>,
    unqualified_functions: &mut BTreeSet<String>,
    facts: &mut Facts,
) {
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) if word.quote_style.is_some() => Some(word.value.clone()),
        Some(Token::Word(word)) => Some(word.value.to_lowercase()),
        _ => None,
    };
    let is = |at: usize, token: &Token| tokens.get(at) == Some(token);
    let mut own_names: BTreeSet<String> = BTreeSet::new();
    for at in 0..tokens.len() {
        // WITH name AS (
        if word(at + 1).as_deref() == Some("as") && is(at + 2, &Token::LParen) {
            own_names.extend(word(at));
        }
    }
    for at in 0..tokens.len() {
        let Some(name) = word(at) else { continue };
        let schema = (at >= 2 && is(at - 1, &Token::Period))
            .then(|| word(at - 2))
            .flatten();
        if is(at + 1, &Token::Period) {
            continue;
        }
        if is(at + 1, &Token::LParen) {
            let found = catalogue.functions.values().filter(|it| {
                it.name.name == name
                    && schema
                        .as_ref()
                        .is_none_or(|schema| it.name.schema == *schema)
            });
            let built_in = schema
                .as_deref()
                .is_none_or(|schema| schema == "pg_catalog")
                && catalogue.builtins.values().any(|it| it.name == name);
            if built_in {
                let argument = match tokens.get(at + 2) {
                    Some(Token::SingleQuotedString(text)) => {
                        Term::Constant(Constant::Text(text.clone()))
                    }
                    _ => Term::Other(Vec::new()),
                };
                let missing_ok = match word(at + 4).as_deref() {
                    Some("true") if is(at + 3, &Token::Comma) => Term::TRUE,
                    _ => Term::FALSE,
                };
                let mut arguments = Vec::new();
                if name == "current_setting" {
                    arguments = vec![argument, missing_ok];
                }
                facts.see(&words::builtin(&name, arguments));
            } else {
                for it in found {
                    facts.functions.insert(it.oid);
                    if schema.is_none() {
                        unqualified_functions.insert(name.clone());
                    }
                }
            }
            continue;
        }
        if matches!(name.as_str(), "current_user" | "session_user") {
            facts.see(&words::builtin(&name, Vec::new()));
        }
        // What stands after these words is a relation; `FROM` of `EXTRACT` and the like names none.
        let before = at.checked_sub(if schema.is_some() { 3 } else { 1 });
        let opens = before.is_some_and(|before| {
            // `INTO` fills a variable of PL/pgSQL, unless it is of an INSERT.
            let inserts = || before.checked_sub(1).and_then(word).as_deref() == Some("insert");
            match word(before).as_deref() {
                Some("from" | "join" | "update" | "only" | "table") => true,
                Some("into") => inserts(),
                _ => is(before, &Token::Comma) && schema.is_some(),
            }
        });
        if !opens || (schema.is_none() && own_names.contains(&name)) {
            continue;
        }
        let mut found = catalogue.relations.values().filter(|it| {
            it.name.name == name
                && schema
                    .as_ref()
                    .is_none_or(|schema| it.name.schema == *schema)
        });
        if let Some(relation) = found.next() {
            facts.relations.insert(relation.oid);
            if schema.is_none() {
                unqualified_relations.insert(name);
            }
        }
    }
}
