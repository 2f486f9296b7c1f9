//! Processor time, as the scheduler counts it. Neighbours on the same machine disturb it far less
//! than they disturb the clock.

use std::{fs, path::Path, time::Duration};

/// The name of the threads that delay: what they use is not the client's.
pub(crate) const DELAY_THREAD: &str = "delay";

/// The name of the threads of a web application, whose clients are in this process as well.
pub(crate) const APP_THREAD: &str = "app";

/// What client and server have used so far, and a web application between them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) client: Duration,
    pub(crate) app: Duration,
    pub(crate) server: Duration,
}

impl Cpu {
    /// Reads the counters; nought where the system has none.
    pub(crate) fn now(postmaster: u32) -> Self {
        let server = children(postmaster).into_iter().map(of_process).sum();
        Self {
            client: of_threads(|name| name != DELAY_THREAD && name != APP_THREAD),
            app: of_threads(|name| name == APP_THREAD),
            server,
        }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            client: self.client.saturating_sub(before.client),
            app: self.app.saturating_sub(before.app),
            server: self.server.saturating_sub(before.server),
        }
    }
}

/// What one process has used, its first thread alone: PostgreSQL's have no other.
pub(crate) fn of_process(process: u32) -> Duration {
    used(Path::new(&format!("/proc/{process}/schedstat")))
}

fn of_threads(counts: impl Fn(&str) -> bool) -> Duration {
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return Duration::ZERO;
    };
    threads
        .filter_map(|thread| Some(thread.ok()?.path()))
        .filter(|thread| {
            fs::read_to_string(thread.join("comm")).is_ok_and(|name| counts(name.trim()))
        })
        .map(|thread| used(&thread.join("schedstat")))
        .sum()
}

fn children(process: u32) -> Vec<u32> {
    fs::read_to_string(format!("/proc/{process}/task/{process}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}

fn used(schedstat: &Path) -> Duration {
    let text = fs::read_to_string(schedstat).unwrap_or_default();
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
