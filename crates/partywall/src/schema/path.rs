//! The search paths that a schema is applied under.
//!
//! PostgreSQL looks for a function or an operator in every schema of the path and takes the one whose
//! arguments fit best, so whoever may create in one of them can plant one that fits better than the
//! system's, and it runs as whoever calls it.

use tokio_postgres::Client;

use super::sql::ident;

/// For all that is Partywall's own: nobody but the system creates there. Temporary objects are named
/// last, since they come first where they are not named.
pub(crate) const SAFE: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// Goes (back) to the path for all that is Partywall's own.
pub(super) async fn safe(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(SAFE).await
}

/// Goes to the login's own path, which the application's migrations expect.
pub(super) async fn own(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute("SET LOCAL search_path TO DEFAULT")
        .await
}

/// Goes to the login's own path, for the types and defaults of declared columns, with the system's
/// schema first whatever the login says: a type that somebody planted under the name of one of the
/// system's would bring its own input function and constraints along.
pub(super) async fn declared(client: &Client) -> Result<(), tokio_postgres::Error> {
    own(client).await?;
    // Qualified, and its argument fits exactly: nothing planted comes before it.
    let schemas: Vec<String> = client
        .query_one("SELECT pg_catalog.current_schemas(false)", &[])
        .await?
        .try_get(0)?;
    let own: Vec<String> = schemas
        .iter()
        .filter(|schema| *schema != "pg_catalog")
        .map(|schema| ident(schema))
        .collect();
    // The system's schema comes first where it is not named.
    let path = if own.is_empty() {
        "''".to_owned()
    } else {
        own.join(", ")
    };
    client
        .batch_execute(&format!("SET LOCAL search_path = {path}"))
        .await
}
