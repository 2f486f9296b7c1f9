//! Passwords take their time on purpose: how many people can sign in each second.

use std::{sync::Arc, time::Instant};

use super::town::Town;
use crate::{arguments::Arguments, outcome::Outcome, table};

const PASSWORD: &str = "a password of some length";
const EMAIL: &str = "user-1@example.com";

/// Measures and prints.
pub(super) async fn measure(town: &Town<'_>, arguments: &Arguments) -> Outcome {
    table::heading("Signing in");
    let identity = Arc::new(town.identity(None, arguments.pool).await?);
    town.set_password(EMAIL, PASSWORD).await?;
    let mut rows = Vec::new();
    for clients in [1, 2, 8] {
        let started = Instant::now();
        let time = arguments.seconds * 4;
        let tasks: Vec<_> = (0..clients)
            .map(|_| {
                let identity = identity.clone();
                tokio::spawn(async move {
                    let mut done = 0_u32;
                    while started.elapsed() < time {
                        identity.sign_in(EMAIL, PASSWORD, None, None, None).await?;
                        done += 1;
                    }
                    Outcome::Ok(done)
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += task.await??;
        }
        rows.push(vec![
            clients.to_string(),
            format!("{:.1}", f64::from(done) / started.elapsed().as_secs_f64()),
        ]);
    }
    println!(
        "Argon2id with m = 19,456 KiB, t = 2, p = 1 (OWASP's floor), {} at once; each sign-in also reads the \
         credential and opens a session.\n",
        identity.settings().password_checks
    );
    table::print(&["clients", "sign-ins/s"], &rows);
    Ok(())
}
