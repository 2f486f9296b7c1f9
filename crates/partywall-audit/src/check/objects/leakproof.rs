use crate::{
    Fault, Finding,
    catalogue::Oid,
    check::{Audit, reach::table_names},
};

/// Functions of the database's own that claim to tell nothing of their arguments, so that PostgreSQL lets them
/// see rows before the policies do.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let tables = table_names(
        audit.catalogue,
        audit
            .subject
            .tenant_tables(audit.catalogue)
            .filter(|table| table.row_security)
            .map(|table| table.oid),
    );
    let Some(example) = tables.first() else {
        return;
    };
    for function in audit.catalogue.functions.values() {
        if !function.leakproof
            || function.extension.is_some()
            || !super::functions::reports(audit, function)
        {
            continue;
        }
        let askers: Vec<Oid> = audit
            .askers()
            .iter()
            .copied()
            .filter(|role| audit.catalogue.may_call(*role, function))
            .collect();
        if askers.is_empty() {
            continue;
        }
        let why = format!(
            "it is marked LEAKPROOF, so in `SELECT count(*) FROM {example} WHERE {}(…)` it sees the rows of all \
             tenants before the policies do, and its errors and messages tell of them",
            function.name
        );
        let fix = format!(
            "ALTER {} {} NOT LEAKPROOF;",
            function.keyword(),
            function.signature()
        );
        found.push(
            Finding::new(Fault::FnLeakproof, function.signature(), why, fix).tables(tables.clone()),
        );
    }
}
