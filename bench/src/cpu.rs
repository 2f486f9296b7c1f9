//! Processor time, as the scheduler counts it. Neighbours on the same machine disturb it far less
//! than they disturb the clock.

use std::{fs, path::Path, time::Duration};

/// The name of the threads that delay: what they use is not the client's.
pub(crate) const DELAY_THREAD: &str = "delay";

/// What client and server have used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) client: Duration,
    pub(crate) server: Duration,
}

impl Cpu {
    /// Reads the counters; nought where the system has none.
    pub(crate) fn now(postmaster: u32) -> Self {
        let server = children(postmaster).into_iter().map(of_process).sum();
        Self {
            client: client(),
            server,
        }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            client: self.client.saturating_sub(before.client),
            server: self.server.saturating_sub(before.server),
        }
    }
}

/// What one process has used, its first thread alone: PostgreSQL's have no other.
pub(crate) fn of_process(process: u32) -> Duration {
    used(Path::new(&format!("/proc/{process}/schedstat")))
}

fn client() -> Duration {
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return Duration::ZERO;
    };
    threads
        .filter_map(|thread| Some(thread.ok()?.path()))
        .filter(|thread| {
            fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() != DELAY_THREAD)
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
