//! The way from a database without row-level security to one with it, in safe steps.

mod map;

pub use map::{Map, MapError, RolesMap, TableMap, TenantMap};

use tokio_postgres::Client;

use crate::{AuditError, Options};

/// What one step is for and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// A short name that stays the same: `index public.invoices(tenant_id)`.
    pub name: String,
    /// What it is for, in one sentence.
    pub why: String,
    /// The statements, formatted.
    pub sql: String,
    /// What undoes it; empty where there is nothing to undo.
    pub undo: String,
    /// Whether it can run in a transaction (`CREATE INDEX CONCURRENTLY` cannot).
    pub transactional: bool,
}

/// Rows that are in the way of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The table.
    pub table: String,
    /// What is wrong with the rows.
    pub what: String,
    /// How many.
    pub rows: i64,
    /// A query that shows them.
    pub query: String,
}

/// What is to be done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// What belongs to whom, for review.
    pub map: Map,
    /// In order.
    pub steps: Vec<Step>,
    /// What has to be mended by hand first.
    pub violations: Vec<Violation>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Applying<'a> {
    /// It begins: its number from 1, and of how many.
    Step(usize, usize, &'a Step),
    /// It was done before.
    Skipped(&'a Step),
    /// It is done.
    Done(&'a Step),
}

/// Why a plan was not applied to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The audit behind it could not be made.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A step failed; those before it are done, and applying again goes on from there.
    #[error("step `{step}` failed")]
    Step {
        /// Its name.
        step: String,
        /// What PostgreSQL said.
        source: tokio_postgres::Error,
    },
    /// The database is not as it was planned for.
    #[error("{0}")]
    Surprise(String),
}

/// Plans: finds the tenant root, classifies every table and writes the steps. A map that was reviewed takes
/// the place of what would be inferred.
///
/// # Errors
///
/// [`AuditError`].
pub async fn plan(
    client: &mut Client,
    options: &Options,
    reviewed: Option<&Map>,
) -> Result<Plan, AuditError> {
    let _ = (client, options, reviewed);
    Ok(Plan {
        map: Map::default(),
        steps: Vec::new(),
        violations: Vec::new(),
    })
}

/// Applies a plan; steps that were done before are skipped.
///
/// # Errors
///
/// [`ApplyError`], after which the database is as the last whole step left it.
pub async fn apply(
    client: &mut Client,
    plan: &Plan,
    see: &mut (dyn FnMut(Applying<'_>) + Send),
) -> Result<(), ApplyError> {
    let _ = (client, plan, see);
    Ok(())
}
