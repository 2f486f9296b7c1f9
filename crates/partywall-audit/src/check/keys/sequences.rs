use crate::{
    Fault, Finding,
    catalogue::{Oid, Privilege, RelationKind},
    check::Audit,
};

/// Sequences that the application can set to any number.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for sequence in audit.catalogue.relations.values() {
        if sequence.kind != RelationKind::Sequence
            || sequence.extension.is_some()
            || !audit.subject.reports(sequence)
        {
            continue;
        }
        // Who has the owner's rights can do worse, and is reported for it.
        let askers: Vec<Oid> = audit
            .askers_of(sequence, &[Privilege::Update])
            .into_iter()
            .filter(|role| !audit.catalogue.roles.has_rights_of(*role, sequence.owner))
            .collect();
        if askers.is_empty() {
            continue;
        }
        let mut fix = audit.revoke(sequence, &[Privilege::Update]);
        // UPDATE allowed them to take the next number as well.
        let without: Vec<Oid> = askers
            .iter()
            .copied()
            .filter(|role| !audit.catalogue.may(*role, sequence, Privilege::Usage))
            .collect();
        if !without.is_empty() {
            fix.push_str(&format!(
                "\nGRANT USAGE ON SEQUENCE {} TO {};",
                sequence.name,
                audit.role_list(&without)
            ));
        }
        let why = format!(
            "{} may `SELECT setval({}, 1)`, and the next rows of every tenant collide with those that are there",
            audit.role_list(&askers),
            crate::sql::literal(&sequence.name.to_string())
        );
        let tables: Vec<String> = sequence
            .owned_by
            .and_then(|(table, _)| audit.catalogue.relations.get(&table))
            .filter(|table| audit.subject.is_tenants(table.oid))
            .map(|table| table.name.to_string())
            .into_iter()
            .collect();
        found.push(
            Finding::new(Fault::SeqWritable, sequence.name.to_string(), why, fix).tables(tables),
        );
    }
}
