use std::time::Duration;

use ipnetwork::IpNetwork;

use super::Hostname;

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
    /// Hosts that no tenant can claim, nor any below them: the service's own, such as the domain that
    /// has a subdomain for each tenant. The host of `public_url` is one without being named here.
    pub own_hosts: Vec<Hostname>,
    /// How often it is asked whether a verified host still has its record. After three times without,
    /// the host selects nothing.
    pub domain_recheck: Duration,
    /// Attempts to sign in, to sign up or to ask for a new password that one network has on one
    /// address of mail: so many at once, and as many again spread over each `attempts_in`. Ten times
    /// as many has a network on all addresses together, and an address from all networks together.
    /// Signing in with the right password does not count. As many failures to verify a host has a tenant.
    pub attempts: u32,
    /// See `attempts`.
    pub attempts_in: Duration,
}

impl Settings {
    /// The defaults: 30 minutes idle, 12 hours at most, a week for invitations, an hour for links,
    /// 30 days of grace, an hour for the staff, 5 seconds for long answers, 16 streams for an account
    /// and 10,000 for the process, a day between looks at the DNS, 10 attempts in a quarter of an hour.
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
            own_hosts: Vec::new(),
            domain_recheck: DAY,
            attempts: 10,
            attempts_in: HOUR / 4,
        }
    }
    /// Whether a host is the service's own.
    pub(super) fn is_own(&self, host: &Hostname) -> bool {
        // One that cannot be read is an address or `localhost`, which no tenant can claim anyway.
        let public = host_of(&self.public_url);
        let mut own = public.iter().chain(&self.own_hosts);
        own.any(|own| host.is_within(own))
    }
}

fn host_of(url: &str) -> Option<Hostname> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Hostname::of_request(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_own_hosts_and_all_below() {
        let host = |text| Hostname::parse(text).unwrap();
        let mut settings = Settings::new("https://App.Notes.example:8443/x", "x@example.com");
        assert!(settings.is_own(&host("app.notes.example")));
        assert!(settings.is_own(&host("a.app.notes.example")));
        assert!(!settings.is_own(&host("acme.notes.example")));
        settings.own_hosts.push(host("notes.example"));
        assert!(settings.is_own(&host("acme.notes.example")));
        assert!(!settings.is_own(&host("footnotes.example")));
        let local = Settings::new("http://127.0.0.1:8080", "x@example.com");
        assert!(!local.is_own(&host("notes.example")));
    }
}
