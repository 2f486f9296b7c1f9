//! Round trips through a real PostgreSQL.

mod columns;
mod expressions;
mod models;

use std::{collections::BTreeMap, sync::OnceLock};

use partywall_embedded::{Server, Settings};
use tokio_postgres::{Client, NoTls};

/// In a time zone of its own, which must show nowhere.
async fn connect() -> Client {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start(&Settings::temporary()).unwrap());
    let url = server.superuser_url("postgres");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET timezone = 'Asia/Kathmandu'").await.unwrap();
    client
}

/// A table's number, and its columns'.
async fn relation(client: &Client, table: &str) -> (u32, BTreeMap<String, i16>) {
    let rows = client
        .query(
            "SELECT attrelid, attname::text, attnum FROM pg_attribute \
             WHERE attrelid = $1::text::regclass AND attnum > 0",
            &[&table],
        )
        .await
        .unwrap();
    let oid = rows[0].get(0);
    (
        oid,
        rows.iter().map(|row| (row.get(1), row.get(2))).collect(),
    )
}
