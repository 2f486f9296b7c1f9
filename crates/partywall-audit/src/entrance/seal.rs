//! Partywall's own context, and its seal.

use tokio_postgres::Client;

use super::EntranceError;
use crate::{AuditError, catalogue::Catalogue};

/// The one setting.
pub(super) const CONTEXT: &str = "partywall.context";

/// Whether the database has Partywall's entry function, and if so whether its contexts are sealed.
pub(super) async fn is_on(
    client: &Client,
    catalogue: &Catalogue,
) -> Result<Option<bool>, AuditError> {
    let has_entry = catalogue
        .functions
        .values()
        .any(|function| function.name.schema == "partywall" && function.name.name == "enter");
    if !has_entry {
        return Ok(None);
    }
    let readable: bool = ask(
        client,
        "SELECT coalesce(has_table_privilege(to_regclass('partywall.applied'), 'SELECT') \
         AND has_schema_privilege('partywall', 'USAGE'), false)",
    )
    .await?
    .unwrap_or_default();
    if !readable {
        // Whoever may not look finds out when it asks for a seal.
        return Ok(Some(true));
    }
    Ok(Some(
        ask(client, "SELECT sealed FROM partywall.applied LIMIT 1")
            .await?
            .unwrap_or(true),
    ))
}

async fn ask(client: &Client, sql: &str) -> Result<Option<bool>, AuditError> {
    let doing = "ask how contexts are sealed";
    let row = client
        .query_opt(sql, &[])
        .await
        .map_err(AuditError::doing(doing))?;
    row.map(|row| row.try_get(0).map_err(AuditError::doing(doing)))
        .transpose()
}

/// The context of one tenant.
pub(super) fn json(tenant: &str) -> String {
    serde_json::json!({ "tenant": tenant }).to_string()
}

/// Seals a context as the application does: `mac.key.expiry.json`, with HMAC-SHA-256 (RFC 2104) made from the pads in the
/// database. The keys do not leave it.
pub(super) async fn seal(client: &Client, json: &str) -> Result<String, EntranceError> {
    let row = client
        .query_opt(
            "SELECT pg_catalog.encode(pg_catalog.sha256(k.outer_pad OPERATOR(pg_catalog.||) pg_catalog.sha256(\
               k.inner_pad OPERATOR(pg_catalog.||) pg_catalog.convert_to(m.text, 'UTF8'))), 'hex') \
               OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) m.text \
             FROM partywall.seal_key k, LATERAL (SELECT pg_catalog.concat(k.id, '.', \
               pg_catalog.floor(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()))::pg_catalog.int8 \
               OPERATOR(pg_catalog.+) 60, '.', $1::pg_catalog.text)) AS m (text) \
             ORDER BY k.id LIMIT 1",
            &[&json],
        )
        .await
        .map_err(|error| match error.code().map(|code| code.code()) {
            Some("42501") => EntranceError::Sealed,
            _ => EntranceError::Audit(AuditError::doing("seal a context")(error)),
        })?;
    let row = row.ok_or(EntranceError::Sealed)?;
    row.try_get(0)
        .map_err(AuditError::doing("seal a context"))
        .map_err(EntranceError::from)
}
