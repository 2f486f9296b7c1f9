use std::time::Duration;

use ipnetwork::IpNetwork;

/// Limits and times. The defaults suit a service for businesses.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where the application is reached, for links in mail: `https://notes.example`.
    pub public_url: String,
    /// The address that mail comes from.
    pub mail_from: String,
    /// How long a session may rest before it ends.
    pub idle: Duration,
    /// How long a session may last in spite of use.
    pub absolute: Duration,
    /// How long an invitation can be accepted.
    pub invitation: Duration,
    /// How long a link for a new password, or to show an address to be one's own, is good.
    pub link: Duration,
    /// How long a deleted tenant can be brought back.
    pub grace: Duration,
    /// How long a member of the staff may stay in a tenant, or act as somebody, at most.
    pub staff: Duration,
    /// After what time, at most, a long answer ends whose right is gone. It is asked a
    /// little more often.
    pub recheck: Duration,
    /// Streams of changes that one account, key or member of the staff may have open at once. Each tab of
    /// a browser has its own.
    pub streams_each: usize,
    /// Streams of changes that this process may have open at once. Each is asked for its right as often
    /// as `recheck` says.
    pub streams: usize,
    /// The proxies whose `X-Forwarded-For` is believed. None by default: anybody can send the header.
    pub proxies: Vec<IpNetwork>,
    /// Password checks at once. Each takes 19 MiB and some tens of milliseconds of one core.
    pub password_checks: usize,
    /// Attempts to sign in, to sign up or to ask for a new password that one network has on one
    /// address of mail: so many at once, and as many again spread over each `attempts_in`. Ten times
    /// as many has a network on all addresses together, and an address from all networks together.
    /// Signing in with the right password does not count.
    pub attempts: u32,
    /// See `attempts`.
    pub attempts_in: Duration,
}

impl Settings {
    /// The defaults: 30 minutes idle, 12 hours at most, a week for invitations, an hour for links,
    /// 30 days of grace, an hour for the staff, 5 seconds for long answers, 16 streams for an account
    /// and 10,000 for the process, 10 attempts in a quarter of an hour.
    #[must_use]
    pub fn new(public_url: impl Into<String>, mail_from: impl Into<String>) -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const DAY: Duration = HOUR.saturating_mul(24);
        Self {
            public_url: public_url.into(),
            mail_from: mail_from.into(),
            idle: HOUR / 2,
            absolute: HOUR * 12,
            invitation: DAY * 7,
            link: HOUR,
            grace: DAY * 30,
            staff: HOUR,
            recheck: Duration::from_secs(5),
            streams_each: 16,
            streams: 10_000,
            proxies: Vec::new(),
            password_checks: 2,
            attempts: 10,
            attempts_in: HOUR / 4,
        }
    }
}
