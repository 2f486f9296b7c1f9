//! What a server is started with.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a start may take unless [`Settings::start_timeout`] says otherwise: recovery after a crash takes its time.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Faster and unsafe when the machine loses power, which does not matter to data that is thrown away.
const THROWAWAY: [(&str, &str); 3] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
];

/// Where a server keeps its data, and what it is started with.
///
/// ```
/// use partywall_embedded::Settings;
///
/// let kept = Settings::new(".partywall/notes").parameter("max_connections", "200");
/// let thrown_away = Settings::temporary();
/// # let _ = (kept, thrown_away);
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    place: Place,
    parameters: Vec<(String, String)>,
    bin_dir: Option<PathBuf>,
    any_version: bool,
    start_timeout: Duration,
    listen: Option<u16>,
}

/// Where the data lives.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Kept(PathBuf),
    Temporary,
}

impl Settings {
    /// Keeps the data in `directory` between runs; the folder is made if it is missing.
    ///
    /// It must be new, empty, or made by this crate. A relative path is relative to the current folder.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::Kept(directory.into()),
            parameters: Vec::new(),
            bin_dir: None,
            any_version: false,
            start_timeout: START_TIMEOUT,
            listen: None,
        }
    }

    /// Uses a fresh folder of its own, which is removed when the server stops or the program ends.
    ///
    /// Sets `fsync`, `full_page_writes` and `synchronous_commit` to `off`: made for tests.
    #[must_use]
    pub fn temporary() -> Self {
        let fast = THROWAWAY.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            place: Place::Temporary,
            parameters: Vec::from(fast),
            bin_dir: None,
            any_version: false,
            start_timeout: START_TIMEOUT,
            listen: None,
        }
    }

    /// Sets a server parameter, such as `max_connections` to `200`; the last value for a name wins.
    ///
    /// `listen_addresses`, `unix_socket_directories` and `port` are this crate's: setting them has no effect. See
    /// [`listen`](Self::listen).
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Listens on 127.0.0.1 too, at this port, for what does not go through a socket file: TLS, clients of other systems.
    ///
    /// Every user of the machine can then try to connect; without it nothing listens on the network.
    #[must_use]
    pub const fn listen(mut self, port: u16) -> Self {
        self.listen = Some(port);
        self
    }

    /// Takes `initdb` and `postgres` from this folder and from nowhere else.
    #[must_use]
    pub fn bin_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.bin_dir = Some(directory.into());
        self
    }

    /// Takes the programs of [`bin_dir`](Self::bin_dir) even if they are older than what Partywall supports: for tools that read
    /// older servers.
    #[must_use]
    pub const fn any_version(mut self) -> Self {
        self.any_version = true;
        self
    }

    /// How long a start may take before it counts as failed; 60 seconds unless set.
    #[must_use]
    pub const fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    pub(crate) fn chosen_bin_dir(&self) -> Option<&Path> {
        self.bin_dir.as_deref()
    }

    pub(crate) const fn takes_any_version(&self) -> bool {
        self.any_version
    }

    pub(crate) const fn port(&self) -> Option<u16> {
        self.listen
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.start_timeout
    }
}
