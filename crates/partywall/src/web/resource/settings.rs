use std::time::Duration;

/// Limits of a resource, and what it demands of its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Whether a change must say what it changes (`If-Match`); 428 otherwise.
    pub demands_if_match: bool,
    /// Whether a creation must carry an `Idempotency-Key`; 400 otherwise.
    pub demands_idempotency_key: bool,
    /// Rows in one bulk call, at most.
    pub bulk: usize,
    /// Exports that a process writes at once, at most. Each keeps a connection for as long as its
    /// reader takes.
    pub exports: usize,
    /// For how long the answer to an idempotency key is kept.
    pub keys_kept: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            demands_if_match: false,
            demands_idempotency_key: false,
            bulk: 100,
            exports: 4,
            keys_kept: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Settings {
    /// Demands that a change says what it changes.
    #[must_use]
    pub fn demanding_if_match(mut self) -> Self {
        self.demands_if_match = true;
        self
    }

    /// Demands an idempotency key of creations.
    #[must_use]
    pub fn demanding_idempotency_key(mut self) -> Self {
        self.demands_idempotency_key = true;
        self
    }

    /// Rows in one bulk call, at most.
    #[must_use]
    pub fn bulk(mut self, rows: usize) -> Self {
        self.bulk = rows;
        self
    }

    /// Exports at once, at most, and at least one.
    #[must_use]
    pub fn exports(mut self, at_once: usize) -> Self {
        self.exports = at_once.max(1);
        self
    }

    /// For how long the answer to an idempotency key is kept.
    #[must_use]
    pub fn keys_kept(mut self, time: Duration) -> Self {
        self.keys_kept = time;
        self
    }
}
