//! From the text of a query to terms: the bodies of functions that were written as strings. PostgreSQL keeps
//! no tree of those, and resolves their names anew in each session.

use std::collections::BTreeMap;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    InTarget, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query as Ast, Select,
    SelectItem, SetExpr, TableFactor, TableWithJoins, UnaryOperator, Value,
};

use super::{
    Arm, Column, Compare, Constant, Pick, Query, Source, Term,
    term::ROW,
    words::{self, is_pattern},
};
use crate::{
    catalogue::{Catalogue, Function, Oid, Relation},
    sql::Name,
};

/// What a name in FROM stands for.
#[derive(Clone)]
enum Entry {
    Row {
        source: u32,
        relation: Oid,
    },
    Columns(Vec<(String, Term)>),
    /// One value, whatever the column is called.
    Value(Term),
}

#[derive(Clone)]
struct Named {
    name: String,
    entry: Entry,
}

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

    pub(super) fn query(&mut self, query: &Ast) -> Query {
        let before = self.queries.len();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let inner = self.query(&cte.query);
            let columns = output_names(&cte.query);
            self.queries.push((own(&cte.alias.name), inner, columns));
        }
        // ORDER BY and LIMIT choose among the rows, and add none.
        let answer = self.set(&query.body);
        self.queries.truncate(before);
        answer
    }

    fn set(&mut self, set: &SetExpr) -> Query {
        match set {
            SetExpr::Select(select) => Query {
                arms: vec![self.select(select)],
            },
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                let mut query = self.set(left);
                query.arms.extend(self.set(right).arms);
                query
            }
            SetExpr::Values(values) => Query {
                arms: values
                    .rows
                    .iter()
                    .map(|row| Arm {
                        targets: row
                            .content
                            .iter()
                            .map(|expr| self.expression(expr))
                            .collect(),
                        ..Arm::default()
                    })
                    .collect(),
            },
            SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_)
            | SetExpr::Table(_) => Query {
                arms: vec![Arm {
                    besides: vec![Term::Other(Vec::new())],
                    ..Arm::default()
                }],
            },
        }
    }

    fn select(&mut self, select: &Select) -> Arm {
        self.ranges.push(Vec::new());
        let mut arm = Arm::default();
        for table in &select.from {
            self.tables(table, true, &mut arm);
        }
        if let Some(condition) = &select.selection {
            let condition = self.expression(condition);
            arm.conditions.push(condition);
        }
        if let Some(condition) = &select.having {
            let condition = self.expression(condition);
            arm.besides.push(condition);
        }
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    let target = self.expression(expr);
                    arm.targets.push(target);
                }
                SelectItem::ExprWithAliases { .. }
                | SelectItem::QualifiedWildcard(..)
                | SelectItem::Wildcard(_) => arm.targets.extend(self.wildcard()),
            }
        }
        let grouped = match &select.group_by {
            sqlparser::ast::GroupByExpr::All(_) => true,
            sqlparser::ast::GroupByExpr::Expressions(by, _) => !by.is_empty(),
        };
        arm.always_a_row = !grouped
            && (select.having.is_some()
                || arm.targets.iter().any(|target| {
                    let mut found = false;
                    target.walk_here(&mut |term| {
                        found |= matches!(term, Term::Builtin(name, _) if is_aggregate(name));
                    });
                    found
                }));
        self.ranges.pop();
        arm
    }

    fn wildcard(&self) -> Vec<Term> {
        let range = self.ranges.last().map(Vec::as_slice).unwrap_or_default();
        let mut terms = Vec::new();
        for named in range {
            match &named.entry {
                Entry::Row { source, relation } => {
                    let columns = self.catalogue.relations.get(relation);
                    terms.extend(
                        columns
                            .into_iter()
                            .flat_map(|it| &it.columns)
                            .map(|column| {
                                Term::Column(Column {
                                    source: *source,
                                    relation: *relation,
                                    number: column.number,
                                })
                            }),
                    );
                }
                Entry::Columns(columns) => {
                    terms.extend(columns.iter().map(|(_, term)| term.clone()));
                }
                Entry::Value(term) => terms.push(term.clone()),
            }
        }
        terms
    }

    /// A `FROM` entry. Only inner joins all the way say something of every row.
    fn tables(&mut self, tables: &TableWithJoins, certain: bool, arm: &mut Arm) {
        let full = tables.joins.iter().any(|join| {
            matches!(
                join.join_operator,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
            )
        });
        self.table(&tables.relation, certain && !full, arm);
        for join in &tables.joins {
            self.join(join, certain && !full, arm);
        }
    }

    fn join(&mut self, join: &Join, certain: bool, arm: &mut Arm) {
        let (inner, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::CrossJoin(constraint) => (true, Some(constraint)),
            JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint) => (false, Some(constraint)),
            _ => (false, None),
        };
        let certain = certain && inner;
        let before = self.ranges.last().map_or(0, Vec::len);
        self.table(&join.relation, certain, arm);
        let conditions = match constraint {
            Some(JoinConstraint::On(condition)) => vec![self.expression(condition)],
            Some(JoinConstraint::Using(columns) | JoinConstraint::UsingAlias(columns, _)) => {
                columns
                    .iter()
                    .filter_map(|name| self.using(&last(name)?, before))
                    .collect()
            }
            Some(JoinConstraint::Natural | JoinConstraint::None) | None => Vec::new(),
        };
        if certain {
            arm.conditions.extend(conditions);
        } else {
            arm.besides.extend(conditions);
        }
    }

    fn using(&self, column: &str, before: usize) -> Option<Term> {
        let range = self.ranges.last()?;
        let find = |range: &[Named]| range.iter().find_map(|named| self.in_entry(named, column));
        let (left, right) = range.split_at_checked(before)?;
        Some(equal(find(left)?, find(right)?))
    }

    fn table(&mut self, table: &TableFactor, certain: bool, arm: &mut Arm) {
        match table {
            TableFactor::Table {
                name, alias, args, ..
            } => {
                let alias = alias.as_ref().map(|alias| own(&alias.name));
                let shown = alias.or_else(|| last(name)).unwrap_or_default();
                if let Some(args) = args {
                    let members = self.arguments(&args.args);
                    let call = self.call(name, members);
                    arm.besides.push(call.clone());
                    self.push(shown, Entry::Value(call));
                    return;
                }
                let cte = last(name).filter(|_| name.0.len() == 1).and_then(|name| {
                    self.queries
                        .iter()
                        .rev()
                        .find(|(own, ..)| *own == name)
                        .map(|(_, query, columns)| (query.clone(), columns.clone()))
                });
                if let Some((query, columns)) = cte {
                    self.derived(shown, query, columns, certain, arm);
                } else if let Some(relation) = self.relation(name) {
                    let source = self.next;
                    self.next += 1;
                    arm.sources.push(Source {
                        number: source,
                        relation: relation.oid,
                        reader: None,
                    });
                    let relation = relation.oid;
                    self.push(shown, Entry::Row { source, relation });
                } else {
                    arm.besides.push(Term::Other(Vec::new()));
                    self.push(shown, Entry::Columns(Vec::new()));
                }
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => {
                let query = self.query(subquery);
                let shown = alias.as_ref().map(|alias| own(&alias.name));
                let columns = output_names(subquery);
                self.derived(shown.unwrap_or_default(), query, columns, certain, arm);
            }
            TableFactor::Function {
                name, args, alias, ..
            } => {
                let members = self.arguments(args);
                let call = self.call(name, members);
                arm.besides.push(call.clone());
                let shown = alias.as_ref().map(|alias| own(&alias.name));
                self.push(
                    shown.or_else(|| last(name)).unwrap_or_default(),
                    Entry::Value(call),
                );
            }
            TableFactor::UNNEST {
                array_exprs, alias, ..
            } => {
                let members = array_exprs
                    .iter()
                    .map(|expr| self.expression(expr))
                    .collect();
                let call = Term::Builtin("unnest".to_owned(), members);
                let shown = alias.as_ref().map(|alias| own(&alias.name));
                self.push(shown.unwrap_or_default(), Entry::Value(call));
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => self.tables(table_with_joins, certain, arm),
            _ => arm.besides.push(Term::Other(Vec::new())),
        }
    }

    fn derived(
        &mut self,
        shown: String,
        mut query: Query,
        columns: Vec<String>,
        certain: bool,
        arm: &mut Arm,
    ) {
        let entry = match query.arms.as_mut_slice() {
            [only] => {
                arm.sources.append(&mut only.sources);
                arm.besides.append(&mut only.besides);
                if certain {
                    arm.conditions.append(&mut only.conditions);
                } else {
                    arm.besides.append(&mut only.conditions);
                }
                Entry::Columns(
                    columns
                        .into_iter()
                        .zip(only.targets.iter().cloned())
                        .collect(),
                )
            }
            _ => {
                arm.besides.push(Term::Select(Pick::Other, query));
                Entry::Columns(Vec::new())
            }
        };
        self.push(shown, entry);
    }

    fn push(&mut self, name: String, entry: Entry) {
        if let Some(range) = self.ranges.last_mut() {
            range.push(Named { name, entry });
        }
    }

    /// A relation by the name that the function calls it: by its own `search_path` if it sets one, and
    /// otherwise by what is most likely meant.
    fn relation(&self, name: &ObjectName) -> Option<&'a Relation> {
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

    fn in_entry(&self, named: &Named, column: &str) -> Option<Term> {
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

    fn identifier(&self, parts: &[String]) -> Term {
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

    fn arguments(&mut self, arguments: &[FunctionArg]) -> Vec<Term> {
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

    fn call(&self, name: &ObjectName, members: Vec<Term>) -> Term {
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

/// The names of a query's columns.
fn output_names(query: &Ast) -> Vec<String> {
    let SetExpr::Select(select) = &*query.body else {
        return Vec::new();
    };
    select
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => own(alias),
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => own(name),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
                parts.last().map(own).unwrap_or_default()
            }
            _ => String::new(),
        })
        .collect()
}

/// The schemas of the `search_path` that a function sets for itself.
pub(super) fn search_path(function: &Function) -> Vec<String> {
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

fn last(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(part)
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

fn is_aggregate(name: &str) -> bool {
    matches!(
        name,
        "count"
            | "array_agg"
            | "bool_or"
            | "bool_and"
            | "every"
            | "min"
            | "max"
            | "string_agg"
            | "sum"
    )
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
