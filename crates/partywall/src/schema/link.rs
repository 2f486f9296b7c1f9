//! Foreign keys that cannot carry the owner, because one of the two tables has no column of it. A
//! policy keeps both rows with one owner instead.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    SchemaError,
    sql::ident,
    table::{By, Dimensioned, ForeignKey, Table, TableName},
};

/// What a policy asks of a row and of the row that a key of it leads to.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) columns: Vec<String>,
    /// True when both rows have the same owner, or the key leads nowhere.
    pub(super) condition: String,
    /// Whether a row for which it is false is hidden as well, not only refused: where the row has no
    /// owner's column of its own, it belongs to an owner by all that it leads to.
    pub(super) hides: bool,
}

/// Finds the links of every table, in the order of `tables`.
///
/// # Errors
///
/// [`SchemaError::Crosses`] and [`SchemaError::Loops`] where no policy can keep a key inside.
pub(super) fn links(tables: &[Table]) -> Result<Vec<Vec<Link>>, SchemaError> {
    let mut looks: BTreeMap<&TableName, BTreeSet<&TableName>> = BTreeMap::new();
    let mut all = Vec::new();
    let mut keys = Vec::new();
    for table in tables {
        let seen = looks.entry(&table.name).or_default();
        seen.extend(table.owned.iter().filter_map(|owned| match &owned.by {
            By::Exists(parent) => Some(&parent.table),
            By::Column(_) | By::Copy { .. } => None,
        }));
        let mut links = Vec::new();
        for key in &table.references {
            if let Some(link) = link(tables, table, key)? {
                seen.insert(&key.table);
                keys.push((table, key));
                links.push(link);
            }
        }
        all.push(links);
    }
    for (table, key) in keys {
        if reaches(&looks, &key.table, &table.name) {
            return Err(SchemaError::Loops {
                table: table.name.to_string(),
                key: key.own_columns.join(", "),
                parent: key.table.to_string(),
            });
        }
    }
    Ok(all)
}

fn link(tables: &[Table], table: &Table, key: &ForeignKey) -> Result<Option<Link>, SchemaError> {
    let Some(parent) = find(tables, &key.table) else {
        return Ok(None);
    };
    // Tables without a common dimension, as a membership of a person's and a tenant, have no owner to
    // compare.
    let Some((own, theirs)) = parent
        .by_rank()
        .find_map(|theirs| Some((table.owner(theirs.dimension)?, theirs)))
    else {
        return Ok(None);
    };
    if is_carried(key, &own.by, &theirs.by) || is_path(key, &own.by) {
        return Ok(None);
    }
    let crosses = |dimension: &str| SchemaError::Crosses {
        table: table.name.to_string(),
        key: key.own_columns.join(", "),
        parent: parent.name.to_string(),
        dimension: dimension.to_owned(),
    };
    // The parent's own policies apply where a policy of this table looks there. One that this table
    // does not name would make its scopes fail.
    let lacking = |theirs: &&Dimensioned| table.owner(theirs.dimension).is_none();
    if let Some(lacking) = parent.owned.iter().find(lacking) {
        return Err(crosses(lacking.dimension));
    }
    let from_own = Chain::to_owner(tables, table, table.name.sql(), own.dimension, "o");
    let from_parent = Chain::to_owner(tables, parent, "p".to_owned(), own.dimension, "p");
    let (Some(from_own), Some(from_parent)) = (from_own, from_parent) else {
        return Err(crosses(own.dimension));
    };
    let mut from = vec![format!("{} AS p", parent.name.sql())];
    let mut on: Vec<String> = key
        .columns
        .iter()
        .zip(&key.to)
        .map(|(own, to)| equal(&format!("p.{}", ident(to)), &table.column(own)))
        .collect();
    on.push(equal(&from_parent.owner, &from_own.owner));
    for chain in [from_parent, from_own] {
        from.extend(chain.from);
        on.extend(chain.on);
    }
    let mut condition = format!(
        "EXISTS (SELECT 1 FROM {} WHERE {})",
        from.join(", "),
        on.join(" AND ")
    );
    for column in key.columns.iter().filter(|name| table.is_nullable(name)) {
        condition = format!("{} IS NULL OR {condition}", table.column(column));
    }
    Ok(Some(Link {
        columns: key.own_columns.clone(),
        condition,
        hides: own.by.column().is_none(),
    }))
}

/// Whether the owner is part of the key on both sides.
fn is_carried(key: &ForeignKey, own: &By, theirs: &By) -> bool {
    let (Some(own), Some(theirs)) = (own.column(), theirs.column()) else {
        return false;
    };
    key.columns
        .iter()
        .zip(&key.to)
        .any(|(column, to)| column == own && to == theirs)
}

/// Whether the key is the one by which the owner is looked up.
fn is_path(key: &ForeignKey, own: &By) -> bool {
    let By::Exists(parent) = own else {
        return false;
    };
    let pairs = key.reference.columns.iter().zip(&key.reference.to);
    parent.table == key.table
        && parent.on.len() == key.reference.columns.len()
        && pairs.into_iter().all(|(column, to)| {
            parent
                .on
                .iter()
                .any(|(own, theirs)| own == column && theirs == to)
        })
}

/// The way from a row to its owner's column.
struct Chain {
    from: Vec<String>,
    on: Vec<String>,
    owner: String,
}

impl Chain {
    fn to_owner(
        tables: &[Table],
        table: &Table,
        row: String,
        dimension: &str,
        alias: &str,
    ) -> Option<Self> {
        let (mut table, mut row) = (table, row);
        let (mut from, mut on) = (Vec::new(), Vec::new());
        loop {
            match &table.owner(dimension)?.by {
                By::Column(column) | By::Copy { column, .. } => {
                    let owner = format!("{row}.{}", ident(column));
                    return Some(Self { from, on, owner });
                }
                By::Exists(parent) => {
                    let next = format!("{alias}{}", from.len());
                    from.push(format!("{} AS {next}", parent.table.sql()));
                    on.push(parent.join(&row, &next));
                    table = find(tables, &parent.table)?;
                    row = next;
                }
            }
        }
    }
}

fn equal(one: &str, other: &str) -> String {
    format!("{one} OPERATOR(pg_catalog.=) {other}")
}

fn find<'a>(tables: &'a [Table], name: &TableName) -> Option<&'a Table> {
    tables.iter().find(|table| table.name == *name)
}

fn reaches(
    looks: &BTreeMap<&TableName, BTreeSet<&TableName>>,
    from: &TableName,
    to: &TableName,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(name) = waiting.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            waiting.extend(looks.get(name).into_iter().flatten());
        }
    }
    false
}
