use super::{is_root, tables};
use crate::{
    Fault, Finding,
    catalogue::{ConstraintKind, Relation},
    check::Audit,
    expression::Node,
    sql::tidy,
};

/// Tenants' columns that can be empty, where nobody says what such a row is for.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in tables(audit).filter(|table| table.parents.is_empty()) {
        let Some(column) = audit
            .subject
            .tenant_column(table.oid)
            .filter(|_| !is_root(audit, table.oid))
            .and_then(|number| table.column(number))
        else {
            continue;
        };
        if column.not_null || is_meant(table, column.number) {
            continue;
        }
        let name = tidy(&column.name);
        let why = format!(
            "{name} can be empty, so a row of `INSERT INTO {} ({name}) VALUES (NULL)` belongs to nobody, and what \
             sees it hangs on how each policy takes NULL",
            table.name
        );
        found.push(
            Finding::new(
                Fault::TenantMutableNull,
                table.name.to_string(),
                why,
                format!(
                    "ALTER TABLE {} ALTER COLUMN {name} SET NOT NULL;",
                    table.name
                ),
            )
            .tables([table.name.to_string()]),
        );
    }
}

/// Whether a policy asks for rows without a tenant, or a check says when there are any or that there are none.
fn is_meant(table: &Relation, column: i16) -> bool {
    let checks = table.constraints.iter().any(|constraint| {
        constraint.kind == ConstraintKind::Check
            && constraint.validated
            && constraint.columns.contains(&column)
    });
    let policies = expressions(table).any(|tree| asks_for_null(tree, column));
    policies || checks
}

/// Whether a policy has rows without a tenant pass.
pub(crate) fn shows_null(table: &Relation, column: i16) -> bool {
    expressions(table).any(|tree| {
        let mut refuses = false;
        tree.walk(&mut |node| {
            // IS NOT NULL (`NullTestType` in `primnodes.h`).
            refuses |= node.tag() == "NULLTEST" && node.number("nulltesttype") == Some(1);
        });
        asks_for_null(tree, column) && !refuses
    })
}

fn expressions(table: &Relation) -> impl Iterator<Item = &Node> {
    table
        .policies
        .iter()
        .flat_map(|policy| [&policy.using, &policy.check])
        .flatten()
        .map(|expression| &expression.tree)
}

fn asks_for_null(tree: &Node, column: i16) -> bool {
    let mut found = false;
    tree.walk(&mut |node| {
        let own = |node: &Node| {
            node.tag() == "VAR"
                && node.number("varattno") == Some(column)
                && node.number("varno") == Some(1)
        };
        found |= match node.tag() {
            "NULLTEST" => node.get("arg").is_some_and(own),
            "COALESCEEXPR" | "COALESCE" => node.list("args").first().is_some_and(own),
            "DISTINCTEXPR" => node.list("args").iter().any(own),
            _ => false,
        };
    });
    found
}
