//! The root: a tenant's own row. Slugs are unique among all tenants.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "tenant")]
#[scoped(tenant = "id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What addresses say for it.
    #[sea_orm(column_type = "Text")]
    pub slug: String,
    /// What people say for it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// How many accounts may be active at once.
    pub seats: Option<i32>,
    /// Since when its members are kept out.
    pub suspended_at: Option<DateTimeUtc>,
    /// When it will be gone: its owner has deleted it.
    pub delete_after: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
