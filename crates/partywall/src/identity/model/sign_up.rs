//! Somebody wants to sign up and has not shown yet that the address is theirs.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "sign_up")]
#[scoped(email = "email_key")]
pub struct Model {
    /// The address in its canonical form.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub email_key: String,
    /// The hash of the link that was mailed.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub token_hash: String,
    /// The address as it was typed.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// How others will see the person.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The password in PHC form.
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    /// Until when the link is good.
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
