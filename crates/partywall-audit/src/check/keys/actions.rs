use std::collections::BTreeMap;

use crate::{
    Fault, Finding,
    catalogue::{Command, Oid, Privilege, Reference, Relation},
    check::Audit,
    wall::Standing,
};

/// Foreign keys from tenants' tables to rows that are nobody's, of which the action changes the rows of every
/// tenant: the application must not be able to set it off.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut blamed: BTreeMap<Oid, Vec<(&Relation, &Reference)>> = BTreeMap::new();
    for table in audit
        .subject
        .tenant_tables(audit.catalogue)
        .filter(|table| table.is_table() && !table.is_partition)
    {
        for (constraint, reference) in table.foreign_keys() {
            if constraint.parent.is_none() && !audit.subject.is_tenants(reference.relation) {
                blamed
                    .entry(reference.relation)
                    .or_default()
                    .push((table, reference));
            }
        }
    }
    for (oid, keys) in blamed {
        let Some(target) = audit.catalogue.relations.get(&oid) else {
            continue;
        };
        if !audit.subject.reports(target) {
            continue;
        }
        let may = |command: Command, privilege: Privilege, columns: &[i16]| {
            audit
                .askers_of(target, &[privilege])
                .into_iter()
                .any(|role| {
                    let granted = audit.catalogue.may(role, target, privilege)
                        || target.grants.iter().any(|grant| {
                            grant.privilege == privilege
                                && grant.column.is_some_and(|column| columns.contains(&column))
                                && audit.catalogue.roles.has_rights_of(role, grant.grantee)
                        });
                    granted
                        && matches!(
                            audit.wall.standing(role, oid, command),
                            Standing::Exempt | Standing::Open(_)
                        )
                })
        };
        let mut privileges = Vec::new();
        let mut tables = Vec::new();
        for (table, reference) in &keys {
            for (command, privilege, action) in [
                (Command::Delete, Privilege::Delete, reference.on_delete),
                (Command::Update, Privilege::Update, reference.on_update),
            ] {
                if action.changes() && may(command, privilege, &reference.columns) {
                    privileges.push(privilege);
                    tables.push(table.name.to_string());
                }
            }
        }
        privileges.sort_unstable();
        privileges.dedup();
        tables.sort();
        tables.dedup();
        let Some(example) = tables.first() else {
            continue;
        };
        let statement = if privileges.contains(&Privilege::Delete) {
            format!("DELETE FROM {}", target.name)
        } else {
            let column = keys
                .first()
                .map(|(_, key)| target.column_list(&key.columns))
                .unwrap_or_default();
            format!("UPDATE {} SET {column} = …", target.name)
        };
        let why = format!(
            "its rows are nobody's and the application may change them, so `{statement}` deletes or changes the rows \
             of {example} that refer to them, whoever's they are"
        );
        found.push(
            Finding::new(
                Fault::FkActionCrosses,
                target.name.to_string(),
                why,
                audit.revoke(target, &privileges),
            )
            .tables(tables),
        );
    }
}
