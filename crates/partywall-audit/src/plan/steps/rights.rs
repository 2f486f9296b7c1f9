use std::collections::BTreeSet;

use crate::{
    catalogue::{Oid, Privilege, Relation},
    plan::{
        Outline,
        outline::{Actor, Belongs, Table},
    },
    sql::Name,
};

/// What somebody is to have on a relation, and what they have by grants to just them.
#[derive(Debug)]
pub(super) struct Rights<'a> {
    pub(super) relation: &'a Relation,
    /// `None` for everybody.
    pub(super) role: Option<&'a Actor>,
    pub(super) wanted: BTreeSet<&'static str>,
    pub(super) had: BTreeSet<&'static str>,
}

const DATA: [(Privilege, &str); 4] = [
    (Privilege::Select, "SELECT"),
    (Privilege::Insert, "INSERT"),
    (Privilege::Update, "UPDATE"),
    (Privilege::Delete, "DELETE"),
];

const ALL: [(Privilege, &str); 8] = [
    (Privilege::Select, "SELECT"),
    (Privilege::Insert, "INSERT"),
    (Privilege::Update, "UPDATE"),
    (Privilege::Delete, "DELETE"),
    (Privilege::Truncate, "TRUNCATE"),
    (Privilege::References, "REFERENCES"),
    (Privilege::Trigger, "TRIGGER"),
    (Privilege::Usage, "USAGE"),
];

impl Rights<'_> {
    pub(super) fn is_there(&self) -> bool {
        self.wanted == self.had
    }

    pub(super) fn given(&self) -> Vec<&'static str> {
        self.wanted.difference(&self.had).copied().collect()
    }

    pub(super) fn taken(&self) -> Vec<&'static str> {
        self.had.difference(&self.wanted).copied().collect()
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.relation.kind == crate::catalogue::RelationKind::Sequence {
            "SEQUENCE "
        } else {
            ""
        }
    }

    pub(super) fn name(&self) -> &Name {
        &self.relation.name
    }
}

/// The rights of the application and of everybody on a table, its partitions and its sequences.
pub(super) fn of<'a>(outline: &'a Outline<'_>, table: &'a Table<'_>) -> Vec<Rights<'a>> {
    let mut all = Vec::new();
    if table.belongs == Belongs::Undecided {
        return all;
    }
    for app in &outline.apps {
        let data = data(outline, table, app);
        let sequences = if data.contains("INSERT") {
            BTreeSet::from(["USAGE"])
        } else {
            BTreeSet::new()
        };
        all.push(rights(table.relation, Some(app), data));
        for partition in &table.partitions {
            all.push(rights(partition, Some(app), BTreeSet::new()));
        }
        for sequence in sequences_of(outline, table.relation.oid) {
            all.push(rights(sequence, Some(app), sequences.clone()));
        }
    }
    if table.tenant.is_some() {
        for relation in table.all() {
            all.push(rights(relation, None, BTreeSet::new()));
        }
    }
    all
}

pub(super) fn sequences_of<'a>(
    outline: &'a Outline<'_>,
    table: Oid,
) -> impl Iterator<Item = &'a Relation> {
    outline
        .catalogue
        .relations
        .values()
        .filter(move |relation| relation.owned_by.is_some_and(|(owner, _)| owner == table))
}

fn rights<'a>(
    relation: &'a Relation,
    role: Option<&'a Actor>,
    wanted: BTreeSet<&'static str>,
) -> Rights<'a> {
    let grantee = role.map_or(Some(crate::catalogue::PUBLIC), |role| role.oid);
    let had = ALL
        .into_iter()
        .filter(|(right, _)| {
            relation.grants.iter().any(|grant| {
                Some(grant.grantee) == grantee
                    && grant.column.is_none()
                    && grant.privilege == *right
            })
        })
        .map(|(_, name)| name)
        .collect();
    Rights {
        relation,
        role,
        wanted,
        had,
    }
}

/// What an application that is there has already, of reading and writing rows; a new one gets what it needs.
fn data(outline: &Outline<'_>, table: &Table<'_>, app: &Actor) -> BTreeSet<&'static str> {
    let catalogue = outline.catalogue;
    if let Some(role) = app.oid {
        let has = |table: &Table<'_>| -> BTreeSet<&'static str> {
            DATA.into_iter()
                .filter(|(right, _)| catalogue.may(role, table.relation, *right))
                .map(|(_, name)| name)
                .collect()
        };
        let is_used = outline.tables().any(|table| {
            DATA.into_iter()
                .any(|(right, _)| catalogue.may_any_column(role, table.relation, right))
        });
        if is_used {
            let mut data = has(table);
            if table.belongs == Belongs::Global {
                // What it does to a row of nobody's it would do to the rows of all tenants.
                let (deletes, updates) = reaches_back(outline, table.relation.oid);
                data.retain(|right| {
                    !(deletes && *right == "DELETE" || updates && *right == "UPDATE")
                });
            }
            return data;
        }
    }
    match table.belongs {
        Belongs::Own | Belongs::Path(_) => DATA.into_iter().map(|(_, name)| name).collect(),
        Belongs::Root | Belongs::Global | Belongs::Undecided => BTreeSet::from(["SELECT"]),
    }
}

/// Whether deleting a row, and whether changing its key, changes rows of tenants that refer to it.
fn reaches_back(outline: &Outline<'_>, table: Oid) -> (bool, bool) {
    let actions = || {
        outline
            .tenants()
            .flat_map(|(from, _)| from.relation.foreign_keys())
            .map(|(_, reference)| reference)
            .filter(|reference| reference.relation == table)
    };
    (
        actions().any(|reference| reference.on_delete.changes()),
        actions().any(|reference| reference.on_update.changes()),
    )
}
