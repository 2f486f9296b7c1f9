//! `If-Match`, `Accept` and `Idempotency-Key`: read or refused, and a key is never without end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partywall::web::resource::fuzz;
use partywall_fuzz::is_header;

fuzz_target!(|value: &[u8]| {
    let is_match = fuzz::if_match(value);
    assert_eq!(is_match, fuzz::if_match(value));
    let _ = fuzz::accept(value);
    // 255 characters in quotes, at most.
    if fuzz::idempotency_key(value) && is_header(value) {
        assert!((1..=257).contains(&value.trim_ascii().len()));
    }
});
