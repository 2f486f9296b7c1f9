//! Answers that were given to idempotency keys, in the schema `web`.

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "SeaORM's macros generate items without documentation"
)]

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "web", table_name = "idempotency_key")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// A hash of who asks, of what, with which key.
    #[sea_orm(column_type = "Text", unique)]
    pub handle: String,
    /// A hash of the request's query and body.
    #[sea_orm(column_type = "Text")]
    pub fingerprint: String,
    /// The answer's status.
    pub status: i16,
    /// The answer's header `Location`.
    #[sea_orm(column_type = "Text", nullable)]
    pub location: Option<String>,
    /// The answer's header `ETag`.
    #[sea_orm(column_type = "Text", nullable)]
    pub etag: Option<String>,
    /// The answer's body.
    pub body: Vec<u8>,
    /// When the row may go.
    #[sea_orm(indexed)]
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "crate::identity::model::tenant::Entity",
        from = "Column::TenantId",
        to = "crate::identity::model::tenant::Column::Id",
        on_delete = "Cascade"
    )]
    Tenant,
}

impl ActiveModelBehavior for ActiveModel {}
