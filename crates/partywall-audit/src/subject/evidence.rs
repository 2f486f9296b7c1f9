//! What the policies of a table say of whose its rows are.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    form::Form,
    reading::{Readings, Reads, uncast},
};
use crate::{
    catalogue::{Catalogue, Oid, Relation},
    expression::Node,
};

/// A column of a table that a policy compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// The policy's name.
    pub(crate) policy: String,
    pub(crate) column: i16,
    pub(crate) with: With,
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum With {
    /// A value that does not come from any row, or that a function makes of it.
    Context { reads: Reads, form: Form },
    /// A column of another relation, in a sub-select that reads this.
    Column {
        relation: Oid,
        column: i16,
        reads: Reads,
    },
}

/// The comparisons of every table that has policies, those alone that hang on the context: on settings, on
/// who is connected, or on another table whose policies do.
pub(crate) fn comparisons(
    catalogue: &Catalogue,
    readings: &Readings,
) -> BTreeMap<Oid, Vec<Comparison>> {
    let mut all: BTreeMap<Oid, Vec<Comparison>> = BTreeMap::new();
    for relation in catalogue
        .relations
        .values()
        .filter(|relation| !relation.policies.is_empty())
    {
        let found = of_table(relation, readings);
        if !found.is_empty() {
            all.insert(relation.oid, found);
        }
    }
    // A sub-select without a setting hangs on the policies of what it reads.
    let mut hangs: BTreeSet<Oid> = BTreeSet::new();
    loop {
        let more: BTreeSet<Oid> = all
            .iter()
            .filter(|(_, comparisons)| comparisons.iter().any(|it| it.with.hangs(&hangs)))
            .map(|(relation, _)| *relation)
            .collect();
        if more == hangs {
            break;
        }
        hangs = more;
    }
    for comparisons in all.values_mut() {
        comparisons.retain(|it| it.with.hangs(&hangs));
    }
    all.retain(|_, comparisons| !comparisons.is_empty());
    all
}

/// The columns that views compare with settings, and what they are compared with.
pub(super) fn columns_of_views(
    catalogue: &Catalogue,
    readings: &Readings,
) -> Vec<(Oid, i16, Reads)> {
    let mut found = Vec::new();
    for relation in catalogue.relations.values() {
        if let Some(view) = &relation.view {
            let mut look = Look {
                readings,
                queries: Vec::new(),
                found: Vec::new(),
            };
            look.in_view(&view.tree, &mut found);
        }
    }
    found
}

impl With {
    pub(crate) const fn reads(&self) -> &Reads {
        match self {
            Self::Context { reads, .. } | Self::Column { reads, .. } => reads,
        }
    }

    fn hangs(&self, on: &BTreeSet<Oid>) -> bool {
        let reads = self.reads();
        !reads.settings.is_empty() || reads.user || !reads.relations.is_disjoint(on)
    }
}

fn of_table(relation: &Relation, readings: &Readings) -> Vec<Comparison> {
    let mut found = Vec::new();
    for policy in &relation.policies {
        for expression in [&policy.using, &policy.check].into_iter().flatten() {
            let mut look = Look {
                readings,
                queries: Vec::new(),
                found: Vec::new(),
            };
            look.at(&expression.tree);
            for (column, with) in look.found {
                let comparison = Comparison {
                    policy: policy.name.clone(),
                    column,
                    with,
                };
                if !found.contains(&comparison) {
                    found.push(comparison);
                }
            }
        }
    }
    found
}

struct Look<'a> {
    readings: &'a Readings,
    /// The sub-selects around, the outermost first.
    queries: Vec<&'a Node>,
    found: Vec<(i16, With)>,
}

impl<'a> Look<'a> {
    fn at(&mut self, node: &'a Node) {
        match node.tag() {
            "OPEXPR" | "SCALARARRAYOPEXPR" | "DISTINCTEXPR" | "NULLIFEXPR" => {
                if let [left, right] = node.list("args") {
                    self.pair(left, right);
                    self.pair(right, left);
                }
            }
            "FUNCEXPR" => self.call(node),
            "SUBLINK" => self.sublink(node),
            "QUERY" => {
                self.queries.push(node);
                self.below(node);
                self.queries.pop();
                return;
            }
            _ => {}
        }
        self.below(node);
    }

    /// The comparisons of a view, in which no table is the own one.
    fn in_view(&mut self, node: &'a Node, found: &mut Vec<(Oid, i16, Reads)>) {
        let is_query = node.tag() == "QUERY";
        if is_query {
            self.queries.push(node);
        }
        if let ("OPEXPR" | "SCALARARRAYOPEXPR", [left, right]) = (node.tag(), node.list("args")) {
            for (one, other) in [(left, right), (right, left)] {
                if let Some((relation, column)) = self.others(one) {
                    let reads = self.readings.of_node(other);
                    if !reads.settings.is_empty() {
                        found.push((relation, column, reads));
                    }
                }
            }
        }
        for child in node.children() {
            self.in_view(child, found);
        }
        if is_query {
            self.queries.pop();
        }
    }

    fn below(&mut self, node: &'a Node) {
        for child in node.children() {
            self.at(child);
        }
    }

    /// One side of a comparison is a column of the table, and the other is not of its row.
    fn pair(&mut self, own: &Node, other: &'a Node) {
        let Some(column) = self.own(own) else { return };
        if let Some((relation, theirs)) = self.others(other) {
            let reads = self.around();
            self.found.push((
                column,
                With::Column {
                    relation,
                    column: theirs,
                    reads,
                },
            ));
        } else if !self.touches_row(other) {
            self.found.push((
                column,
                With::Context {
                    reads: self.readings.of_node(other),
                    form: Form::of(other),
                },
            ));
        }
    }

    /// `is_member(team_id)`: what a function of the database makes of a column.
    fn call(&mut self, node: &'a Node) {
        let Some(reads) = node
            .number("funcid")
            .and_then(|function| self.readings.of_function(function))
        else {
            return;
        };
        let columns: Vec<i16> = node
            .list("args")
            .iter()
            .filter_map(|argument| self.own(argument))
            .collect();
        self.found.extend(columns.into_iter().map(|column| {
            (
                column,
                With::Context {
                    reads: reads.clone(),
                    form: Form::Other,
                },
            )
        }));
    }

    /// `team_id IN (SELECT m.team_id FROM memberships m …)`.
    fn sublink(&mut self, node: &'a Node) {
        let Some(query) = node.get("subselect") else {
            return;
        };
        let own = node
            .get("testexpr")
            .into_iter()
            .flat_map(|test| test.list("args"))
            .find_map(|it| self.own(it));
        let Some(column) = own else { return };
        let reads = self.readings.of_node(query);
        let target = query
            .list("targetList")
            .first()
            .and_then(|entry| entry.get("expr"));
        self.queries.push(query);
        let theirs = target.and_then(|target| self.others(target));
        self.queries.pop();
        self.found.push((
            column,
            match theirs {
                Some((relation, column)) => With::Column {
                    relation,
                    column,
                    reads,
                },
                None => With::Context {
                    reads,
                    form: Form::Other,
                },
            },
        ));
    }

    /// What the outermost sub-select around reads.
    fn around(&self) -> Reads {
        self.queries
            .first()
            .map(|query| self.readings.of_node(query))
            .unwrap_or_default()
    }

    /// The column of the policy's own table.
    fn own(&self, node: &Node) -> Option<i16> {
        let node = bare(node);
        let is_own = node.tag() == "VAR"
            && node.number("varlevelsup") == Some(self.queries.len())
            && node.number("varno") == Some(1);
        is_own.then(|| node.number("varattno"))?
    }

    /// The column of another relation, which a sub-select around reads.
    fn others(&self, node: &Node) -> Option<(Oid, i16)> {
        let node = uncast(node);
        if node.tag() != "VAR" {
            return None;
        }
        let up: usize = node.number("varlevelsup")?;
        let query = self
            .queries
            .len()
            .checked_sub(up + 1)
            .and_then(|at| self.queries.get(at))?;
        let entry = query
            .list("rtable")
            .get(node.number::<usize>("varno")?.checked_sub(1)?)?;
        let relation = entry.number("relid").filter(|relation| *relation != 0)?;
        Some((relation, node.number("varattno")?))
    }

    /// Whether an expression has a column of the policy's own table in it.
    fn touches_row(&self, node: &Node) -> bool {
        touches_row(node, self.queries.len())
    }
}

/// The expression below casts and below PostgreSQL's own functions of one argument: `lower(tenant)` speaks of
/// the tenant as well.
fn bare(node: &Node) -> &Node {
    const FIRST_OF_USERS: Oid = 16_384;
    let mut node = uncast(node);
    while node.tag() == "FUNCEXPR"
        && node
            .number("funcid")
            .is_some_and(|function: Oid| function < FIRST_OF_USERS)
        && let [argument] = node.list("args")
    {
        node = uncast(argument);
    }
    node
}

fn touches_row(node: &Node, level: usize) -> bool {
    let level = if node.tag() == "QUERY" {
        level + 1
    } else {
        level
    };
    (node.tag() == "VAR" && node.number("varlevelsup") == Some(level))
        || node.children().any(|child| touches_row(child, level))
}
