//! Projects with tasks, and tasks with remarks: rows three levels deep.

use partywall::Scoped;
use sea_orm::entity::prelude::*;

pub mod project {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "project")]
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

pub mod task {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "task")]
    #[scoped(tenant = "project.tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub project_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub title: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::project::Entity",
            from = "Column::ProjectId",
            to = "super::project::Column::Id"
        )]
        Project,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod remark {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "remark")]
    #[scoped(tenant = "task.project.tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub task_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::task::Entity",
            from = "Column::TaskId",
            to = "super::task::Column::Id"
        )]
        Task,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
