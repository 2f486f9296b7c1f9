//! A worker's places: filled from the queue, freed as jobs end.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    pin::pin,
    time::{Duration, Instant},
};

use tokio::task::{Id, JoinError, JoinSet};
use uuid::Uuid;

use super::{
    Error, Worker,
    attempt::{Kind, attempt},
    backoff::jittered,
    held::Held,
    job::Rules,
    queue::{Claimed, Ended, Queue},
};

pub(super) struct Places {
    queue: Queue,
    held: Held,
    worker: Worker,
    running: JoinSet<()>,
    /// Which job each task runs.
    tasks: HashMap<Id, Claimed>,
    /// The tenant whose turn was last. Workers begin at different ones.
    after: Uuid,
    /// Whether the service's own jobs come before the tenants'.
    is_services_turn: bool,
}

impl Places {
    pub(super) fn new(queue: Queue, held: Held, worker: Worker) -> Self {
        Self {
            queue,
            held,
            worker,
            running: JoinSet::new(),
            tasks: HashMap::new(),
            after: Uuid::new_v4(),
            is_services_turn: false,
        }
    }

    /// Runs jobs until it is told to stop, and then those that run to their end.
    pub(super) async fn serve(&mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut pause = Duration::ZERO;
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = self.running.join_next_with_id() => self.forget(ended),
                () = self.worker.wake.notified() => {}
                () = tokio::time::sleep(jittered(pause)) => {}
            }
            while let Some(ended) = self.running.try_join_next_with_id() {
                self.forget(ended);
            }
            // Not dropped when it is told to stop: what was given would wait for its lease to end.
            pause = match self.fill().await {
                // Many tenants have jobs and none may run: the next look goes on behind them.
                Ok(true) => self.worker.poll / 10,
                Ok(false) => self.worker.poll,
                Err(error) => {
                    tracing::warn!(%error, "jobs wait: the queue cannot be read");
                    self.worker.poll.saturating_mul(5)
                }
            };
        }
        self.drain().await;
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = match ended {
            Ok((task, ())) => task,
            Err(stopped) => stopped.id(),
        };
        if let Some(claimed) = self.tasks.remove(&task) {
            self.held.remove(claimed.lease);
        }
    }

    /// Takes jobs for the places that are free. Tells whether there may be more.
    async fn fill(&mut self) -> Result<bool, Error> {
        let mut is_cut_short = false;
        self.is_services_turn = !self.is_services_turn;
        for is_global in [self.is_services_turn, !self.is_services_turn] {
            let free = self.worker.concurrency.saturating_sub(self.running.len());
            let room = self.room(is_global, free);
            if room.is_empty() {
                continue;
            }
            let since = Instant::now();
            if is_global {
                for (n, (rules, most)) in room.iter().enumerate() {
                    let free = self.worker.concurrency.saturating_sub(self.running.len());
                    // However many there are of one kind, the others have their part.
                    let free = free.div_ceil(room.len() - n);
                    let jobs = self.queue.claim_global(rules.kind, free.min(*most)).await?;
                    self.begin(jobs, since);
                }
            } else {
                let each_tenant = self.worker.each_tenant;
                let given = self.queue.claim(&room, free, each_tenant, self.after);
                let given = given.await?;
                self.after = given.after;
                is_cut_short = given.is_cut_short;
                self.begin(given.jobs, since);
            }
        }
        Ok(is_cut_short)
    }

    /// The kinds that may begin, with how many of each.
    fn room(&self, is_global: bool, free: usize) -> Vec<(Rules, usize)> {
        let kinds = self.kinds(is_global).values().map(Kind::rules);
        let with_room = kinds.map(|rules| {
            let of_kind =
                |job: &&Claimed| job.tenant.is_none() == is_global && job.kind == rules.kind;
            let running = self.tasks.values().filter(of_kind).count();
            (rules, rules.concurrency.saturating_sub(running).min(free))
        });
        with_room.filter(|(_, room)| *room > 0).collect()
    }

    fn kinds(&self, is_global: bool) -> &BTreeMap<&'static str, Kind> {
        if is_global {
            &self.worker.global
        } else {
            &self.worker.tenant
        }
    }

    fn begin(&mut self, jobs: Vec<Claimed>, since: Instant) {
        for claimed in jobs {
            let kinds = self.kinds(claimed.tenant.is_none());
            let Some(kind) = kinds.get(claimed.kind.as_str()).cloned() else {
                continue;
            };
            let work = attempt(self.queue.clone(), claimed.clone(), kind);
            let task = self.running.spawn(work);
            self.held.insert(claimed.lease, task.clone(), since);
            self.tasks.insert(task.id(), claimed);
        }
    }

    /// Waits for what runs, drops what takes too long, and gives it back.
    async fn drain(&mut self) {
        let mut deadline = pin!(tokio::time::sleep(self.worker.grace));
        loop {
            tokio::select! {
                ended = self.running.join_next_with_id() => match ended {
                    Some(ended) => self.forget(ended),
                    None => return,
                },
                () = &mut deadline => break,
            }
        }
        self.running.shutdown().await;
        let given_back = Ended::Waits {
            after: Duration::ZERO,
            why: "the worker was stopped".to_owned(),
        };
        for (_, claimed) in self.tasks.drain() {
            if let Err(error) = self.queue.end(&claimed, &given_back).await {
                tracing::warn!(%error, job = %claimed.id, "a job waits for its lease to end");
            }
        }
    }
}
