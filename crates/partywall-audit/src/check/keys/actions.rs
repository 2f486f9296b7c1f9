use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Fault, Finding,
    catalogue::{Action, Command, Oid, Privilege, Reference, Relation},
    check::Audit,
    wall::Standing,
};

/// Rows that are nobody's, of which the actions of foreign keys change the rows of every tenant, directly or by
/// way of other rows that are nobody's: the application must not be able to set them off.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let keys = Keys::of(audit);
    for (oid, own) in &keys.to {
        let Some(target) = audit.catalogue.relations.get(oid) else {
            continue;
        };
        if audit.subject.is_tenants(*oid) || !audit.subject.reports(target) {
            continue;
        }
        let mut privileges = Vec::new();
        let mut tables = Vec::new();
        let mut changed = BTreeSet::new();
        for key in own {
            for (command, privilege, action) in [
                (Command::Delete, Privilege::Delete, key.reference.on_delete),
                (Command::Update, Privilege::Update, key.reference.on_update),
            ] {
                if !action.changes() || !may(audit, target, command, privilege, key) {
                    continue;
                }
                let reached = keys.reached(audit, key, key.change(command, action));
                if !reached.is_empty() {
                    privileges.push(privilege);
                    changed.extend(key.reference.columns.iter().copied());
                    tables.extend(reached.iter().map(|table| table.name.to_string()));
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
            let changed: Vec<i16> = changed.into_iter().collect();
            format!(
                "UPDATE {} SET {} = …",
                target.name,
                target.column_list(&changed)
            )
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

/// Whether the application may delete rows, or change the columns that a key refers to.
fn may(
    audit: &Audit<'_>,
    target: &Relation,
    command: Command,
    privilege: Privilege,
    key: &Key<'_>,
) -> bool {
    audit
        .askers_of(target, &[privilege])
        .into_iter()
        .any(|role| {
            let granted = audit.catalogue.may(role, target, privilege)
                || target.grants.iter().any(|grant| {
                    grant.privilege == privilege
                        && grant
                            .column
                            .is_some_and(|column| key.reference.columns.contains(&column))
                        && audit.catalogue.roles.has_rights_of(role, grant.grantee)
                });
            granted
                && matches!(
                    audit.wall.standing(role, target.oid, command),
                    Standing::Exempt | Standing::Open(_)
                )
        })
}

/// What happens to rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Deleted,
    /// These columns get other values.
    Columns(Vec<i16>),
}

/// A foreign key of a table, but of partitions, which have what their parents have.
#[derive(Debug)]
struct Key<'a> {
    table: &'a Relation,
    columns: &'a [i16],
    reference: &'a Reference,
}

impl Key<'_> {
    /// What happens to the rows that refer, when an action is set off.
    fn change(&self, command: Command, action: Action) -> Change {
        if command == Command::Delete && action == Action::Cascade {
            Change::Deleted
        } else {
            Change::Columns(self.columns.to_vec())
        }
    }
}

/// Foreign keys by what they refer to.
#[derive(Debug)]
struct Keys<'a> {
    to: BTreeMap<Oid, Vec<Key<'a>>>,
}

impl<'a> Keys<'a> {
    fn of(audit: &Audit<'a>) -> Self {
        let mut to: BTreeMap<Oid, Vec<Key<'a>>> = BTreeMap::new();
        for table in audit.catalogue.relations.values() {
            if !table.is_table() || table.is_partition {
                continue;
            }
            for (constraint, reference) in table.foreign_keys() {
                if constraint.parent.is_none() {
                    to.entry(reference.relation).or_default().push(Key {
                        table,
                        columns: &constraint.columns,
                        reference,
                    });
                }
            }
        }
        Self { to }
    }

    /// The tenants' tables of which rows are changed where those that refer by a key are.
    fn reached(&self, audit: &Audit<'_>, key: &Key<'a>, change: Change) -> Vec<&'a Relation> {
        let mut reached = Vec::new();
        let mut seen = BTreeSet::new();
        let mut ahead = vec![(key.table, change)];
        while let Some((table, change)) = ahead.pop() {
            if !seen.insert((table.oid, change.clone())) {
                continue;
            }
            if audit.subject.is_tenants(table.oid) {
                reached.push(table);
                continue;
            }
            for next in self.to.get(&table.oid).into_iter().flatten() {
                let (command, action) = match &change {
                    Change::Deleted => (Command::Delete, next.reference.on_delete),
                    Change::Columns(columns) => {
                        let meets = columns.iter().any(|it| next.reference.columns.contains(it));
                        if !meets {
                            continue;
                        }
                        (Command::Update, next.reference.on_update)
                    }
                };
                if action.changes() {
                    ahead.push((next.table, next.change(command, action)));
                }
            }
        }
        reached
    }
}
