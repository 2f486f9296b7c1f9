//! Hosts of tenants' own.
//!
//! A tenant [claims](RequestAccount::domain_add) a host, publishes in its DNS the TXT record that the
//! claim names, and has it [verified](RequestAccount::domain_verify). From then on the host
//! [selects](super::TenantSelector::Host) the tenant.

mod recheck;
mod txt;
mod verify;

use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::json;
use uuid::Uuid;

pub use self::{recheck::Rechecked, txt::TxtLookup};
use super::{
    AuditEntry, Error, Event, Hostname, RequestAccount, model::domain, secret::Secret,
    tenant::taken,
};
use crate::db::Sql as _;

impl RequestAccount {
    /// The hosts that the tenant claims, in alphabetical order, verified or not.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `domain.read`, and what the database reports.
    pub async fn domain_list(&self) -> Result<Vec<domain::Model>, Error> {
        self.require("domain.read")?;
        let domains = domain::Entity::find().order_by_asc(domain::Column::Host);
        Ok(domains.all(&self.reading()).await?)
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for one that is not the tenant's, [`Error::Forbidden`] without
    /// `domain.read`, and what the database reports.
    pub async fn domain_find(&self, id: Uuid) -> Result<domain::Model, Error> {
        self.domain(id, "domain.read").await
    }

    /// Claims a host. It selects nothing yet: publish the record that the claim
    /// [names](domain::Model::record_name), and then [verify](Self::domain_verify) it.
    ///
    /// Others may claim it as well; nobody is told who does, or who has it.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `domain.write`; [`Error::Invalid`] for what is no
    /// [host](Hostname::parse) and for the [service's own](super::Settings::own_hosts);
    /// [`Error::Taken`] for one that this tenant claims already; and what the database reports.
    pub async fn domain_add(&self, host: &str) -> Result<domain::Model, Error> {
        self.require("domain.write")?;
        let host = Hostname::parse(host)?;
        if self.identity().settings().is_own(&host) {
            return Err(Error::invalid("host", "this host is the service's own"));
        }
        let (id, token) = (Uuid::now_v7(), Secret::generate()?);
        let tx = self.change("domain.write").await?;
        tx.execute_sql(
            "INSERT INTO identity.domain (id, host, token, missed, created_at, created_by) \
             VALUES ($1, $2, $3, 0, now(), $4)",
            [
                id.into(),
                host.as_str().into(),
                token.as_str().into(),
                self.id().into(),
            ],
        )
        .await
        .map_err(|error| taken("host", error))?;
        let row = domain::Entity::find_by_id(id).one(&*tx).await?;
        let row = row.ok_or(Error::NotFound)?;
        let detail = json!({"host": row.host});
        tx.audit(AuditEntry::new("domain.added").on(id).with(detail))
            .await?;
        tx.commit([]).await?;
        Ok(row)
    }

    /// Gives a host up: it selects nothing from the next request on.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for one that is not the tenant's, [`Error::Forbidden`] without
    /// `domain.write`, and what the database reports.
    pub async fn domain_remove(&self, id: Uuid) -> Result<(), Error> {
        let row = self.domain(id, "domain.write").await?;
        let tx = self.change("domain.write").await?;
        let removed = tx
            .execute_sql("DELETE FROM identity.domain WHERE id = $1", [id.into()])
            .await?;
        if removed == 0 {
            return Err(Error::NotFound);
        }
        let detail = json!({"host": row.host});
        tx.audit(AuditEntry::new("domain.removed").on(id).with(detail))
            .await?;
        let tenant = tx.tenant();
        tx.commit([Event::DomainRemoved {
            tenant,
            host: row.host,
        }])
        .await
    }

    /// One that there is, for whoever may do this to it.
    async fn domain(&self, id: Uuid, permission: &str) -> Result<domain::Model, Error> {
        let row = domain::Entity::find_by_id(id).one(&self.reading()).await?;
        let row = row.ok_or(Error::NotFound)?;
        self.require(permission)?;
        Ok(row)
    }
}
