//! A cursor that nobody signed is never understood.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use partywall::web::resource::{CursorKey, fuzz};

static KEY: LazyLock<CursorKey> = LazyLock::new(|| CursorKey::new(&[7; 32]).unwrap());

fuzz_target!(|text: &str| {
    assert!(!fuzz::cursor(text, &KEY), "{text:?} is signed by nobody");
});
