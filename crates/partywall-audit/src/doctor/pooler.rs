use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Line, Status};

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
    let mut others = Vec::new();
    let mut is_shared = false;
    for _ in 0..OTHERS {
        let other = connect().await?;
        other.simple_query("BEGIN").await?;
        is_shared = is_shared || session(&other).await? == ours;
        others.push(other);
    }
    for other in &others {
        other.simple_query("ROLLBACK").await?;
    }
    drop(others);
    if is_shared {
        return Ok(vec![Line::new(
            "pooler",
            Status::Warn,
            "shares sessions of the server by transaction (as PgBouncer's pool_mode = transaction): what a session keeps, another client may find",
            "set the context inside the transaction only: set_config(name, value, true); never SET, no cursors WITH HOLD, no LISTEN",
        )]);
    }

    // Whether a session is handed on with what it keeps, when its client has gone.
    first
        .simple_query("SET partywall_doctor.probe = 'left'")
        .await?;
    drop(first);
    let mut is_reused = false;
    let mut leaks = false;
    for _ in 0..OTHERS {
        let next = connect().await?;
        if session(&next).await? == ours {
            is_reused = true;
            leaks = leaks
                || value(
                    &next,
                    "SELECT current_setting('partywall_doctor.probe', true)",
                )
                .await?
                .as_deref()
                    == Some("left");
            next.simple_query("RESET partywall_doctor.probe").await?;
            break;
        }
    }
    Ok(vec![match (is_reused, leaks) {
        (true, true) => Line::new(
            "pooler",
            Status::Fail,
            "hands sessions on with their settings: a context that one client set is there for the next (CTX_POOL_LEAK)",
            "set server_reset_query = DISCARD ALL, and set the context inside transactions only",
        ),
        (true, false) => Line::ok("pooler", "hands sessions on, and resets them in between"),
        (false, _) => Line::ok(
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
