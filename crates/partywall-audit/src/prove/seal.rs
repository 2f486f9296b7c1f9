//! Contexts of a database that Partywall set up. See `crates/partywall/src/schema/seal.rs`.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A key that contexts are sealed with, as the database keeps it.
pub(super) struct Seal {
    id: String,
    inner: Vec<u8>,
    outer: Vec<u8>,
}

impl Seal {
    pub(super) const fn new(id: String, inner: Vec<u8>, outer: Vec<u8>) -> Self {
        Self { id, inner, outer }
    }

    /// `mac.key.expiry.json`: HMAC-SHA-256 (RFC 2104), from the two pads.
    pub(super) fn seal(&self, json: &str, expires: i64) -> String {
        let message = format!("{}.{expires}.{json}", self.id);
        let inside = Sha256::new()
            .chain_update(&self.inner)
            .chain_update(&message)
            .finalize();
        let mac = Sha256::new()
            .chain_update(&self.outer)
            .chain_update(inside)
            .finalize();
        format!("{}.{message}", hex(&mac))
    }

    /// As [`Seal::seal`], by somebody who guesses the seal.
    pub(super) fn forge(&self, json: &str, expires: i64) -> String {
        format!("{}.{}.{expires}.{json}", "0".repeat(64), self.id)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}
