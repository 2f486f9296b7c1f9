//! What the names in a body stand for.

use sqlparser::ast::{FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart};

use super::{Statements, Term};
use crate::{
    catalogue::{Function, Oid, Relation},
    expression::{Column, words},
    sql::Name,
};

/// What a name in FROM stands for.
#[derive(Clone)]
pub(super) enum Entry {
    Row {
        source: u32,
        relation: Oid,
    },
    Columns(Vec<(String, Term)>),
    /// One value, whatever the column is called.
    Value(Term),
}

#[derive(Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) entry: Entry,
}

impl<'a> Statements<'a> {
    /// A relation by the name that the function calls it: by its own `search_path` if it sets one, and
    /// otherwise by what is most likely meant.
    pub(super) fn relation(&self, name: &ObjectName) -> Option<&'a Relation> {
        let parts: Vec<String> = name.0.iter().filter_map(part).collect();
        let (schema, name) = match parts.as_slice() {
            [.., schema, name] => (Some(schema.clone()), name),
            [name] => (None, name),
            [] => return None,
        };
        let named = |schema: &str| {
            let name = Name::new(schema, name.as_str());
            self.catalogue
                .relations
                .values()
                .find(|relation| relation.name == name)
        };
        if let Some(schema) = schema {
            return named(&schema);
        }
        search_path(self.function)
            .iter()
            .find_map(|schema| named(schema))
            .or_else(|| named(&self.function.name.schema))
            .or_else(|| named("public"))
            .or_else(|| {
                let mut all = self
                    .catalogue
                    .relations
                    .values()
                    .filter(|relation| relation.name.name == *name);
                all.next().filter(|_| all.next().is_none())
            })
    }

    pub(super) fn in_entry(&self, named: &Named, column: &str) -> Option<Term> {
        match &named.entry {
            Entry::Row { source, relation } => {
                let number = self
                    .catalogue
                    .relations
                    .get(relation)?
                    .column_named(column)?
                    .number;
                Some(Term::Column(Column {
                    source: *source,
                    relation: *relation,
                    number,
                }))
            }
            Entry::Columns(columns) => columns
                .iter()
                .find_map(|(name, term)| (name == column).then(|| term.clone())),
            Entry::Value(term) => (named.name == column).then(|| term.clone()),
        }
    }

    pub(super) fn identifier(&self, parts: &[String]) -> Term {
        let found = match parts {
            [column] => self
                .ranges
                .iter()
                .rev()
                .find_map(|range| range.iter().find_map(|named| self.in_entry(named, column)))
                .or_else(|| self.variables.get(column).cloned()),
            [.., table, column] => self
                .ranges
                .iter()
                .rev()
                .find_map(|range| {
                    let named = range.iter().find(|named| named.name == *table)?;
                    match &named.entry {
                        Entry::Value(term) => Some(term.clone()),
                        Entry::Row { .. } | Entry::Columns(_) => self.in_entry(named, column),
                    }
                })
                .or_else(|| {
                    (*table == self.function.name.name)
                        .then(|| self.variables.get(column).cloned())
                        .flatten()
                })
                // A field of a variable that is a row.
                .or_else(|| Some(Term::Other(vec![self.variables.get(table)?.clone()]))),
            [] => None,
        };
        found.unwrap_or(Term::Other(Vec::new()))
    }

    pub(super) fn arguments(&mut self, arguments: &[FunctionArg]) -> Vec<Term> {
        arguments
            .iter()
            .map(|argument| match argument {
                FunctionArg::Named { arg, .. }
                | FunctionArg::ExprNamed { arg, .. }
                | FunctionArg::Unnamed(arg) => match arg {
                    FunctionArgExpr::Expr(expr) => self.expression(expr),
                    FunctionArgExpr::QualifiedWildcard(_)
                    | FunctionArgExpr::Wildcard
                    | FunctionArgExpr::WildcardWithOptions(_) => Term::TRUE,
                },
            })
            .collect()
    }

    pub(super) fn call(&self, name: &ObjectName, members: Vec<Term>) -> Term {
        let parts: Vec<String> = name.0.iter().filter_map(part).collect();
        let (schema, name) = match parts.as_slice() {
            [.., schema, name] => (Some(schema.as_str()), name.as_str()),
            [name] => (None, name.as_str()),
            [] => return Term::Other(members),
        };
        match name {
            "coalesce" if schema.is_none() => return Term::Coalesce(members),
            "nullif" if schema.is_none() => {
                let mut members = members.into_iter();
                let one = members.next().unwrap_or(Term::NULL);
                return Term::NullIf(one.boxed(), members.next().unwrap_or(Term::NULL).boxed());
            }
            _ => {}
        }
        let own = |schema: Option<&str>| {
            self.catalogue.functions.values().find(|function| {
                function.name.name == name
                    && schema.is_none_or(|schema| function.name.schema == schema)
                    && function.argument_types.len() >= members.len()
            })
        };
        let builtin = schema.is_none_or(|schema| schema == "pg_catalog")
            && self.catalogue.builtins.values().any(|it| it.name == name);
        if builtin || schema == Some("pg_catalog") {
            return words::builtin(name, members);
        }
        let found = match schema {
            Some(schema) => own(Some(schema)),
            None => search_path(self.function)
                .iter()
                .find_map(|schema| own(Some(schema)))
                .or_else(|| own(Some(&self.function.name.schema)))
                .or_else(|| own(None)),
        };
        match found {
            Some(function) => Term::Call(function.oid, members),
            None => words::builtin(name, members),
        }
    }
}

/// The schemas of the `search_path` that a function sets for itself.
pub(in crate::expression) fn search_path(function: &Function) -> Vec<String> {
    function
        .sets("search_path")
        .map(|path| {
            path.split(',')
                .map(|schema| schema.trim().trim_matches('"').to_owned())
                .filter(|schema| !schema.is_empty())
                .collect()
        })
        .unwrap_or_default()
}

/// A name as PostgreSQL folds it.
pub(super) fn own(name: &Ident) -> String {
    if name.quote_style.is_some() {
        name.value.clone()
    } else {
        name.value.to_lowercase()
    }
}

fn part(part: &ObjectNamePart) -> Option<String> {
    match part {
        ObjectNamePart::Identifier(name) => Some(own(name)),
        ObjectNamePart::Function(_) => None,
    }
}

pub(super) fn last(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(part)
}
