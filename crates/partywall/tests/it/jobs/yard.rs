//! What the tests of jobs need: the people's world with a queue in it, some kinds of jobs, and workers
//! that stop when something has come true.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use partywall::{
    Roles, Schema, Seal, SealKey, Sql,
    identity::{Identity, RequestAccount},
    jobs::{self, Job, JobContext, Worker},
    testing::TestDb,
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    identity::{
        note::{self, poll},
        world::{World, permissions},
    },
    probe::Probe,
};

pub struct Yard {
    pub world: World,
    pub probe: Probe,
}

/// Writes a row, and fails as often as it is told before.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mark {
    pub id: Uuid,
    pub fails: u32,
}

impl Job for Mark {
    const KIND: &'static str = "mark";
    const ATTEMPTS: u32 = 3;

    fn backoff(_: u32) -> Duration {
        Duration::ZERO
    }
}

impl Mark {
    pub fn new() -> Self {
        Self::failing(0)
    }

    pub fn failing(fails: u32) -> Self {
        let id = Uuid::now_v7();
        Self { id, fails }
    }
}

/// The order in which things happened.
#[derive(Clone, Debug)]
pub struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Log<T> {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    pub fn push(&self, entry: T) {
        self.0.lock().unwrap().push(entry);
    }

    pub fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Writes a mark where a job runs, and says what PostgreSQL takes for the tenant.
pub async fn mark(context: &JobContext, id: Uuid) -> Result<Uuid, jobs::Error> {
    let tx = context.begin().await?;
    tx.execute_sql("INSERT INTO poll (id) VALUES ($1)", [id.into()])
        .await?;
    let tenant: Uuid = tx
        .scalar("SELECT tenant_id FROM poll WHERE id = $1", [id.into()])
        .await?;
    tx.commit().await?;
    Ok(tenant)
}

pub fn schema() -> Schema {
    let key = SealKey::new(&[7; 32]).unwrap();
    let builder = Schema::builder(Roles::named("people"), Seal::on(key));
    jobs::tables(Identity::tables(builder))
        .model::<note::Entity>()
        .model::<poll::Entity>()
        .build()
        .unwrap()
}

impl Yard {
    pub async fn new() -> Self {
        let permissions = jobs::permissions(permissions()).unwrap();
        let world = World::on(TestDb::new(&schema()).await.unwrap(), permissions).await;
        let probe = Probe::new(&world.test).await;
        Self { world, probe }
    }

    pub fn identity(&self) -> &Identity {
        &self.world.identity
    }

    /// ann, the owner of A.
    pub async fn ann(&self) -> RequestAccount {
        self.world.account("ann", self.world.a).await
    }

    /// eve, the owner of B.
    pub async fn eve(&self) -> RequestAccount {
        self.world.account("eve", self.world.b).await
    }

    /// A worker that does not keep tests waiting.
    pub fn worker(&self) -> Worker {
        Worker::new(self.identity())
            .poll(Duration::from_millis(20))
            .lease(Duration::from_secs(5))
    }

    /// A worker whose jobs leave marks.
    pub fn marker(&self) -> Worker {
        self.worker()
            .on(|job: Mark, context: JobContext| async move {
                if context.attempt() <= job.fails {
                    return Err(jobs::Failure::retry("not yet"));
                }
                mark(&context, job.id).await?;
                Ok(())
            })
    }

    pub async fn count(&self, of: &str) -> i64 {
        self.probe
            .count(&format!("SELECT count(*) FROM {of}"))
            .await
    }

    /// The tenant of a mark, read past the wall.
    pub async fn tenant_of(&self, mark: Uuid) -> Option<Uuid> {
        let sql = format!("SELECT tenant_id::text FROM poll WHERE id = '{mark}'");
        let row = self.probe.client.query_opt(&sql, &[]).await.unwrap()?;
        Some(row.get::<_, String>(0).parse().unwrap())
    }

    /// How a job stands, how often it was begun and its error, read past the wall.
    pub async fn state(&self, job: Uuid) -> (String, i32, Option<String>) {
        let sql = format!("SELECT state, attempts, error FROM jobs.job WHERE id = '{job}'");
        let row = self.probe.client.query_one(&sql, &[]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    }

    pub async fn is(&self, job: Uuid, state: &str) -> bool {
        self.state(job).await.0 == state
    }

    /// Whether no job waits or runs.
    pub async fn is_quiet(&self) -> bool {
        let open = "state IN ('scheduled', 'waiting', 'running')";
        let tenants = self.count(&format!("jobs.job WHERE {open}")).await;
        tenants + self.count(&format!("jobs.global_job WHERE {open}")).await == 0
    }

    /// Runs workers until something has come true.
    pub async fn run<F: Future<Output = bool>>(
        &self,
        workers: impl IntoIterator<Item = Worker>,
        until: impl Fn() -> F,
    ) {
        let started: Vec<_> = workers.into_iter().map(start).collect();
        wait(until).await;
        for (stop, worker) in started {
            stop.send(()).unwrap();
            worker.await.unwrap().unwrap();
        }
    }

    /// Runs a worker until no job waits.
    pub async fn work_off(&self, worker: Worker) {
        self.run([worker], || self.is_quiet()).await;
    }
}

pub type Started = (
    oneshot::Sender<()>,
    tokio::task::JoinHandle<Result<(), jobs::Error>>,
);

/// Starts a worker. Sending stops it in its own time, aborting the task kills it.
pub fn start(worker: Worker) -> Started {
    let (stop, stopped) = oneshot::channel();
    let worker = tokio::spawn(worker.run(async move {
        // A test that has dropped the other end ends anyway.
        _ = stopped.await;
    }));
    (stop, worker)
}

/// Waits until something has come true, and not for ever.
pub async fn wait<F: Future<Output = bool>>(until: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !until().await {
        assert!(Instant::now() < deadline, "it has not come true in 30 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Enqueues a job in the account's tenant.
pub async fn enqueue<J: Job>(account: &RequestAccount, job: &J) -> Uuid {
    let tx = account.write().await.unwrap();
    let enqueued = account.enqueue(&tx, job).await.unwrap();
    tx.commit().await.unwrap();
    assert!(enqueued.is_new);
    enqueued.id
}
