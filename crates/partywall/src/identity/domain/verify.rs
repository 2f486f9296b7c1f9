use sea_orm::{EntityTrait as _, FromQueryResult};
use serde_json::json;
use uuid::Uuid;

use super::txt::{TxtLookup, published};
use crate::{
    db::Sql as _,
    identity::{
        AuditEntry, Error, Event, Identity, RequestAccount,
        audit::Who,
        authenticate::nobody,
        model::domain::{self, Entity},
        tenant::taken,
    },
    scope::{Scope, TENANT},
};

#[derive(FromQueryResult)]
struct Lapsed {
    tenant_id: Option<Uuid>,
    id: Option<Uuid>,
}

#[derive(FromQueryResult)]
struct Lost {
    host: String,
}

impl RequestAccount {
    /// Asks the DNS whether a claimed host is the tenant's, and has it select the tenant if so. Does
    /// nothing to one that is verified.
    ///
    /// A TXT record is the proof, and not, say, a request that has arrived for the host: a domain may lead
    /// to this service before its owner claims it, or after they left, and then whoever asked first would
    /// have it. Who may write the DNS of a host is whose host it is.
    ///
    /// Where another tenant has the host verified, whose record is still there, it stays theirs:
    /// whoever took a domain over removes that record first. When it is gone, the host moves. A record
    /// is good for the one claim that it was made for, so nobody gains by copying it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a claim that is not the tenant's; [`Error::Forbidden`] without
    /// `domain.write`; [`Error::Throttled`] after too many failures of this tenant's;
    /// [`Error::Lookup`] where the DNS does not answer; [`Error::Unproven`] without the record;
    /// [`Error::Taken`] where another tenant's record is there as well, which is told to nobody who
    /// has not published their own; and what the database reports.
    pub async fn domain_verify(
        &self,
        id: Uuid,
        lookup: &(impl TxtLookup + ?Sized),
    ) -> Result<domain::Model, Error> {
        let claim = self.domain(id, "domain.write").await?;
        if claim.verified_at.is_some() {
            return Ok(claim);
        }
        let (identity, tenant) = (self.identity(), self.tenant().id);
        // Counted beforehand, so that one that is dropped while the DNS is asked is counted as well.
        identity.inner.domains.take(tenant)?;
        let asked = identity.domain_clock().await?;
        // Outside of any transaction: the DNS may take its time.
        let published = published(lookup, &claim).await?;
        if !published.contains(&claim.token) {
            return Err(Error::Unproven);
        }
        identity.domain_lapse(&claim, published, asked).await?;
        let tx = self.change("domain.write").await?;
        let verified = tx
            .execute_sql(
                "UPDATE identity.domain SET verified_at = now(), checked_at = now(), missed = 0 \
                 WHERE id = $1 AND verified_at IS NULL",
                [id.into()],
            )
            .await
            .map_err(|error| taken("host", error))?;
        let row = Entity::find_by_id(id).one(&*tx).await?;
        let row = row.ok_or(Error::NotFound)?;
        if verified > 0 {
            let detail = json!({"host": row.host});
            tx.audit(AuditEntry::new("domain.verified").on(id).with(detail))
                .await?;
            let host = row.host.clone();
            tx.commit([Event::DomainVerified { tenant, host }]).await?;
        }
        identity.inner.domains.give_back(tenant);
        Ok(row)
    }
}

impl Identity {
    /// Takes a claimed host from the tenant that has it verified, if its record is there no longer.
    async fn domain_lapse(
        &self,
        claim: &domain::Model,
        published: Vec<String>,
        asked: i64,
    ) -> Result<(), Error> {
        let lapsed: Lapsed = self
            .inner
            .db
            .identity(&nobody())
            .read_only()
            .one(
                "SELECT tenant_id, id FROM partywall.identity_domain_lapsed($1, $2, $3)",
                [claim.token.clone().into(), published.into(), asked.into()],
            )
            .await?;
        if let (Some(tenant), Some(id)) = (lapsed.tenant_id, lapsed.id) {
            self.domain_unverify(tenant, id, asked).await?;
        }
        Ok(())
    }

    /// What time it is by the database's clock, in microseconds since 1970.
    pub(super) async fn domain_clock(&self) -> Result<i64, Error> {
        let db = self.inner.db.identity(&nobody()).read_only();
        let sql = "SELECT (extract(epoch FROM now()) * 1000000)::bigint";
        Ok(db.scalar(sql, []).await?)
    }

    /// Has a host select nothing any more, since its record is gone. `asked` is [when](Self::domain_clock)
    /// the DNS was: who was verified after that is not meant. Tells whether there was something to take.
    pub(super) async fn domain_unverify(
        &self,
        tenant: Uuid,
        id: Uuid,
        asked: i64,
    ) -> Result<bool, Error> {
        // The DNS vouches for it, and nobody asks as this tenant.
        let tx = self.begin(&Scope::trusted([TENANT.is(tenant)])).await?;
        let lost: Option<Lost> = tx
            .optional(
                "UPDATE identity.domain SET verified_at = NULL, missed = 0 \
                 WHERE id = $1 AND verified_at < 'epoch'::timestamptz + $2::bigint * interval '1 microsecond' \
                 RETURNING host",
                [id.into(), asked.into()],
            )
            .await?;
        let Some(Lost { host }) = lost else {
            return Ok(false);
        };
        let who = Who {
            tenant,
            user: None,
            account: None,
            name: "the DNS",
            subject: None,
            address: None,
        };
        let detail = json!({"host": host});
        let entry = AuditEntry::new("domain.lost").on(id).with(detail);
        who.audit(&tx, entry).await?;
        tx.commit().await?;
        self.emit(Event::DomainLost { tenant, host });
        Ok(true)
    }
}
