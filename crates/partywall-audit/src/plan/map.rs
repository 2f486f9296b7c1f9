use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Options;

/// What belongs to whom: `partywall.toml`. `partywall plan` writes it for review, and every command reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Map {
    /// Of the file's shape: 1.
    pub version: u32,
    /// The tenants.
    #[serde(default)]
    pub tenant: TenantMap,
    /// The roles.
    #[serde(default)]
    pub roles: RolesMap,
    /// Whose the rows of each table are, by `schema.table`.
    #[serde(default)]
    pub tables: BTreeMap<String, TableMap>,
}

/// The tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct TenantMap {
    /// Their table: `public.tenants`.
    pub table: Option<String>,
    /// Its key: `id`.
    pub key: Option<String>,
    /// Names of the columns that refer to it: `tenant_id`.
    pub columns: Vec<String>,
    /// Settings that policies take the tenant from: `app.tenant_id`.
    pub contexts: Vec<String>,
}

/// The roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RolesMap {
    /// Who owns the tables.
    pub owner: Option<String>,
    /// Whom requests of tenants run as.
    pub app: Vec<String>,
}

/// Whose the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TableMap {
    /// A column says it.
    Tenant(String),
    /// The row that these columns refer to says it.
    Through(String),
    /// Nobody's: `global = "why"`.
    Global(String),
    /// It has to be decided by a person: `undecided = "why"`.
    Undecided(String),
}

/// Why a map was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The text is not such a file.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// Of a version that is not known.
    #[error("version {0} of the map is not known: 1 is")]
    Version(u32),
}

impl Map {
    /// Reads `partywall.toml`.
    ///
    /// # Errors
    ///
    /// [`MapError`], which says where.
    pub fn read(text: &str) -> Result<Self, MapError> {
        let map: Self = toml::from_str(text)?;
        if map.version == 1 {
            Ok(map)
        } else {
            Err(MapError::Version(map.version))
        }
    }

    /// As options for the other commands.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            tenant_columns: self.tenant.columns.clone(),
            app_roles: self.roles.app.clone(),
            contexts: self.tenant.contexts.clone(),
            globals: self
                .tables
                .iter()
                .filter(|(_, table)| matches!(table, TableMap::Global(_)))
                .map(|(name, _)| name.clone())
                .collect(),
            ..Options::default()
        }
    }
}
