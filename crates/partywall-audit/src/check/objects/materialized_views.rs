use crate::{
    Fault, Finding,
    catalogue::{Privilege, Relation},
    check::{
        Audit,
        reach::{kept_from, table_names},
    },
};

/// Materialized views that keep rows of all tenants where no policy can be.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for view in audit.catalogue.relations.values() {
        if view.extension.is_some()
            || !audit.subject.reports(view)
            || is_given_as_global(audit, view)
        {
            continue;
        }
        let Some(tables) = kept_from(audit, view) else {
            continue;
        };
        let askers = audit.askers_of(view, &[Privilege::Select]);
        if askers.is_empty() {
            continue;
        }
        let tables = table_names(audit.catalogue, tables);
        let why = format!(
            "it keeps what it read of {} for all tenants, no policy can be on it, and {} may `SELECT * FROM {}`",
            tables.join(", "),
            audit.role_list(&askers),
            view.name
        );
        found.push(
            Finding::new(
                Fault::Matview,
                view.name.to_string(),
                why,
                audit.revoke(view, &[Privilege::Select]),
            )
            .tables(tables),
        );
    }
}

fn is_given_as_global(audit: &Audit<'_>, view: &Relation) -> bool {
    let name = view.name.to_string();
    audit
        .subject
        .inferred
        .globals
        .iter()
        .any(|taken| taken.value == name && taken.because == "given")
}
