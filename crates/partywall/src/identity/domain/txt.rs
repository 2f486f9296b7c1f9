use std::time::Duration;

use async_trait::async_trait;

use crate::identity::{Error, model::domain, secret::Secret};

/// Asks the DNS for TXT records. The application brings it, with the resolver of its choice.
///
/// Ask a resolver that validates (DNSSEC), or the domain's own servers: whoever can forge the answer has
/// the domain. Do not answer from a cache that outlives the records' own time to live.
#[async_trait]
pub trait TxtLookup: Send + Sync {
    /// The TXT records of a name, each with its pieces joined (RFC 7208, section 3.3). A name that is not
    /// there, or has none, is an empty list.
    ///
    /// # Errors
    ///
    /// What keeps from finding out: no answer in time, or one that says that the server failed. It is
    /// not taken to mean that the record is gone.
    async fn txt(
        &self,
        name: &str,
    ) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>>;
}

/// How long the DNS may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tokens that a host's DNS publishes.
pub(super) async fn published(
    lookup: &(impl TxtLookup + ?Sized),
    claim: &domain::Model,
) -> Result<Vec<String>, Error> {
    let name = claim.record_name();
    let records = match tokio::time::timeout(PATIENCE, lookup.txt(&name)).await {
        Ok(records) => records.map_err(Error::Lookup)?,
        Err(late) => return Err(Error::Lookup(late.into())),
    };
    let tokens = records.iter().filter_map(|record| {
        let token = record.trim().strip_prefix(domain::Model::PREFIX)?;
        // Anything may stand there; what is no token is none of ours.
        Some(Secret::parse(token)?.as_str().to_owned())
    });
    Ok(tokens.collect())
}
