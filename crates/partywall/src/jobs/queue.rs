//! What a worker says to the queue, all of it under the identity login: which jobs are due it asks for
//! all tenants at once, and learns ids; everything else it does in the scope of one job's tenant.

use std::{collections::HashSet, time::Duration};

use sea_orm::FromQueryResult;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Error, global::service, job::Rules};
use crate::{
    db::{ScopedDb, Sql as _},
    identity::Identity,
    scope::{Scope, TENANT},
};

/// One worker's side of the queue.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub(super) identity: Identity,
    /// How long jobs are its own without a word from it.
    pub(super) lease: Duration,
}

/// A job that a worker has.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    /// None of a job of the service's.
    pub(super) tenant: Option<Uuid>,
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) attempt: u32,
    /// What shows that the job is still the worker's: another one each time it is given away.
    pub(super) lease: Uuid,
}

/// What was given to a worker.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) jobs: Vec<Claimed>,
    /// The tenant whose turn was last.
    pub(super) after: Uuid,
    /// Whether there may be more that nobody came to.
    pub(super) is_cut_short: bool,
}

/// A claimed job's row, with its tenant's.
#[derive(Debug, FromQueryResult)]
pub(super) struct Loaded {
    pub(super) payload: Json,
    pub(super) actor: Json,
    pub(super) reason: Option<String>,
    pub(super) narrowed: Json,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) seats: Option<i32>,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    /// It is to be tried again.
    Failed {
        after: Duration,
        error: String,
    },
    /// It is to run later, and the try did not count.
    Waits {
        after: Duration,
        why: String,
    },
    GivenUp {
        error: String,
    },
}

#[derive(FromQueryResult)]
struct ClaimRow {
    tenant_id: Uuid,
    id: Option<Uuid>,
    kind: Option<String>,
    attempt: i32,
    lease: Option<Uuid>,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
    attempts: i32,
    lease: Uuid,
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn attempt(n: i32) -> u32 {
    u32::try_from(n).unwrap_or_default()
}

impl Claimed {
    fn table(&self) -> &'static str {
        match self.tenant {
            Some(_) => "jobs.job",
            None => "jobs.global_job",
        }
    }
}

impl Queue {
    /// What the functions are called in that answer for all tenants.
    fn nobody(&self) -> ScopedDb {
        self.identity.db().identity(&Scope::trusted([]))
    }

    fn of_service(&self) -> ScopedDb {
        self.identity.db().identity(&service())
    }

    fn of(&self, claimed: &Claimed) -> ScopedDb {
        match claimed.tenant {
            // The queue says whose the job is, and nothing of the job itself does.
            Some(tenant) => self
                .identity
                .db()
                .identity(&Scope::trusted([TENANT.is(tenant)])),
            None => self.of_service(),
        }
    }

    fn lease_ms(&self) -> i32 {
        i32::try_from(self.lease.as_millis()).unwrap_or(i32::MAX)
    }

    /// Takes up to `total` of the tenants' jobs, of the kinds that there is room for.
    pub(super) async fn claim(
        &self,
        room: &[(Rules, usize)],
        total: usize,
        each_tenant: Option<u32>,
        after: Uuid,
    ) -> Result<Given, Error> {
        let kinds: Vec<String> = room.iter().map(|(of, _)| of.kind.to_owned()).collect();
        let free: Vec<i32> = room.iter().map(|(_, free)| count(*free)).collect();
        let anyway: Vec<bool> = room.iter().map(|(of, _)| of.while_suspended).collect();
        let each_tenant = each_tenant.map(|most| i32::try_from(most).unwrap_or(i32::MAX));
        let rows: Vec<ClaimRow> = self
            .nobody()
            .all(
                "SELECT * FROM partywall.jobs_claim($1, $2, $3, $4, $5, $6, $7)",
                [
                    kinds.into(),
                    free.into(),
                    anyway.into(),
                    count(total).into(),
                    each_tenant.into(),
                    self.lease_ms().into(),
                    after.into(),
                ],
            )
            .await?;
        let mut given = Given {
            jobs: Vec::new(),
            after,
            is_cut_short: false,
        };
        for row in rows {
            match (row.id, row.kind, row.lease) {
                (Some(id), Some(kind), Some(lease)) => given.jobs.push(Claimed {
                    tenant: Some(row.tenant_id),
                    id,
                    kind,
                    attempt: attempt(row.attempt),
                    lease,
                }),
                _ => {
                    given.after = row.tenant_id;
                    given.is_cut_short = row.attempt == 1;
                }
            }
        }
        Ok(given)
    }

    /// Takes up to `most` of the service's own jobs of a kind.
    pub(super) async fn claim_global(
        &self,
        kind: &'static str,
        most: usize,
    ) -> Result<Vec<Claimed>, Error> {
        let db = self.of_service();
        db.execute_sql(
            "UPDATE jobs.global_job SET state = 'waiting', lease = NULL WHERE id IN ( \
               SELECT id FROM jobs.global_job \
               WHERE state IN ('scheduled', 'running') AND due_at <= clock_timestamp() AND kind = $1 \
               ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED)",
            [kind.into()],
        )
        .await?;
        let rows: Vec<IdRow> = db
            .all(
                "UPDATE jobs.global_job SET state = 'running', lease = gen_random_uuid(), \
                   attempts = attempts + 1, \
                   due_at = clock_timestamp() + interval '1 millisecond' * $1 \
                 WHERE id IN ( \
                   SELECT id FROM jobs.global_job WHERE state = 'waiting' AND kind = $2 \
                   ORDER BY priority DESC, due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
                 RETURNING id, attempts, lease",
                [
                    f64::from(self.lease_ms()).into(),
                    kind.into(),
                    i64::from(count(most)).into(),
                ],
            )
            .await?;
        let claimed = rows.into_iter().map(|row| Claimed {
            tenant: None,
            id: row.id,
            kind: kind.to_owned(),
            attempt: attempt(row.attempts),
            lease: row.lease,
        });
        Ok(claimed.collect())
    }

    /// Says that the worker is still there. Tells which of its leases last for another while. What it was
    /// given without learning of it, since the answer was lost, is not among them and goes to somebody
    /// else in time.
    pub(super) async fn beat(&self, leases: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        #[derive(FromQueryResult)]
        struct Row {
            lease: Uuid,
        }
        let tenants: Vec<Row> = self
            .nobody()
            .all(
                "SELECT lease FROM partywall.jobs_beat($1, $2)",
                [leases.to_vec().into(), self.lease_ms().into()],
            )
            .await?;
        let global: Vec<Row> = self
            .of_service()
            .all(
                "UPDATE jobs.global_job \
                 SET due_at = clock_timestamp() + interval '1 millisecond' * $2 \
                 WHERE lease = ANY ($1) AND state = 'running' RETURNING lease",
                [leases.to_vec().into(), f64::from(self.lease_ms()).into()],
            )
            .await?;
        let kept = tenants.into_iter().chain(global).map(|row| row.lease);
        Ok(kept.collect())
    }

    /// Reads a job, if it is still the worker's and its tenant was not deleted.
    pub(super) async fn load(&self, claimed: &Claimed) -> Result<Option<Loaded>, Error> {
        let sql = match claimed.tenant {
            Some(_) => {
                "SELECT j.payload, j.actor, j.reason, j.narrowed, t.slug, t.name, t.seats \
                 FROM jobs.job j JOIN identity.tenant t ON t.id = j.tenant_id \
                 WHERE j.id = $1 AND j.lease = $2 AND j.state = 'running' AND t.delete_after IS NULL"
            }
            None => {
                "SELECT payload, actor, reason, '{}'::jsonb AS narrowed, '' AS slug, '' AS name, \
                   NULL::integer AS seats \
                 FROM jobs.global_job WHERE id = $1 AND lease = $2 AND state = 'running'"
            }
        };
        let values = [claimed.id.into(), claimed.lease.into()];
        Ok(self.of(claimed).optional(sql, values).await?)
    }

    /// Writes down how a try ended. Tells whether the job was still the worker's.
    pub(super) async fn end(&self, claimed: &Claimed, ended: &Ended) -> Result<bool, Error> {
        let (set, after, text) = match ended {
            Ended::Done => (
                "state = 'done', error = $4, ended_at = clock_timestamp()",
                Duration::ZERO,
                None,
            ),
            Ended::GivenUp { error } => (
                "state = 'dead', error = $4, ended_at = clock_timestamp()",
                Duration::ZERO,
                Some(error),
            ),
            Ended::Failed { after, error } => {
                ("state = 'scheduled', error = $4", *after, Some(error))
            }
            Ended::Waits { after, why } => (
                "state = 'scheduled', error = $4, attempts = attempts - 1",
                *after,
                Some(why),
            ),
        };
        let sql = format!(
            "UPDATE {} SET lease = NULL, \
               due_at = clock_timestamp() + interval '1 millisecond' * $3, {set} \
             WHERE id = $1 AND lease = $2 AND state = 'running'",
            claimed.table()
        );
        #[expect(clippy::cast_precision_loss, reason = "no wait is 2^53 ms long")]
        let after = milliseconds(after) as f64;
        let values = [
            claimed.id.into(),
            claimed.lease.into(),
            after.into(),
            text.cloned().into(),
        ];
        Ok(self.of(claimed).execute_sql(&sql, values).await? > 0)
    }

    /// Removes what ended well or was cancelled some time ago.
    pub(super) async fn tidy(&self, keep: Duration) -> Result<(), Error> {
        let keep = i32::try_from(keep.as_secs()).unwrap_or(i32::MAX);
        loop {
            let removed: i64 = self
                .nobody()
                .scalar("SELECT partywall.jobs_tidy($1)", [keep.into()])
                .await?;
            if removed < 1_000 {
                break;
            }
        }
        self.of_service()
            .execute_sql(
                "DELETE FROM jobs.global_job WHERE state IN ('done', 'cancelled') \
                 AND ended_at < clock_timestamp() - interval '1 second' * $1",
                [f64::from(keep).into()],
            )
            .await?;
        Ok(())
    }
}
