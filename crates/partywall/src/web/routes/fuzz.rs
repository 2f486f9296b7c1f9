//! The parsers of addresses, for the fuzz targets: each reads whatever it is given.

use http::{HeaderName, HeaderValue, Request};

use super::{
    TenantSource,
    pattern::{Pattern, Raw},
    tenant::{Said, TENANT, said},
};

/// Which tenant a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// By an id or a slug.
    Name(String),
    /// By a host of the tenant's own.
    Host(String),
    /// In no place.
    Nothing,
    /// In more places than one, or in one that cannot be read.
    Refused,
}

/// The parameters that a pattern reads out of a path, with what stands there. None where the text is no
/// pattern.
#[must_use]
pub fn pattern(text: &str, path: &str) -> Option<Vec<(String, String)>> {
    let pattern = Pattern::parse(text).ok()?;
    Some(pattern.read(path).into_pairs())
}

/// The tenant of a request: its path begins with one or, where there is none, says none. A header that
/// cannot be sent is left out.
#[must_use]
pub fn tenant(
    sources: &[TenantSource],
    path: Option<&str>,
    headers: &[(&'static str, &[u8])],
) -> Told {
    let mut parts = Request::new(()).into_parts().0;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            parts.headers.append(HeaderName::from_static(name), value);
        }
    }
    let pattern = Pattern::parse(&format!("/{{{TENANT}}}"));
    let raw = match (path, pattern) {
        (Some(path), Ok(pattern)) => pattern.read(path),
        (None, _) | (_, Err(_)) => Raw::default(),
    };
    match said(sources, &parts, &raw) {
        Ok(Said::Name(name)) => Told::Name(name),
        Ok(Said::Host(host)) => Told::Host(host),
        Ok(Said::Nothing) => Told::Nothing,
        Err(_) => Told::Refused,
    }
}
