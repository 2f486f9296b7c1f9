//! A pattern, a path that is read by it, ids in it, and every place that may say a tenant.
//!
//! One input: lines, of which each is a part.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partywall::web::{CanonicalId, TenantSource, fuzz};
use partywall_fuzz::is_header;
use sea_orm::prelude::Uuid;

fn canonical<T: CanonicalId + ToString>(text: &str) {
    if let Some(id) = T::parse(text) {
        assert_eq!(id.to_string(), text, "an id has one spelling");
    }
}

fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let pattern = String::from_utf8_lossy(next());
    let path = String::from_utf8_lossy(next());
    if let Some(read) = fuzz::pattern(&pattern, &path) {
        let mut names: Vec<_> = read.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), read.len(), "each parameter once");
        for (_, text) in &read {
            assert!(
                !text.contains('/') && path.contains(text.as_str()),
                "as it came"
            );
        }
    }
    for text in path.split('/') {
        canonical::<Uuid>(text);
        canonical::<i16>(text);
        canonical::<i32>(text);
        canonical::<i64>(text);
    }
    let sources = [
        TenantSource::Subdomain("notes.example".to_owned()),
        TenantSource::VerifiedDomain {
            own: vec!["notes.example".to_owned()],
        },
        TenantSource::Header,
    ];
    let headers = [
        ("host", next()),
        ("x-tenant", next()),
        ("x-tenant", next()),
        ("cookie", next()),
    ];
    // What is empty is not sent.
    let is_sent = |(_, value): &(&str, &[u8])| !value.is_empty() && is_header(value);
    let headers: Vec<_> = headers.into_iter().filter(is_sent).collect();
    let in_path = (!path.is_empty()).then_some(path.as_ref());
    let told = fuzz::tenant(&sources, in_path, &headers);
    if let Some(name) = in_path.and_then(|path| path.strip_prefix('/')) {
        let name = name.split('/').next().unwrap_or_default();
        // Nothing else takes the place of the path's: it is that, or refused.
        assert!(matches!(&told, fuzz::Told::Refused) || told == fuzz::Told::Name(name.to_owned()));
    }
    if let fuzz::Told::Host(host) = &told {
        let is_own = host == "notes.example" || host.ends_with(".notes.example");
        assert!(!is_own && !host.contains('@'), "{host}");
        assert_eq!(*host, host.to_ascii_lowercase());
    }
    // Two places are never one answer.
    let by_header = headers.iter().any(|(name, _)| *name == "x-tenant");
    if in_path.is_some() && by_header {
        assert_eq!(told, fuzz::Told::Refused);
    }
});
