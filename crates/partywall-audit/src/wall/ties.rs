//! Whether a way ties the row to the tenant of the one who asks.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Wall,
    way::{Literal, Way},
};
use crate::{
    catalogue::{Column as TableColumn, Oid, Relation},
    expression::{Column, Constant, ROW, Source, Term, bare},
    subject::Belonging,
};

/// A table in which it is looked up what the session's user may see: a membership.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trust {
    pub(crate) relation: Oid,
    /// The columns that say it together, none where that is not known. A row that names another tenant's must do
    /// so in all of them.
    pub(crate) columns: Vec<i16>,
}

impl Trust {
    pub(crate) const fn of(relation: Oid) -> Self {
        Self {
            relation,
            columns: Vec::new(),
        }
    }
}

/// What ties a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tie {
    pub(crate) trusts: BTreeSet<Trust>,
    /// Whether it is the user's row rather than the tenant's: enough to read it, not to make one.
    pub(crate) owned: bool,
}

/// For whom a way is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'s> {
    pub(super) role: Oid,
    pub(super) relation: Oid,
    /// The column that says whose a row is.
    pub(super) tenant: Option<i16>,
    /// Whether it is a new row.
    pub(super) check: bool,
    /// Whether no other column will do.
    pub(super) alone: bool,
    /// The relations whose policies are being judged, around this.
    pub(super) within: &'s [Oid],
}

/// Values that are equal, by number.
#[derive(Default)]
struct Classes<'t> {
    of: BTreeMap<&'t Term, usize>,
    parents: Vec<usize>,
}

impl<'t> Classes<'t> {
    fn number(&mut self, term: &'t Term) -> usize {
        let next = self.parents.len();
        let number = *self.of.entry(term).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        self.root(number)
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(&parent) = self.parents.get(at) {
            if parent == at {
                break;
            }
            at = parent;
        }
        at
    }

    fn join(&mut self, one: &'t Term, other: &'t Term) {
        let (one, other) = (self.number(one), self.number(other));
        if let Some(parent) = self.parents.get_mut(one) {
            *parent = other;
        }
    }

    fn find(&self, term: &Term) -> Option<usize> {
        self.of.get(term).map(|number| self.root(*number))
    }
}

/// The rows at hand and what is known of them.
struct Rows<'w, 'a> {
    wall: &'w Wall<'a>,
    asker: Asker<'w>,
    /// Each with the class of values of each of its columns that is compared.
    sources: Vec<(Source, BTreeMap<i16, usize>)>,
    /// The classes that hold a value of the session.
    session: BTreeSet<usize>,
    /// Tables that functions of the session's values read.
    read: BTreeSet<Oid>,
    /// The rows that are the tenant's.
    tied: BTreeMap<u32, Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Its tenant is the session's, by its own column.
    Directly,
    /// It belongs to a row that is the tenant's.
    Through,
    /// It was looked up by a value of the session, or only the user's own are seen: its columns say what the
    /// session may see.
    Keyed,
}

/// What ties the row to the tenant, if something does. `folds`: whether equalities count that take different
/// values for the same.
pub(super) fn tie(wall: &Wall<'_>, asker: Asker<'_>, way: &Way, folds: bool) -> Option<Tie> {
    let found = tie_by(wall, asker, way, folds);
    if found.is_some() || asker.alone {
        return found;
    }
    // A row that is a person's can be tied to the tenant instead: a membership.
    let relation = wall.catalogue.relations.get(&asker.relation)?;
    let column = relation.column(asker.tenant?)?;
    if !is_person(wall, relation, column) {
        return None;
    }
    relation
        .foreign_keys()
        .filter(|(_, reference)| Some(reference.relation) == wall.subject.root)
        .filter_map(|(constraint, _)| match constraint.columns.as_slice() {
            [only] if *only != column.number => Some(*only),
            _ => None,
        })
        .find_map(|other| {
            let asker = Asker {
                tenant: Some(other),
                ..asker
            };
            tie_by(wall, asker, way, folds)
        })
}

fn tie_by(wall: &Wall<'_>, asker: Asker<'_>, way: &Way, folds: bool) -> Option<Tie> {
    let mut classes = Classes::default();
    for literal in way.literals() {
        if let Literal::Equal {
            left,
            right,
            folds: folding,
        } = literal
            && (folds || !folding)
        {
            classes.join(left, right);
        }
    }
    let mut rows = Rows {
        wall,
        asker,
        sources: Vec::new(),
        session: BTreeSet::new(),
        read: BTreeSet::new(),
        tied: BTreeMap::new(),
    };
    let mut members: BTreeMap<&Term, usize> = BTreeMap::new();
    for literal in way.literals() {
        let Literal::Member {
            item,
            list,
            folds: folding,
        } = literal
        else {
            continue;
        };
        if *folding && !folds {
            continue;
        }
        // One of the session's list; or a list of tenants in the row, of which the session's is one.
        let (one, value) = if rows.is_session(list) {
            (item, list)
        } else if rows.is_session(item) && matches!(list, Term::Column(_)) {
            (list, item)
        } else {
            continue;
        };
        let class = classes.number(one);
        members.insert(one, class);
        rows.session.insert(class);
        rows.note(value);
    }
    for literal in way.literals() {
        if let Some((one, value)) = overlap(literal)
            && rows.is_session(value)
        {
            let class = classes.number(one);
            rows.session.insert(class);
            rows.note(value);
        }
    }
    rows.session = rows
        .session
        .iter()
        .map(|class| classes.root(*class))
        .collect();
    for term in classes.of.keys() {
        if rows.is_session(term)
            && let Some(class) = classes.find(term)
        {
            rows.session.insert(class);
            rows.note(term);
        }
    }
    let of_row = Source {
        number: ROW,
        relation: asker.relation,
        reader: None,
    };
    let found = way.literals().filter_map(|literal| match literal {
        Literal::Source(source) => Some(*source),
        _ => None,
    });
    rows.sources = std::iter::once(of_row)
        .chain(found)
        .map(|source| {
            let columns = classes
                .of
                .keys()
                .filter_map(|term| match term {
                    Term::Column(column) if column.source == source.number => {
                        Some((column.number, classes.find(term)?))
                    }
                    _ => None,
                })
                .collect();
            (source, columns)
        })
        .collect();
    rows.settle();
    rows.answer()
}

/// `list && list`, `list @> ARRAY[one]`: that a list of tenants in the row has one of the session's. A list that
/// is no longer than what is written down: an empty one is contained in every list.
fn overlap(literal: &Literal) -> Option<(&Term, &Term)> {
    let Literal::Holds(Term::Operator(compare, members)) = literal else {
        return None;
    };
    let [left, right] = members.as_slice() else {
        return None;
    };
    let full = |term: &Term| matches!(bare(term), Term::Array(members) if !members.is_empty());
    match (compare.name.as_str(), bare(left), bare(right)) {
        ("&&", Term::Column(_), _) => Some((bare(left), right)),
        ("&&", _, Term::Column(_)) => Some((bare(right), left)),
        ("@>", Term::Column(_), _) if full(right) => Some((bare(left), right)),
        ("<@", _, Term::Column(_)) if full(left) => Some((bare(right), left)),
        _ => None,
    }
}

impl Rows<'_, '_> {
    /// Whether a value depends on who asks and on no row at hand.
    fn is_session(&self, term: &Term) -> bool {
        self.wall.is_session(term)
    }

    /// Notes the tables on which a value of the session depends.
    fn note(&mut self, term: &Term) {
        self.read.extend(self.wall.library.facts(term).relations);
    }

    /// Finds all rows that are the tenant's: one follows from another.
    fn settle(&mut self) {
        loop {
            let before = self.tied.len();
            for at in 0..self.sources.len() {
                let Some((source, columns)) = self.sources.get(at).cloned() else {
                    continue;
                };
                if self.tied.contains_key(&source.number) {
                    continue;
                }
                if let Some(known) = self.known(source, &columns) {
                    self.tied.insert(source.number, known);
                }
            }
            if self.tied.len() == before {
                return;
            }
        }
    }

    fn known(&self, source: Source, columns: &BTreeMap<i16, usize>) -> Option<Known> {
        let catalogue = self.wall.catalogue;
        let relation = catalogue.relations.get(&source.relation)?;
        let tenant = self.tenant_of(source);
        let is_session = |column: &i16| {
            columns
                .get(column)
                .is_some_and(|class| self.session.contains(class))
        };
        if tenant.is_some_and(|tenant| is_session(&tenant)) {
            return Some(Known::Directly);
        }
        // A row of two parties is either's to see, and not to make in the other's name.
        let is_read = source.number == ROW && !self.asker.check && !self.asker.alone;
        if is_read && self.parties(relation).any(|column| is_session(&column)) {
            return Some(Known::Directly);
        }
        // The one that it belongs to is the session's.
        if tenant.is_none()
            && let Some(Belonging::Parent { constraint, .. }) =
                self.wall.subject.belonging(source.relation)
            && relation
                .foreign_keys()
                .any(|(own, _)| own.oid == *constraint && own.columns.iter().all(is_session))
        {
            return Some(Known::Directly);
        }
        if self.through(relation, source, columns, tenant) {
            return Some(Known::Through);
        }
        if source.number == ROW {
            return None;
        }
        if columns.keys().any(is_session) {
            return Some(Known::Keyed);
        }
        // What its own policies let the reader see.
        let reader = source.reader.unwrap_or(self.asker.role);
        if self.wall.subject.is_tenants(source.relation)
            && !catalogue.is_exempt(reader, relation)
            && !self.asker.within.contains(&source.relation)
        {
            let seen = self.wall.seen(reader, source.relation, self.asker.within);
            if let Some(tie) = seen {
                return Some(if tie.owned || !tie.trusts.is_empty() {
                    Known::Keyed
                } else {
                    Known::Through
                });
            }
        }
        None
    }

    /// The columns that refer to the tenants.
    fn parties(&self, relation: &Relation) -> impl Iterator<Item = i16> {
        let root = self.wall.subject.root;
        let key = root.and_then(|root| self.wall.subject.tenant_column(root));
        relation
            .foreign_keys()
            .filter_map(move |(constraint, reference)| {
                let column = constraint.columns.first()?;
                (constraint.columns.len() == 1
                    && Some(reference.relation) == root
                    && reference.columns.first().copied() == key)
                    .then_some(*column)
            })
    }

    fn tenant_of(&self, source: Source) -> Option<i16> {
        if source.number == ROW {
            self.asker.tenant
        } else {
            self.wall.subject.tenant_column(source.relation)
        }
    }

    /// The tables of which rows grant something: those that were looked up, and those that name the tenant in
    /// another column than their own.
    fn trusts(&self) -> BTreeSet<Trust> {
        let mut trusts: BTreeSet<Trust> = self.read.iter().map(|oid| Trust::of(*oid)).collect();
        for (source, columns) in self.sources.iter().skip(1) {
            // What is compared with the row, and not with the session.
            let tenant: Vec<i16> = self
                .granting(columns, ROW)
                .into_iter()
                .filter(|column| self.is_row_tenant(columns, *column))
                .collect();
            let mut add = |columns: Vec<i16>| {
                if !columns.is_empty() {
                    trusts.insert(Trust {
                        relation: source.relation,
                        columns,
                    });
                }
            };
            match self.tied.get(&source.number) {
                Some(Known::Directly) => {
                    let own = self.tenant_of(*source);
                    add(tenant
                        .into_iter()
                        .filter(|column| Some(*column) != own)
                        .collect());
                }
                // A grant for the tenant of the row says nothing of another tenant's, whatever else it says.
                Some(Known::Keyed) if !tenant.is_empty() => add(tenant),
                Some(Known::Keyed) => {
                    for (other, _) in &self.sources {
                        if other.number != source.number {
                            add(self.references(*source, self.granting(columns, other.number)));
                        }
                    }
                }
                Some(Known::Through) | None => {}
            }
        }
        trusts
    }

    /// The columns that are compared with those of another row, and not with the session.
    fn granting(&self, columns: &BTreeMap<i16, usize>, other: u32) -> Vec<i16> {
        let theirs = self
            .sources
            .iter()
            .find(|(source, _)| source.number == other);
        columns
            .iter()
            .filter(|(_, class)| {
                !self.session.contains(class)
                    && theirs.is_some_and(|(_, theirs)| theirs.values().any(|it| it == *class))
            })
            .map(|(column, _)| *column)
            .collect()
    }

    /// Those that refer to something, if any does: what else is equal does not say which row is meant.
    fn references(&self, source: Source, columns: Vec<i16>) -> Vec<i16> {
        let relation = self.wall.catalogue.relations.get(&source.relation);
        let referring: Vec<i16> = columns
            .iter()
            .copied()
            .filter(|column| relation.is_some_and(|it| is_reference(it, *column)))
            .collect();
        if referring.is_empty() {
            columns
        } else {
            referring
        }
    }

    /// Whether a column of another row is compared with the tenant of the row.
    fn is_row_tenant(&self, columns: &BTreeMap<i16, usize>, column: i16) -> bool {
        let row = self.sources.first().map(|(_, columns)| columns);
        let tenant = self.asker.tenant.and_then(|tenant| row?.get(&tenant));
        tenant.is_some() && tenant == columns.get(&column)
    }

    /// Whether a row belongs to another that is the tenant's.
    fn through(
        &self,
        relation: &Relation,
        source: Source,
        columns: &BTreeMap<i16, usize>,
        tenant: Option<i16>,
    ) -> bool {
        self.sources.iter().any(|(other, theirs)| {
            let Some(known) = self.tied.get(&other.number) else {
                return false;
            };
            if other.number == source.number {
                return false;
            }
            let same = |own: i16, their: i16| {
                let class = columns.get(&own);
                class.is_some() && class == theirs.get(&their)
            };
            // The same tenant as its; or one that it names, which the session's row grants.
            if let Some(tenant) = tenant {
                let their_tenant = self.tenant_of(*other);
                let equal = match known {
                    Known::Keyed | Known::Directly if other.number != ROW => {
                        theirs.keys().any(|their| same(tenant, *their))
                    }
                    Known::Keyed | Known::Directly | Known::Through => {
                        their_tenant.is_some_and(|their| same(tenant, their))
                    }
                };
                if equal {
                    return true;
                }
            }
            // It refers to it, and has no tenant of its own that could be another.
            let free = |key: &[i16]| tenant.is_none_or(|tenant| key.contains(&tenant));
            let declared = relation.foreign_keys().any(|(constraint, reference)| {
                reference.relation == other.relation
                    && free(&constraint.columns)
                    && refers(
                        self.wall,
                        &constraint.columns,
                        &reference.columns,
                        other.relation,
                        &same,
                    )
            });
            let belongs = tenant.is_none()
                && *known == Known::Keyed
                && columns.keys().any(|own| {
                    is_reference(relation, *own) && theirs.keys().any(|their| same(*own, *their))
                });
            declared || belongs
        })
    }

    fn answer(&self) -> Option<Tie> {
        match self.tied.get(&ROW) {
            Some(Known::Directly) => {
                return Some(Tie {
                    trusts: self.read.iter().map(|oid| Trust::of(*oid)).collect(),
                    owned: false,
                });
            }
            Some(Known::Through | Known::Keyed) => {
                return Some(Tie {
                    trusts: self.trusts(),
                    owned: false,
                });
            }
            None => {}
        }
        if self.asker.check {
            return None;
        }
        // The user's own row, or one that somebody let the user see.
        let (_, columns) = self.sources.first()?;
        let relation = self.wall.catalogue.relations.get(&self.asker.relation)?;
        let own = columns.iter().any(|(number, class)| {
            let column = relation.column(*number);
            self.session.contains(class)
                && column.is_some_and(|column| is_person(self.wall, relation, column))
        });
        let shared = self.sources.iter().skip(1).any(|(other, theirs)| {
            self.tied.get(&other.number) == Some(&Known::Keyed)
                && columns.iter().any(|(number, class)| {
                    is_reference(relation, *number) && theirs.values().any(|their| their == class)
                })
        });
        (own || shared).then(|| Tie {
            trusts: self.trusts(),
            owned: true,
        })
    }
}

/// Whether the columns of a foreign key are compared with what they refer to: all of them, or so many that only
/// one row can be meant.
fn refers(
    wall: &Wall<'_>,
    own: &[i16],
    theirs: &[i16],
    relation: Oid,
    same: &dyn Fn(i16, i16) -> bool,
) -> bool {
    let compared: BTreeSet<i16> = own
        .iter()
        .zip(theirs)
        .filter(|(own, their)| same(**own, **their))
        .map(|(_, their)| *their)
        .collect();
    if compared.is_empty() {
        return false;
    }
    if compared.len() == theirs.len() {
        return true;
    }
    let relation = wall.catalogue.relations.get(&relation);
    relation.is_some_and(|relation| {
        relation.indexes.iter().any(|index| {
            index.unique
                && index.valid
                && !index.partial
                && index
                    .columns
                    .iter()
                    .all(|key| key.column.is_some_and(|key| compared.contains(&key)))
        })
    })
}

/// Whether a column is part of a key, or refers to another table's.
fn is_reference(relation: &Relation, column: i16) -> bool {
    relation
        .foreign_keys()
        .any(|(constraint, _)| constraint.columns.contains(&column))
        || relation
            .primary_key()
            .is_some_and(|key| key.contains(&column))
}

/// Whether a column says which person a row is of. There is nothing but its name to tell it by, and what it refers to.
fn is_person(wall: &Wall<'_>, relation: &Relation, column: &TableColumn) -> bool {
    const PEOPLE: [&str; 12] = [
        "user",
        "owner",
        "author",
        "member",
        "account",
        "profile",
        "person",
        "people",
        "employee",
        "creator",
        "created_by",
        "login",
    ];
    let says = |name: &str| {
        let name = name.to_lowercase();
        PEOPLE.iter().any(|word| name.contains(word))
    };
    let refers = relation.foreign_keys().any(|(constraint, reference)| {
        constraint.columns == [column.number]
            && wall
                .catalogue
                .relations
                .get(&reference.relation)
                .is_some_and(|it| says(&it.name.name))
    });
    let itself = relation.primary_key() == Some(&[column.number]) && says(&relation.name.name);
    says(&column.name) || refers || itself
}

/// The tenant column of the row, bare or cast.
pub(super) fn is_column(term: &Term, number: i16) -> bool {
    matches!(bare(term), Term::Column(Column { source: ROW, number: own, .. }) if *own == number)
}

/// Whether a term is a constant that is not NULL.
pub(super) fn is_constant(term: &Term) -> bool {
    matches!(bare(term), Term::Constant(it) if *it != Constant::Null)
}
