use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use tokio_postgres::Client;

use crate::{
    AuditError,
    sql::{Name, tidy},
};

/// What a table has that a plan can rest on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// With its type.
    Column(String, String),
    /// A primary, unique or foreign key.
    Key(String),
}

/// What a plan is made for: the database, its tables, their columns and keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    database: String,
    tables: BTreeMap<Name, BTreeSet<Part>>,
}

impl Shape {
    pub(super) async fn read(client: &Client) -> Result<Self, AuditError> {
        let doing = || AuditError::doing("read the shape of the database");
        let mut shape = Self::default();
        for row in client.query(PARTS, &[]).await.map_err(doing())? {
            let cell = |at: usize| row.try_get::<_, Option<String>>(at).map_err(doing());
            shape.database = cell(0)?.unwrap_or_default();
            let table = Name::new(cell(1)?.unwrap_or_default(), cell(2)?.unwrap_or_default());
            let parts = shape.tables.entry(table).or_default();
            parts.extend(match (cell(3)?, cell(4)?) {
                (Some(column), Some(of_type)) => Some(Part::Column(column, of_type)),
                (Some(key), None) => Some(Part::Key(key)),
                (None, _) => None,
            });
        }
        Ok(shape)
    }

    /// What of it is not there any more, or is there beside it, in a few words. What the plan itself adds
    /// and takes away does not count.
    pub(super) fn difference(
        &self,
        now: &Self,
        touched: &BTreeSet<(Name, Part)>,
    ) -> Option<String> {
        if self.database != now.database {
            return Some(format!(
                "it was made for {}, and this is {}",
                tidy(&self.database),
                tidy(&now.database)
            ));
        }
        for (table, parts) in &self.tables {
            let Some(there) = now.tables.get(table) else {
                return Some(format!("{table} is gone"));
            };
            let counts = |part: &&Part| !touched.contains(&(table.clone(), (*part).clone()));
            if let Some(gone) = parts.difference(there).find(counts) {
                return Some(format!("{table} has no {gone} any more"));
            }
            if let Some(new) = there.difference(parts).find(counts) {
                return Some(format!("{table} has a new {new}"));
            }
        }
        let new = now
            .tables
            .keys()
            .find(|table| !self.tables.contains_key(*table))?;
        Some(format!("{new} is new"))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name, of_type) => write!(f, "column {} of type {of_type}", tidy(name)),
            Self::Key(name) => write!(f, "key {}", tidy(name)),
        }
    }
}

/// Columns with their types, and keys by name; one row for the table itself.
const PARTS: &str = "\
SELECT current_database()::text, n.nspname::text, c.relname::text, p.name, p.type
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
       LATERAL (SELECT NULL AS name, NULL AS type
                UNION ALL
                SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
                  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                UNION ALL
                SELECT k.conname::text, NULL
                  FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f') AND k.conparentid = 0) p
 WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
