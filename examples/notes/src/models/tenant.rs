//! The root: a tenant's own row. Requests may read it; only the way across makes new ones.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

/// A slug is unique among all tenants, which no constraint that begins with the tenant can say.
pub(crate) const SLUGS_ARE_UNIQUE: &str = "
CREATE TABLE tenant (
  id uuid CONSTRAINT tenant_pkey PRIMARY KEY,
  slug text NOT NULL CONSTRAINT tenant_slug_key UNIQUE,
  name text NOT NULL
)";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "tenant")]
#[scoped(tenant = "id", read_only)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub slug: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
