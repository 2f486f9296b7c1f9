//! Which settings an expression or a function reads, as far as the catalogues tell.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer, Word},
};

use crate::{
    catalogue::{Catalogue, Function, Oid, Relation},
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
    /// Whether it makes a hash, as what checks a signature does.
    pub(crate) hashes: bool,
}

impl Reads {
    pub(crate) fn add(&mut self, other: &Self) {
        self.settings.extend(other.settings.iter().cloned());
        self.relations.extend(&other.relations);
        self.user |= other.user;
        self.hashes |= other.hashes;
    }
}

/// Whether a node calls `current_setting`.
pub(crate) fn is_current_setting(node: &Node) -> bool {
    node.tag() == "FUNCEXPR"
        && node
            .number("funcid")
            .is_some_and(|function| CURRENT_SETTING.contains(&function))
}

/// What every function reads, itself or through those that it calls.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    direct: BTreeMap<Oid, Reads>,
    calls: BTreeMap<Oid, BTreeSet<Oid>>,
    functions: BTreeMap<Oid, Reads>,
}

impl Readings {
    pub(crate) fn of(catalogue: &Catalogue) -> Self {
        let names = Names::of(catalogue);
        let mut it = Self::default();
        for function in catalogue.functions.values() {
            let (reads, called) = match &function.body {
                Some(tree) => of_tree(tree),
                None if matches!(function.language.as_str(), "sql" | "plpgsql") => {
                    of_text(&function.source, &names)
                }
                None => continue,
            };
            it.direct.insert(function.oid, reads);
            it.calls.insert(function.oid, called);
        }
        for start in it.direct.keys() {
            let mut reads = Reads::default();
            for function in it.called([*start]) {
                it.direct
                    .get(&function)
                    .into_iter()
                    .for_each(|own| reads.add(own));
            }
            it.functions.insert(*start, reads);
        }
        it
    }

    /// Functions, and those that they call, by any number of steps.
    fn called(&self, start: impl IntoIterator<Item = Oid>) -> BTreeSet<Oid> {
        let mut seen: BTreeSet<Oid> = start.into_iter().collect();
        let mut ahead: Vec<Oid> = seen.iter().copied().collect();
        while let Some(function) = ahead.pop() {
            for called in self.calls.get(&function).into_iter().flatten() {
                if seen.insert(*called) {
                    ahead.push(*called);
                }
            }
        }
        seen
    }

    /// The functions that an expression calls, itself or through others, as far as their bodies are known.
    pub(crate) fn called_by(&self, node: &Node) -> BTreeSet<Oid> {
        let (_, called) = of_tree(node);
        self.called(called)
    }

    /// What a function reads itself.
    pub(crate) fn direct(&self, function: Oid) -> Option<&Reads> {
        self.direct.get(&function)
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
    // `sha224(bytea)` to `sha512(bytea)` (pg_proc.dat).
    const HASHES: [Oid; 4] = [3419, 3420, 3421, 3422];
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
                reads.hashes |= HASHES.contains(&function);
                called.insert(function);
            }
        }
        "OPEXPR" | "SCALARARRAYOPEXPR" => called.extend(node.number::<Oid>("opfuncid")),
        "SQLVALUEFUNCTION" => {
            // CURRENT_ROLE, CURRENT_USER, USER, SESSION_USER (primnodes.h); the others are times and names.
            reads.user |= matches!(node.number("op"), Some(10..=13));
        }
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

/// Functions and relations by their names.
struct Names<'a> {
    functions: BTreeMap<&'a str, Vec<&'a Function>>,
    relations: BTreeMap<&'a str, Vec<&'a Relation>>,
}

impl<'a> Names<'a> {
    fn of(catalogue: &'a Catalogue) -> Self {
        let mut it = Self {
            functions: BTreeMap::new(),
            relations: BTreeMap::new(),
        };
        for function in catalogue.functions.values() {
            it.functions
                .entry(&function.name.name)
                .or_default()
                .push(function);
        }
        for relation in catalogue.relations.values() {
            it.relations
                .entry(&relation.name.name)
                .or_default()
                .push(relation);
        }
        it
    }
}

/// What the text of a function reads, and the functions that it may call: all of a name, where the text does
/// not say of which schema.
fn of_text(source: &str, names: &Names<'_>) -> (Reads, BTreeSet<Oid>) {
    let mut reads = Reads::default();
    let mut called = BTreeSet::new();
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, source).tokenize() else {
        return (reads, called);
    };
    let tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let mut before: [Option<&Token>; 2] = [None, None];
    for (at, token) in tokens.iter().enumerate() {
        if let Token::Word(word) = token {
            let name = folded(word);
            let schema = match before {
                [Some(Token::Word(schema)), Some(Token::Period)] => Some(folded(schema)),
                _ => None,
            };
            let is_call = matches!(tokens.get(at + 1), Some(Token::LParen));
            match name.as_str() {
                "current_setting" if is_call => {
                    if let Some(
                        Token::SingleQuotedString(setting) | Token::EscapedStringLiteral(setting),
                    ) = tokens.get(at + 2)
                    {
                        reads.settings.insert(setting.to_lowercase());
                    }
                }
                "current_user" | "session_user" if word.quote_style.is_none() => reads.user = true,
                "hmac" | "digest" | "sha224" | "sha256" | "sha384" | "sha512" if is_call => {
                    reads.hashes = true;
                }
                _ => {}
            }
            let fits = |own: &str| schema.as_deref().is_none_or(|schema| schema == own);
            if is_call {
                let all = names.functions.get(name.as_str()).into_iter().flatten();
                called.extend(all.filter(|it| fits(&it.name.schema)).map(|it| it.oid));
            } else if schema.is_some()
                || matches!(before[1], Some(Token::Word(word)) if is_source(word))
            {
                let all = names.relations.get(name.as_str()).into_iter().flatten();
                reads
                    .relations
                    .extend(all.filter(|it| fits(&it.name.schema)).map(|it| it.oid));
            }
        }
        before = [before[1], Some(token)];
    }
    (reads, called)
}

/// The word as PostgreSQL reads it: in lower case unless it is quoted.
fn folded(word: &Word) -> String {
    match word.quote_style {
        None => word.value.to_lowercase(),
        Some(_) => word.value.clone(),
    }
}

/// Whether the name of a relation comes after it.
fn is_source(word: &Word) -> bool {
    matches!(
        folded(word).as_str(),
        "from" | "join" | "into" | "update" | "only"
    )
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
