use std::collections::{BTreeMap, BTreeSet};

use super::{policies, tables};
use crate::{
    Fault, Finding,
    catalogue::{Oid, Volatility},
    check::Audit,
    expression::Node,
};

/// Volatile functions in policies: PostgreSQL calls them once for each row, and uses no index for what they say.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut used: BTreeMap<Oid, BTreeSet<String>> = BTreeMap::new();
    for table in tables(audit) {
        for policy in policies(audit, table) {
            // A check runs once for each row that is written, whatever it calls.
            let Some(using) = &policy.using else { continue };
            let mut called = BTreeSet::new();
            per_row(&using.tree, &mut called);
            for oid in called {
                if audit
                    .catalogue
                    .functions
                    .get(&oid)
                    .is_some_and(|function| function.volatility == Volatility::Volatile)
                {
                    used.entry(oid).or_default().insert(table.name.to_string());
                }
            }
        }
    }
    for (oid, tables) in used {
        let (Some(function), Some(example)) = (audit.catalogue.functions.get(&oid), tables.first())
        else {
            continue;
        };
        let why = format!(
            "it is VOLATILE, so policies call it for every row and use no index: `EXPLAIN SELECT * FROM {example}` \
             shows a Seq Scan"
        );
        let fix = format!(
            "ALTER FUNCTION {} STABLE PARALLEL SAFE;",
            function.signature()
        );
        found
            .push(Finding::new(Fault::PerfVolatile, function.signature(), why, fix).tables(tables));
    }
}

/// The functions that are called for each row: those in a sub-select that asks nothing of the row are called
/// once.
fn per_row(node: &Node, called: &mut BTreeSet<Oid>) {
    if node.tag() == "SUBLINK"
        && node
            .get("subselect")
            .is_some_and(|query| !reaches_out(query, 0))
    {
        if let Some(test) = node.get("testexpr") {
            per_row(test, called);
        }
        return;
    }
    called.extend(node.number::<Oid>("funcid"));
    called.extend(node.number::<Oid>("opfuncid"));
    for child in node.children() {
        per_row(child, called);
    }
}

/// Whether a query asks for columns of what is around it.
pub(super) fn reaches_out(node: &Node, level: usize) -> bool {
    let level = level + usize::from(node.tag() == "QUERY");
    (node.tag() == "VAR"
        && node
            .number::<usize>("varlevelsup")
            .is_some_and(|up| up >= level))
        || node.children().any(|child| reaches_out(child, level))
}
