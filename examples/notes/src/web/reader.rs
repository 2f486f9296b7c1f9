use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};

/// Who reads an answer: the address says it, so that no browser is shown JSON for a header that it
/// sends, and no program a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Person,
    Program,
}

impl Reader {
    pub(super) fn of(uri: &Uri) -> Self {
        let path = uri.path();
        if path == "/api" || path.starts_with("/api/") {
            Self::Program
        } else {
            Self::Person
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_tells_who_reads() {
        for path in ["/api", "/api/", "/api/tenants/acme"] {
            assert_eq!(Reader::of(&Uri::from_static(path)), Reader::Program);
        }
        for path in ["/", "/t/acme", "/apis", "/t/api/notes", "/style.css"] {
            assert_eq!(Reader::of(&Uri::from_static(path)), Reader::Person);
        }
    }
}
