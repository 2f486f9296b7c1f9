use std::num::NonZeroUsize;

use futures_util::future::{join_all, join3};
use lru::LruCache;
use tokio_postgres::{Client, Column, Statement, types::Type};

use super::{
    Error, Refused,
    statement::{Job, Trace, trace},
};
use crate::value::{Kinds, RowPlan, ValueError, declared_type};

/// One connection with its cache of prepared statements.
pub(crate) struct Conn {
    pub(crate) client: Client,
    pub(super) enter: Option<Statement>,
    cache: LruCache<Key, Prepared>,
    named: bool,
    /// Statements that were prepared inside a transaction of the current user.
    doubtful: Vec<Key>,
    /// Those of earlier users, forgotten, to be prepared again.
    wanted: Vec<Key>,
}

type Key = (String, Vec<Type>);

/// A statement ready to be sent.
#[derive(Clone)]
pub(crate) struct Prepared {
    /// Absent where statements may not have names: then the types go with each execution.
    pub(super) statement: Option<Statement>,
    pub(super) types: Vec<Type>,
    pub(super) plan: Option<std::sync::Arc<RowPlan>>,
    pub(super) trace: Trace,
}

impl Conn {
    pub(super) fn new(client: Client, cached: NonZeroUsize, named: bool) -> Self {
        Self {
            client,
            enter: None,
            cache: LruCache::new(cached),
            named,
            doubtful: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// Prepares a statement, or finds it prepared. Nothing of the job is executed: a statement that
    /// cannot be sent whole is not sent at all, so that the transaction around it stays intact.
    ///
    /// The server reads a statement's literals and names by the session's settings when it parses it,
    /// which is before the entry function runs, and a cached statement stays as it was read. So
    /// outside of a transaction (`at_rest`) the settings are reset in the same flush. Inside of one
    /// they are what the transaction made them: what is prepared there is for this user alone, and is
    /// prepared again, at rest, for the next.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] and [`Error::Value`] before anything is sent; what PostgreSQL says of the
    /// statement otherwise.
    pub(super) async fn prepare(
        &mut self,
        job: &Job,
        kinds: &Kinds,
        at_rest: bool,
    ) -> Result<Prepared, Error> {
        let key = key(job)?;
        crate::value::check(&job.values)?;
        if at_rest && !self.wanted.is_empty() {
            self.prepare_wanted(kinds).await?;
        }
        if let Some(prepared) = self.cache.get(&key) {
            return Ok(prepared.clone());
        }
        let trace = trace(&job.sql)?;
        let prepared = if self.named {
            let prepare = self.client.prepare_typed(&key.0, &key.1);
            let statement = if at_rest {
                clean(&self.client, prepare).await?
            } else {
                prepare.await
            }?;
            if statement.params().len() != job.values.len() {
                return Err(Refused::Parameters {
                    given: job.values.len(),
                    wanted: statement.params().len(),
                }
                .into());
            }
            let plan = plan(statement.columns(), kinds)?;
            Prepared {
                types: statement.params().to_vec(),
                statement: Some(statement),
                plan: Some(plan.into()),
                trace,
            }
        } else {
            Prepared {
                statement: None,
                types: key.1.clone(),
                plan: None,
                trace,
            }
        };
        if trace == Trace::None {
            if self.named && !at_rest {
                if self.doubtful.len() >= self.cache.cap().get() {
                    self.doubtful.retain(|key| self.cache.contains(key));
                }
                self.doubtful.push(key.clone());
            }
            self.cache.put(key, prepared.clone());
        }
        Ok(prepared)
    }

    /// Prepares a statement for one use, outside of a transaction.
    pub(super) async fn describe(&self, sql: &str) -> Result<Statement, Error> {
        Ok(clean(&self.client, self.client.prepare(sql)).await??)
    }

    /// Begins the use by another: forgets what the one before prepared inside a transaction.
    pub(super) fn next_user(&mut self) {
        for key in self.doubtful.drain(..) {
            if self.cache.pop(&key).is_some() {
                self.wanted.push(key);
            }
        }
    }

    /// Prepares again, under clean settings, what was forgotten. Once for each such statement, so that
    /// it is found prepared from then on; one that no longer can be is left until somebody needs it.
    async fn prepare_wanted(&mut self, kinds: &Kinds) -> Result<(), Error> {
        let wanted = std::mem::take(&mut self.wanted);
        let prepare = |(sql, types): &'_ Key| {
            let (client, sql, types) = (&self.client, sql.clone(), types.clone());
            async move { client.prepare_typed(&sql, &types).await }
        };
        let statements = clean(&self.client, join_all(wanted.iter().map(prepare))).await?;
        for (key, statement) in wanted.into_iter().zip(statements) {
            let Ok(statement) = statement else { continue };
            let plan = plan(statement.columns(), kinds)?;
            let prepared = Prepared {
                types: statement.params().to_vec(),
                statement: Some(statement),
                plan: Some(plan.into()),
                trace: Trace::None,
            };
            self.cache.put(key, prepared);
        }
        Ok(())
    }

    /// Whether statements may have names.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// Whether a statement can be sent without the server parsing it first.
    pub(super) fn knows(&self, job: &Job) -> bool {
        !self.named || key(job).is_ok_and(|key| self.cache.contains(&key))
    }

    /// Forgets a statement whose plan the server has outgrown, so that the next use prepares it anew.
    pub(super) fn forget(&mut self, job: &Job) {
        if let Ok(key) = key(job) {
            self.cache.pop(&key);
        }
    }
}

/// Sends requests that parse statements under the settings that a new session would have. In one
/// transaction, so that a pooler sends them to the session that was reset.
async fn clean<F: Future>(client: &Client, parsing: F) -> Result<F::Output, tokio_postgres::Error> {
    let (reset, parsed, ended) = join3(
        client.batch_execute("BEGIN; RESET ALL"),
        parsing,
        client.batch_execute("COMMIT"),
    )
    .await;
    reset.and(ended)?;
    Ok(parsed)
}

fn key(job: &Job) -> Result<Key, ValueError> {
    let types = job
        .values
        .iter()
        .map(declared_type)
        .collect::<Result<Vec<_>, _>>()?;
    Ok((job.sql.clone(), types))
}

/// Plans how a statement's rows convert.
pub(super) fn plan(columns: &[Column], kinds: &Kinds) -> Result<RowPlan, ValueError> {
    RowPlan::new(columns, kinds, kinds.are_whole_model(columns))
}
