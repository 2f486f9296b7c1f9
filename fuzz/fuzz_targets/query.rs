//! The query of a list and that of a row: read or refused, and read alike each time.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partywall::web::resource::fuzz;
use partywall_fuzz::Notes;

fuzz_target!(|raw: &str| {
    let is_read = fuzz::query::<Notes>(raw);
    assert_eq!(is_read, fuzz::query::<Notes>(raw));
    // What is not declared stays refused, whatever stands beside it.
    assert!(!fuzz::query::<Notes>(&format!("{raw}&tenant_ids=1")));
    assert!(!fuzz::query::<Notes>(&format!("{raw}&sort=tenant_id")));
    let _ = fuzz::fields::<Notes>(raw);
});
