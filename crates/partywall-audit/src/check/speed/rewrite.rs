//! Policies written anew: the text that `pg_get_expr` writes, parsed, changed and written again.

use sqlparser::{
    ast::{CastKind, DataType, Expr, Ident},
    dialect::PostgreSqlDialect,
    parser::Parser,
};

use crate::{
    catalogue::{Expression, Policy, Relation},
    sql::{ident, tidy},
};

/// `ALTER POLICY` with both expressions changed.
pub(super) fn alter(
    table: &Relation,
    policy: &Policy,
    change: &impl Fn(&mut Expr) -> bool,
) -> Option<String> {
    let mut changed = false;
    let mut clauses = String::new();
    for (keyword, expression) in [("USING", &policy.using), ("WITH CHECK", &policy.check)] {
        if let Some(text) = expression.as_ref().and_then(|it| rewritten(it, change)) {
            clauses.push_str(&format!(" {keyword} ({text})"));
            changed = true;
        }
    }
    changed.then(|| {
        format!(
            "ALTER POLICY {} ON {}{clauses};",
            tidy(&policy.name),
            table.name
        )
    })
}

fn rewritten(expression: &Expression, change: &impl Fn(&mut Expr) -> bool) -> Option<String> {
    let mut tree = Parser::new(&PostgreSqlDialect {})
        .try_with_sql(&expression.text)
        .ok()?
        .parse_expr()
        .ok()?;
    walk(&mut tree, change).then(|| strip(&tree.to_string()))
}

/// Changes every operand of AND, OR, NOT and brackets.
fn walk(tree: &mut Expr, change: &impl Fn(&mut Expr) -> bool) -> bool {
    let mut changed = change(tree);
    if let Expr::BinaryOp { left, right, .. } = tree {
        changed |= walk(left, change);
        changed |= walk(right, change);
    } else if let Expr::Nested(inner)
    | Expr::UnaryOp { expr: inner, .. }
    | Expr::Cast { expr: inner, .. } = tree
    {
        changed |= walk(inner, change);
    } else if let Expr::AnyOp { left, right, .. } = tree {
        changed |= walk(left, change);
        changed |= walk(right, change);
    }
    changed
}

fn strip(text: &str) -> String {
    text.strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .filter(|inside| {
            let mut depth = 0_i32;
            let mut lowest = 0;
            for c in inside.chars() {
                depth += i32::from(c == '(') - i32::from(c == ')');
                lowest = lowest.min(depth);
            }
            lowest >= 0
        })
        .unwrap_or(text)
        .to_owned()
}

/// `CAST(…)` as PostgreSQL writes it.
pub(super) fn cast(value: Expr, type_name: &str) -> Expr {
    Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(value),
        data_type: DataType::Custom(vec![Ident::new(type_name)].into(), Vec::new()),
        format: None,
    }
}

/// A column by its name.
pub(super) fn column(name: &str) -> Expr {
    let quoted = tidy(name) == ident(name);
    Expr::Identifier(if quoted {
        Ident::with_quote('"', name)
    } else {
        Ident::new(name)
    })
}

/// Whether an expression is a column, in brackets or not.
pub(super) fn is_column(expression: &Expr, name: &str) -> bool {
    let expression = bare(expression);
    if let Expr::CompoundIdentifier(path) = expression {
        return path.last().is_some_and(|own| own.value == name);
    }
    matches!(expression, Expr::Identifier(own) if own.value == name)
}

/// The expression inside of brackets.
pub(super) fn bare(mut expression: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    expression
}
