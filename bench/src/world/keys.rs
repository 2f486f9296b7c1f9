//! The keys of the rows, computed rather than remembered.

use uuid::{Builder, Uuid};

pub(crate) const TENANTS: u64 = 10_000;
pub(crate) const NOTES: u64 = 1_000_000;
pub(crate) const NOTES_PER_TENANT: u64 = NOTES / TENANTS;
pub(crate) const TOPICS_PER_TENANT: u64 = 10;
pub(crate) const TOPICS: u64 = TENANTS * TOPICS_PER_TENANT;
pub(crate) const COMMENTS_PER_TOPIC: u64 = 10;
pub(crate) const COMMENTS: u64 = TOPICS * COMMENTS_PER_TOPIC;
pub(crate) const EVENTS: u64 = 100_000;

/// 2024-01-01 in milliseconds: when the first row was written. Each further row came 1 ms later.
pub(crate) const BEGINNING: u64 = 1_704_067_200_000;

/// A tenant.
pub(crate) fn tenant(number: u64) -> Uuid {
    let halves = [mix(number), mix(number ^ 0xffff_0000)];
    let bits = u128::from(halves[0]) << 64 | u128::from(halves[1]);
    Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

/// A tenant's note. Tenants write in turn, as in life: the rows of one lie on as many pages.
pub(crate) fn note(tenant: u64, number: u64) -> Uuid {
    row(number * TENANTS + tenant, 1)
}

/// A tenant's topic.
pub(crate) fn topic(tenant: u64, number: u64) -> Uuid {
    row(number * TENANTS + tenant, 2)
}

/// A topic's comment.
pub(crate) fn comment(tenant: u64, topic: u64, number: u64) -> Uuid {
    row((number * TOPICS_PER_TENANT + topic) * TENANTS + tenant, 3)
}

/// An event.
pub(crate) fn event(number: u64) -> Uuid {
    row(number, 4)
}

/// A version 7 UUID: its time, then what looks random.
fn row(sequence: u64, table: u64) -> Uuid {
    let mut random = [0; 10];
    let mixed = mix(sequence << 3 | table).to_be_bytes();
    random
        .iter_mut()
        .zip(mixed)
        .for_each(|(to, from)| *to = from);
    Builder::from_unix_timestamp_millis(BEGINNING + sequence, &random).into_uuid()
}

/// SplitMix64 (Steele, Lea and Flood 2014): a bijection that scatters.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
