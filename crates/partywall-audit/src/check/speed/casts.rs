use sqlparser::{
    ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments},
    dialect::PostgreSqlDialect,
    parser::Parser,
};

use super::{
    policies,
    rewrite::{alter, bare, cast, column, is_column},
    tables,
};
use crate::{
    Fault, Finding,
    catalogue::{Column, Index, Policy, Relation},
    check::{
        Audit,
        reach::phrase::{self, Part},
    },
    expression::Node,
    sql::tidy,
};

/// Policies that compare a cast of the tenant's column: the column's index knows nothing of the cast values.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in tables(audit) {
        let Some(tenant) = audit
            .subject
            .tenant_column(table.oid)
            .and_then(|number| table.column(number))
        else {
            continue;
        };
        for policy in policies(audit, table) {
            let casts = policy
                .using
                .as_ref()
                .is_some_and(|using| compares_cast(&using.tree, tenant.number));
            if !casts || has_index(table, tenant) {
                continue;
            }
            let name = tidy(&tenant.name);
            let filled = filled(policy, tenant);
            let how = if filled.is_some() {
                "puts another value for an empty"
            } else {
                "casts"
            };
            let why = format!(
                "it {how} {name} in every row before it compares, so no index on {name} is used: \
                 `EXPLAIN SELECT * FROM {}` shows a Seq Scan",
                table.name
            );
            let fix = match filled {
                // Rows without a tenant stay whose they are.
                Some(value) if !tenant.not_null => {
                    Some(format!("CREATE INDEX ON {} (({value}));", table.name))
                }
                _ => fix(table, policy, tenant),
            };
            let Some(fix) = fix else {
                continue;
            };
            found.push(
                Finding::new(
                    Fault::PerfCast,
                    format!("policy {} on {}", tidy(&policy.name), table.name),
                    why,
                    fix,
                )
                .tables([table.name.to_string()]),
            );
        }
    }
}

/// Whether a comparison has a cast of the column on one side, or what stands for it where it is empty. One that only relabels (`varchar` as `text`)
/// leaves the value as it is, and the index is used.
fn compares_cast(tree: &Node, column: i16) -> bool {
    let mut found = false;
    tree.walk(&mut |node| {
        if matches!(node.tag(), "OPEXPR" | "SCALARARRAYOPEXPR") {
            found |= node.list("args").iter().any(|side| is_cast(side, column));
        }
    });
    found
}

fn is_cast(node: &Node, column: i16) -> bool {
    let is_own = |node: &Node| {
        let node = unlabelled(node);
        node.tag() == "VAR"
            && node.number("varattno") == Some(column)
            && node.number("varno") == Some(1)
            && node.number("varlevelsup") == Some(0)
    };
    let node = unlabelled(node);
    match node.tag() {
        "COERCEVIAIO" => node.get("arg").is_some_and(is_own),
        "COALESCEEXPR" | "COALESCE" => node.list("args").first().is_some_and(is_own),
        // COERCE_EXPLICIT_CAST and COERCE_IMPLICIT_CAST (primnodes.h).
        "FUNCEXPR" => {
            matches!(node.number("funcformat"), Some(1 | 2))
                && node.list("args").first().is_some_and(is_own)
        }
        _ => false,
    }
}

fn unlabelled(mut node: &Node) -> &Node {
    while node.tag() == "RELABELTYPE" {
        match node.get("arg") {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// Whether an index is on the cast itself.
fn has_index(table: &Relation, tenant: &Column) -> bool {
    table.indexes.iter().any(|index| {
        index.valid
            && !index.partial
            && index
                .columns
                .first()
                .is_some_and(|key| key.column.is_none())
            && is_of(index, table, tenant.number)
    })
}

/// Whether the first key of an index is a cast of a column, or what stands for it where it is empty.
pub(super) fn is_of(index: &Index, table: &Relation, column: i16) -> bool {
    let Some(parts) = phrase::read(&index.definition) else {
        return false;
    };
    let using = parts.iter().position(|part| part.is("using")).unwrap_or(0);
    let keys = parts
        .iter()
        .skip(using)
        .find_map(Part::round)
        .unwrap_or(&[]);
    let name = table.column(column).map(|column| column.name.as_str());
    if let [coalesce, Part::Round(values), ..] = keys
        && coalesce.is("coalesce")
    {
        return values.first().and_then(Part::word) == name;
    }
    let Some(Part::Round(first)) = keys.first() else {
        return false;
    };
    match first.as_slice() {
        [Part::Round(inside), Part::Cast, ..] => {
            matches!(inside.as_slice(), [single] if single.word() == name)
        }
        [single, Part::Cast, ..] => single.word() == name,
        _ => false,
    }
}

/// `COALESCE(tenant_id, …)` of a policy.
fn filled(policy: &Policy, tenant: &Column) -> Option<String> {
    let text = &policy.using.as_ref()?.text;
    let parts = phrase::read(text)?;
    let is_own = |parts: &[Part]| {
        parts.windows(2).any(|pair| {
            matches!(pair, [coalesce, Part::Round(values)] if coalesce.is("coalesce")
                && values.first().and_then(Part::word) == Some(tenant.name.as_str()))
        })
    };
    let mut found = is_own(&parts);
    phrase::groups(&parts, &mut |inside| found |= is_own(inside));
    if !found {
        return None;
    }
    let begin = text.find("COALESCE(")?;
    let rest = text.get(begin..)?;
    let mut depth = 0_usize;
    let mut quoted = false;
    let end = rest.char_indices().find_map(|(at, c)| {
        quoted ^= matches!(c, '\'' | '"');
        match c {
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => return None,
        }
        (c == ')' && depth == 0).then_some(at)
    })?;
    rest.get(..=end).map(str::to_owned)
}

/// Casts the other side instead.
fn fix(table: &Relation, policy: &Policy, tenant: &Column) -> Option<String> {
    alter(table, policy, &|expression| {
        if let Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } = expression
        {
            for side in [&mut *left, &mut *right] {
                if fills_column(side, &tenant.name) {
                    **side = column(&tenant.name);
                    return true;
                }
            }
            let (own, other) = if casts_column(left, &tenant.name) {
                (left, right)
            } else if casts_column(right, &tenant.name) {
                (right, left)
            } else {
                return false;
            };
            **own = column(&tenant.name);
            **other = cast(without_empty((**other).clone()), &tenant.type_name);
            return true;
        }
        if let Expr::AnyOp { left, right, .. } = expression
            && casts_column(left, &tenant.name)
        {
            **left = column(&tenant.name);
            let array = cast(right.as_ref().clone(), &format!("{}[]", tenant.type_name));
            **right = Expr::Nested(Box::new(array));
            return true;
        }
        false
    })
}

fn fills_column(side: &Expr, name: &str) -> bool {
    let Expr::Function(function) = bare(side) else {
        return false;
    };
    let FunctionArguments::List(list) = &function.args else {
        return false;
    };
    function.name.to_string().eq_ignore_ascii_case("coalesce")
        && matches!(list.args.first(), Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first)))
            if is_column(first, name))
}

fn casts_column(side: &Expr, name: &str) -> bool {
    let mut inner = bare(side);
    let mut casts = false;
    while let Expr::Cast { expr, .. } = inner {
        casts = true;
        inner = bare(expr);
    }
    casts && is_column(inner, name)
}

/// An empty text is no value of most types, and is what a setting holds after the transaction that set it.
fn without_empty(value: Expr) -> Expr {
    if let Expr::Function(function) = bare(&value)
        && function.name.to_string().eq_ignore_ascii_case("nullif")
    {
        return Expr::Nested(Box::new(value));
    }
    Parser::new(&PostgreSqlDialect {})
        .try_with_sql(&format!("NULLIF({value}, '')"))
        .and_then(|mut parser| parser.parse_expr())
        .unwrap_or_else(|_| Expr::Nested(Box::new(value)))
}
