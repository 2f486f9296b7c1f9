//! Notes from a CSV file: all of them, or none and the list of what is wrong.

mod columns;
mod error;
mod load;
mod source;

pub use error::ImportError;

use std::path::PathBuf;

use encoding_rs::Encoding;

use crate::args::Args;

/// A file that is to be loaded.
#[derive(Debug)]
pub struct Import {
    path: PathBuf,
    tenant: String,
    encoding: &'static Encoding,
    title: String,
    body: String,
}

impl Import {
    /// Reads from the command line what to load.
    ///
    /// # Errors
    ///
    /// [`ImportError`] when there is no such file or encoding: before anything is started.
    pub fn new(args: &Args) -> Result<Self, ImportError> {
        let path = args.import.clone().ok_or(ImportError::NoFile)?;
        let encoding = Encoding::for_label(args.encoding.as_bytes())
            .ok_or_else(|| ImportError::UnknownEncoding(args.encoding.clone()))?;
        source::open(&path)?;
        Ok(Self {
            path,
            tenant: args.tenant.clone().unwrap_or_default(),
            encoding,
            title: args.title_column.clone(),
            body: args.body_column.clone(),
        })
    }
}
