use serde::{Deserialize, Serialize};

/// What the one who asks knows of the database. What is left empty is inferred, and
/// [`Inferred`](crate::Inferred) says what was taken and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Options {
    /// Names of the columns that say whose a row is, such as `tenant_id`.
    pub tenant_columns: Vec<String>,
    /// Roles that requests of tenants run as.
    pub app_roles: Vec<String>,
    /// Settings (GUCs) that policies take the tenant from, such as `app.tenant_id`.
    pub contexts: Vec<String>,
    /// Tables that belong to no tenant: `countries`, `public.countries`.
    pub globals: Vec<String>,
    /// The schemas to report on; all but PostgreSQL's own if empty.
    pub schemas: Vec<String>,
    /// Whether what is by design of a shared server counts as a finding too.
    pub strict: bool,
}
