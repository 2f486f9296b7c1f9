//! What a text names, and by which words it does what stays.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

use super::super::words::mentions;
use crate::catalogue::{Catalogue, Function, Oid};

/// What is put together in a text and then executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dynamic {
    #[default]
    Nothing,
    /// A statement of its own words, with names that are not its own.
    Tables,
    /// The same, with a name that is called.
    Functions,
    /// It comes from elsewhere.
    Anything,
}

/// What a text says.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// The word by which it reaches outside of the transaction.
    pub(super) outside: Option<String>,
    /// Whether it takes numbers from sequences.
    pub(super) numbers: bool,
    pub(super) inserts: bool,
    pub(super) changes: bool,
    pub(super) functions: Vec<Oid>,
    pub(super) relations: Vec<Oid>,
    pub(super) dynamic: Dynamic,
}

/// What of PostgreSQL's own functions reaches outside of the transaction: by their whole names,
#[rustfmt::skip]
const OUTSIDE: [&str; 14] = [
    "setval", "lo_import", "lo_export", "pg_promote", "pg_reload_conf", "pg_rotate_logfile", "pg_stat_file",
    "pg_logical_emit_message", "pg_sync_replication_slots", "pg_log_standby_snapshot",
    "pg_log_backend_memory_contexts", "pg_prewarm", "pg_cancel_backend", "pg_terminate_backend",
];

/// by how they begin,
const OUTSIDE_BEGINNINGS: [&str; 21] = [
    "dblink",
    "pg_sleep",
    "pg_advisory_",
    "pg_try_advisory_",
    "pg_read_",
    "pg_ls_",
    "pg_file_",
    "pg_replication_",
    "pg_create_",
    "pg_drop_",
    "pg_copy_",
    "pg_logical_slot_",
    "pg_switch_",
    "pg_backup_",
    "pg_start_backup",
    "pg_stop_backup",
    "pg_wal_replay_",
    "pg_stat_reset",
    "pg_restore_",
    "pg_clear_",
    "binary_upgrade_",
];

/// but not what ends with the transaction.
const INSIDE: [&str; 4] = [
    "pg_advisory_xact_lock",
    "pg_advisory_xact_lock_shared",
    "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
];

/// PostgreSQL's own functions that execute a text.
const EXECUTES: [&str; 8] = [
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "ts_stat",
    "ts_rewrite",
    "crosstab",
    "connectby",
    "xpath_table",
];

/// Where each name is from.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_word: BTreeMap<String, (Vec<Oid>, Vec<Oid>)>,
    /// Names that are not words: they are looked for one by one.
    odd: Vec<(String, Option<Oid>, Option<Oid>)>,
}

impl Names {
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let mut names = Self::default();
        for function in catalogue.functions.values() {
            names.add(&function.name.name, Some(function.oid), None);
        }
        for relation in catalogue.relations.values() {
            names.add(&relation.name.name, None, Some(relation.oid));
        }
        names
    }

    fn add(&mut self, name: &str, function: Option<Oid>, relation: Option<Oid>) {
        let name = name.to_lowercase();
        if name.chars().all(is_part) {
            let (functions, relations) = self.by_word.entry(name).or_default();
            functions.extend(function);
            relations.extend(relation);
        } else {
            self.odd.push((name, function, relation));
        }
    }

    /// What a text says, in comments and between quotes as well.
    pub(super) fn said(&self, text: &str) -> Said {
        let words = words(text);
        let mut said = Said {
            outside: words.iter().find(|it| is_outside(it)).cloned(),
            numbers: words.contains("nextval"),
            inserts: ["insert", "merge"].iter().any(|it| words.contains(*it)),
            changes: ["update", "delete", "truncate", "merge"]
                .iter()
                .any(|it| words.contains(*it)),
            dynamic: match words.iter().any(|it| EXECUTES.contains(&it.as_str())) {
                true => Dynamic::Anything,
                false => Dynamic::Nothing,
            },
            ..Said::default()
        };
        for (functions, relations) in words.iter().filter_map(|word| self.by_word.get(word)) {
            said.functions.extend(functions);
            said.relations.extend(relations);
        }
        for (name, function, relation) in &self.odd {
            if mentions(text, name) {
                said.functions.extend(function);
                said.relations.extend(relation);
            }
        }
        if words.contains("copy") && said.outside.is_none() {
            said.outside = copies(text).then(|| "COPY".to_owned());
        }
        said
    }

    /// What a function's body says.
    pub(super) fn of_body(&self, function: &Function) -> Said {
        let parsed = function.body.as_ref().and(function.definition.as_ref());
        self.said(parsed.unwrap_or(&function.source))
    }

    /// What a function's definition says, with the defaults of its arguments.
    pub(super) fn of_function(&self, function: &Function) -> Said {
        let mut said = self.said(function.definition.as_ref().unwrap_or(&function.source));
        if function.language == "plpgsql" {
            said.dynamic = said.dynamic.max(dynamic(function));
        }
        said
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !is_part(c))
        .flat_map(|word| [word, word.trim_matches('$')])
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn is_outside(word: &str) -> bool {
    OUTSIDE.contains(&word)
        || (OUTSIDE_BEGINNINGS.iter().any(|it| word.starts_with(it)) && !INSIDE.contains(&word))
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize()
        .ok()?;
    Some(
        tokens
            .into_iter()
            .filter(|it| !matches!(it, Token::Whitespace(_) | Token::EOF))
            .collect(),
    )
}

fn word(token: Option<&Token>) -> Option<String> {
    if let Token::Word(word) = token? {
        Some(word.value.to_lowercase())
    } else {
        None
    }
}

/// Whether a text has a COPY, which reads and writes files and runs programs: the word before a name or a query.
fn copies(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.match_indices("copy").any(|(at, found)| {
        let before = lower.get(..at).unwrap_or_default();
        let after = lower.get(at + found.len()..).unwrap_or_default();
        let begins = before
            .trim_end()
            .chars()
            .next_back()
            .is_none_or(|c| matches!(c, ';' | '\'' | '$') || is_part(c));
        let spaced = before.chars().next_back().is_none_or(|c| !is_part(c));
        let names = after
            .trim_start()
            .chars()
            .next()
            .is_some_and(|c| is_part(c) || matches!(c, '(' | '"' | '\''));
        begins && spaced && names && !after.starts_with(is_part)
    })
}

fn is_text(token: Option<&Token>) -> bool {
    matches!(
        token,
        Some(Token::SingleQuotedString(_) | Token::DollarQuotedString(_))
    )
}

/// What a body in PL/pgSQL executes.
fn dynamic(function: &Function) -> Dynamic {
    let Some(tokens) = tokens(&function.source) else {
        return Dynamic::Anything;
    };
    let mut worst = Dynamic::Nothing;
    for at in 0..tokens.len() {
        if word(tokens.get(at)).as_deref() != Some("execute")
            || matches!(
                word(tokens.get(at + 1)).as_deref(),
                Some("function" | "procedure" | "on")
            )
        {
            continue;
        }
        worst = worst.max(executed(function, &tokens, at + 1));
    }
    // Texts that are written in another way than they read.
    const HIDES: [&str; 6] = [
        "chr",
        "convert_from",
        "decode",
        "reverse",
        "translate",
        "overlay",
    ];
    if worst != Dynamic::Nothing
        && tokens.iter().any(|token| {
            matches!(
                token,
                Token::EscapedStringLiteral(_) | Token::UnicodeStringLiteral(_)
            ) || word(Some(token)).is_some_and(|it| HIDES.contains(&it.as_str()))
        })
    {
        return Dynamic::Anything;
    }
    let calls = ["%s(", "%i(", "$s(", "$i(", "'("];
    let source = function.source.to_lowercase();
    if worst == Dynamic::Tables && calls.iter().any(|it| source.contains(it)) {
        return Dynamic::Functions;
    }
    worst
}

/// What is executed at a place.
fn executed(function: &Function, tokens: &[Token], at: usize) -> Dynamic {
    let at = match tokens.get(at) {
        Some(Token::LParen) => at + 1,
        _ => at,
    };
    let first = tokens.get(at);
    if is_text(first) {
        return match tokens.get(at + 1) {
            Some(Token::StringConcat) => Dynamic::Tables,
            _ => Dynamic::Nothing,
        };
    }
    let Some(name) = word(first) else {
        return Dynamic::Anything;
    };
    if name == "format" && is_text(tokens.get(at + 2)) {
        return Dynamic::Tables;
    }
    // A variable that is put together above.
    let is_given = function
        .argument_names
        .iter()
        .any(|it| it.eq_ignore_ascii_case(&name));
    let mut assigned = false;
    for place in 0..tokens.len() {
        if word(tokens.get(place)).as_deref() != Some(name.as_str()) {
            continue;
        }
        if place
            .checked_sub(1)
            .and_then(|before| word(tokens.get(before)))
            .is_some_and(|it| matches!(it.as_str(), "into" | "in" | "for" | "foreach" | "strict"))
        {
            return Dynamic::Anything;
        }
        // Where it is declared, its type is between.
        let sets = (place + 1..place + 4)
            .find(|it| matches!(tokens.get(*it), Some(Token::Assignment | Token::SemiColon)));
        if let Some(sets) = sets.filter(|it| tokens.get(*it) == Some(&Token::Assignment)) {
            let value = tokens.get(sets + 1);
            let named = word(value);
            let reads = is_text(value)
                || named.as_ref() == Some(&name)
                || (named.as_deref() == Some("format") && is_text(tokens.get(sets + 3)));
            if !reads {
                return Dynamic::Anything;
            }
            assigned = true;
        }
    }
    if assigned && !is_given {
        Dynamic::Tables
    } else {
        Dynamic::Anything
    }
}
