//! The application's tables, for what is done to all rows of a tenant: notes that answer one another,
//! comments that hang on them, votes whose policy looks their poll up.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "public", table_name = "note")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub author_id: Uuid,
    pub answers_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub title: String,
    pub body: Json,
    pub size: Decimal,
    pub data: Vec<u8>,
    pub tags: Vec<String>,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "partywall::identity::model::tenant::Entity",
        from = "Column::TenantId",
        to = "partywall::identity::model::tenant::Column::Id"
    )]
    Tenant,
    #[sea_orm(
        belongs_to = "partywall::identity::model::account::Entity",
        from = "Column::AuthorId",
        to = "partywall::identity::model::account::Column::Id"
    )]
    Author,
    #[sea_orm(belongs_to = "Entity", from = "Column::AnswersId", to = "Column::Id")]
    Answers,
}

impl ActiveModelBehavior for ActiveModel {}

pub mod comment {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(schema_name = "public", table_name = "comment")]
    #[scoped(tenant = "note.tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub note_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub body: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::Entity",
            from = "Column::NoteId",
            to = "super::Column::Id"
        )]
        Note,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod poll {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(schema_name = "public", table_name = "poll")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod vote {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(schema_name = "public", table_name = "vote")]
    #[scoped(tenant = "poll.tenant_id", exists)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub poll_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::poll::Entity",
            from = "Column::PollId",
            to = "super::poll::Column::Id"
        )]
        Poll,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
