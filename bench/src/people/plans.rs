//! What the lookups do inside, as PostgreSQL's `auto_explain` tells it.

use std::fmt::Write as _;

use futures_util::{StreamExt as _, stream};
use tokio_postgres::{AsyncMessage, NoTls};

use super::town::{self, PEOPLE};
use crate::{outcome::Outcome, table, world::World};

/// Prints each scan of the lookups, for the person with the most accounts.
pub(super) async fn show(world: &World) -> Outcome {
    table::heading("Plans of the lookups");
    println!(
        "The person with a thousand accounts; each scan inside the functions, with its condition.\n"
    );
    let url = world.superuser_url_of(town::DATABASE, None)?;
    let (client, mut connection) = tokio_postgres::connect(&url, NoTls).await?;
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notice(notice) = message {
                let _ = told.send(notice.message().to_owned());
            }
        }
    });
    client
        .batch_execute(
            "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; \
             SET auto_explain.log_nested_statements = on; SET auto_explain.log_level = 'notice'; \
             SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off",
        )
        .await?;
    let hash = town::token_hash(PEOPLE)?;
    let slug = town::slug(PEOPLE, 500);
    let calls = [
        (
            "identity_session",
            format!(
                "SELECT * FROM partywall.identity_session('{hash}', 86400, NULL, '{slug}', NULL)"
            ),
        ),
        (
            "identity_accounts (all)",
            format!("SELECT * FROM partywall.identity_accounts('{hash}', 86400, NULL)"),
        ),
    ];
    let mut rows = Vec::new();
    for (name, sql) in calls {
        while heard.try_recv().is_ok() {}
        client.batch_execute(&sql).await?;
        // The notices came before the answer.
        while let Ok(plan) = heard.try_recv() {
            let mut lines = plan.lines().peekable();
            while let Some(line) = lines.next() {
                let Some(at) = line.find("Scan ") else {
                    continue;
                };
                if line.contains("Function Scan")
                    || line.contains("CTE Scan")
                    || line.contains("Subquery Scan")
                    || line.contains("WorkTable")
                {
                    continue;
                }
                let from = line
                    .get(..at)
                    .and_then(|before| before.rfind(['>', ':']))
                    .map_or(0, |n| n + 1);
                let mut scan = line.get(from..).unwrap_or(line).trim().to_owned();
                if let Some((before, _)) = scan.clone().split_once("  (cost") {
                    scan = before.to_owned();
                }
                let actual = line
                    .split_once("(actual ")
                    .map(|(_, rest)| rest.trim_end_matches(')'));
                let condition = lines
                    .peek()
                    .map(|next| next.trim())
                    .filter(|next| next.contains("Cond:"));
                let mut cell = String::new();
                write!(cell, "{}", condition.unwrap_or("–"))?;
                rows.push(vec![
                    name.to_owned(),
                    scan,
                    actual.unwrap_or("–").to_owned(),
                    cell,
                ]);
            }
        }
    }
    table::print(&["function", "scan", "rows", "condition"], &rows);
    Ok(())
}
