//! Somebody is signed in. The database holds a hash of the token and nothing that signs anybody in.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "session")]
#[scoped(user = "user_id")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who is signed in.
    pub user_id: Uuid,
    /// The SHA-256 of the token, in hexadecimal digits.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// When it began.
    pub created_at: DateTimeUtc,
    /// When it was last used, to within a part of the idle limit.
    pub seen_at: DateTimeUtc,
    /// When it ends in spite of use.
    pub expires_at: DateTimeUtc,
    /// The account that the person works in where the address names none.
    pub current_account: Option<Uuid>,
    /// The tenant of that account.
    pub current_tenant: Option<Uuid>,
    /// The only tenant that this session reaches: it is an impersonation.
    pub confined_to: Option<Uuid>,
    /// The member of the staff who acts as this person.
    pub impersonator: Option<Uuid>,
    /// That person's own session, which waits and lets nobody in meanwhile. This one lasts no longer.
    pub parked: Option<Uuid>,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Where it was opened from.
    #[sea_orm(column_type = "Text", nullable)]
    pub address: Option<String>,
    /// With what.
    #[sea_orm(column_type = "Text", nullable)]
    pub agent: Option<String>,
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
