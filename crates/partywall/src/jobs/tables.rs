use super::model;
use crate::{
    identity::{self, BuiltIn, Permissions},
    schema::{Rights, SchemaBuilder},
};

/// Adds the room's tables to a schema that has those of
/// [`Identity`](crate::identity::Identity::tables).
///
/// The application's statements read their tenant's jobs and add to them, and change none: how a job
/// stands is for workers to say, under the identity login. Jobs without a tenant they do not reach.
pub fn tables(schema: SchemaBuilder) -> SchemaBuilder {
    schema
        .identity_model::<model::job::Entity>(Some(Rights::AppendOnly))
        .identity_model::<model::global_job::Entity>(None)
        .routines(include_str!("sql/queue.sql"))
}

/// Declares `job.read` and `job.write`, which [listing](crate::identity::RequestAccount::job_list) and
/// [cancelling](crate::identity::RequestAccount::job_cancel) ask for, for admins.
///
/// # Errors
///
/// [`identity::Error::Taken`] when the application has declared one of them.
pub fn permissions(permissions: Permissions) -> Result<Permissions, identity::Error> {
    permissions
        .declare("job.read", BuiltIn::Admin)?
        .declare("job.write", BuiltIn::Admin)
}
