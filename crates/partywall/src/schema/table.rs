use std::{collections::BTreeMap, fmt};

use super::{
    Ownership, PathBy, Rights, SchemaError, Source,
    declared::{Audience, Declared, Reference},
    link::{Link, links},
    sql::ident,
};
use crate::{scope::SqlType, value::Kind};

/// A table's name with its PostgreSQL schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl TableName {
    pub(crate) fn new(schema: Option<&str>, table: &str) -> Self {
        Self {
            schema: schema.unwrap_or("public").to_owned(),
            table: table.to_owned(),
        }
    }

    /// Quoted, for SQL.
    pub(crate) fn sql(&self) -> String {
        format!("{}.{}", ident(&self.schema), ident(&self.table))
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}.{}`", self.schema, self.table)
    }
}

/// A table as it shall be.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    pub(super) columns: Vec<(String, String)>,
    pub(super) primary_key: Vec<String>,
    pub(super) uniques: Vec<Vec<String>>,
    pub(super) indexes: Vec<Vec<String>>,
    /// Columns that foreign keys without the tenant point at.
    pub(super) targets: Vec<Vec<String>>,
    pub(super) references: Vec<ForeignKey>,
    /// What policies ask of the keys that cannot carry the owner.
    pub(super) links: Vec<Link>,
    pub(super) enums: Vec<(String, String)>,
    pub(super) rights: Rights,
    pub(super) audience: Audience,
    /// Whether changes are announced to whoever listens.
    pub(super) announced: bool,
    pub(crate) kinds: Vec<(&'static str, Kind)>,
    /// Empty for a global table.
    pub(super) owned: Vec<Dimensioned>,
}

/// One dimension of a table, resolved.
#[derive(Clone, Debug)]
pub(super) struct Dimensioned {
    pub(super) dimension: &'static str,
    pub(super) sql_type: SqlType,
    pub(super) by: By,
}

/// How the policy of a dimension finds a row's owner.
#[derive(Clone, Debug)]
pub(super) enum By {
    /// In a column.
    Column(String),
    /// In a column that the model does not have: a copy of the parent's.
    Copy { column: String, from: Parent },
    /// In the parent's row.
    Exists(Parent),
}

/// The parent that a path leads to.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    pub(super) table: TableName,
    /// Pairs of this table's column and the parent's.
    pub(super) on: Vec<(String, String)>,
    /// The parent's column of the dimension, where it has one.
    pub(super) column: Option<String>,
}

/// A foreign key as it shall be, tenant-leading where both sides have a tenant.
#[derive(Clone, Debug)]
pub(super) struct ForeignKey {
    pub(super) columns: Vec<String>,
    /// The columns that a deleted parent sets to NULL: the model's, never the tenant's.
    pub(super) own_columns: Vec<String>,
    pub(super) table: TableName,
    pub(super) to: Vec<String>,
    pub(super) reference: Reference,
    /// Whether it keeps a copied column true.
    pub(super) keeps_copy: bool,
}

impl Table {
    pub(crate) fn is_global(&self) -> bool {
        self.owned.is_empty()
    }

    /// The table's dimensions, the tenant first.
    pub(super) fn by_rank(&self) -> impl Iterator<Item = &Dimensioned> {
        let is_tenant = |owned: &&Dimensioned| owned.dimension == "tenant";
        let tenant = self.owned.iter().filter(is_tenant);
        tenant.chain(self.owned.iter().filter(move |owned| !is_tenant(owned)))
    }

    /// What the table says of a dimension.
    pub(super) fn owner(&self, dimension: &str) -> Option<&Dimensioned> {
        self.owned.iter().find(|owned| owned.dimension == dimension)
    }

    /// The column that leads every key and index: the tenant's, or else the first that there is.
    pub(super) fn lead(&self) -> Option<&str> {
        self.by_rank().find_map(|owned| owned.by.column())
    }

    /// Columns in key order, the leading one first.
    pub(super) fn led(&self, columns: &[String]) -> Vec<String> {
        let lead = self.lead();
        let rest = columns
            .iter()
            .filter(|column| Some(column.as_str()) != lead)
            .cloned();
        lead.map(str::to_owned).into_iter().chain(rest).collect()
    }

    /// A column of this table as a policy names it, also inside of a sub-select.
    pub(super) fn column(&self, name: &str) -> String {
        format!("{}.{}", self.name.sql(), ident(name))
    }

    /// Whether a declared column may hold NULL.
    pub(super) fn is_nullable(&self, name: &str) -> bool {
        !self.primary_key.iter().any(|key| key == name)
            && self
                .columns
                .iter()
                .any(|(column, rest)| column == name && !rest.contains("NOT NULL"))
    }

    /// The columns that hold owners: the application login may not update them.
    pub(super) fn owner_columns(&self) -> impl Iterator<Item = (&Dimensioned, &str)> {
        self.owned
            .iter()
            .filter_map(|owned| Some((owned, owned.by.column()?)))
    }
}

impl By {
    pub(super) fn column(&self) -> Option<&str> {
        match self {
            Self::Column(column) | Self::Copy { column, .. } => Some(column),
            Self::Exists(_) => None,
        }
    }
}

/// Follows the paths and leads the keys.
pub(super) fn resolve(
    declared: &[Declared],
) -> Result<(Vec<Table>, BTreeMap<&'static str, SqlType>), SchemaError> {
    let mut dimensions = BTreeMap::new();
    let mut tables: Vec<Table> = Vec::new();
    for model in declared {
        if tables.iter().any(|table| table.name == model.name) {
            return Err(SchemaError::Duplicate(model.name.to_string()));
        }
        let mut owned = Vec::new();
        if let Ownership::Owned(all) = &model.ownership {
            for one in all {
                let (by, sql_type) = follow(declared, model, one.dimension, one.source(), 0)?;
                let known = *dimensions.entry(one.dimension).or_insert(sql_type);
                if known != sql_type {
                    return Err(SchemaError::Types {
                        dimension: one.dimension.to_owned(),
                        one: known.name(),
                        other: sql_type.name(),
                    });
                }
                owned.push(Dimensioned {
                    dimension: one.dimension,
                    sql_type,
                    by,
                });
            }
        }
        tables.push(Table {
            name: model.name.clone(),
            columns: model.columns.clone(),
            primary_key: model.primary_key.clone(),
            uniques: model.uniques.clone(),
            indexes: model.indexes.clone(),
            targets: Vec::new(),
            references: Vec::new(),
            links: Vec::new(),
            enums: model.enums.clone(),
            rights: model.rights,
            audience: model.audience,
            announced: false,
            kinds: model.kinds.clone(),
            owned,
        });
    }
    let keys = declared
        .iter()
        .zip(&tables)
        .map(|(model, table)| {
            model
                .references
                .iter()
                .map(|key| foreign_key(table, key, &tables))
                .collect()
        })
        .collect::<Result<Vec<Vec<ForeignKey>>, _>>()?;
    // A key without the tenant needs its target unique by itself. That is a key between tables one of
    // which has no column of the owner: a policy refuses a foreign parent before the key is checked.
    let targets: Vec<_> = keys
        .iter()
        .flatten()
        .map(|k| (k.table.clone(), k.to.clone()))
        .collect();
    for (table, keys) in tables.iter_mut().zip(keys) {
        table.references = keys;
        for (_, to) in targets.iter().filter(|(name, _)| *name == table.name) {
            let known = std::iter::once(&table.primary_key).chain(&table.uniques);
            let unique = known
                .map(|columns| table.led(columns))
                .any(|columns| columns == *to);
            if !unique && !table.targets.contains(to) {
                table.targets.push(to.clone());
            }
        }
    }
    let links = links(&tables)?;
    for (table, links) in tables.iter_mut().zip(links) {
        table.links = links;
    }
    Ok((in_order(tables), dimensions))
}

/// Finds where a dimension's value comes from, through as many parents as the path names.
fn follow(
    declared: &[Declared],
    model: &Declared,
    dimension: &'static str,
    source: &Source,
    depth: usize,
) -> Result<(By, SqlType), SchemaError> {
    let (relation, rest, by) = match source {
        Source::Column { column, sql_type } => {
            return Ok((By::Column((*column).to_owned()), *sql_type));
        }
        Source::Path { relation, rest, by } => (relation, *rest, *by),
    };
    let table = || model.name.to_string();
    let unknown = |parent: String| SchemaError::UnknownParent {
        table: table(),
        dimension: dimension.to_owned(),
        parent,
    };
    if depth > declared.len() {
        return Err(SchemaError::Circle {
            table: table(),
            dimension: dimension.to_owned(),
        });
    }
    let name = TableName::of(&relation.to_tbl).ok_or_else(|| unknown("a sub-query".to_owned()))?;
    let parent = declared
        .iter()
        .find(|other| other.name == name)
        .ok_or_else(|| unknown(name.to_string()))?;
    let wrong = || SchemaError::WrongPath {
        table: table(),
        dimension: dimension.to_owned(),
        parent: name.to_string(),
        rest: rest.to_owned(),
    };
    let Ownership::Owned(all) = &parent.ownership else {
        return Err(wrong());
    };
    let one = all
        .iter()
        .find(|one| one.dimension == dimension)
        .ok_or_else(wrong)?;
    let (parent_by, sql_type) = follow(declared, parent, dimension, one.source(), depth + 1)?;
    let agrees = match one.source() {
        Source::Column { column, .. } => *column == rest,
        Source::Path { rest: further, .. } => rest
            .split_once('.')
            .is_some_and(|(_, after)| after == *further),
    };
    if !agrees {
        return Err(wrong());
    }
    let on = relation
        .from_col
        .iter()
        .map(ToString::to_string)
        .zip(relation.to_col.iter().map(ToString::to_string))
        .collect();
    let column = parent_by.column().map(str::to_owned);
    let parent = Parent {
        table: name,
        on,
        column: column.clone(),
    };
    // Only the tenant is copied: it is part of every key already, so the key that keeps the copy
    // true costs nothing more. A second dimension would need a key of its own on the parent.
    Ok(match (by, column) {
        (PathBy::Column, Some(column)) if dimension == "tenant" => {
            let own = model.columns.iter().any(|(known, _)| *known == column);
            let by = if own {
                By::Column(column)
            } else {
                By::Copy {
                    column,
                    from: parent,
                }
            };
            (by, sql_type)
        }
        (PathBy::Column | PathBy::Exists, _) => (By::Exists(parent), sql_type),
    })
}

/// Leads a foreign key with the tenant where both tables have it as their leading column.
fn foreign_key(
    table: &Table,
    key: &Reference,
    tables: &[Table],
) -> Result<ForeignKey, SchemaError> {
    let plain = ForeignKey {
        columns: key.columns.clone(),
        own_columns: key.columns.clone(),
        table: key.table.clone(),
        to: key.to.clone(),
        reference: key.clone(),
        keeps_copy: false,
    };
    let Some(parent) = tables.iter().find(|other| other.name == key.table) else {
        return Ok(plain);
    };
    if table.is_global() && !parent.is_global() {
        return Err(SchemaError::GlobalRefers {
            table: table.name.to_string(),
            parent: parent.name.to_string(),
        });
    }
    let Some((owned, parent_column)) = parent.by_rank().find_map(|theirs| {
        let owned = table.owner(theirs.dimension)?;
        Some((owned, theirs.by.column()?))
    }) else {
        return Ok(plain);
    };
    let Some(column) = owned.by.column() else {
        return Ok(plain);
    };
    if key.to.iter().any(|to| to == parent_column) {
        return Ok(plain);
    }
    let leading = |column: &str, rest: &[String]| {
        std::iter::once(column.to_owned())
            .chain(rest.iter().cloned())
            .collect()
    };
    Ok(ForeignKey {
        columns: leading(column, &key.columns),
        to: leading(parent_column, &key.to),
        keeps_copy: matches!(&owned.by, By::Copy { from, .. } if from.table == key.table),
        ..plain
    })
}

/// Parents before children, so that tables can be created in order. Tables that refer to one another
/// in a circle keep their order; foreign keys are added after all tables.
fn in_order(tables: Vec<Table>) -> Vec<Table> {
    let mut waiting = tables;
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let blocked = |table: &Table| {
            table.references.iter().any(|key| {
                key.table != table.name && waiting.iter().any(|other| other.name == key.table)
            })
        };
        let ready = waiting
            .iter()
            .position(|table| !blocked(table))
            .unwrap_or(0);
        ordered.push(waiting.remove(ready));
    }
    ordered
}
