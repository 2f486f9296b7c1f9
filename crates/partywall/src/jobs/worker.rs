use std::{collections::BTreeMap, convert::Infallible, future::Future, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    Error, Failure, GlobalContext, GlobalJob, Job, JobContext, attempt::Kind, backoff::jittered,
    enqueue::check_kind, handler::Handler, held::Held, job::Rules, places::Places, queue::Queue,
};
use crate::identity::Identity;

/// Runs jobs as they come, as many at once as it may. One or more for each process that should: the
/// queue gives each job to one of them at a time.
///
/// ```no_run
/// # use partywall::{identity::Identity, jobs::{Job, JobContext, Worker}};
/// # #[derive(serde::Serialize, serde::Deserialize)] struct SendReport {}
/// # impl Job for SendReport { const KIND: &'static str = "report.send"; }
/// # async fn start(identity: &Identity) -> Result<(), partywall::jobs::Error> {
/// Worker::new(identity)
///     .on(|job: SendReport, context: JobContext| async move {
///         let tx = context.begin().await?;
///         // … the tenant's rows, and no others …
///         context.commit(tx).await?;
///         Ok(())
///     })
///     .run(async { _ = tokio::signal::ctrl_c().await })
///     .await
/// # }
/// ```
#[derive(Debug)]
#[must_use = "call `run`"]
pub struct Worker {
    identity: Identity,
    pub(super) tenant: BTreeMap<&'static str, Kind>,
    pub(super) global: BTreeMap<&'static str, Kind>,
    /// A kind that cannot be served.
    refused: Option<String>,
    pub(super) concurrency: usize,
    pub(super) each_tenant: Option<u32>,
    lease: Duration,
    pub(super) poll: Duration,
    pub(super) grace: Duration,
    keep: Duration,
    pub(super) wake: Arc<Notify>,
}

/// How often ended jobs are looked for that are no longer kept.
const TIDY: Duration = Duration::from_secs(300);

/// Tells a [`Worker`] to look for jobs now.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Notify>);

impl Waker {
    /// There is work: called after the commit that enqueued it, if a second is too long to wait.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

impl Worker {
    /// A worker of ten jobs at once, which looks each second, has a job for a minute without a word,
    /// and waits half a minute for what runs when it is told to stop.
    pub fn new(identity: &Identity) -> Self {
        Self {
            identity: identity.clone(),
            tenant: BTreeMap::new(),
            global: BTreeMap::new(),
            refused: None,
            concurrency: 10,
            each_tenant: None,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(30),
            keep: Duration::from_secs(86_400),
            wake: Arc::default(),
        }
    }

    /// Runs the tenants' jobs of a kind. Kinds that no worker runs wait.
    ///
    /// The handler may be run more than once for a job: a worker may be lost behind the work and before
    /// it is written down. [`JobContext::commit`] makes the two one.
    pub fn on<J, F, W>(mut self, handler: F) -> Self
    where
        J: Job,
        F: Fn(J, JobContext) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handler = Kind::Tenant(Handler::new(Rules::of::<J>(), handler));
        let known = self.tenant.insert(J::KIND, handler);
        self.check(J::KIND, known.is_some())
    }

    /// Runs the service's own jobs of a kind.
    pub fn on_global<J, F, W>(mut self, handler: F) -> Self
    where
        J: GlobalJob,
        F: Fn(J, GlobalContext) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handler = Kind::Global(Handler::new(Rules::of_global::<J>(), handler));
        let known = self.global.insert(J::KIND, handler);
        self.check(J::KIND, known.is_some())
    }

    fn check(mut self, kind: &str, is_known: bool) -> Self {
        if is_known || check_kind(kind).is_err() {
            self.refused = Some(kind.to_owned());
        }
        self
    }

    /// How many jobs run at once.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.concurrency = jobs;
        self
    }

    /// How many jobs of one tenant run at once, in all workers together. Without a limit tenants take
    /// turns all the same, but many long jobs of one can take all places until the first ends.
    pub fn each_tenant(mut self, jobs: u32) -> Self {
        self.each_tenant = Some(jobs);
        self
    }

    /// How long a job stays this worker's after its last sign of life, of which it gives three in that
    /// time. As long does a job of a lost worker wait before it runs again. A job that blocks its thread
    /// for so long, on a runtime with one thread, takes the signs of life away from all.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(100));
        self
    }

    /// How often to look for jobs, a fifth more or less. When a job ends, the worker looks at once.
    pub fn poll(mut self, every: Duration) -> Self {
        self.poll = every.max(Duration::from_millis(10));
        self
    }

    /// How long to wait for the jobs that run when it is told to stop.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long jobs are kept that were done or cancelled: a day. What was given up is kept until
    /// somebody [discards](crate::identity::RequestAccount::job_discard) it.
    pub fn keep(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Wakes this worker from elsewhere in the process.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(self.wake.clone())
    }

    /// Runs jobs until `shutdown` is ready. Then no further job begins, those that run have the
    /// [grace](Self::grace) to end, and those that do not are dropped and wait for another worker, without
    /// the try being counted.
    ///
    /// When this future is dropped, the jobs are dropped where they stand: their transactions are rolled
    /// back, and they run again when their [lease](Self::lease) is over.
    ///
    /// # Errors
    ///
    /// [`Error::Kind`] for a kind that is named twice, and whatever keeps the queue from being reached at
    /// the beginning: a missing login, a schema without the tables. Later it tries on.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        if let Some(kind) = &self.refused {
            return Err(Error::Kind(kind.clone()));
        }
        let queue = Queue {
            identity: self.identity.clone(),
            lease: self.lease,
        };
        queue.beat(&[]).await?;
        let keep = self.keep;
        let held = Held::default();
        let mut places = Places::new(queue.clone(), held.clone(), self);
        tokio::select! {
            () = places.serve(shutdown) => Ok(()),
            never = held.keep(&queue) => match never {},
            never = tidy(&queue, keep) => match never {},
        }
    }
}

/// Removes what is no longer kept, now and then.
async fn tidy(queue: &Queue, keep: Duration) -> Infallible {
    loop {
        tokio::time::sleep(jittered(TIDY)).await;
        if let Err(error) = queue.tidy(keep).await {
            tracing::warn!(%error, "ended jobs cannot be removed");
        }
    }
}
