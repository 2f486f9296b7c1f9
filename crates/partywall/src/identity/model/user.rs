//! A person who can sign in. What they may do somewhere is said by their accounts.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "user")]
#[scoped(user = "id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The address as it was typed.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// How others see the person.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// When the person signed up.
    pub created_at: DateTimeUtc,
    /// Since when nobody can sign in as this person.
    pub deactivated_at: Option<DateTimeUtc>,
    /// The account that was current last: where the next session begins.
    pub last_account: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
