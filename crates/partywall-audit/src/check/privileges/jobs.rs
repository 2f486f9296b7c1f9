use std::collections::BTreeSet;

use sqlparser::tokenizer::Token;

use super::body::{is, is_name, statements, word};
use crate::{
    Fault, Finding,
    catalogue::{Function, Job, Relation},
    check::{Audit, app::App},
    sql::{literal, tidy},
};

/// Jobs of `pg_cron` that work with tenants' rows as a role for whom no policy holds.
///
/// What only keeps the house (VACUUM, other tables, functions of extensions) needs no tenant. Statements that are
/// not understood, and functions of one's own, count: what they do is not seen.
pub(super) fn find(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    let catalogue = audit.catalogue;
    for job in &catalogue.jobs {
        let Some(role) = catalogue.roles.named(&job.user) else {
            continue;
        };
        let exempt: Vec<&Relation> = audit
            .subject
            .tenant_tables(catalogue)
            .filter(|it| {
                it.is_table()
                    && (catalogue.roles.bypasses(role.oid)
                        || (it.row_security && catalogue.is_exempt(role.oid, it)))
            })
            .collect();
        let touched = touches(audit, &job.command);
        let tables: Vec<String> = exempt
            .iter()
            .filter(|it| {
                touched
                    .as_ref()
                    .is_none_or(|touched| touched.contains(&it.oid))
            })
            .map(|it| it.name.to_string())
            .collect();
        if tables.is_empty() {
            continue;
        }
        let why = format!(
            "job {} runs `{}` as {}, for whom no policy holds, over the rows of all tenants at once: run it once for each tenant, with the context set, as a role that policies hold",
            job.id,
            shown(job),
            tidy(&job.user)
        );
        let fix = match apps.first() {
            Some(app) => format!(
                "UPDATE cron.job SET username = {} WHERE jobid = {};",
                literal(&app.role.name),
                job.id
            ),
            None => format!("DELETE FROM cron.job WHERE jobid = {};", job.id),
        };
        found.push(
            Finding::new(
                Fault::ExtensionJobs,
                format!("job {} of pg_cron", job.id),
                why,
                fix,
            )
            .tables(tables),
        );
    }
}

/// A job's command on one line, and not all of a long one.
fn shown(job: &Job) -> String {
    let line: Vec<&str> = job.command.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(120) {
        Some((at, _)) => line.get(..at).unwrap_or_default().to_owned() + "…",
        None => line,
    }
}

/// What keeps the house, whatever the rows are.
const HOUSEKEEPING: [&str; 6] = [
    "vacuum",
    "analyze",
    "analyse",
    "reindex",
    "refresh",
    "checkpoint",
];

/// What is seen to do what it says; a block of code is not, nor is DDL.
const PLAIN: [&str; 10] = [
    "select", "insert", "update", "delete", "merge", "with", "truncate", "call", "set", "reset",
];

/// The relations that a command names; `None` if it cannot be told what it touches.
fn touches(audit: &Audit<'_>, command: &str) -> Option<BTreeSet<u32>> {
    let catalogue = audit.catalogue;
    let known = known_functions(audit);
    let mut relations = BTreeSet::new();
    for statement in statements(command)? {
        let first = word(statement.first())?;
        if HOUSEKEEPING.contains(&first.as_str()) {
            continue;
        }
        if !PLAIN.contains(&first.as_str()) {
            return None;
        }
        for (at, token) in statement.iter().enumerate() {
            let Some(name) = word(Some(token)) else {
                continue;
            };
            let before = at.checked_sub(1).and_then(|at| statement.get(at));
            if is_call(token, before, statement.get(at + 1)) && !known.contains(name.as_str()) {
                return None;
            }
            for relation in catalogue
                .relations
                .values()
                .filter(|it| it.name.name == name)
            {
                // What lies under a view is not followed.
                if relation.view.is_some() && relation.extension.is_none() {
                    return None;
                }
                relations.insert(relation.oid);
            }
        }
    }
    Some(relations)
}

/// The names of functions that do not know the tables: PostgreSQL's and extensions', but those that a function of
/// one's own has too.
fn known_functions<'a>(audit: &Audit<'a>) -> BTreeSet<&'a str> {
    let builtins = audit.catalogue.builtins.values().map(|it| it.name.as_str());
    let mut known: BTreeSet<&str> = builtins.collect();
    let (extensions, own): (Vec<&Function>, Vec<&Function>) = audit
        .catalogue
        .functions
        .values()
        .partition(|function| function.extension.is_some());
    known.extend(extensions.iter().map(|it| it.name.name.as_str()));
    for function in own {
        known.remove(function.name.name.as_str());
    }
    known
}

/// Whether a word is the name of a function that is called: not a key word, and not a table with its columns.
fn is_call(token: &Token, before: Option<&Token>, next: Option<&Token>) -> bool {
    let declared = ["into", "with", "as", "table"]
        .iter()
        .any(|word| is(before, word));
    is_name(token) && !declared && next == Some(&Token::LParen)
}
