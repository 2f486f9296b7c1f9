use std::num::NonZeroUsize;

use futures_util::future::{OptionFuture, join};
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
        }
    }

    /// Prepares a statement, or finds it prepared. Nothing of the job is executed: a statement that
    /// cannot be sent whole is not sent at all, so that the transaction around it stays intact.
    ///
    /// The server reads a statement's literals and names by the session's settings when it parses it,
    /// which is before the entry function runs, and a cached statement stays as it was read. So
    /// outside of a transaction (`at_rest`) the settings are reset in the same flush.
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
        if let Some(prepared) = self.cache.get(&key) {
            return Ok(prepared.clone());
        }
        let trace = trace(&job.sql)?;
        let prepared = if self.named {
            let reset = at_rest.then(|| self.client.batch_execute("RESET ALL"));
            let (reset, statement) = join(
                OptionFuture::from(reset),
                self.client.prepare_typed(&key.0, &key.1),
            )
            .await;
            reset.transpose()?;
            let statement = statement?;
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
            self.cache.put(key, prepared.clone());
        }
        Ok(prepared)
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
