//! Filling the tables.

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::Client;

use super::keys::{
    BEGINNING, COMMENTS, EVENTS, NOTES, TENANTS, TOPICS, TOPICS_PER_TENANT, comment, event, note,
    tenant, topic,
};
use crate::outcome::Outcome;

/// Lines in one message to the server.
const BATCH: u64 = 1_000;

/// Fills every table, as a superuser, whom no policy holds, without triggers and foreign keys.
pub(super) async fn load(client: &Client) -> Outcome {
    client
        .batch_execute("SET session_replication_role = replica; SET synchronous_commit = off")
        .await?;
    let notes = "COPY note (id, tenant_id, title, body, created_at) FROM STDIN";
    copy(client, notes, NOTES, |line, sequence| {
        let (number, owner) = (sequence / TENANTS, sequence % TENANTS);
        writeln!(
            line,
            "{}\t{}\tNote {number} of tenant {owner}\tSome hundred characters of text, as people write \
             them down when they have something to remember, {sequence}\t{}",
            note(owner, number),
            tenant(owner),
            moment(sequence)
        )
    })
    .await?;
    copy(
        client,
        "COPY topic (id, tenant_id, title) FROM STDIN",
        TOPICS,
        |line, sequence| {
            let (number, owner) = (sequence / TENANTS, sequence % TENANTS);
            writeln!(
                line,
                "{}\t{}\tTopic {number}",
                topic(owner, number),
                tenant(owner)
            )
        },
    )
    .await?;
    for (table, has_owner) in [
        ("comment_own", true),
        ("comment_copy", true),
        ("comment_exists", false),
    ] {
        let owner_column = if has_owner { ", tenant_id" } else { "" };
        let comments = format!("COPY {table} (id, topic_id, body{owner_column}) FROM STDIN");
        copy(client, &comments, COMMENTS, |line, sequence| {
            let (within, owner) = (sequence / TENANTS, sequence % TENANTS);
            let (number, parent) = (within / TOPICS_PER_TENANT, within % TOPICS_PER_TENANT);
            let (id, topic) = (comment(owner, parent, number), topic(owner, parent));
            write!(
                line,
                "{id}\t{topic}\tA remark of some forty characters, {sequence}"
            )?;
            if has_owner {
                writeln!(line, "\t{}", tenant(owner))
            } else {
                writeln!(line)
            }
        })
        .await?;
    }
    copy(
        client,
        "COPY event (id, tenant_id, label) FROM STDIN",
        EVENTS,
        |line, sequence| {
            writeln!(
                line,
                "{}\t{}\tsomething happened",
                event(sequence),
                tenant(sequence % TENANTS)
            )
        },
    )
    .await?;
    client
        .batch_execute("RESET session_replication_role")
        .await?;
    client.batch_execute("VACUUM (FREEZE, ANALYZE)").await?;
    Ok(())
}

async fn copy(
    client: &Client,
    sql: &str,
    rows: u64,
    write: impl Fn(&mut String, u64) -> std::fmt::Result,
) -> Outcome {
    let sink = client.copy_in::<_, Bytes>(sql).await?;
    let mut sink = std::pin::pin!(sink);
    for batch in 0..rows.div_ceil(BATCH) {
        let mut lines = String::new();
        for sequence in batch * BATCH..((batch + 1) * BATCH).min(rows) {
            write(&mut lines, sequence)?;
        }
        sink.feed(lines.into()).await?;
    }
    let written = sink.finish().await?;
    if written == rows {
        Ok(())
    } else {
        Err(format!("{written} of {rows} rows written").into())
    }
}

fn moment(sequence: u64) -> String {
    i64::try_from(BEGINNING + sequence)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map_or_else(String::new, |moment| moment.to_rfc3339())
}
