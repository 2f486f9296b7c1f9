//! Whether the functions behind a policy may be run by whoever audits.
//!
//! To try a policy is to run what others wrote, in the session of someone who may be a superuser. The transaction is
//! read-only and rolled back, and the role is the application's; but a function could take the role off again, or
//! leave the database. So only what is written in SQL or PL/pgSQL is run, without anything that changes the
//! session or makes statements out of texts.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use std::collections::BTreeSet;

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

use crate::{
    catalogue::{Catalogue, Expression, Function, Oid, RelationKind},
    expression::{Facts, Library, Node},
};

/// Words that a body must not have. More than need be: `role` is a column's name as well, and then so be it.
const WORDS: [&str; 16] = [
    "execute",
    "set",
    "reset",
    "set_config",
    "copy",
    "do",
    "call",
    "load",
    "listen",
    "notify",
    "discard",
    "authorization",
    "pg_settings",
    "prepare",
    "import",
    "program",
];
/// Beginnings of the names of functions that reach out of the database.
const OUTSIDE: [&str; 12] = [
    "dblink",
    "lo_import",
    "lo_export",
    "pg_read_",
    "pg_ls_",
    "pg_file",
    "pg_terminate",
    "pg_cancel",
    "pg_reload",
    "query_to_xml",
    "pg_notify",
    "pg_logical",
];

/// Whether everything that a policy runs may be run.
pub(super) fn is_harmless(
    catalogue: &Catalogue,
    library: &Library,
    expression: &Expression,
    facts: &Facts,
) -> bool {
    let mut functions = called(&expression.tree);
    functions.extend(&facts.functions);
    let mut relations: BTreeSet<Oid> = facts.relations.clone();
    let mut builtins: BTreeSet<String> = facts.builtins.clone();
    let (mut seen_functions, mut seen_relations) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let mut more = false;
        for oid in functions.clone() {
            if !seen_functions.insert(oid) {
                continue;
            }
            more = true;
            let Some(function) = catalogue.functions.get(&oid) else {
                continue;
            };
            if !is_plain(function) {
                return false;
            }
            if let Some(body) = &function.body {
                functions.extend(called(body));
            }
            if let Some(routine) = library.routine(oid) {
                functions.extend(&routine.facts.functions);
                relations.extend(&routine.facts.relations);
                builtins.extend(routine.facts.builtins.iter().cloned());
            }
        }
        for oid in relations.clone() {
            if !seen_relations.insert(oid) {
                continue;
            }
            more = true;
            let Some(relation) = catalogue.relations.get(&oid) else {
                continue;
            };
            // It would go to another server.
            if relation.kind == RelationKind::Foreign {
                return false;
            }
            if let Some(view) = &relation.view {
                functions.extend(called(&view.tree));
                relations.extend(&view.reads);
            }
            for policy in &relation.policies {
                for of in policy.using.iter().chain(&policy.check) {
                    functions.extend(called(&of.tree));
                    relations.extend(read(&of.tree));
                }
            }
        }
        if !more {
            break;
        }
    }
    builtins.iter().all(|name| {
        !WORDS.contains(&name.as_str()) && !OUTSIDE.iter().any(|start| name.starts_with(start))
    })
}

fn is_plain(function: &Function) -> bool {
    if function.body.is_some() {
        // Its statements were parsed when it was made, and can be none but queries.
        return function.config.iter().all(|it| is_setting(it));
    }
    match function.language.as_str() {
        // Only a superuser makes such a one.
        "internal" | "c" => return function.extension.is_some(),
        "sql" | "plpgsql" => {}
        _ => return false,
    }
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, &function.source).tokenize() else {
        return false;
    };
    let words = tokens.iter().all(|token| match token {
        Token::Word(word) => {
            let word = word.value.to_lowercase();
            !WORDS.contains(&word.as_str()) && !OUTSIDE.iter().any(|start| word.starts_with(start))
        }
        _ => true,
    });
    words && function.config.iter().all(|it| is_setting(it))
}

/// A SET clause that changes no more than where names are looked up and how long it takes.
fn is_setting(entry: &str) -> bool {
    let name = entry.split('=').next().unwrap_or_default();
    matches!(
        name,
        "search_path" | "statement_timeout" | "jit" | "row_security" | "work_mem"
    )
}

/// The functions of a tree, those behind its operators among them.
fn called(tree: &Node) -> BTreeSet<Oid> {
    let mut found = BTreeSet::new();
    tree.walk(&mut |node| {
        for field in ["funcid", "opfuncid", "aggfnoid", "winfnoid"] {
            found.extend(node.number::<Oid>(field));
        }
    });
    found
}

/// The relations of a tree.
fn read(tree: &Node) -> BTreeSet<Oid> {
    let mut found = BTreeSet::new();
    tree.walk(&mut |node| found.extend(node.number::<Oid>("relid")));
    found
}
