use sha2::{Digest, Sha256};

/// SQL that runs once.
#[derive(Clone, Debug)]
pub(super) struct Migration {
    name: String,
    sql: String,
}

impl Migration {
    pub(super) fn new(name: String, sql: String) -> Self {
        Self { name, sql }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// Tells whether a migration that has run was changed since.
    pub(super) fn checksum(&self) -> String {
        Sha256::digest(&self.sql)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
