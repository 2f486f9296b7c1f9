//! Background work that keeps its tenant.
//!
//! A [`Job`] is enqueued in the transaction of the write that it belongs to, and carries the
//! transaction's scope, who acted and why. A [`Worker`] runs it in that scope, on each try, and what
//! the job enqueues stays in it.
//!
//! ```no_run
//! use partywall::{identity::RequestAccount, jobs::{Error, Job, JobContext, Worker}};
//! use serde::{Deserialize, Serialize};
//! use uuid::Uuid;
//!
//! #[derive(Serialize, Deserialize)]
//! struct SendReport {
//!     note: Uuid,
//! }
//!
//! impl Job for SendReport {
//!     const KIND: &'static str = "report.send";
//! }
//!
//! async fn publish(account: RequestAccount, note: Uuid) -> Result<(), Error> {
//!     let tx = account.write().await?;
//!     // … the write …
//!     account.enqueue(&tx, &SendReport { note }).await?; // no job without the write, no write without it
//!     tx.commit().await?;
//!     Ok(())
//! }
//!
//! # async fn work(identity: partywall::identity::Identity) -> Result<(), Error> {
//! Worker::new(&identity)
//!     .on(|job: SendReport, context: JobContext| async move {
//!         let tx = context.begin().await?; // the tenant's rows
//!         // … job.note, context.actor(), context.reason() …
//!         # let _ = job.note;
//!         context.commit(tx).await?; // with this the job is done
//!         Ok(())
//!     })
//!     .run(std::future::pending())
//!     .await
//! # }
//! ```
//!
//! | | |
//! |---|---|
//! | it runs | at least once; its writes exactly once with [`JobContext::commit`] |
//! | a worker is lost | the job runs again when its [lease](Worker::lease) is over |
//! | it fails or panics | it is tried again after a [while](Job::backoff), [so often](Job::ATTEMPTS), and then kept as dead |
//! | its fields cannot be read | it is dead at once, and says so |
//! | a tenant has very many | [takes turns](Worker::each_tenant) with the others |
//! | the tenant is suspended | its jobs wait, but for those that [run anyway](Job::WHILE_SUSPENDED) |
//! | the tenant is deleted | none begins, those that run are dropped; they wait for it to be restored, or go with it |
//! | the account is removed | the job runs, unless it [requires](Job::REQUIRES) a permission of it |
//! | it is cancelled | it is dropped a third of the lease later at most, and cannot commit meanwhile |
//! | the worker's future is dropped | the jobs are dropped where they stand, their transactions rolled back, and run again |
//!
//! # Who reaches what
//!
//! The queue is a table behind the wall. The application's login adds to its tenant's jobs and reads
//! them; it changes none, sees none of another tenant, forges none there, and cannot ask which are due.
//! That a worker does under the identity login, by functions that tell ids of jobs and of their tenants;
//! the job itself is read in its tenant's scope. Whoever can run statements of the application's inside a
//! tenant can enqueue jobs there in anybody's name, as they can write any other row of that tenant.
//!
//! # Why not a library
//!
//! apalis has the pieces, and its PostgreSQL backend would come with a second driver and a login that
//! reads all tenants' payloads; its push is no part of our transaction. Over our own table, its traits
//! would leave us the claim (its `Backend` asks for a next task without saying which kinds have room, so
//! neither turns between tenants nor a limit for a kind can be had), the lease and the sign of life of
//! each job, retries that outlive the process, and the end of a job in its own transaction: all but the
//! loop.

mod actor;
mod attempt;
mod backoff;
mod carried;
mod context;
mod each_tenant;
mod enqueue;
mod error;
mod failure;
mod global;
mod handler;
mod held;
mod job;
mod list;
mod permit;
mod places;
mod queue;
mod rounds;
mod tables;
mod tenant_work;
mod worker;

pub mod model;

pub use actor::JobActor;
pub use context::JobContext;
pub use each_tenant::{ForEachTenant, Outcome, Progress, Report, TenantFailure};
pub use enqueue::{Enqueued, JobOptions, enqueue_as_service};
pub use error::{Error, ErrorKind};
pub use failure::Failure;
pub use global::GlobalContext;
pub use job::{GlobalJob, Job};
pub use list::{JobInfo, JobQuery, JobState};
pub use tables::{permissions, tables};
pub use tenant_work::TenantWork;
pub use worker::{Waker, Worker};
