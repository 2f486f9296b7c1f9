//! Conditions that say whose a row is in more words than one equality: copied as a whole, for another column.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

use super::style::is_setting;
use crate::{
    catalogue::{Column, Command, Oid, Policy, Relation},
    check::Audit,
    expression::Node,
    sql::tidy,
};

/// A condition with holes where the column was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whole {
    pieces: Vec<Piece>,
    reads: BTreeSet<Oid>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Text(String),
    /// The column by its name alone.
    Column,
    /// The column with its table's name before it, as PostgreSQL writes it in sub-selects.
    Qualified,
}

impl Whole {
    /// Whether a policy of this table would ask the table itself, which PostgreSQL refuses.
    pub(super) fn turns_in_a_circle(&self, relation: &Relation) -> bool {
        self.reads.contains(&relation.oid)
    }

    /// The condition for a column; `table` is what its rows are called there, and `plain` whether that may be left
    /// out where nothing else is meant.
    pub(super) fn of(&self, table: &str, column: &Column, plain: bool) -> String {
        let name = tidy(&column.name);
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Column if plain => name.clone(),
                Piece::Column | Piece::Qualified => format!("{table}.{name}"),
            })
            .collect()
    }
}

/// The commonest condition that keeps tables to their tenants, for columns of each type.
pub(super) fn all(audit: &Audit<'_>) -> BTreeMap<Oid, Whole> {
    let mut votes: BTreeMap<(Oid, Whole), usize> = BTreeMap::new();
    for relation in audit.subject.tenant_tables(audit.catalogue) {
        let Some(column) = audit
            .subject
            .tenant_column(relation.oid)
            .and_then(|number| relation.column(number))
            .filter(|column| audit.subject.says_tenant(relation, column))
        else {
            continue;
        };
        for policy in &relation.policies {
            if let Some(whole) = whole(audit, relation, policy, column)
                && holds(audit, relation, policy)
            {
                *votes.entry((column.type_oid, whole)).or_default() += 1;
            }
        }
    }
    let mut most: BTreeMap<Oid, (Whole, usize)> = BTreeMap::new();
    for ((type_oid, whole), count) in votes {
        let best = most
            .entry(type_oid)
            .or_insert_with(|| (whole.clone(), count));
        if best.1 < count {
            *best = (whole, count);
        }
    }
    most.into_iter()
        .map(|(type_oid, (whole, _))| (type_oid, whole))
        .collect()
}

/// Whether a policy keeps every application's role to its tenants by itself.
fn holds(audit: &Audit<'_>, relation: &Relation, policy: &Policy) -> bool {
    audit.subject.app_roles.iter().all(|role| {
        [false, true]
            .iter()
            .all(|check| audit.wall.gaps(*role, relation, policy, *check).is_empty())
    })
}

/// What a policy says for all commands, if of the row it asks for this column alone.
fn whole(
    audit: &Audit<'_>,
    relation: &Relation,
    policy: &Policy,
    column: &Column,
) -> Option<Whole> {
    let using = policy
        .using
        .as_ref()
        .filter(|_| policy.permissive && policy.covers(Command::Select))?;
    // An equality with a setting is written anew, without a cast of the column that keeps its index from use.
    let plain = using.tree.list("args").iter().any(is_setting) && using.text.contains(" = ");
    if plain && using.tree.tag() == "OPEXPR" {
        return None;
    }
    let mut asked = Vec::new();
    columns(&using.tree, 0, &mut asked);
    if asked.is_empty() || asked.iter().any(|number| *number != column.number) {
        return None;
    }
    let pieces = pieces(&using.text, &relation.name.name, &column.name)?;
    let holes = pieces
        .iter()
        .filter(|piece| !matches!(piece, Piece::Text(_)))
        .count();
    let reads = audit.subject.readings.of_node(&using.tree).relations;
    (holes == asked.len()).then_some(Whole { pieces, reads })
}

/// The columns of the policy's own row, each as often as it is there.
fn columns(node: &Node, level: usize, found: &mut Vec<i16>) {
    let level = level + usize::from(node.tag() == "QUERY");
    if node.tag() == "VAR"
        && node.number("varlevelsup") == Some(level)
        && (level > 0 || node.number("varno") == Some(1))
    {
        found.extend(node.number::<i16>("varattno"));
    }
    for child in node.children() {
        columns(child, level, found);
    }
}

/// Takes a condition apart where it names the column. `None` if it cannot be read without loss.
fn pieces(text: &str, table: &str, column: &str) -> Option<Vec<Piece>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .with_unescape(false)
        .tokenize()
        .ok()?;
    let again: String = tokens.iter().map(ToString::to_string).collect();
    if again != text {
        return None;
    }
    let is = |token: Option<&Token>, name: &str| matches!(token, Some(Token::Word(word)) if word.value == name);
    let mut pieces: Vec<Piece> = Vec::new();
    // Of each parenthesis that is open, whether it is a query's.
    let mut open: Vec<bool> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let (next, after) = (tokens.get(at + 1), tokens.get(at + 2));
        let in_query = open.iter().any(|is_query| *is_query);
        let alone =
            before != Some(&Token::Period) && !matches!(next, Some(Token::Period | Token::LParen));
        if before != Some(&Token::Period)
            && is(Some(token), table)
            && next == Some(&Token::Period)
            && is(after, column)
        {
            pieces.push(Piece::Qualified);
            at += 3;
            continue;
        }
        if !in_query && alone && is(Some(token), column) {
            pieces.push(Piece::Column);
            at += 1;
            continue;
        }
        match token {
            Token::LParen => open.push(false),
            Token::RParen => {
                open.pop();
            }
            Token::Word(word) if matches!(word.value.as_str(), "SELECT" | "WITH") => {
                if let Some(is_query) = open.last_mut() {
                    *is_query = true;
                }
            }
            _ => {}
        }
        let is_space = matches!(token, Token::Whitespace(_));
        match pieces.last_mut() {
            // It may be written over several lines.
            Some(Piece::Text(text)) if is_space => {
                if !text.ends_with(' ') {
                    text.push(' ');
                }
            }
            _ if is_space => pieces.push(Piece::Text(" ".to_owned())),
            Some(Piece::Text(text)) => text.push_str(&token.to_string()),
            _ => pieces.push(Piece::Text(token.to_string())),
        }
        at += 1;
    }
    Some(pieces)
}
