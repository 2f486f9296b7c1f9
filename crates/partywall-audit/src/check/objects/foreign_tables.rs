use super::DATA;
use crate::{Fault, Finding, catalogue::RelationKind, check::Audit, subject::Belonging};

/// Foreign tables that the application may use: row-level security does not exist for them.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in audit.catalogue.relations.values() {
        let tenants = match audit.subject.belonging(table.oid) {
            Some(
                Belonging::Root(_)
                | Belonging::Column(_)
                | Belonging::Person(_)
                | Belonging::Parent { .. },
            ) => true,
            // Without a tenant's column it may be anything: it is among what could not be decided.
            Some(Belonging::Global | Belonging::Undecided(_)) | None => table
                .parents
                .iter()
                .any(|parent| audit.subject.is_tenants(*parent)),
        };
        if table.kind != RelationKind::Foreign || !tenants || !audit.subject.reports(table) {
            continue;
        }
        let askers = audit.askers_of(table, &DATA);
        if askers.is_empty() {
            continue;
        }
        let why = format!(
            "it is a foreign table, which no policy can protect, and {} may `SELECT * FROM {}` as all tenants",
            audit.role_list(&askers),
            table.name
        );
        found.push(
            Finding::new(
                Fault::ForeignTable,
                table.name.to_string(),
                why,
                audit.revoke(table, &DATA),
            )
            .tables([table.name.to_string()]),
        );
    }
}
