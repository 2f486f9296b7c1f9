//! `SELECT … FROM …`: which rows there are, and what holds for each.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, Query as Ast, Select, SelectItem, SetExpr,
    TableFactor, TableWithJoins,
};

use super::{
    Query, Statements, Term, equal,
    names::{Entry, Named, last, own},
};
use crate::expression::{Arm, Column, Pick, Source, tree::Trees};

impl Statements<'_> {
    pub(in crate::expression) fn query(&mut self, query: &Ast) -> Query {
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
                    let view = Trees::view_from(self.catalogue, relation.oid, &mut self.next);
                    if let Some(query) = view {
                        let columns = relation.columns.iter().map(|column| column.name.clone());
                        self.derived(shown, query, columns.collect(), certain, arm);
                        return;
                    }
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
