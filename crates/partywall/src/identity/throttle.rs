use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, MonotonicClock},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};

use uuid::Uuid;

use super::{EmailAddress, Error, Settings};

/// How much more everybody together may try than one network on one address of mail.
const WIDER: u32 = 10;

/// After how many attempts what is forgiven by now is forgotten.
const SWEEP: u32 = 1_024;

/// Attempts at something, counted in three ways: of one network on one address of mail, of
/// everybody on one address of mail, and of one network on any.
///
/// The first is narrow, the others ten times as wide. So whoever fails on somebody's address does not
/// keep that person out, who comes from elsewhere, unless they fail from ten networks; a guesser with
/// many networks has a hundred guesses in each period and not more (NIST SP 800-63B, section 3.2.2,
/// allows a hundred at all before an authenticator is disabled); and an office that shares one
/// address can sign in in the morning. A counter of all failures on an address that is as narrow
/// would be a switch in strangers' hands that locks a person out.
///
/// Only this process counts: with several, each allows as much.
#[derive(Debug)]
pub(super) struct Throttle {
    narrow: Limiter<(String, Option<Network>)>,
    wide: Limiter<Wide>,
    attempts: AtomicU32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Wide {
    Mail(String),
    Network(Network),
}

/// What one visitor has at least: an IPv4 address, or the 64 bits that a provider hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 4]),
    V6(u64),
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6(
                    [a, b, c, d]
                        .into_iter()
                        .fold(0, |bits, segment| bits << u16::BITS | u64::from(segment)),
                )
            }
        }
    }
}

/// An attempt that was let through and counts.
#[derive(Debug)]
#[must_use = "an attempt that succeeds is not held against anybody"]
pub(super) struct Attempt<'a> {
    throttle: &'a Throttle,
    mail: Option<String>,
    network: Option<Network>,
}

impl Throttle {
    pub(super) fn new(settings: &Settings) -> Self {
        let attempts = NonZeroU32::new(settings.attempts).unwrap_or(NonZeroU32::MIN);
        let wider = attempts.saturating_mul(NonZeroU32::new(WIDER).unwrap_or(NonZeroU32::MIN));
        Self {
            narrow: Limiter::new(attempts, settings.attempts_in),
            wide: Limiter::new(wider, settings.attempts_in),
            attempts: AtomicU32::new(0),
        }
    }

    /// Counts an attempt before it is made, so that many at once are counted as well.
    ///
    /// # Errors
    ///
    /// [`Error::Throttled`].
    pub(super) fn attempt(
        &self,
        email: Option<&EmailAddress>,
        address: Option<IpAddr>,
    ) -> Result<Attempt<'_>, Error> {
        if self.attempts.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.narrow.limiter.retain_recent();
            self.wide.limiter.retain_recent();
        }
        let mut attempt = Attempt {
            throttle: self,
            mail: None,
            network: None,
        };
        // The networks first: one network cannot fill the memory with addresses of mail.
        let network = address.map(Network::of);
        if let Some(network) = network {
            self.wide.take(&Wide::Network(network))?;
            attempt.network = Some(network);
        }
        if let Some(email) = email {
            let key = email.key().to_owned();
            // What is refused is no attempt, and the others of the network do not pay for it.
            let taken = self.narrow.take(&(key.clone(), network)).and_then(|()| {
                let taken = self.wide.take(&Wide::Mail(key.clone()));
                if taken.is_err() {
                    self.narrow.give_back(&(key.clone(), network));
                }
                taken
            });
            if let Err(wait) = taken {
                attempt.forgive();
                return Err(wait);
            }
            attempt.mail = Some(key);
        }
        Ok(attempt)
    }
}

impl Attempt<'_> {
    /// It succeeded and does not count. Failures before it do.
    pub(super) fn forgive(self) {
        let Self {
            throttle,
            mail,
            network,
        } = self;
        if let Some(mail) = mail {
            throttle.narrow.give_back(&(mail.clone(), network));
            throttle.wide.give_back(&Wide::Mail(mail));
        }
        if let Some(network) = network {
            throttle.wide.give_back(&Wide::Network(network));
        }
    }
}

/// Attempts of tenants: as many as one network has on one address of mail.
#[derive(Debug)]
pub(super) struct TenantThrottle(Limiter<Uuid>);

impl TenantThrottle {
    pub(super) fn new(settings: &Settings) -> Self {
        let attempts = NonZeroU32::new(settings.attempts).unwrap_or(NonZeroU32::MIN);
        Self(Limiter::new(attempts, settings.attempts_in))
    }

    /// Counts an attempt before it is made.
    ///
    /// # Errors
    ///
    /// [`Error::Throttled`].
    pub(super) fn take(&self, tenant: Uuid) -> Result<(), Error> {
        if self.0.limiter.len() >= SWEEP as usize {
            self.0.limiter.retain_recent();
        }
        self.0.take(&tenant)
    }

    /// It succeeded and does not count.
    pub(super) fn give_back(&self, tenant: Uuid) {
        self.0.give_back(&tenant);
    }
}

/// A limiter of governor's whose counts can be given back.
#[derive(Debug)]
struct Limiter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Tally<K>, MonotonicClock, NoOpMiddleware<std::time::Instant>>,
    tally: Tally<K>,
    each: Duration,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(attempts: NonZeroU32, within: Duration) -> Self {
        let each = (within / attempts.get()).max(Duration::from_nanos(1));
        let tally = Tally::default();
        let quota = Quota::with_period(each)
            .unwrap_or(Quota::per_second(attempts))
            .allow_burst(attempts);
        Self {
            limiter: RateLimiter::new(quota, tally.clone(), MonotonicClock),
            tally,
            each,
        }
    }

    fn take(&self, key: &K) -> Result<(), Error> {
        self.limiter
            .check_key(key)
            .map_err(|until| Error::Throttled(until.wait_time_from(self.limiter.clock().now())))
    }

    fn give_back(&self, key: &K) {
        if let Some(arrival) = self.tally.lock().get_mut(key) {
            *arrival = arrival.saturating_sub(self.each.into());
        }
    }
}

/// When the next attempt of each would be due if they came evenly.
#[derive(Clone, Debug)]
struct Tally<K>(Arc<Mutex<HashMap<K, Nanos>>>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> Tally<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Nanos>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> StateStore for Tally<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut due = self.lock();
        let (outcome, arrival) = measure(due.get(key).copied())?;
        due.insert(key.clone(), arrival);
        Ok(outcome)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Tally<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.lock().retain(|_, arrival| *arrival >= drop_below);
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(attempts: u32, within: Duration) -> Throttle {
        let mut settings = Settings::new("http://127.0.0.1", "x@example.com");
        settings.attempts = attempts;
        settings.attempts_in = within;
        Throttle::new(&settings)
    }

    fn mail(name: &str) -> EmailAddress {
        EmailAddress::parse(&format!("{name}@example.com")).unwrap()
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn one_network_on_one_address() {
        let throttle = throttle(3, HOUR);
        let here = address("192.0.2.1");
        for _ in 0..3 {
            let _ = throttle.attempt(Some(&mail("ann")), here).unwrap();
        }
        let refused = throttle.attempt(Some(&mail("Ann")), here).unwrap_err();
        let Error::Throttled(wait) = refused else {
            panic!("{refused}")
        };
        assert!(wait > HOUR / 4 && wait <= HOUR / 3, "{wait:?}");
        // Ann herself, from elsewhere, and others from here.
        let _ = throttle
            .attempt(Some(&mail("ann")), address("192.0.2.2"))
            .unwrap();
        let _ = throttle.attempt(Some(&mail("bob")), here).unwrap();
    }

    #[test]
    fn many_networks_on_one_address_and_one_network_on_many() {
        let many = throttle(3, HOUR);
        let refused = (0..40)
            .filter(|n| {
                let from = address(&format!("198.51.100.{n}"));
                many.attempt(Some(&mail("ann")), from).is_err()
            })
            .count();
        assert_eq!(refused, 10);
        let one = throttle(3, HOUR);
        let refused = (0..40)
            .filter(|n| {
                let from = address(&format!("2001:db8:0:1::{n:x}"));
                one.attempt(Some(&mail(&format!("ann{n}"))), from).is_err()
            })
            .count();
        assert_eq!(refused, 10);
        let next = address("2001:db8:0:2::1");
        let _ = one.attempt(Some(&mail("zoe")), next).unwrap();
    }

    #[test]
    fn successes_do_not_count_and_failures_wear_off() {
        let throttle = throttle(2, Duration::from_millis(200));
        let attempt = || throttle.attempt(Some(&mail("ann")), address("::ffff:192.0.2.1"));
        for _ in 0..100 {
            attempt().unwrap().forgive();
        }
        let _ = attempt().unwrap();
        attempt().unwrap().forgive();
        let _ = attempt().unwrap();
        let Err(Error::Throttled(wait)) = attempt() else {
            panic!("not throttled")
        };
        std::thread::sleep(wait);
        let _ = attempt().unwrap();
        assert!(attempt().is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = throttle(2, Duration::from_millis(5));
        for n in 0..20 * SWEEP {
            let name = mail(&format!("ann{n}"));
            let _ = throttle.attempt(Some(&name), None);
            if n % SWEEP == 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let kept = throttle.narrow.limiter.len() + throttle.wide.limiter.len();
        assert!(kept <= 5 * SWEEP as usize, "{kept}");
    }
}
