use std::fmt;

use super::Drift;
use crate::connect::TlsError;

/// Why the declarations do not make a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The same table is declared twice.
    #[error("the table {0} is declared twice")]
    Duplicate(String),
    /// Changes of a table are announced that is not declared.
    #[error("the changes of {0} are announced, which is not declared: add its model to the schema")]
    UnknownAnnounced(String),
    /// An announcement could not tell whom a row belongs to.
    #[error(
        "the changes of the table {table} cannot be announced, since its rows do not carry their `{dimension}`: leave `exists` out, so that they do"
    )]
    NotTold {
        /// The table.
        table: String,
        /// The dimension.
        dimension: String,
    },
    /// A path leads to a table that is not declared.
    #[error(
        "the table {table} takes `{dimension}` from {parent}, which is not declared: add its model to the schema"
    )]
    UnknownParent {
        /// The table with the path.
        table: String,
        /// The dimension.
        dimension: String,
        /// Where the path leads.
        parent: String,
    },
    /// A path says something else of its parent than the parent does.
    #[error(
        "the table {table} takes `{dimension}` from `{rest}` of {parent}, which does not have it there"
    )]
    WrongPath {
        /// The table with the path.
        table: String,
        /// The dimension.
        dimension: String,
        /// Where the path leads.
        parent: String,
        /// What the path says.
        rest: String,
    },
    /// Paths lead in a circle.
    #[error("the path of `{dimension}` from the table {table} leads back to it")]
    Circle {
        /// The table.
        table: String,
        /// The dimension.
        dimension: String,
    },
    /// Two models give a dimension different types.
    #[error("the dimension `{dimension}` is {one} in one table and {other} in another")]
    Types {
        /// The dimension.
        dimension: String,
        /// One type.
        one: &'static str,
        /// Another.
        other: &'static str,
    },
    /// A table that everybody reads refers to a table that belongs to somebody.
    #[error(
        "the global table {table} refers to {parent}, whose rows have owners: give {table} an owner too"
    )]
    GlobalRefers {
        /// The global table.
        table: String,
        /// The owned table.
        parent: String,
    },
    /// A foreign key leads to rows that belong to an owner whom the table does not name.
    #[error(
        "the key `{key}` of the table {table} may lead to another's row of {parent}, whose owner `{dimension}` it neither carries nor can look up: declare `{dimension}` for {table} too, or leave `exists` out, so that the key carries the owner"
    )]
    Crosses {
        /// The table with the key.
        table: String,
        /// The key's columns.
        key: String,
        /// Where the key leads.
        parent: String,
        /// The dimension that the table lacks.
        dimension: String,
    },
    /// A foreign key could only be kept inside by a policy that looks into its own table.
    #[error(
        "the key `{key}` of the table {table} leads to {parent}, whose policies look into {table} again, which PostgreSQL refuses: leave out `exists` where these two are declared, so that the key carries the owner"
    )]
    Loops {
        /// The table with the key.
        table: String,
        /// The key's columns.
        key: String,
        /// Where the key leads.
        parent: String,
    },
    /// The same migration name twice.
    #[error("the migration `{0}` is given twice")]
    DuplicateMigration(String),
}

/// Why a schema could not be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The connection string cannot be read.
    #[error("the owner's connection string cannot be read")]
    Url(#[source] tokio_postgres::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No connection.
    #[error("cannot connect as the owner")]
    Connect(#[source] tokio_postgres::Error),
    /// PostgreSQL is older than 14.
    #[error("PostgreSQL 14 or newer is needed, and this is {0}")]
    ServerTooOld(String),
    /// A newer Partywall has been here.
    #[error("a newer Partywall has installed its version {0} in this database: update this one")]
    Newer(i32),
    /// A login is missing and the owner may not create it.
    #[error(
        "the login `{0}` does not exist and the owner may not create it: run `CREATE ROLE \"{0}\" LOGIN NOINHERIT PASSWORD '…'` as a role that may, or `Schema::bootstrap` as a superuser"
    )]
    RoleMissing(String),
    /// A migration that has run was changed since.
    #[error("the migration `{0}` has run and was changed since: add a new one instead")]
    MigrationChanged(String),
    /// A migration failed.
    #[error("the migration `{name}` failed")]
    Migration {
        /// Its name.
        name: String,
        /// Why.
        source: tokio_postgres::Error,
    },
    /// The database holds something that no declaration accounts for.
    #[error("the database holds what no model declares: {0}")]
    Undeclared(Drifts),
    /// PostgreSQL refused a statement.
    #[error("applying the schema failed")]
    Database(#[from] tokio_postgres::Error),
}

/// Everything that differs, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drifts(Vec<Drift>);

impl Drifts {
    /// The single findings.
    #[must_use]
    pub fn findings(&self) -> &[Drift] {
        &self.0
    }
}

impl From<Vec<Drift>> for Drifts {
    fn from(findings: Vec<Drift>) -> Self {
        Self(findings)
    }
}

impl fmt::Display for Drifts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            finding.fmt(f)?;
        }
        Ok(())
    }
}
