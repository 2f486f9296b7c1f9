//! What signing in checks. In the scope of one address there is one credential or none.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "credential")]
#[scoped(email = "email_key")]
pub struct Model {
    /// The address in its canonical form.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub email_key: String,
    /// Whose it is.
    pub user_id: Uuid,
    /// The password in PHC form.
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    /// The hash of the link by which the password can be set anew.
    #[sea_orm(column_type = "Text", nullable)]
    pub reset_hash: Option<String>,
    /// Until when that link is good.
    pub reset_expires_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "Cascade"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}
