//! A piece of work of the service's own, which has no tenant. The application's logins do not reach
//! it.

use sea_orm::entity::prelude::*;

use crate::Scoped;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Scoped)]
#[sea_orm(schema_name = "jobs", table_name = "global_job")]
#[scoped(job_queue = "job_queue")]
pub struct Model {
    /// Its id, a UUID of version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The queue: there is one.
    #[sea_orm(column_type = "Text")]
    pub job_queue: String,
    /// What is to be done: `invoice.nightly`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// With what.
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    /// How it stands: `scheduled`, `waiting`, `running`, `done`, `dead` or `cancelled`.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// Jobs of a higher one run first.
    pub priority: i16,
    /// When it is to run, or, of one that runs, until when its worker has it.
    pub due_at: DateTimeUtc,
    /// How often it was begun.
    pub attempts: i32,
    /// What no two unfinished jobs of one kind have in common.
    #[sea_orm(column_type = "Text", nullable)]
    pub unique_key: Option<String>,
    /// Which part of the service wanted it.
    #[sea_orm(column_type = "JsonBinary")]
    pub actor: Json,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// The job that wanted it.
    pub parent_id: Option<Uuid>,
    /// When it was wanted.
    pub created_at: DateTimeUtc,
    /// What the worker that has it was given with it, anew each time.
    pub lease: Option<Uuid>,
    /// What went wrong the last time.
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    /// When it was done, given up or cancelled.
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
