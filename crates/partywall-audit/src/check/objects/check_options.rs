use std::collections::BTreeMap;

use super::super::app::right;
use crate::{
    Fault, Finding,
    catalogue::{Command, Oid, Relation, RelationKind},
    check::{
        Audit,
        reach::{Written, table_names},
    },
    subject::Belonging,
    wall::Standing,
};

/// Views that choose the tenant's rows themselves and take rows that they would not show: their owner is not
/// held by the policies, and without CHECK OPTION a view's condition is for reading alone.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for (command, fault) in [
        (Command::Insert, Fault::CheckOpenInsert),
        (Command::Update, Fault::CheckOpenUpdate),
    ] {
        // For each view to blame: one that can be asked, and the tables.
        let mut blamed: BTreeMap<Oid, (Oid, Vec<Oid>)> = BTreeMap::new();
        for view in audit.catalogue.relations.values() {
            if view.kind != RelationKind::View || view.extension.is_some() {
                continue;
            }
            for asker in audit.askers_of(view, &[right(command)]) {
                let Some(written) = Written::through(audit, view, asker, command) else {
                    continue;
                };
                if let Some(culprit) = written.unchecked
                    && is_past(audit, asker, &written, command)
                {
                    let entry = blamed.entry(culprit).or_insert((view.oid, Vec::new()));
                    if view.oid == culprit {
                        entry.0 = view.oid;
                    }
                    entry.1.push(written.table);
                }
            }
        }
        for (culprit, (example, tables)) in blamed {
            let (Some(view), Some(example)) = (
                audit.catalogue.relations.get(&culprit),
                audit.catalogue.relations.get(&example),
            ) else {
                continue;
            };
            if audit.subject.reports(view) {
                found.push(finding(audit, fault, view, example, tables));
            }
        }
    }
}

/// Whether no policy stops the one who writes from saying whose the row is, though policies or rights would where
/// the table itself was written.
fn is_past(audit: &Audit<'_>, asker: Oid, written: &Written, command: Command) -> bool {
    let Some(table) = audit.catalogue.relations.get(&written.table) else {
        return false;
    };
    // A new tenant is no other's row.
    if audit.subject.root == Some(table.oid) {
        return false;
    }
    let mut decide: Vec<i16> = audit.subject.tenant_column(table.oid).into_iter().collect();
    if let Some(Belonging::Parent { constraint, .. }) = audit.subject.belonging(table.oid) {
        let own = table.constraints.iter().find(|own| own.oid == *constraint);
        decide.extend(own.into_iter().flat_map(|own| own.columns.iter().copied()));
    }
    let open = |role: Oid| {
        matches!(
            audit.wall.standing(role, table.oid, command),
            Standing::Exempt | Standing::Open(_)
        )
    };
    let anyway = open(asker)
        && audit.catalogue.may_enter(asker, table.namespace)
        && audit.catalogue.may_any_column(asker, table, right(command));
    decide.iter().any(|column| written.columns.contains(column)) && open(written.role) && !anyway
}

fn finding(
    audit: &Audit<'_>,
    fault: Fault,
    view: &Relation,
    example: &Relation,
    tables: Vec<Oid>,
) -> Finding {
    let tables = table_names(audit.catalogue, tables);
    let statement = if fault == Fault::CheckOpenInsert {
        format!("INSERT INTO {} …", example.name)
    } else {
        format!("UPDATE {} SET …", example.name)
    };
    let why = format!(
        "it chooses the tenant's rows of {} itself and holds no new row against that, so `{statement}` with \
         another tenant's key makes rows of that tenant",
        tables.join(", ")
    );
    Finding::new(
        fault,
        view.name.to_string(),
        why,
        format!("ALTER VIEW {} SET (check_option = cascaded);", view.name),
    )
    .tables(tables)
}
