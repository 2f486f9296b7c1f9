//! From the text of a query to terms: the bodies of functions that were written as strings. PostgreSQL keeps
//! no tree of those, and resolves their names anew in each session.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

mod from;
mod names;

use std::collections::BTreeMap;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, FunctionArguments, InTarget, UnaryOperator, Value,
};

use self::names::{Named, last, own};
use super::{Compare, Constant, Pick, Query, Term, term::ROW, words::is_pattern};
use crate::catalogue::{Catalogue, Function};

/// Reads statements of one function.
pub(super) struct Statements<'a> {
    catalogue: &'a Catalogue,
    function: &'a Function,
    /// Arguments by their names, and variables.
    pub(super) variables: BTreeMap<String, Term>,
    ranges: Vec<Vec<Named>>,
    queries: Vec<(String, Query, Vec<String>)>,
    next: u32,
}

impl<'a> Statements<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, function: &'a Function) -> Self {
        let variables = (1_u32..)
            .zip(&function.argument_names)
            .filter(|(_, name)| !name.is_empty())
            .map(|(number, name)| (name.clone(), Term::Parameter(number)))
            .collect();
        Self {
            catalogue,
            function,
            variables,
            ranges: Vec::new(),
            queries: Vec::new(),
            next: ROW + 1,
        }
    }

    pub(super) fn expression(&mut self, expr: &Expr) -> Term {
        match expr {
            Expr::Identifier(name) => match own(name).as_str() {
                "current_user" | "user" | "current_role" if name.quote_style.is_none() => {
                    Term::Session("current_user")
                }
                "session_user" if name.quote_style.is_none() => Term::Session("session_user"),
                name => self.identifier(&[name.to_owned()]),
            },
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<String> = parts.iter().map(own).collect();
                self.identifier(&parts)
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                let mut members = vec![self.expression(root)];
                for access in access_chain {
                    if let AccessExpr::Dot(expr) = access {
                        let member = self.expression(expr);
                        members.push(member);
                    }
                }
                Term::Other(members)
            }
            Expr::IsFalse(term) => self.is(term, Some(false), false),
            Expr::IsNotFalse(term) => self.is(term, Some(false), true),
            Expr::IsTrue(term) => self.is(term, Some(true), false),
            Expr::IsNotTrue(term) => self.is(term, Some(true), true),
            Expr::IsUnknown(term) => self.is(term, None, false),
            Expr::IsNotUnknown(term) => self.is(term, None, true),
            Expr::IsNull(term) => Term::IsNull(self.expression(term).boxed()),
            Expr::IsNotNull(term) => Term::Not(Term::IsNull(self.expression(term).boxed()).boxed()),
            Expr::IsDistinctFrom(left, right) => self.distinct(left, right),
            Expr::IsNotDistinctFrom(left, right) => Term::Not(self.distinct(left, right).boxed()),
            Expr::In {
                expr,
                target,
                negated,
                ..
            } => {
                let found = self.membership(expr, target);
                if *negated {
                    Term::Not(found.boxed())
                } else {
                    found
                }
            }
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.expression(left), self.expression(right));
                match op {
                    BinaryOperator::And => Term::And(vec![left, right]),
                    BinaryOperator::Or => Term::Or(vec![left, right]),
                    op => Term::Operator(operator(op), vec![left, right]),
                }
            }
            Expr::Like {
                negated,
                expr,
                pattern,
                ..
            }
            | Expr::ILike {
                negated,
                expr,
                pattern,
                ..
            }
            | Expr::SimilarTo {
                negated,
                expr,
                pattern,
                ..
            } => {
                let members = vec![self.expression(expr), self.expression(pattern)];
                let matches = Term::Operator(compare("~~"), members);
                if *negated {
                    Term::Not(matches.boxed())
                } else {
                    matches
                }
            }
            Expr::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => self.any(left, compare_op, right, false),
            Expr::AllOp {
                left,
                compare_op,
                right,
            } => self.any(left, compare_op, right, true),
            Expr::UnaryOp { op, expr } => {
                let term = self.expression(expr);
                match op {
                    UnaryOperator::Not => Term::Not(term.boxed()),
                    _ => Term::Other(vec![term]),
                }
            }
            Expr::Cast {
                expr, data_type, ..
            } => Term::Cast {
                term: self.expression(expr).boxed(),
                // One with a length cuts off.
                exact: !data_type.to_string().contains('('),
            },
            Expr::Collate { expr, .. } | Expr::Nested(expr) => self.expression(expr),
            Expr::Value(value) => constant(&value.value),
            Expr::TypedString(typed) => constant(&typed.value.value),
            Expr::Function(function) => {
                let members = match &function.args {
                    FunctionArguments::List(list) => self.arguments(&list.args),
                    FunctionArguments::Subquery(query) => {
                        vec![Term::Select(Pick::Scalar, self.query(query))]
                    }
                    FunctionArguments::None => Vec::new(),
                };
                if last(&function.name).as_deref() == Some("array")
                    && let [Term::Select(Pick::Scalar, query)] = members.as_slice()
                {
                    return Term::Select(Pick::List, query.clone());
                }
                self.call(&function.name, members)
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let subject = operand.as_ref().map(|operand| self.expression(operand));
                let arms = conditions
                    .iter()
                    .map(|when| {
                        let condition = self.expression(&when.condition);
                        let condition = match &subject {
                            Some(subject) => equal(subject.clone(), condition),
                            None => condition,
                        };
                        (condition, self.expression(&when.result))
                    })
                    .collect();
                let otherwise = match else_result {
                    Some(result) => self.expression(result),
                    None => Term::NULL,
                };
                Term::Case(arms, otherwise.boxed())
            }
            Expr::Exists { subquery, negated } => {
                let exists = Term::Select(Pick::Exists, self.query(subquery));
                if *negated {
                    Term::Not(exists.boxed())
                } else {
                    exists
                }
            }
            Expr::Subquery(query) => Term::Select(Pick::Scalar, self.query(query)),
            Expr::Array(array) => Term::Array(
                array
                    .elem
                    .iter()
                    .map(|expr| self.expression(expr))
                    .collect(),
            ),
            Expr::Tuple(members) => {
                Term::Other(members.iter().map(|expr| self.expression(expr)).collect())
            }
            Expr::Substring { expr, .. } | Expr::Trim { expr, .. } => {
                let members = vec![self.expression(expr)];
                Term::Builtin("substring".to_owned(), members)
            }
            Expr::Position { expr, r#in } => {
                let members = vec![self.expression(expr), self.expression(r#in)];
                Term::Builtin("position".to_owned(), members)
            }
            Expr::Between {
                expr, low, high, ..
            } => Term::Other(vec![
                self.expression(expr),
                self.expression(low),
                self.expression(high),
            ]),
            _ => Term::Other(vec![Term::Parameter(0)]),
        }
    }

    fn is(&mut self, term: &Expr, truth: Option<bool>, negated: bool) -> Term {
        let test = Term::Is(self.expression(term).boxed(), truth);
        if negated {
            Term::Not(test.boxed())
        } else {
            test
        }
    }

    fn distinct(&mut self, left: &Expr, right: &Expr) -> Term {
        let (left, right) = (self.expression(left), self.expression(right));
        Term::Distinct(compare("="), left.boxed(), right.boxed())
    }

    fn membership(&mut self, expr: &Expr, target: &InTarget) -> Term {
        match target {
            InTarget::List(list) => {
                let item = self.expression(expr);
                let members = list.iter().map(|expr| self.expression(expr)).collect();
                Term::Any {
                    compare: compare("="),
                    item: item.boxed(),
                    list: Term::Array(members).boxed(),
                    all: false,
                }
            }
            InTarget::Subquery(query) => {
                let test = self.row_test(expr);
                Term::Select(Pick::Any(test.boxed()), self.query(query))
            }
            InTarget::Unnest(_) | InTarget::Table { .. } => {
                Term::Other(vec![self.expression(expr)])
            }
        }
    }

    /// What `expr IN (SELECT …)` compares, column by column.
    fn row_test(&mut self, expr: &Expr) -> Term {
        let members = match expr {
            Expr::Tuple(members) => members.iter().map(|expr| self.expression(expr)).collect(),
            other => vec![self.expression(other)],
        };
        let mut tests: Vec<Term> = (1_u32..)
            .zip(members)
            .map(|(number, member)| equal(member, Term::Output(number)))
            .collect();
        match (tests.pop(), tests.is_empty()) {
            (Some(only), true) => only,
            (Some(last), false) => {
                tests.push(last);
                Term::And(tests)
            }
            (None, _) => Term::NULL,
        }
    }

    fn any(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, all: bool) -> Term {
        if let Expr::Subquery(query) = right {
            let left = self.expression(left);
            let test = Term::Operator(operator(op), vec![left, Term::Output(1)]);
            let query = self.query(query);
            let pick = if all {
                Pick::Other
            } else {
                Pick::Any(test.boxed())
            };
            return Term::Select(pick, query);
        }
        let (item, list) = (self.expression(left), self.expression(right));
        Term::Any {
            compare: operator(op),
            item: item.boxed(),
            list: list.boxed(),
            all,
        }
    }
}

fn compare(name: &str) -> Compare {
    Compare {
        name: name.to_owned(),
        equality: name == "=",
        folds: false,
        pattern: is_pattern(name),
    }
}

fn operator(op: &BinaryOperator) -> Compare {
    match op {
        BinaryOperator::PGCustomBinaryOperator(parts) => {
            compare(parts.last().map(String::as_str).unwrap_or_default())
        }
        op => compare(&op.to_string()),
    }
}

fn equal(left: Term, right: Term) -> Term {
    Term::Operator(compare("="), vec![left, right])
}

fn constant(value: &Value) -> Term {
    match value {
        Value::Boolean(it) => Term::Constant(Constant::Bool(*it)),
        Value::Null => Term::NULL,
        Value::Number(text, _) => text.parse().map_or_else(
            |_| Term::Constant(Constant::Text(text.clone())),
            |number| Term::Constant(Constant::Number(number)),
        ),
        Value::Placeholder(name) => name
            .strip_prefix('$')
            .and_then(|number| number.parse().ok())
            .map_or(Term::Other(Vec::new()), Term::Parameter),
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::NationalStringLiteral(text)
        | Value::UnicodeStringLiteral(text) => Term::Constant(Constant::Text(text.clone())),
        Value::DollarQuotedString(text) => Term::Constant(Constant::Text(text.value.clone())),
        _ => Term::Other(Vec::new()),
    }
}
