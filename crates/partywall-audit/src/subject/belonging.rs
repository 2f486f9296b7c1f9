//! Whose the rows of each table are.

use std::collections::BTreeMap;

use super::{
    evidence::{Comparison, With},
    family::{Family, Tables, can_tell, holds},
    noun::{Noun, Weight, words},
};
use crate::catalogue::{Catalogue, Column, Constraint, Oid, Reference, Relation, RelationKind};

/// Whose the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Belonging {
    /// It is the table of the tenants themselves, and this is their key.
    Root(i16),
    /// A column of its own says it.
    Column(i16),
    /// A person's who may be in several tenants, and this column says whose: `users` beside memberships.
    Person(i16),
    /// The row that it refers to by this foreign key (a constraint's number) says it.
    Parent { constraint: Oid, parent: Oid },
    /// Nobody's.
    Global,
    /// It cannot be told, and why.
    Undecided(String),
}

impl Belonging {
    /// Whether they are somebody's: tenants', or people's within them.
    pub(super) const fn is_tenants(&self) -> bool {
        matches!(
            self,
            Self::Root(_) | Self::Column(_) | Self::Person(_) | Self::Parent { .. }
        )
    }
}

/// The tables of which it can be told that their rows are tenants'; the other ones that were looked at are
/// missing, but those of which the reason for doubt is known.
pub(super) fn tenants(tables: &Tables<'_>, family: &Family) -> BTreeMap<Oid, Belonging> {
    let mut found: BTreeMap<Oid, Belonging> = BTreeMap::new();
    let mut people: BTreeMap<Oid, Belonging> = BTreeMap::new();
    for relation in &tables.all {
        match by_column(tables, family, relation) {
            Some(person @ Belonging::Person(_)) => people.insert(relation.oid, person),
            Some(belonging) => found.insert(relation.oid, belonging),
            None => None,
        };
    }
    // The person may be a tenant's own: then the row is that tenant's.
    by_parent(tables, &mut found, |relation, constraint| {
        people.get(&relation).is_none_or(|belonging| {
            matches!(belonging, Belonging::Person(column) if constraint.columns.contains(column))
        })
    });
    for (relation, person) in people {
        found.entry(relation).or_insert(person);
    }
    by_parent(tables, &mut found, |_, _| true);
    found
}

fn by_column(tables: &Tables<'_>, family: &Family, relation: &Relation) -> Option<Belonging> {
    let root = family.root.as_ref();
    if let Some(root) = root.filter(|root| root.relation == relation.oid) {
        return Some(Belonging::Root(root.key));
    }
    let key = root.and_then(|root| tables.get(root.relation)?.column(root.key));
    let fits = |column: &&Column| key.is_none_or(|key| holds(column, key));
    let named = family.column(relation).filter(fits);
    let comparisons: &[Comparison] = tables
        .comparisons
        .get(&relation.oid)
        .map_or(&[], Vec::as_slice);
    // What the policies compare themselves, unless it is another dimension and the tenant was forgotten.
    let direct: Vec<&Column> = comparisons
        .iter()
        .filter(|comparison| {
            matches!(&comparison.with, With::Context { reads, .. }
                if named.is_none() || reads.settings.is_empty() || !reads.settings.is_disjoint(&family.settings))
        })
        .filter_map(|comparison| relation.column(comparison.column))
        .collect();
    let same = |column: &Column| named.is_some_and(|named| named.number == column.number);
    if let Some(column) = direct.iter().find(|column| same(column)).or_else(|| {
        direct
            .iter()
            .find(|column| refers(relation, column, family))
    }) {
        return Some(Belonging::Column(column.number));
    }
    // Who wrote a row says less than the tenant that other policies ask for, be it by a membership.
    let is_asked = named.is_some_and(|named| {
        let mut all = comparisons.iter();
        all.any(|comparison| comparison.column == named.number)
    });
    if let Some(column) = direct.first().filter(|_| !is_asked) {
        let is_tenants = named.is_some() || !is_persons(comparisons, relation, column, family);
        return Some(if is_tenants {
            Belonging::Column(column.number)
        } else {
            Belonging::Person(column.number)
        });
    }
    if let Some(column) = named {
        return Some(Belonging::Column(column.number));
    }
    if let Some(belonging) = by_reference(relation, family) {
        return Some(belonging);
    }
    comparisons.iter().find_map(|comparison| {
        let With::Column {
            relation: other,
            column: theirs,
            ..
        } = &comparison.with
        else {
            return None;
        };
        linked(
            tables,
            family,
            relation,
            comparison.column,
            (*other, *theirs),
        )
    })
}

/// Whether a column refers to the tenants by a foreign key of its own.
fn refers(relation: &Relation, column: &Column, family: &Family) -> bool {
    to_root(relation, family).any(|number| number == column.number)
}

/// The columns that refer to the tenants.
fn to_root<'a>(relation: &'a Relation, family: &'a Family) -> impl Iterator<Item = i16> + 'a {
    relation
        .foreign_keys()
        .filter_map(|(constraint, reference)| {
            let root = family.root.as_ref()?;
            let own = constraint.columns.first()?;
            (constraint.columns.len() == 1
                && reference.relation == root.relation
                && reference.columns == [root.key])
            .then_some(*own)
        })
}

/// A column that refers to the tenants, whatever it is called.
fn by_reference(relation: &Relation, family: &Family) -> Option<Belonging> {
    let mut all: Vec<&Column> = to_root(relation, family)
        .filter_map(|number| relation.column(number))
        .filter(|column| !is_authorship(&column.name))
        .collect();
    all.sort_by_key(|column| column.number);
    match all.as_slice() {
        [] => None,
        [one] => Some(Belonging::Column(one.number)),
        several => {
            let sure: Vec<&&Column> = several.iter().filter(|column| column.not_null).collect();
            if let [one] = sure.as_slice() {
                return Some(Belonging::Column(one.number));
            }
            let names: Vec<String> = several
                .iter()
                .map(|column| format!("`{}`", column.name))
                .collect();
            Some(Belonging::Undecided(format!(
                "{} all refer to the tenants: say by --tenant-column which of them says whose a row is",
                names.join(", ")
            )))
        }
    }
}

/// A column that a policy compares with another relation's in a sub-select: with the tenant that a membership
/// is of, or with the key of a parent, which is for foreign keys to say.
fn linked(
    tables: &Tables<'_>,
    family: &Family,
    relation: &Relation,
    own: i16,
    (other, theirs): (Oid, i16),
) -> Option<Belonging> {
    let column = relation.column(own)?;
    let other = tables.get(other)?;
    let is_tenant = other
        .column(theirs)
        .is_some_and(|column| family.has(&column.name) || refers(other, column, family))
        || family
            .root
            .as_ref()
            .is_some_and(|root| root.relation == other.oid && root.key == theirs);
    let refers = relation.foreign_keys().any(|(constraint, reference)| {
        reference.relation == other.oid && constraint.columns.contains(&own)
    });
    let is_key = other.primary_key() == Some(&[theirs]);
    if !can_tell(column) || !is_tenant && (refers || is_key) {
        return None;
    }
    // Who is a member of a tenant, where the tenant is another column of the membership.
    let is_person = relation.primary_key() == Some(&[own])
        || Noun::of_column(&column.name).is_some_and(|noun| noun.weight == Weight::Person);
    Some(if !is_tenant && is_person && family.root.is_some() {
        Belonging::Person(own)
    } else {
        Belonging::Column(own)
    })
}

/// Whether a column that policies compare with the session says a person rather than a tenant: there are tenants,
/// the table does not refer to them, and what it is compared with is nowhere a tenant.
fn is_persons(
    comparisons: &[Comparison],
    relation: &Relation,
    column: &Column,
    family: &Family,
) -> bool {
    let Some(root) = family.root.as_ref() else {
        return false;
    };
    let to_root = relation
        .foreign_keys()
        .any(|(_, reference)| reference.relation == root.relation);
    let mut own = comparisons
        .iter()
        .filter(|comparison| comparison.column == column.number)
        .peekable();
    !to_root
        && own.peek().is_some()
        && own.all(|comparison| match &comparison.with {
            With::Context { reads, .. } => {
                !reads.settings.is_empty() && !family.is_compared(&comparison.with)
            }
            With::Column { .. } => true,
        })
}

/// Who made or changed a row says nothing of whose it is.
fn is_authorship(name: &str) -> bool {
    words(name).last().map(String::as_str) == Some("by") || {
        let words = words(name);
        matches!(words.as_slice(), [.., by, id] if by == "by" && id == "id")
            || matches!(
                words.first().map(String::as_str),
                Some("created" | "updated" | "deleted" | "modified" | "approved" | "assigned")
            )
    }
}

/// Goes from the tables that are known to those that refer to them, step by step.
fn by_parent(
    tables: &Tables<'_>,
    found: &mut BTreeMap<Oid, Belonging>,
    says: impl Fn(Oid, &Constraint) -> bool,
) {
    loop {
        let mut more: Vec<(Oid, Belonging)> = Vec::new();
        for relation in tables
            .all
            .iter()
            .filter(|relation| !found.contains_key(&relation.oid))
        {
            let best = relation
                .foreign_keys()
                .filter(|(constraint, reference)| {
                    reference.relation != relation.oid
                        && says(relation.oid, constraint)
                        && found
                            .get(&reference.relation)
                            .is_some_and(Belonging::is_tenants)
                })
                .filter_map(|(constraint, reference)| {
                    Some((
                        strength(tables, relation, constraint, reference)?,
                        constraint.oid,
                        reference.relation,
                    ))
                })
                .max_by_key(|(strength, constraint, _)| {
                    (*strength, std::cmp::Reverse(*constraint))
                });
            if let Some((_, constraint, parent)) = best {
                more.push((relation.oid, Belonging::Parent { constraint, parent }));
            }
        }
        if more.is_empty() {
            return;
        }
        found.extend(more);
    }
}

/// How much a foreign key says of whose a row is; `None` if nothing.
fn strength(
    tables: &Tables<'_>,
    relation: &Relation,
    constraint: &Constraint,
    reference: &Reference,
) -> Option<u8> {
    let columns: Vec<&Column> = constraint
        .columns
        .iter()
        .filter_map(|number| relation.column(*number))
        .collect();
    let asked = tables.comparisons.get(&relation.oid).into_iter().flatten().any(|comparison| {
        matches!(&comparison.with, With::Column { relation: other, .. } if *other == reference.relation)
            && constraint.columns.contains(&comparison.column)
    });
    if !asked && columns.iter().any(|column| is_authorship(&column.name)) {
        return None;
    }
    let sure = columns.iter().all(|column| column.not_null);
    let in_key = relation
        .primary_key()
        .is_some_and(|key| constraint.columns.iter().any(|column| key.contains(column)));
    let person = tables
        .get(reference.relation)
        .and_then(|parent| Noun::of_table(&parent.name.name))
        .is_some_and(|noun| noun.weight == Weight::Person);
    Some(
        32 * u8::from(asked)
            + 16 * u8::from(sure)
            + 8 * u8::from(reference.on_delete == crate::catalogue::Action::Cascade)
            + 4 * u8::from(in_key)
            + 2 * u8::from(!person),
    )
}

/// Gives partitions, and tables that inherit, what their parents have; a column by its name, as its number can
/// be another.
pub(super) fn inherit(catalogue: &Catalogue, found: &mut BTreeMap<Oid, Belonging>) {
    loop {
        let mut more: Vec<(Oid, Belonging)> = Vec::new();
        for relation in catalogue.relations.values() {
            if found.contains_key(&relation.oid) {
                continue;
            }
            let inherited = relation.parents.iter().find_map(|parent| {
                let (belonging, parent) = (found.get(parent)?, catalogue.relations.get(parent)?);
                let moved =
                    |number: i16| Some(relation.column_named(&parent.column(number)?.name)?.number);
                match belonging {
                    Belonging::Root(column) | Belonging::Column(column) => {
                        moved(*column).map(Belonging::Column)
                    }
                    Belonging::Person(column) => moved(*column).map(Belonging::Person),
                    Belonging::Parent { constraint, parent } => {
                        let copy = relation
                            .constraints
                            .iter()
                            .find(|copy| copy.parent == Some(*constraint));
                        Some(Belonging::Parent {
                            constraint: copy.map_or(*constraint, |copy| copy.oid),
                            parent: *parent,
                        })
                    }
                    Belonging::Global | Belonging::Undecided(_) => Some(belonging.clone()),
                }
            });
            if let Some(belonging) = inherited {
                more.push((relation.oid, belonging));
            }
        }
        if more.is_empty() {
            return;
        }
        found.extend(more);
    }
}

/// Whose the rows of a materialized view or a foreign table are: by a column that is called so.
pub(super) fn copy(
    relation: &Relation,
    family: &Family,
    is_tenants: impl Fn(Oid) -> bool,
) -> Belonging {
    let over = relation
        .view
        .as_ref()
        .is_some_and(|view| view.reads.iter().any(|oid| is_tenants(*oid)));
    match family.column(relation) {
        Some(column) => Belonging::Column(column.number),
        None if over => Belonging::Undecided(
            "it is made of tenants' rows, and no column of it says whose they are".to_owned(),
        ),
        None if relation.kind == RelationKind::MaterializedView => Belonging::Global,
        None => Belonging::Undecided(
            "it is another server's, and no column says whose its rows are".to_owned(),
        ),
    }
}
