use sqlparser::ast::{Expr, SetExpr};

use super::{policies, rewrite::alter, tables, volatile::reaches_out};
use crate::{
    Fault, Finding,
    catalogue::{Oid, Relation, RelationKind},
    check::Audit,
    expression::Node,
    sql::tidy,
};

/// Policies of tables that are partitioned by the tenant, which read the context in a sub-select: partitions
/// are then not left out when the query begins.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in
        tables(audit).filter(|table| table.kind == RelationKind::Partitioned && !table.is_partition)
    {
        let Some(tenant) = audit.subject.tenant_column(table.oid) else {
            continue;
        };
        if !is_partitioned_by(audit, table, tenant) {
            continue;
        }
        for policy in policies(audit, table) {
            let selects = policy
                .using
                .as_ref()
                .is_some_and(|using| compares_select(&using.tree, tenant));
            if !selects {
                continue;
            }
            let Some(fix) = alter(table, policy, &unwrap) else {
                continue;
            };
            let why = format!(
                "it reads the context in a sub-select, so `EXPLAIN ANALYZE SELECT * FROM {}` prepares every partition \
                 and shows no \"Subplans Removed\"",
                table.name
            );
            found.push(
                Finding::new(
                    Fault::PerfInitplanPartition,
                    format!("policy {} on {}", tidy(&policy.name), table.name),
                    why,
                    fix,
                )
                .tables([table.name.to_string()]),
            );
        }
    }
}

/// Whether the tenant says which partition a row is in, here or further down.
fn is_partitioned_by(audit: &Audit<'_>, table: &Relation, tenant: i16) -> bool {
    if table.partition_key.contains(&tenant) {
        return true;
    }
    let name = table.column(tenant).map(|column| column.name.as_str());
    audit
        .catalogue
        .relations
        .values()
        .filter(|part| {
            part.is_partition
                && part.kind == RelationKind::Partitioned
                && part.parents.contains(&(table.oid as Oid))
        })
        .any(|part| {
            name.and_then(|name| part.column_named(name))
                .is_some_and(|column| is_partitioned_by(audit, part, column.number))
        })
}

/// Whether the column is compared with a sub-select that reads no table.
fn compares_select(tree: &Node, column: i16) -> bool {
    let is_own = |node: &Node| {
        let mut own = false;
        node.walk(&mut |inner| {
            own |= inner.tag() == "VAR"
                && inner.number("varattno") == Some(column)
                && inner.number("varlevelsup") == Some(0);
        });
        own
    };
    let mut found = false;
    tree.walk(&mut |node| {
        if matches!(node.tag(), "OPEXPR" | "SCALARARRAYOPEXPR")
            && let [left, right] = node.list("args")
        {
            found |= (is_own(left) && selects_nothing(right))
                || (is_own(right) && selects_nothing(left));
        }
    });
    found
}

fn selects_nothing(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |inner| {
        found |= inner.tag() == "SUBLINK"
            && inner
                .get("subselect")
                .is_some_and(|query| query.list("rtable").is_empty() && !reaches_out(query, 0));
    });
    found
}

/// `(SELECT x)` is `x`.
fn unwrap(expression: &mut Expr) -> bool {
    let Expr::Subquery(query) = expression else {
        return false;
    };
    let SetExpr::Select(select) = query.body.as_ref() else {
        return false;
    };
    if !select.from.is_empty() {
        return false;
    }
    let value = match select.projection.as_slice() {
        [sqlparser::ast::SelectItem::UnnamedExpr(value)] => value.clone(),
        [sqlparser::ast::SelectItem::ExprWithAlias { expr, .. }] => expr.clone(),
        _ => return false,
    };
    *expression = Expr::Nested(Box::new(value));
    true
}
