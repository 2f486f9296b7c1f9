//! Which settings an expression or a function reads, as far as the catalogues tell.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

use crate::{
    catalogue::{Catalogue, Function, Oid},
    expression::Node,
};

/// `current_setting(text)` and `current_setting(text, boolean)` (pg_proc.dat).
const CURRENT_SETTING: [Oid; 2] = [2077, 3294];

/// What an expression reads that is not of the row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Settings, in lower case.
    pub(crate) settings: BTreeSet<String>,
    /// Relations.
    pub(crate) relations: BTreeSet<Oid>,
    /// Whether it asks who is connected.
    pub(crate) user: bool,
}

impl Reads {
    pub(crate) fn add(&mut self, other: &Self) {
        self.settings.extend(other.settings.iter().cloned());
        self.relations.extend(&other.relations);
        self.user |= other.user;
    }
}

/// What every function reads, itself or through those that it calls.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    functions: BTreeMap<Oid, Reads>,
}

impl Readings {
    pub(crate) fn of(catalogue: &Catalogue) -> Self {
        let mut direct: BTreeMap<Oid, Reads> = BTreeMap::new();
        let mut calls: BTreeMap<Oid, BTreeSet<Oid>> = BTreeMap::new();
        let mut by_name: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
        for function in catalogue.functions.values() {
            by_name
                .entry(&function.name.name)
                .or_default()
                .push(function);
        }
        for function in catalogue.functions.values() {
            let (reads, called) = match &function.body {
                Some(tree) => of_tree(tree),
                None if matches!(function.language.as_str(), "sql" | "plpgsql") => {
                    of_text(&function.source, &by_name)
                }
                None => continue,
            };
            direct.insert(function.oid, reads);
            calls.insert(function.oid, called);
        }
        let functions = direct
            .keys()
            .map(|start| {
                let mut reads = Reads::default();
                let mut seen = BTreeSet::from([*start]);
                let mut ahead = vec![*start];
                while let Some(function) = ahead.pop() {
                    if let Some(own) = direct.get(&function) {
                        reads.add(own);
                    }
                    for called in calls.get(&function).into_iter().flatten() {
                        if seen.insert(*called) {
                            ahead.push(*called);
                        }
                    }
                }
                (*start, reads)
            })
            .collect();
        Self { functions }
    }

    /// What an expression reads, itself or through the functions that it calls.
    pub(crate) fn of_node(&self, node: &Node) -> Reads {
        let (mut reads, called) = of_tree(node);
        for function in called {
            if let Some(more) = self.functions.get(&function) {
                reads.add(more);
            }
        }
        reads
    }

    /// What a function reads, itself or through those that it calls.
    pub(crate) fn of_function(&self, function: Oid) -> Option<&Reads> {
        self.functions.get(&function)
    }
}

/// What a tree reads, and the functions that it calls.
fn of_tree(tree: &Node) -> (Reads, BTreeSet<Oid>) {
    // `current_user`, `session_user`, `getpgusername` (pg_proc.dat).
    const USERS: [Oid; 3] = [745, 746, 710];
    let mut reads = Reads::default();
    let mut called = BTreeSet::new();
    tree.walk(&mut |node| match node.tag() {
        "FUNCEXPR" => {
            let Some(function) = node.number::<Oid>("funcid") else {
                return;
            };
            if CURRENT_SETTING.contains(&function) {
                let name = node.list("args").first().and_then(text_constant);
                reads.settings.extend(name.map(|name| name.to_lowercase()));
            } else {
                reads.user |= USERS.contains(&function);
                called.insert(function);
            }
        }
        "OPEXPR" | "SCALARARRAYOPEXPR" => called.extend(node.number::<Oid>("opfuncid")),
        "SQLVALUEFUNCTION" => reads.user = true,
        "RTE" | "RANGETBLENTRY" => {
            reads.relations.extend(
                node.number::<Oid>("relid")
                    .filter(|relation| *relation != 0),
            );
        }
        _ => {}
    });
    (reads, called)
}

/// What the text of a function reads, and the functions that it may call: all of a name, where the text does
/// not say of which schema.
fn of_text(source: &str, functions: &BTreeMap<&str, Vec<&Function>>) -> (Reads, BTreeSet<Oid>) {
    let mut reads = Reads::default();
    let mut called = BTreeSet::new();
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, source).tokenize() else {
        return (reads, called);
    };
    let tokens: Vec<&Token> = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let name = match word.quote_style {
            None => word.value.to_lowercase(),
            Some(_) => word.value.clone(),
        };
        let next = tokens.get(at + 1);
        reads.user |=
            word.quote_style.is_none() && matches!(name.as_str(), "current_user" | "session_user");
        if !matches!(next, Some(Token::LParen)) {
            continue;
        }
        if name == "current_setting" {
            if let Some(Token::SingleQuotedString(setting) | Token::EscapedStringLiteral(setting)) =
                tokens.get(at + 2)
            {
                reads.settings.insert(setting.to_lowercase());
            }
            continue;
        }
        let schema = match (
            at.checked_sub(2).and_then(|at| tokens.get(at)),
            at.checked_sub(1).and_then(|at| tokens.get(at)),
        ) {
            (Some(Token::Word(schema)), Some(Token::Period)) => Some(&schema.value),
            _ => None,
        };
        let all = functions.get(name.as_str()).into_iter().flatten();
        called.extend(
            all.filter(|function| {
                schema.is_none_or(|schema| function.name.schema.eq_ignore_ascii_case(schema))
            })
            .map(|function| function.oid),
        );
    }
    (reads, called)
}

/// The value of a constant of type text, seen through casts.
pub(crate) fn text_constant(node: &Node) -> Option<String> {
    const HEADER: usize = 4;
    let node = uncast(node);
    if node.tag() != "CONST" || node.flag("constisnull") {
        return None;
    }
    let bytes = node.list("constvalue").iter().find_map(|part| match part {
        Node::Bytes(bytes) => Some(bytes),
        Node::Null | Node::Atom(_) | Node::List(_) | Node::Struct(_) => None,
    })?;
    String::from_utf8(bytes.get(HEADER..)?.to_vec()).ok()
}

/// The expression below casts that keep the value what it is.
pub(crate) fn uncast(mut node: &Node) -> &Node {
    while matches!(
        node.tag(),
        "RELABELTYPE" | "COERCEVIAIO" | "COERCETODOMAIN" | "ARRAYCOERCEEXPR" | "COLLATEEXPR"
    ) {
        match node.get("arg") {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}
