//! How long to wait before something is tried again.

use std::time::Duration;

use uuid::Uuid;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(3_600);

/// 5, 10, 20 … seconds, an hour at most.
pub(super) fn exponential(attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1).min(16));
    FIRST.saturating_mul(doubled).min(LONGEST)
}

/// A fifth more or less, at random: what failed together is not tried again together.
pub(super) fn jittered(time: Duration) -> Duration {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    let fraction = f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX);
    time.mul_f64(0.8 + 0.4 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let seconds: Vec<u64> = (1..=12).map(|n| exponential(n).as_secs()).collect();
        assert_eq!(
            seconds,
            [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]
        );
        assert_eq!(exponential(u32::MAX), LONGEST);
        assert_eq!(exponential(0), FIRST);
    }

    #[test]
    fn waits_differ_by_a_fifth_at_most() {
        let waits: Vec<Duration> = (0..100)
            .map(|_| jittered(Duration::from_secs(10)))
            .collect();
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*least >= Duration::from_secs(8) && *most <= Duration::from_secs(12));
        assert!(*most - *least > Duration::from_millis(500));
    }
}
