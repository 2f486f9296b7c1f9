use std::io;

use partywall::db::Error;
use sea_orm::DbErr;

/// Why a file was not loaded. Nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No file was named.
    #[error("name the file to load: --import FILE.csv")]
    NoFile,
    /// The file cannot be opened.
    #[error("the file `{path}` cannot be opened")]
    Open {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// No such encoding.
    #[error(
        "there is no encoding `{0}`: try utf-8, windows-1252, iso-8859-2, utf-16le or shift_jis"
    )]
    UnknownEncoding(String),
    /// No such tenant.
    #[error("there is no tenant `{wanted}`: there are {known}")]
    UnknownTenant {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// The file has no such column.
    #[error(
        "the file has no column `{wanted}`: it has {found}; name another with --title-column or --body-column"
    )]
    MissingColumn {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// Some lines are bad. They were reported one by one.
    #[error("nothing was loaded: {bad} of {all} records are bad")]
    BadLines {
        /// How many.
        bad: u64,
        /// Of how many.
        all: u64,
    },
    /// The file cannot be read to its end.
    #[error("the file cannot be read to its end")]
    Read(#[from] csv::Error),
    /// The database refused.
    #[error("the database could not take the notes")]
    Database(#[from] Error),
    /// The database refused, through SeaORM.
    #[error("the database could not take the notes")]
    Orm(#[from] DbErr),
    /// The reading thread failed.
    #[error("reading the file failed")]
    Task(#[from] tokio::task::JoinError),
}
