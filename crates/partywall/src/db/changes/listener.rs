use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time};
use tokio_postgres::Client;

use super::hub::Board;
use crate::{connect::Connector, db::Error};

/// The pauses between attempts to connect: the first, doubled up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How often the connection is asked whether it listens still. A network that lets packets vanish would
/// not be noticed otherwise, since nothing is sent on this connection.
const CHECK: Duration = Duration::from_secs(15);

/// Keeps one connection that listens, for as long as it is polled. Whoever subscribes is told to resync
/// when the connection was lost and is there again.
pub(super) async fn listen(connector: Connector, board: Arc<Board>, limit: Duration) {
    let mut wait = FIRST_WAIT;
    let mut has_listened = false;
    loop {
        match open(&connector, &board, limit).await {
            Ok((client, driver)) => {
                if has_listened {
                    board.resync();
                }
                has_listened = true;
                wait = FIRST_WAIT;
                tracing::debug!("listening for changes");
                board.is_listening.send_replace(true);
                let why = last(&client, driver, limit).await;
                board.is_listening.send_replace(false);
                tracing::warn!(why, "changes are not heard any more, connecting again");
            }
            Err(error) => {
                tracing::warn!(%error, "cannot listen for changes, trying again");
            }
        }
        time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}

async fn open(
    connector: &Connector,
    board: &Arc<Board>,
    limit: Duration,
) -> Result<(Client, JoinHandle<()>), Error> {
    let board = board.clone();
    let opening = async {
        let hear = move |payload: &str| board.tell(payload);
        let (client, driver) = connector.connect_hearing(hear).await?;
        client
            .batch_execute("SELECT partywall.listen()")
            .await
            .map(|()| (client, driver))
    };
    time::timeout(limit, opening)
        .await
        .map_err(|elapsed| Error::Connect(elapsed.into()))?
        .map_err(|error| Error::Connect(error.into()))
}

/// Waits until a connection does not listen any more, and says why.
async fn last(client: &Client, mut driver: JoinHandle<()>, limit: Duration) -> &'static str {
    loop {
        tokio::select! {
            _ = &mut driver => return "the connection was lost",
            () = time::sleep(CHECK) => {}
        }
        let asked = client.query_typed("SELECT partywall.listening()", &[]);
        let answer = match time::timeout(limit, asked).await {
            Ok(Ok(rows)) => rows.first().map(|row| row.try_get::<_, bool>(0)),
            Ok(Err(_)) => return "the connection was lost",
            Err(_) => return "the server does not answer",
        };
        if !matches!(answer, Some(Ok(true))) {
            return "the session does not listen: a pooler in transaction mode cannot, so name the server itself with `Config::listen_url`";
        }
    }
}
