use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::remarks::Remarks;
use crate::Options;

/// What belongs to whom: `partywall.toml`. `partywall plan` writes it for review, and every command reads it.
///
/// It can be made without a database as well, as an application does that knows its own tables:
///
/// ```
/// use partywall_audit::{Map, TableMap};
///
/// let map = Map::new()
///     .tenants("public.tenants", "id")
///     .tenant_column("tenant_id")
///     .context("app.tenant_id")
///     .owner("shop_owner")
///     .app("shop_app")
///     .table("public.invoices", TableMap::Tenant("tenant_id".to_owned()), "its own column")
///     .table("public.lines", TableMap::Through("invoice_id".to_owned()), "");
/// assert_eq!(Map::read(&map.toml())?, map);
/// # Ok::<(), partywall_audit::MapError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whose the rows of each table are, by `schema.table`, quoted as in SQL where the names need it.
    #[serde(default)]
    pub tables: BTreeMap<String, TableMap>,
    /// Why each table is what it is; the comments of the file. Two maps are equal whatever they remark.
    #[serde(skip)]
    pub(super) remarks: Remarks,
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
    /// Names of the columns that refer to it: `tenant_id`. New ones get the first of them.
    pub columns: Vec<String>,
    /// Settings that policies take the tenant from: `app.tenant_id`. New policies take the first of them.
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
    /// The row that these columns refer to by a foreign key says it: `invoice_id`, or `order_id, line_no`.
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

impl Default for Map {
    fn default() -> Self {
        Self {
            version: 1,
            tenant: TenantMap::default(),
            roles: RolesMap::default(),
            tables: BTreeMap::new(),
            remarks: Remarks::default(),
        }
    }
}

impl Map {
    /// One that says nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which table the tenants are in, as SQL names it, and what its key is.
    #[must_use]
    pub fn tenants(mut self, table: impl Into<String>, key: impl Into<String>) -> Self {
        self.tenant.table = Some(table.into());
        self.tenant.key = Some(key.into());
        self
    }

    /// Adds a name that columns have which say whose a row is.
    #[must_use]
    pub fn tenant_column(mut self, name: impl Into<String>) -> Self {
        self.tenant.columns.push(name.into());
        self
    }

    /// Adds a setting that policies take the tenant from.
    #[must_use]
    pub fn context(mut self, setting: impl Into<String>) -> Self {
        self.tenant.contexts.push(setting.into());
        self
    }

    /// Says which role owns the tables.
    #[must_use]
    pub fn owner(mut self, role: impl Into<String>) -> Self {
        self.roles.owner = Some(role.into());
        self
    }

    /// Adds a role that requests of tenants run as.
    #[must_use]
    pub fn app(mut self, role: impl Into<String>) -> Self {
        self.roles.app.push(role.into());
        self
    }

    /// Says whose the rows of a table are, and why: a comment in the file.
    #[must_use]
    pub fn table(
        mut self,
        name: impl Into<String>,
        table: TableMap,
        remark: impl Into<String>,
    ) -> Self {
        let name = name.into();
        self.remarks.put(&name, remark.into());
        self.tables.insert(name, table);
        self
    }

    /// Whether a table is some tenant's.
    #[must_use]
    pub fn has_tenants(&self) -> bool {
        let mut tables = self.tables.values();
        tables.any(|table| matches!(table, TableMap::Tenant(_) | TableMap::Through(_)))
    }

    /// Reads `partywall.toml`.
    ///
    /// # Errors
    ///
    /// [`MapError`], which says where.
    pub fn read(text: &str) -> Result<Self, MapError> {
        // The version first: what a later one has beside is no mistake of the file's.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = toml::from_str(text)?;
        if version != 1 {
            return Err(MapError::Version(version));
        }
        Ok(toml::from_str(text)?)
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
