use std::sync::OnceLock;

use partywall_embedded::{Error, Server, Settings};
use tokio_postgres::NoTls;

use super::TestError;

/// The server of this test process: started once, and gone with the process however that ends.
///
/// # Errors
///
/// What keeps it from starting.
pub fn server() -> Result<&'static Server, Error> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static STARTING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    if let Some(server) = SERVER.get() {
        return Ok(server);
    }
    let _one_at_a_time = STARTING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(server) = SERVER.get() {
        return Ok(server);
    }
    let settings = Settings::temporary().parameter("max_connections", "400");
    let server = Server::start(&settings)?;
    Ok(SERVER.get_or_init(|| server))
}

/// Runs SQL as the superuser.
pub(super) async fn admin(database: &str, sql: &str) -> Result<(), TestError> {
    let url = server()?.superuser_url(database);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let done = client.batch_execute(sql).await;
    drop(client);
    let _ = driver.await;
    Ok(done?)
}
