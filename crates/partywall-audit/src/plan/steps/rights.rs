use std::collections::BTreeSet;

use crate::{
    Fault,
    catalogue::{Oid, PUBLIC, Privilege, Relation, RelationKind},
    plan::{
        Outline,
        outline::{Actor, Belongs, Table},
        stand::{Stand, is_used},
    },
    sql::Name,
};

/// What somebody is to have on a relation, and what they have by grants to just them.
#[derive(Debug)]
pub(super) struct Rights<'a> {
    pub(super) relation: &'a Relation,
    /// `None` for everybody.
    pub(super) role: Option<Actor>,
    pub(super) wanted: BTreeSet<&'static str>,
    pub(super) had: BTreeSet<&'static str>,
    /// Whether the application as it is may use what is taken: it goes when the policies come.
    pub(super) late: bool,
}

const DATA: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// What goes past every policy.
const PAST: [&str; 3] = ["TRUNCATE", "REFERENCES", "TRIGGER"];

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
        if self.relation.kind == RelationKind::Sequence {
            "SEQUENCE "
        } else {
            ""
        }
    }

    pub(super) fn name(&self) -> &Name {
        &self.relation.name
    }

    /// Whether they are its owner's, whose rights go with the table.
    pub(super) fn is_owners(&self) -> bool {
        let role = self.role.as_ref();
        role.is_some_and(|role| role.oid == Some(self.relation.owner))
    }
}

/// An application that has something to do with the database already is given nothing that it has not.
pub(super) fn is_new(outline: &Outline<'_>, app: &Actor) -> bool {
    app.oid.is_none_or(|oid| !is_used(outline.audit, oid))
}

/// By whom the application that is there has rights: itself, everybody, and the roles that it can become.
/// `None` for everybody.
pub(super) fn grantees(outline: &Outline<'_>) -> Vec<Option<Actor>> {
    let roles = &outline.catalogue.roles;
    let apps = outline.apps.iter().filter_map(|app| app.oid);
    let found: BTreeSet<Oid> = apps
        .flat_map(|app| roles.reachable(app).iter().copied())
        // Of those the application is a member of too much.
        .filter(|role| !roles.bypasses(*role) && Some(*role) != outline.owner.oid)
        .collect();
    let named = found.into_iter().map(|oid| {
        Some(Actor {
            name: roles.name(oid).to_owned(),
            oid: Some(oid),
        })
    });
    std::iter::once(None).chain(named).collect()
}

/// The rights of the application and of everybody on a table, its partitions and its sequences.
pub(super) fn of<'a>(outline: &'a Outline<'_>, table: &'a Table<'_>) -> Vec<Rights<'a>> {
    let mut all = Vec::new();
    let is_apart = table.stand == Stand::Apart && table.belongs != Belongs::Global;
    if matches!(table.belongs, Belongs::Person | Belongs::Undecided) || is_apart {
        return all;
    }
    let relation = table.relation;
    for app in outline.apps.iter().filter(|app| is_new(outline, app)) {
        let data = needed(table);
        let writes = data.contains("INSERT");
        all.push(Rights::new(relation, Some(app.clone()), |_| data));
        for sequence in sequences_of(outline, relation.oid).filter(|_| writes) {
            all.push(Rights::new(sequence, Some(app.clone()), |_| {
                BTreeSet::from(["USAGE"])
            }));
        }
    }
    let is_new = |role: &Option<Actor>| {
        let role = role.as_ref();
        role.is_some_and(|role| outline.apps.contains(role) && is_new(outline, role))
    };
    for role in grantees(outline).into_iter().filter(|role| !is_new(role)) {
        let without = |taken: Vec<&'static str>| {
            move |had: &BTreeSet<&'static str>| {
                let mut had = had.clone();
                had.retain(|right| !taken.contains(right));
                had
            }
        };
        let role = || role.clone();
        all.push(Rights::new(relation, role(), without(past(outline, table))));
        if table.belongs == Belongs::Global {
            let mut late = Rights::new(relation, role(), without(crossing(outline, table)));
            late.late = true;
            all.push(late);
            continue;
        }
        for partition in table.partitions.iter().filter(|it| !it.row_security) {
            let taken = [&DATA[..], &PAST[..]].concat();
            let mut late = Rights::new(partition, role(), without(taken));
            late.late = true;
            all.push(late);
        }
        if table.stand == Stand::Open || outline.faults.any(Fault::SeqWritable) {
            for sequence in sequences_of(outline, relation.oid) {
                all.push(Rights::new(sequence, role(), numbers));
            }
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

impl<'a> Rights<'a> {
    fn new(
        relation: &'a Relation,
        role: Option<Actor>,
        wanted: impl FnOnce(&BTreeSet<&'static str>) -> BTreeSet<&'static str>,
    ) -> Self {
        let grantee = role.as_ref().map_or(Some(PUBLIC), |role| role.oid);
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
        Self {
            relation,
            role,
            wanted: wanted(&had),
            had,
            late: false,
        }
    }
}

/// What a new application gets.
fn needed(table: &Table<'_>) -> BTreeSet<&'static str> {
    match table.belongs {
        Belongs::Own | Belongs::Path(_) => BTreeSet::from(DATA),
        Belongs::Root | Belongs::Global | Belongs::Person | Belongs::Undecided => {
            BTreeSet::from(["SELECT"])
        }
    }
}

/// Whoever may set a sequence back may count it up as well.
fn numbers(had: &BTreeSet<&'static str>) -> BTreeSet<&'static str> {
    let mut wanted = had.clone();
    if wanted.remove("UPDATE") {
        wanted.insert("USAGE");
    }
    wanted
}

/// What nobody who asks is to have on a table, since no policy holds for it.
fn past(outline: &Outline<'_>, table: &Table<'_>) -> Vec<&'static str> {
    let found = |fault| outline.faults.on(table.name(), &[fault]);
    match (&table.belongs, table.stand) {
        (Belongs::Global | Belongs::Person | Belongs::Undecided, _) | (_, Stand::Apart) => {
            Vec::new()
        }
        (_, Stand::Open) => PAST.to_vec(),
        (_, Stand::Walled) => [
            (Fault::PrivTruncate, "TRUNCATE"),
            (Fault::PrivTrigger, "TRIGGER"),
        ]
        .into_iter()
        .filter(|(fault, _)| found(*fault))
        .map(|(_, right)| right)
        .collect(),
    }
}

/// What does to the rows of all tenants what it does to a row of nobody's that they refer to.
fn crossing(outline: &Outline<'_>, table: &Table<'_>) -> Vec<&'static str> {
    let actions = || {
        outline
            .tenants()
            .flat_map(|(from, _)| from.relation.foreign_keys())
            .map(|(_, reference)| reference)
            .filter(|reference| reference.relation == table.relation.oid)
    };
    let is_found = outline.faults.any(Fault::FkActionCrosses)
        || outline.tables().any(|table| table.stand == Stand::Open);
    let mut taken = Vec::new();
    if is_found && actions().any(|reference| reference.on_delete.changes()) {
        taken.push("DELETE");
    }
    if is_found && actions().any(|reference| reference.on_update.changes()) {
        taken.push("UPDATE");
    }
    taken
}
