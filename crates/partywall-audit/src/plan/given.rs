//! What was inferred of each table, and what a reviewed map puts in its place.

use std::collections::BTreeMap;

use super::{Map, TableMap, column::TenantColumn, outline::Belongs, written};
use crate::{
    AuditError,
    catalogue::{Catalogue, Constraint, Oid, Relation},
    sql::{self, Name},
    subject::{Belonging, Subject},
};

/// Whose the rows of a table are, and who says so.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) belongs: Belongs,
    pub(super) reason: String,
    pub(super) tenant: Option<TenantColumn>,
    /// The entry of the map that said it.
    pub(super) entry: Option<String>,
}

impl Decided {
    fn new(belongs: Belongs, reason: impl Into<String>) -> Self {
        Self {
            belongs,
            reason: reason.into(),
            tenant: None,
            entry: None,
        }
    }
}

/// What was inferred of the tables that a plan can do something with.
pub(super) fn inferred(catalogue: &Catalogue, subject: &Subject) -> BTreeMap<Oid, Decided> {
    catalogue
        .relations
        .values()
        .filter(|relation| {
            relation.is_table()
                && !relation.is_partition
                && relation.extension.is_none()
                && subject.reports(relation)
        })
        .map(|relation| {
            let decided = match subject.belonging(relation.oid) {
                Some(Belonging::Root(column)) => {
                    of_column(relation, *column, Belongs::Root, "the tenants themselves")
                }
                Some(Belonging::Column(column)) => {
                    of_column(relation, *column, Belongs::Own, "its own column")
                }
                Some(Belonging::Person(_)) => Decided::new(
                    Belongs::Person,
                    "its rows are people's, who may be in several tenants: its own policies have to keep them",
                ),
                Some(Belonging::Parent { constraint, .. }) => {
                    Decided::new(Belongs::Path(*constraint), String::new())
                }
                Some(Belonging::Global) => Decided::new(Belongs::Global, global(subject, relation)),
                Some(Belonging::Undecided(why)) => Decided::new(Belongs::Undecided, why.clone()),
                None => Decided::new(Belongs::Undecided, "nothing says whose its rows are"),
            };
            (relation.oid, decided)
        })
        .collect()
}

fn global(subject: &Subject, relation: &Relation) -> String {
    let name = relation.name.to_string();
    subject
        .inferred
        .globals
        .iter()
        .find(|taken| taken.value == name || taken.value == relation.name.name)
        .map_or_else(
            || "nothing in it refers to a tenant".to_owned(),
            |taken| taken.because.clone(),
        )
}

fn of_column(relation: &Relation, column: i16, belongs: Belongs, reason: &str) -> Decided {
    let mut decided = Decided::new(belongs, reason);
    decided.tenant = relation.column(column).map(TenantColumn::of);
    decided
}

/// The table of the tenants, as the map says or as it was inferred.
pub(super) fn root(
    catalogue: &Catalogue,
    subject: &Subject,
    map: &Map,
    decided: &mut BTreeMap<Oid, Decided>,
) -> Result<Option<Oid>, AuditError> {
    let Some(name) = &map.tenant.table else {
        if map.tenant.key.is_some() {
            return Err(AuditError::map(
                "tenant.key",
                "says a key, and tenant.table says no table",
            ));
        }
        return Ok(subject.root);
    };
    let relation = find(catalogue, "tenant.table", name)?;
    let number = match &map.tenant.key {
        Some(key) => column(relation, "tenant.key", key)?.number,
        None => match relation.primary_key() {
            Some([key]) => *key,
            _ => {
                return Err(AuditError::map(
                    "tenant.key",
                    format!(
                        "say which column of {} the tenants go by: its primary key is not one column",
                        relation.name
                    ),
                ));
            }
        },
    };
    if let Some(before) = subject.root.filter(|before| *before != relation.oid)
        && let Some(it) = decided.get_mut(&before)
    {
        *it = Decided::new(
            Belongs::Undecided,
            "was taken for the tenants, and the map says others",
        );
    }
    let mut it = of_column(relation, number, Belongs::Root, "the tenants themselves");
    it.entry = Some("tenant.table".to_owned());
    decided.insert(relation.oid, it);
    Ok(Some(relation.oid))
}

/// Puts what the map says of tables in place of what was inferred.
pub(super) fn overlay(
    catalogue: &Catalogue,
    map: &Map,
    tenant: &str,
    decided: &mut BTreeMap<Oid, Decided>,
) -> Result<(), AuditError> {
    let mut seen: BTreeMap<Oid, &str> = BTreeMap::new();
    for (name, table) in &map.tables {
        let entry = format!("tables.{}", written::string(name));
        let relation = find(catalogue, &entry, name)?;
        if let Some(other) = seen.insert(relation.oid, name) {
            return Err(AuditError::map(
                entry,
                format!("is the same table as `{other}`: keep one"),
            ));
        }
        if relation.is_partition {
            return Err(AuditError::map(
                entry,
                "is a partition: what its partitioned table is, it is too",
            ));
        }
        let is_root = decided
            .get(&relation.oid)
            .is_some_and(|it| it.belongs == Belongs::Root);
        let mut it = match table {
            TableMap::Tenant(name) => {
                let number = column(relation, &entry, name)?.number;
                let key = decided
                    .get(&relation.oid)
                    .and_then(|it| it.tenant.as_ref())
                    .and_then(|tenant| tenant.number);
                if is_root && key == Some(number) {
                    of_column(relation, number, Belongs::Root, "the tenants themselves")
                } else if is_root && map.tenant.table.is_some() {
                    return Err(AuditError::map(
                        entry,
                        format!("`{name}` is not the key of the tenants' own table"),
                    ));
                } else {
                    of_column(relation, number, Belongs::Own, "its own column")
                }
            }
            TableMap::Through(columns) => {
                if is_root && map.tenant.table.is_some() {
                    return Err(AuditError::map(entry, "is the tenants' own table"));
                }
                let constraint = path(relation, &entry, columns, tenant, decided)?;
                Decided::new(Belongs::Path(constraint), String::new())
            }
            TableMap::Global(_) if is_root && map.tenant.table.is_some() => {
                return Err(AuditError::map(
                    entry,
                    "is the tenants' own table, which is not global",
                ));
            }
            TableMap::Global(why) => Decided::new(Belongs::Global, why.clone()),
            TableMap::Undecided(why) => Decided::new(Belongs::Undecided, why.clone()),
        };
        it.entry = Some(entry);
        decided.insert(relation.oid, it);
    }
    Ok(())
}

/// What a foreign key refers to.
pub(super) fn target(relation: &Relation, constraint: Oid) -> Option<Oid> {
    let (_, reference) = relation
        .foreign_keys()
        .find(|(it, _)| it.oid == constraint)?;
    Some(reference.relation)
}

/// The foreign key that a path goes by.
fn path(
    relation: &Relation,
    entry: &str,
    columns: &str,
    tenant: &str,
    decided: &BTreeMap<Oid, Decided>,
) -> Result<Oid, AuditError> {
    let found: Vec<&Constraint> = relation
        .foreign_keys()
        .filter(|(constraint, reference)| {
            let own: Vec<i16> = constraint
                .columns
                .iter()
                .copied()
                .filter(|number| {
                    constraint.columns.len() == 1
                        || relation.column(*number).is_none_or(|column| column.name != tenant)
                })
                .collect();
            constraint.parent.is_none()
                && reference.relation != relation.oid
                && [&own, &constraint.columns].into_iter().any(|numbers| {
                    relation.column_list(numbers) == columns
                        || matches!(numbers.as_slice(), [one] if relation.column(*one).is_some_and(|it| it.name == columns))
                })
        })
        .map(|(constraint, _)| constraint)
        .collect();
    let tenants: Vec<&&Constraint> = found
        .iter()
        .filter(|constraint| {
            target(relation, constraint.oid).is_some_and(|parent| {
                decided.get(&parent).is_some_and(|it| {
                    !matches!(
                        it.belongs,
                        Belongs::Global | Belongs::Person | Belongs::Undecided
                    )
                })
            })
        })
        .collect();
    match (tenants.as_slice(), found.as_slice()) {
        ([one, ..], _) => Ok(one.oid),
        ([], [one, ..]) => Ok(one.oid),
        ([], []) => {
            let there: Vec<String> = relation
                .foreign_keys()
                .map(|(constraint, _)| format!("`{}`", relation.column_list(&constraint.columns)))
                .collect();
            let there = if there.is_empty() {
                "it has none: add one".to_owned()
            } else {
                format!("it has one on {}", there.join(" and one on "))
            };
            let name = &relation.name;
            Err(AuditError::map(
                entry,
                format!("{name} has no foreign key on `{columns}`; {there}"),
            ))
        }
    }
}

/// The columns of a path as the map has them: without the tenant's.
pub(super) fn path_columns(
    relation: &Relation,
    constraint: &Constraint,
    tenant: Option<&TenantColumn>,
) -> String {
    let own: Vec<i16> = constraint
        .columns
        .iter()
        .copied()
        .filter(|column| {
            constraint.columns.len() == 1
                || tenant.and_then(|tenant| tenant.number) != Some(*column)
        })
        .collect();
    match own.as_slice() {
        [one] => relation
            .column(*one)
            .map(|column| column.name.clone())
            .unwrap_or_default(),
        several => relation.column_list(several),
    }
}

fn column<'a>(
    relation: &'a Relation,
    entry: &str,
    name: &str,
) -> Result<&'a crate::catalogue::Column, AuditError> {
    relation.column_named(name).ok_or_else(|| {
        let there: Vec<&str> = relation
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        AuditError::map(
            entry,
            format!(
                "{} has no column `{name}`; it has {}",
                relation.name,
                there.join(", ")
            ),
        )
    })
}

/// The table of a name, as SQL writes it or without quotes.
fn find<'a>(catalogue: &'a Catalogue, entry: &str, name: &str) -> Result<&'a Relation, AuditError> {
    let found: Vec<&Relation> = catalogue
        .relations
        .values()
        .filter(|relation| relation.is_table() && is_named(&relation.name, name))
        .collect();
    let exact = found
        .iter()
        .find(|relation| relation.name.to_string() == name);
    match (exact, found.as_slice()) {
        (Some(one), _) | (None, [one]) => Ok(one),
        (None, []) => Err(AuditError::map(
            entry,
            format!(
                "the database has no table `{name}`; remove the entry, or write schema.table, quoted as in SQL"
            ),
        )),
        (None, several) => {
            let names: Vec<String> = several.iter().map(|it| format!("`{}`", it.name)).collect();
            Err(AuditError::map(
                entry,
                format!("say which of {}", names.join(", ")),
            ))
        }
    }
}

fn is_named(full: &Name, name: &str) -> bool {
    full.to_string() == name
        || format!("{}.{}", full.schema, full.name) == name
        || full.name == name
        || sql::tidy(&full.name) == name
}
