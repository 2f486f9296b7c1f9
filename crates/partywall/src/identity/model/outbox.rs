//! Mail to be sent, written in the transaction that it tells of.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "identity", table_name = "outbox")]
#[scoped(email = "recipient", append_only)]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The address in its canonical form.
    #[sea_orm(column_type = "Text")]
    pub recipient: String,
    /// The address as it was typed.
    #[sea_orm(column_type = "Text")]
    pub address: String,
    /// The subject.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// The text; empty once it was sent or given up, since it may hold a link.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// When it was written.
    pub created_at: DateTimeUtc,
    /// When it is to be sent, or tried again.
    pub due_at: DateTimeUtc,
    /// When it was sent.
    pub sent_at: Option<DateTimeUtc>,
    /// How often sending was tried.
    pub attempts: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
