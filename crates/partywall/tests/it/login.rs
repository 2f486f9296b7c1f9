//! A login's own connection, as an attacker or another program would have it: no scope, no wall but
//! PostgreSQL's.

use partywall::testing::TestDb;
use tokio_postgres::{Client, NoTls};

/// Connects as the application login.
pub async fn app(test: &TestDb) -> Client {
    connect(&test.url(test.schema().roles().app())).await
}

/// Connects with a connection string.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
