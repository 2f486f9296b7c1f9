//! Somebody is signed in. Whoever holds the token reads this one row, and nobody can list them.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "session")]
#[scoped(session = "id")]
pub struct Model {
    /// The SHA-256 of the token, in hexadecimal digits: the database cannot sign anybody in.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub id: String,
    pub person_id: Uuid,
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::person::Entity",
        from = "Column::PersonId",
        to = "super::person::Column::Id",
        on_delete = "Cascade"
    )]
    Person,
}

impl ActiveModelBehavior for ActiveModel {}
