use std::{collections::BTreeSet, time::Duration};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Line, Status};

/// How long one of them may wait for a session of the server.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a pooler may take to make a session ready for the next client.
const HANDING_ON: Duration = Duration::from_millis(300);

/// How many clients look for the first one's session.
const OTHERS: usize = 4;

/// Finds out what stands between the application and the server, by the application's own way: whether sessions of the
/// server are shared between clients, and whether a setting that one client leaves is found by the next. Nothing but a
/// setting of our own is set, and it is reset.
///
/// Sends plain statements only, which every pooler passes on.
///
/// # Errors
///
/// What `connect` says, and the driver's for a connection that breaks.
pub async fn pooler<E, F>(mut connect: impl FnMut() -> F) -> Result<Vec<Line>, E>
where
    E: From<tokio_postgres::Error>,
    F: Future<Output = Result<Client, E>>,
{
    let first = connect().await?;
    let ours = session(&first).await?;
    // The first client is at rest now. With a pooler that shares by transaction, its session of the server is free for
    // others; held open each, one of a few is given it.
    let mut clients = vec![first];
    let mut sessions = BTreeSet::from([ours.clone()]);
    let mut is_shared = false;
    for _ in 0..OTHERS {
        let looking = async {
            let other = connect().await?;
            other.simple_query("BEGIN").await?;
            let theirs = session(&other).await?;
            Ok::<_, E>((other, theirs))
        };
        // A pooler whose sessions are all taken lets its clients wait.
        let Ok(found) = tokio::time::timeout(PATIENCE, looking).await else {
            break;
        };
        let (other, theirs) = found?;
        clients.push(other);
        is_shared = theirs == ours;
        sessions.insert(theirs);
        if is_shared {
            break;
        }
    }
    for other in clients.iter().skip(1) {
        other.simple_query("ROLLBACK").await?;
    }
    if is_shared {
        return Ok(vec![Line::new(
            "pooler",
            Status::Warn,
            "shares sessions of the server by transaction (as PgBouncer's pool_mode = transaction): what a session keeps, another client may find",
            "set the context inside the transaction only: set_config(name, value, true); never SET, no cursors WITH HOLD, no LISTEN",
        )]);
    }

    // Whether sessions are handed on with what they keep, when their clients have gone.
    for client in &clients {
        client
            .simple_query("SET partywall_doctor.probe = 'left'")
            .await?;
    }
    drop(clients);
    tokio::time::sleep(HANDING_ON).await;
    let mut is_reused = false;
    let mut leaks = false;
    let mut next = Vec::new();
    for _ in 0..OTHERS {
        let Ok(client) = tokio::time::timeout(PATIENCE, connect()).await else {
            break;
        };
        let client = client?;
        let probe = "SELECT current_setting('partywall_doctor.probe', true)";
        leaks = leaks || value(&client, probe).await?.as_deref() == Some("left");
        is_reused = is_reused || sessions.contains(&session(&client).await?);
        client.simple_query("RESET partywall_doctor.probe").await?;
        next.push(client);
    }
    Ok(vec![match (is_reused, leaks) {
        (_, true) => Line::new(
            "pooler",
            Status::Fail,
            "hands sessions on with their settings: a context that one client set is there for the next (CTX_POOL_LEAK)",
            "set server_reset_query = DISCARD ALL, and set the context inside transactions only",
        ),
        (true, false) => Line::ok("pooler", "hands sessions on, and resets them in between"),
        (false, false) => Line::ok(
            "pooler",
            "none, or one that gives each client a session of its own",
        ),
    }])
}

async fn session(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    value(client, "SELECT pg_backend_pid()").await
}

async fn value(client: &Client, sql: &str) -> Result<Option<String>, tokio_postgres::Error> {
    let messages = client.simple_query(sql).await?;
    Ok(messages.iter().find_map(|message| {
        let SimpleQueryMessage::Row(row) = message else {
            return None;
        };
        row.get(0).map(str::to_owned)
    }))
}
