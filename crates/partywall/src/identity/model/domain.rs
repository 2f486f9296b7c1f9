//! A host that a tenant claims for itself, and that leads to it once it is shown to be theirs.
//!
//! Several tenants may claim a host; one at most has it verified.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "domain")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The host, in canonical form.
    #[sea_orm(column_type = "Text")]
    pub host: String,
    /// What the host's DNS has to say for it to be the tenant's. No secret: it is published there.
    #[sea_orm(column_type = "Text")]
    pub token: String,
    /// Since when it is known to be the tenant's.
    pub verified_at: Option<DateTimeUtc>,
    /// When the DNS was last asked for a host that is verified.
    pub checked_at: Option<DateTimeUtc>,
    /// How many times in a row the record was missing then.
    pub missed: i32,
    /// When it was claimed.
    pub created_at: DateTimeUtc,
    /// The account that claimed it.
    pub created_by: Option<Uuid>,
}

impl Model {
    /// How the name of the record begins.
    pub const LABEL: &'static str = "_partywall";

    /// How the record's text begins.
    pub const PREFIX: &'static str = "partywall-verification=";

    /// The name of the TXT record to publish: `_partywall.notes.example.com`.
    #[must_use]
    pub fn record_name(&self) -> String {
        format!("{}.{}", Self::LABEL, self.host)
    }

    /// Its text: `partywall-verification=0f3c…`.
    #[must_use]
    pub fn record_text(&self) -> String {
        format!("{}{}", Self::PREFIX, self.token)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::tenant::Entity",
        from = "Column::TenantId",
        to = "super::tenant::Column::Id",
        on_delete = "Cascade"
    )]
    Tenant,
    #[sea_orm(
        belongs_to = "super::account::Entity",
        from = "Column::CreatedBy",
        to = "super::account::Column::Id",
        on_delete = "SetNull"
    )]
    CreatedBy,
}

impl ActiveModelBehavior for ActiveModel {}
