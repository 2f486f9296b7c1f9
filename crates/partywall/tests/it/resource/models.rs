//! Folders with notes, and notes with replies.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

pub mod folder {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "folder")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "partywall::identity::model::tenant::Entity",
            from = "Column::TenantId",
            to = "partywall::identity::model::tenant::Column::Id"
        )]
        Tenant,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod note {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "note")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        #[sea_orm(column_type = "Text", unique)]
        pub title: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub body: Option<String>,
        pub stars: i32,
        pub price: Option<Decimal>,
        pub state: State,
        pub folder_id: Option<Uuid>,
        pub is_private: bool,
        #[sea_orm(column_type = "Text", nullable)]
        pub secret: Option<String>,
        pub created_at: DateTimeUtc,
    }

    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        EnumIter,
        DeriveActiveEnum,
        serde::Serialize,
        serde::Deserialize,
    )]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "note_state")]
    #[serde(rename_all = "snake_case")]
    pub enum State {
        #[sea_orm(string_value = "draft")]
        Draft,
        #[sea_orm(string_value = "published")]
        Published,
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
            belongs_to = "super::folder::Entity",
            from = "Column::FolderId",
            to = "super::folder::Column::Id",
            on_delete = "Restrict"
        )]
        Folder,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod reply {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "reply")]
    #[scoped(tenant = "note.tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub note_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::note::Entity",
            from = "Column::NoteId",
            to = "super::note::Column::Id",
            on_delete = "Cascade"
        )]
        Note,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
