use sea_orm::{EntityTrait as _, FromQueryResult};
use uuid::Uuid;

use super::txt::{TxtLookup, published};
use crate::{
    db::Sql as _,
    identity::{Error, Identity, model::domain},
    scope::{Scope, TENANT},
};

/// What came of asking the DNS again.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Rechecked {
    /// How many hosts still have their record.
    pub proven: u64,
    /// How many have it no longer, and are given more time.
    pub missed: u64,
    /// The tenants and hosts that select nothing any more.
    pub lost: Vec<(Uuid, String)>,
    /// The tenants and hosts whose DNS did not answer, and why. Nothing is held against these.
    pub failed: Vec<(Uuid, String, Error)>,
}

/// How many times in a row a record may be missing before the host is given up.
const MISSES: i32 = 3;

/// Hosts that are read at once.
const BATCH: i64 = 100;

#[derive(FromQueryResult)]
struct Due {
    tenant_id: Uuid,
    id: Uuid,
}

enum Outcome {
    /// Another process asks, or there is nothing to ask for any more.
    Passed,
    Proven,
    Missed,
    Lost(String),
    Failed(String, Error),
}

impl Identity {
    /// Asks the DNS again for the verified hosts that were not asked for within
    /// [`Settings::domain_recheck`](super::super::Settings::domain_recheck). A host whose record is
    /// missing three times in a row selects nothing any more; its claim stays and can be verified anew.
    /// For the service itself, now and then.
    ///
    /// One host after the other. Several processes may do so at once: each host is one's.
    ///
    /// # Errors
    ///
    /// What the database reports. A DNS that does not answer is in [`Rechecked::failed`].
    pub async fn domains_recheck(
        &self,
        lookup: &(impl TxtLookup + ?Sized),
    ) -> Result<Rechecked, Error> {
        let began = self.domain_clock().await?;
        let db = self.db().across("domains are verified again").await?;
        let mut rechecked = Rechecked::default();
        // Until nothing is due that was not asked for in this go, however short the time between is.
        loop {
            let due: Vec<Due> = db
                .all(
                    "SELECT tenant_id, id FROM identity.domain WHERE verified_at IS NOT NULL \
                     AND checked_at <= now() - make_interval(secs => $1) \
                     AND checked_at < 'epoch'::timestamptz + $2::bigint * interval '1 microsecond' \
                     ORDER BY checked_at LIMIT $3",
                    [self.recheck_seconds().into(), began.into(), BATCH.into()],
                )
                .await?;
            if due.is_empty() {
                return Ok(rechecked);
            }
            for Due { tenant_id, id } in due {
                match self.domain_recheck(tenant_id, id, began, lookup).await? {
                    Outcome::Passed => {}
                    Outcome::Proven => rechecked.proven += 1,
                    Outcome::Missed => rechecked.missed += 1,
                    Outcome::Lost(host) => rechecked.lost.push((tenant_id, host)),
                    Outcome::Failed(host, error) => rechecked.failed.push((tenant_id, host, error)),
                }
            }
        }
    }

    async fn domain_recheck(
        &self,
        tenant: Uuid,
        id: Uuid,
        began: i64,
        lookup: &(impl TxtLookup + ?Sized),
    ) -> Result<Outcome, Error> {
        // The service sees to all tenants.
        let db = self.inner.db.identity(&Scope::trusted([TENANT.is(tenant)]));
        // Said before it is done: whatever stops this, the host is asked for again when it is due next.
        let begun = db
            .execute_sql(
                "UPDATE identity.domain SET checked_at = now() WHERE id = $1 \
                 AND verified_at IS NOT NULL \
                 AND checked_at <= now() - make_interval(secs => $2) \
                 AND checked_at < 'epoch'::timestamptz + $3::bigint * interval '1 microsecond'",
                [id.into(), self.recheck_seconds().into(), began.into()],
            )
            .await?;
        let row = domain::Entity::find_by_id(id).one(&db).await?;
        let Some(row) = row.filter(|_| begun > 0) else {
            return Ok(Outcome::Passed);
        };
        let is_proven = match published(lookup, &row).await {
            Ok(published) => published.contains(&row.token),
            Err(error) => return Ok(Outcome::Failed(row.host, error)),
        };
        let missed = if is_proven { 0 } else { row.missed + 1 };
        if missed >= MISSES {
            let is_lost = self.domain_unverify(tenant, id, began).await?;
            return Ok(if is_lost {
                Outcome::Lost(row.host)
            } else {
                Outcome::Passed
            });
        }
        db.execute_sql(
            "UPDATE identity.domain SET missed = $2 WHERE id = $1 AND verified_at IS NOT NULL",
            [id.into(), missed.into()],
        )
        .await?;
        Ok(if is_proven {
            Outcome::Proven
        } else {
            Outcome::Missed
        })
    }

    fn recheck_seconds(&self) -> f64 {
        self.settings().domain_recheck.as_secs_f64()
    }
}
