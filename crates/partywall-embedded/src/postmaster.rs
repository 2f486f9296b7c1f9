//! PostgreSQL's own notes about the server that runs on a data folder.

use std::fs;
use std::path::{Path, PathBuf};

/// The content of a `postmaster.pid`; the layout is that of PostgreSQL's `src/include/utils/pidfile.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Postmaster {
    pub(crate) pid: u32,
    /// Seconds since 1970. In a container, where ids begin anew, it is all that differs from the server of the run before.
    pub(crate) started: u64,
    pub(crate) is_ready: bool,
}

impl Postmaster {
    pub(crate) fn path(data: &Path) -> PathBuf {
        data.join("postmaster.pid")
    }

    /// Reads it, if there is one and it says who runs.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(Self::path(data)).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let started = lines.nth(1)?.trim().parse().ok()?;
        // Between: port, socket folder, address, shared memory.
        let is_ready = lines.nth(4).is_some_and(|status| status.trim() == "ready");
        Some(Self {
            pid,
            started,
            is_ready,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Postmaster;

    #[test]
    fn as_postgres_writes_it() {
        let text = "4711\n/data\n1700000000\n5432\n/run\n\n  1234  5\n";
        let starting = Postmaster {
            pid: 4711,
            started: 1_700_000_000,
            is_ready: false,
        };
        assert_eq!(Postmaster::parse(text), Some(starting));
        assert_eq!(
            Postmaster::parse(&format!("{text}starting\n")),
            Some(starting)
        );
        let ready = Postmaster {
            pid: 4711,
            started: 1_700_000_000,
            is_ready: true,
        };
        assert_eq!(Postmaster::parse(&format!("{text}ready   \n")), Some(ready));
        assert_eq!(Postmaster::parse(""), None);
    }
}
