use std::{fmt, future::Future, pin::Pin, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{Failure, job::Rules};

type Work = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;
type Begin<C> = dyn Fn(Json, C) -> Result<Work, serde_json::Error> + Send + Sync;

/// What a worker does about jobs of one kind.
pub(super) struct Handler<C> {
    pub(super) rules: Rules,
    begin: Arc<Begin<C>>,
}

impl<C: Send + 'static> Handler<C> {
    pub(super) fn new<J, F, W>(rules: Rules, handler: F) -> Self
    where
        J: DeserializeOwned,
        F: Fn(J, C) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let begin = move |payload: Json, context: C| {
            let job: J = serde_json::from_value(payload)?;
            Ok(Box::pin(handler(job, context)) as Work)
        };
        Self {
            rules,
            begin: Arc::new(begin),
        }
    }

    /// The work on one job, if its fields can be read.
    pub(super) fn begin(&self, payload: Json, context: C) -> Result<Work, serde_json::Error> {
        (self.begin)(payload, context)
    }
}

impl<C> Clone for Handler<C> {
    fn clone(&self) -> Self {
        Self {
            rules: self.rules,
            begin: self.begin.clone(),
        }
    }
}

impl<C> fmt::Debug for Handler<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handler").field(&self.rules.kind).finish()
    }
}
