use std::collections::BTreeSet;

use super::phrase::{self, Part};
use crate::{
    catalogue::{Catalogue, Column, Function, Oid, Relation},
    subject::Subject,
};

/// What names in a piece of SQL stand for.
#[derive(Clone, Debug)]
pub(super) struct Names<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) subject: &'a Subject,
    /// The schemas that names without one are looked for in. `None`: wherever the caller says, so anywhere.
    path: Option<Vec<String>>,
    /// Variables that hold the tenant of the context.
    pub(super) held: BTreeSet<String>,
    /// In a trigger or a rule: the table whose rows OLD and NEW are.
    pub(super) row: Option<Oid>,
    /// How many functions are around.
    level: usize,
    /// In a trigger: what its REFERENCING clause calls the rows.
    pub(super) rows: BTreeSet<String>,
}

/// Words that are no columns where they stand alone.
const NO_COLUMNS: [&str; 15] = [
    "true", "false", "null", "any", "all", "array", "select", "cast", "as", "distinct", "interval",
    "uuid", "text", "collate", "some",
];

/// How deep functions are looked into for what they say of the context. They may call themselves.
const DEEPEST: usize = 3;

/// Functions of which the result tells nothing of the argument.
const HASHES: [&str; 8] = [
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "digest",
    "hmac",
    "crypt",
    "scram_sha_256",
];

impl<'a> Names<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, subject: &'a Subject) -> Self {
        Self {
            catalogue,
            subject,
            path: None,
            held: BTreeSet::new(),
            row: None,
            level: 0,
            rows: BTreeSet::new(),
        }
    }

    /// As a function sees them: its SET clause may say where to look.
    pub(super) fn of_function(&self, function: &Function) -> Self {
        let path = function
            .sets("search_path")
            .and_then(phrase::read)
            .map(|parts| {
                parts
                    .iter()
                    .filter_map(|part| match part {
                        Part::Word { text, .. } | Part::Text(text) => Some(text.clone()),
                        Part::Number
                        | Part::Parameter(_)
                        | Part::Comma
                        | Part::Semicolon
                        | Part::Dot
                        | Part::Cast
                        | Part::Operator(_)
                        | Part::Round(_)
                        | Part::Square(_) => None,
                    })
                    .collect()
            });
        Self {
            path,
            held: BTreeSet::new(),
            row: None,
            level: self.level + 1,
            rows: BTreeSet::new(),
            ..self.clone()
        }
    }

    /// Whether nothing but qualified names can be found, or the path says where.
    fn in_path(&self, schema: &str) -> bool {
        self.path
            .as_ref()
            .is_none_or(|path| path.iter().any(|own| own == schema))
    }

    /// The relation of a name. Where several have it, one whose rows are tenants'.
    pub(super) fn relation(&self, name: &[String]) -> Option<&'a Relation> {
        let (schema, name) = qualified(name)?;
        let mut same = self.catalogue.relations.values().filter(|relation| {
            relation.name.name == name
                && match schema {
                    Some(schema) => relation.name.schema == schema,
                    None => self.in_path(&relation.name.schema),
                }
        });
        let first = same.next()?;
        if self.subject.is_tenants(first.oid) {
            return Some(first);
        }
        same.find(|relation| self.subject.is_tenants(relation.oid))
            .or(Some(first))
    }

    /// The functions of a name, with any arguments.
    pub(super) fn functions(&self, name: &[String]) -> Vec<&'a Function> {
        let Some((schema, name)) = qualified(name).filter(|_| self.level <= DEEPEST) else {
            return Vec::new();
        };
        self.catalogue
            .functions
            .values()
            .filter(|function| {
                function.name.name == name
                    && match schema {
                        Some(schema) => function.name.schema == schema,
                        None => self.in_path(&function.name.schema),
                    }
            })
            .collect()
    }

    /// Whether an expression is the tenant of the context, and of nothing that a caller chooses.
    pub(super) fn is_context(&self, parts: &[Part]) -> bool {
        self.context(parts, 0)
    }

    fn context(&self, parts: &[Part], depth: usize) -> bool {
        let mut reads = false;
        let mut at = 0;
        while let Some(part) = parts.get(at) {
            at += 1;
            let Part::Word { text, quoted } = part else {
                match part {
                    Part::Parameter(_) | Part::Semicolon => return false,
                    Part::Round(inside) | Part::Square(inside) if !inside.is_empty() => {
                        if inside.iter().any(|it| it.is("from")) {
                            return false;
                        }
                        reads |= match self.harmless(inside, depth) {
                            Some(reads) => reads,
                            None => return false,
                        };
                    }
                    Part::Cast => at = type_end(parts, at),
                    Part::Text(_)
                    | Part::Number
                    | Part::Comma
                    | Part::Dot
                    | Part::Operator(_)
                    | Part::Round(_)
                    | Part::Square(_)
                    | Part::Word { .. } => {}
                }
                continue;
            };
            if !quoted && NO_COLUMNS.contains(&text.as_str()) {
                continue;
            }
            let mut path = vec![text.clone()];
            while let (Some(Part::Dot), Some(next)) = (parts.get(at), parts.get(at + 1)) {
                let Some(word) = next.word() else {
                    return false;
                };
                path.push(word.to_owned());
                at += 2;
            }
            if let Some(Part::Round(inside)) = parts.get(at) {
                at += 1;
                match self.call(&path, inside, depth) {
                    Some(found) => reads |= found,
                    None => return false,
                }
            } else if self.holds(&path) {
                reads = true;
            } else {
                return false;
            }
        }
        reads
    }

    /// Whether what is in brackets reads the context. `None` if it depends on anything else.
    fn harmless(&self, inside: &[Part], depth: usize) -> Option<bool> {
        if self.context(inside, depth) {
            return Some(true);
        }
        let constant = inside.iter().all(|part| match part {
            Part::Word { text, .. } => NO_COLUMNS.contains(&text.as_str()),
            Part::Text(_) | Part::Number | Part::Comma | Part::Cast => true,
            Part::Parameter(_)
            | Part::Semicolon
            | Part::Dot
            | Part::Operator(_)
            | Part::Round(_)
            | Part::Square(_) => false,
        });
        constant.then_some(false)
    }

    /// Whether a call reads the context. `None` if it depends on anything else.
    fn call(&self, name: &[String], arguments: &[Part], depth: usize) -> Option<bool> {
        let plain = name.last()?;
        if plain == "current_setting" {
            return match arguments.first() {
                Some(Part::Text(setting)) => Some(self.is_context_setting(&setting.to_lowercase())),
                _ => None,
            };
        }
        if HASHES.contains(&plain.as_str()) && !arguments.is_empty() {
            return Some(true);
        }
        if depth < 4 {
            for function in self.functions(name) {
                if self.is_context_function(function, depth + 1) {
                    return Some(true);
                }
            }
        }
        if arguments.is_empty() {
            return matches!(
                plain.as_str(),
                "gen_random_uuid" | "uuid_generate_v4" | "now" | "uuidv7"
            )
            .then_some(plain.contains("uuid"));
        }
        self.harmless(arguments, depth)
    }

    /// Where no policy reads a setting, it is whatever the database made up: PostgreSQL's own have no dot.
    fn is_context_setting(&self, name: &str) -> bool {
        let known = &self.subject.contexts;
        known.contains(name) || (known.is_empty() && name.contains('.'))
    }

    /// Whether a function gives the tenant of the context: it takes nothing, and reads no table.
    fn is_context_function(&self, function: &Function, depth: usize) -> bool {
        if !function.argument_types.is_empty() || function.kind != 'f' {
            return false;
        }
        let Some(parts) = phrase::read(text(function)) else {
            return false;
        };
        let names = self.of_function(function);
        let mut reads = names.mentions_context(&parts, depth);
        let mut tables = parts.iter().any(|it| it.is("from"));
        phrase::groups(&parts, &mut |inside| {
            reads |= names.mentions_context(inside, depth);
            tables |= inside.iter().any(|it| it.is("from"));
        });
        if !tables {
            return reads;
        }
        // What it looks up must be the context's: its own memberships, the session of a token.
        let body = names.body(function);
        let scans = &body.outcome.scans;
        !body.opaque
            && (reads || !scans.is_empty())
            && scans
                .iter()
                .all(|scan| scan.bound || (reads && !self.subject.is_tenants(scan.relation)))
    }

    /// Which of its arguments a function says to be the context's when it is true: `is_member(team)`, which
    /// looks for a row of the context's user.
    pub(super) fn vouches(&self, name: &[String], arguments: usize) -> Vec<usize> {
        let mut vouched: Option<BTreeSet<usize>> = None;
        for function in self.functions(name) {
            if function.argument_types.len() != arguments
                || function.returns != BOOLEAN
                || function.language != "sql"
            {
                continue;
            }
            let Some(parts) = phrase::read(text(function)) else {
                return Vec::new();
            };
            let names = self.of_function(function);
            let body = super::routine::sql_body(&parts, function.body.is_some());
            let statements: Vec<&[Part]> = phrase::split(body, |part| *part == Part::Semicolon)
                .into_iter()
                .filter(|statement| !statement.is_empty())
                .collect();
            let [statement] = statements.as_slice() else {
                return Vec::new();
            };
            let query = match statement {
                [first, exists, inside]
                    if first.is_any(&["select", "return"]) && exists.is("exists") =>
                {
                    inside.query()
                }
                _ => None,
            };
            let Some(query) = query else {
                return Vec::new();
            };
            let implied = names
                .statement(query, &super::query::Around::default())
                .implied;
            let parameters = parameters(function);
            let own: BTreeSet<usize> = implied
                .iter()
                .filter_map(|path| path.last())
                .filter_map(|name| {
                    name.strip_prefix('$')
                        .and_then(|number| number.parse::<usize>().ok()?.checked_sub(1))
                        .or_else(|| parameters.iter().position(|own| own == name))
                })
                .collect();
            vouched = Some(match vouched {
                Some(before) => before.intersection(&own).copied().collect(),
                None => own,
            });
        }
        vouched.unwrap_or_default().into_iter().collect()
    }

    fn mentions_context(&self, parts: &[Part], depth: usize) -> bool {
        parts.iter().enumerate().any(|(at, part)| {
            let Some(Part::Round(arguments)) = parts.get(at + 1) else {
                return false;
            };
            let Some(word) = part.word() else {
                return false;
            };
            if word == "current_setting" {
                return self.call(&[word.to_owned()], arguments, depth) == Some(true);
            }
            let mut name = vec![word.to_owned()];
            if let (Some(Part::Dot), Some(schema)) = (
                at.checked_sub(1).and_then(|before| parts.get(before)),
                at.checked_sub(2)
                    .and_then(|before| parts.get(before))
                    .and_then(Part::word),
            ) {
                name.insert(0, schema.to_owned());
            }
            arguments.is_empty()
                && depth < 4
                && self
                    .functions(&name)
                    .iter()
                    .any(|function| self.is_context_function(function, depth + 1))
        })
    }

    /// Whether a name is a variable that holds the tenant, or the tenant of a trigger's row.
    fn holds(&self, path: &[String]) -> bool {
        match path {
            [row, column] if row == "new" || row == "old" => self
                .row
                .is_some_and(|row| self.is_tenant_column(row, column)),
            // A variable, or a column of a record that holds a row of the context's tenant.
            [name] | [name, _] => self.held.contains(name),
            _ => false,
        }
    }

    pub(super) fn column(&self, relation: Oid, name: &str) -> Option<&'a Column> {
        self.catalogue.relations.get(&relation)?.column_named(name)
    }

    pub(super) fn is_tenant_column(&self, relation: Oid, name: &str) -> bool {
        self.column(relation, name)
            .is_some_and(|column| self.subject.tenant_column(relation) == Some(column.number))
    }

    /// Whether equal values of two columns make rows belong together: both say the tenant, one refers to the
    /// other, or one is a key.
    pub(super) fn linked(&self, left: (Oid, &str), right: (Oid, &str)) -> bool {
        if self.is_tenant_column(left.0, left.1) || self.is_tenant_column(right.0, right.1) {
            return true;
        }
        self.is_key(left)
            || self.is_key(right)
            || self.refers(left, right)
            || self.refers(right, left)
    }

    fn is_key(&self, (relation, column): (Oid, &str)) -> bool {
        let Some(relation) = self.catalogue.relations.get(&relation) else {
            return false;
        };
        relation.column_named(column).is_some_and(|column| {
            relation.indexes.iter().any(|index| {
                index.unique
                    && index
                        .columns
                        .iter()
                        .any(|key| key.column == Some(column.number))
            })
        })
    }

    fn refers(&self, child: (Oid, &str), parent: (Oid, &str)) -> bool {
        let (Some(relation), Some(from), Some(to)) = (
            self.catalogue.relations.get(&child.0),
            self.column(child.0, child.1),
            self.column(parent.0, parent.1),
        ) else {
            return false;
        };
        relation.foreign_keys().any(|(constraint, reference)| {
            reference.relation == parent.0
                && constraint
                    .columns
                    .iter()
                    .zip(&reference.columns)
                    .any(|(own, other)| *own == from.number && *other == to.number)
        })
    }
}

/// `boolean` (pg_type.dat).
const BOOLEAN: Oid = 16;

/// The names of the arguments of a function; empty where one has none.
fn parameters(function: &Function) -> Vec<String> {
    let parts = phrase::read(&function.arguments).unwrap_or_default();
    phrase::split(&parts, |part| *part == Part::Comma)
        .iter()
        .map(|argument| {
            let argument = match argument {
                [mode, rest @ ..] if mode.is_any(&["in", "inout", "variadic"]) => rest,
                _ => argument,
            };
            match argument {
                [name, _, ..] => name.word().unwrap_or_default().to_owned(),
                _ => String::new(),
            }
        })
        .collect()
}

/// What a function is made of: its source, or the statement that makes it where the body was parsed then.
pub(super) fn text(function: &Function) -> &str {
    match &function.definition {
        Some(definition) if function.body.is_some() => definition,
        _ => &function.source,
    }
}

/// Where the name of a type ends that begins here.
pub(super) fn type_end(parts: &[Part], mut at: usize) -> usize {
    const MORE: [&str; 6] = ["varying", "precision", "without", "with", "time", "zone"];
    if parts.get(at).and_then(Part::word).is_none() {
        return at;
    }
    at += 1;
    while let Some(part) = parts.get(at) {
        let size = part.round().is_some_and(|inside| {
            inside
                .iter()
                .all(|it| matches!(it, Part::Number | Part::Comma))
        });
        if *part == Part::Dot && parts.get(at + 1).and_then(Part::word).is_some() {
            at += 2;
        } else if size || matches!(part, Part::Square(_)) || part.is_any(&MORE) {
            at += 1;
        } else {
            break;
        }
    }
    at
}

fn qualified(name: &[String]) -> Option<(Option<&str>, &str)> {
    match name {
        [name] => Some((None, name)),
        [.., schema, name] => Some((Some(schema), name)),
        [] => None,
    }
}
