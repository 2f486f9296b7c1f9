use tokio_postgres::Client;

/// One connection, whose statements Ctrl-C stops.
pub(crate) struct Session {
    /// The driver's.
    pub(crate) client: Client,
}

impl Session {
    /// The server's version, for people.
    pub(crate) async fn server(&self) -> Result<String, tokio_postgres::Error> {
        let row = self
            .client
            .query_one("SELECT pg_catalog.current_setting('server_version')", &[])
            .await?;
        row.try_get(0)
    }
}
