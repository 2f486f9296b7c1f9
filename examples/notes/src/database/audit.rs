//! What the command line needs to audit the running example.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::Database;

/// Where the two files are.
#[derive(Debug)]
pub(crate) struct AuditFiles {
    /// Sets `DATABASE_URL` in a shell. Only of the embedded server: another's URL is not ours to keep.
    pub(crate) env: Option<PathBuf>,
    /// What belongs to whom.
    pub(crate) map: PathBuf,
}

impl AuditFiles {
    /// Writes them beside the secrets, the one with the superuser's URL for the owner's eyes only.
    pub(crate) fn write(folder: &Path, database: &Database) -> io::Result<Self> {
        let map = folder.join("partywall.toml");
        fs::write(&map, database.db().schema().map().toml())?;
        let env = folder.join("audit.env");
        if database.server.is_none() {
            return Ok(Self { env: None, map });
        }
        // Anew, so that an earlier file's rights do not count.
        match fs::remove_file(&env) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&env)?;
        let url = database.superuser_url().replace('\'', r"'\''");
        writeln!(file, "export DATABASE_URL='{url}'")?;
        Ok(Self {
            env: Some(env),
            map,
        })
    }
}
