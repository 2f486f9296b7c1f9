use crate::{
    Fault, Finding,
    catalogue::{Oid, Privilege, Relation, RelationKind},
    check::{
        Audit,
        reach::phrase::{self, Part},
    },
    sql::tidy,
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
        let roles = &audit.catalogue.roles;
        let numbered = numbered(audit, sequence);
        // Who owns the table as well can do worse, and is reported for it.
        let (owners, granted): (Vec<Oid>, Vec<Oid>) = audit
            .askers_of(sequence, &[Privilege::Update])
            .into_iter()
            .partition(|role| roles.has_rights_of(*role, sequence.owner));
        let victim = numbered.iter().find(|table| {
            owners
                .iter()
                .any(|role| !roles.has_rights_of(*role, table.owner))
        });
        let owners = if victim.is_some() { owners } else { Vec::new() };
        let askers: Vec<Oid> = owners.iter().chain(&granted).copied().collect();
        if askers.is_empty() {
            continue;
        }
        let mut fix = Vec::new();
        if let Some(table) = victim {
            fix.push(format!(
                "ALTER SEQUENCE {} OWNER TO {};",
                sequence.name,
                tidy(roles.name(table.owner))
            ));
        }
        let is_granted = sequence.grants.iter().any(|grant| {
            grant.privilege == Privilege::Update
                && grant.grantee != sequence.owner
                && askers
                    .iter()
                    .any(|role| roles.has_rights_of(*role, grant.grantee))
        });
        if is_granted {
            fix.push(audit.revoke(sequence, &[Privilege::Update]));
        }
        // UPDATE allowed them to take the next number as well, and so did owning it.
        let mut without = owners;
        without.extend(
            granted
                .iter()
                .copied()
                .filter(|role| !audit.catalogue.may(*role, sequence, Privilege::Usage)),
        );
        if !without.is_empty() {
            fix.push(format!(
                "GRANT USAGE ON SEQUENCE {} TO {};",
                sequence.name,
                audit.role_list(&without)
            ));
        }
        let why = format!(
            "{} may `SELECT setval({}, 1)`, and the next rows of every tenant collide with those that are there",
            audit.role_list(&askers),
            crate::sql::literal(&sequence.name.to_string())
        );
        let tables = numbered
            .iter()
            .filter(|table| audit.subject.is_tenants(table.oid))
            .map(|table| table.name.to_string());
        found.push(
            Finding::new(
                Fault::SeqWritable,
                sequence.name.to_string(),
                why,
                fix.join("\n"),
            )
            .tables(tables),
        );
    }
}

/// The tables that a sequence numbers: the one that it goes with, and those of which a default draws on it.
fn numbered<'a>(audit: &Audit<'a>, sequence: &Relation) -> Vec<&'a Relation> {
    audit
        .catalogue
        .relations
        .values()
        .filter(|table| {
            sequence.owned_by.is_some_and(|(own, _)| own == table.oid)
                || table
                    .columns
                    .iter()
                    .filter_map(|column| column.default.as_deref())
                    .any(|default| draws_on(default, sequence))
        })
        .collect()
}

/// `nextval('public.s'::regclass)`
fn draws_on(default: &str, sequence: &Relation) -> bool {
    let parts = phrase::read(default).unwrap_or_default();
    let is_own = |parts: &[Part]| {
        parts.windows(2).any(|pair| match pair {
            [nextval, Part::Round(inside)] if nextval.is("nextval") => {
                let Some(Part::Text(name)) = inside.first() else {
                    return false;
                };
                let name = phrase::read(name).unwrap_or_default();
                let words: Vec<&str> = name.iter().filter_map(Part::word).collect();
                words == [&sequence.name.schema, &sequence.name.name]
            }
            _ => false,
        })
    };
    let mut found = is_own(&parts);
    phrase::groups(&parts, &mut |inside| found |= is_own(inside));
    found
}
