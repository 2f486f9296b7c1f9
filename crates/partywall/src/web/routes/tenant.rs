//! Which tenant a request is about: exactly one place may say so.

use http::{HeaderMap, HeaderName, header, request::Parts};

use super::{
    super::{Problem, SessionCookie},
    pattern::Raw,
};
use crate::identity::{Error, TenantSelector};

/// The parameter of a path that says the tenant.
pub(in crate::web) const TENANT: &str = "tenant";

const X_TENANT: HeaderName = HeaderName::from_static("x-tenant");

/// Where else than in the path a request may say its tenant. Without any, the path alone does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TenantSource {
    /// The first label of the host below a domain of ours: `acme.notes.example` for
    /// `Subdomain("notes.example".into())`. It is the tenant's slug.
    Subdomain(String),
    /// A domain that a tenant has shown to be its own.
    VerifiedDomain {
        /// The hosts that are the application's own and no tenant's.
        own: Vec<String>,
    },
    /// The header `X-Tenant`, an id or a slug: for programs, which send a key. What carries a session's
    /// cookie is a browser, and its header is refused.
    Header,
}

/// What a request says for its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Name(String),
    Host(String),
    Nothing,
}

impl Said {
    pub(super) fn selector(&self) -> TenantSelector<'_> {
        match self {
            Self::Name(name) => TenantSelector::parse(name),
            Self::Host(host) => TenantSelector::Host(host),
            Self::Nothing => TenantSelector::Current,
        }
    }
}

/// Finds the one place that says the tenant.
pub(super) fn said(sources: &[TenantSource], parts: &Parts, raw: &Raw) -> Result<Said, Problem> {
    let path = raw.get(TENANT).map(|name| Said::Name(name.to_owned()));
    let others = sources.iter().map(|source| source.read(parts));
    let mut all = std::iter::once(Ok(path)).chain(others);
    let mut found = Said::Nothing;
    for said in &mut all {
        match (said?, &found) {
            (None, _) => {}
            (Some(said), Said::Nothing) => found = said,
            (Some(_), Said::Name(_) | Said::Host(_)) => return Err(Error::TwoTenants.into()),
        }
    }
    Ok(found)
}

impl TenantSource {
    fn read(&self, parts: &Parts) -> Result<Option<Said>, Problem> {
        match self {
            Self::Subdomain(domain) => Ok(host(parts)
                .as_deref()
                .and_then(|host| host.strip_suffix(domain.as_str())?.strip_suffix('.'))
                .filter(|label| !label.is_empty() && !label.contains('.'))
                .map(|label| Said::Name(label.to_owned()))),
            Self::VerifiedDomain { own } => {
                let is_own = |host: &String| {
                    own.iter().any(|own| {
                        host.strip_suffix(own.as_str())
                            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                    })
                };
                Ok(host(parts).filter(|host| !is_own(host)).map(Said::Host))
            }
            Self::Header => header_name(&parts.headers),
        }
    }
}

fn header_name(headers: &HeaderMap) -> Result<Option<Said>, Problem> {
    let mut values = headers.get_all(X_TENANT).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let is_browser = SessionCookie::read(headers).is_some();
    match value.to_str() {
        Ok(name) if !is_browser && values.next().is_none() => Ok(Some(Said::Name(name.to_owned()))),
        Ok(_) | Err(_) => Err(Error::TwoTenants.into()),
    }
}

/// The host that the request was sent to, in lower case and without a port. What a proxy says beside
/// that is not believed.
fn host(parts: &Parts) -> Option<String> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let text = match (parts.uri.authority(), hosts.next()) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) if hosts.next().is_none() => host.to_str().ok()?,
        (None, _) => return None,
    };
    // RFC 9110, section 4.2.4: an authority with user information is an attempt to mislead.
    if text.contains('@') {
        return None;
    }
    let host = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) | None => text,
    };
    Some(host.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn of(sources: &[TenantSource], path: Option<&str>, headers: &[(&str, &str)]) -> Option<Said> {
        let pattern = super::super::pattern::Pattern::parse("/{tenant}").unwrap();
        let raw = path.map(|path| pattern.read(path)).unwrap_or_default();
        said(sources, &parts(headers), &raw).ok()
    }

    fn name(text: &str) -> Option<Said> {
        Some(Said::Name(text.to_owned()))
    }

    #[test]
    fn exactly_one_place_speaks() {
        let all = [
            TenantSource::Subdomain("notes.example".to_owned()),
            TenantSource::VerifiedDomain {
                own: vec!["notes.example".to_owned()],
            },
            TenantSource::Header,
        ];
        assert_eq!(of(&all, Some("/acme"), &[]), name("acme"));
        assert_eq!(
            of(&all, None, &[("host", "acme.notes.example")]),
            name("acme")
        );
        assert_eq!(
            of(&all, None, &[("host", "ACME.notes.example.:443")]),
            name("acme")
        );
        assert_eq!(
            of(&all, None, &[("host", "notes.acme.example:80")]),
            Some(Said::Host("notes.acme.example".to_owned()))
        );
        assert_eq!(of(&all, None, &[("x-tenant", "acme")]), name("acme"));
        assert_eq!(of(&all, None, &[]), Some(Said::Nothing));
        assert_eq!(
            of(&all, None, &[("host", "notes.example")]),
            Some(Said::Nothing)
        );
        for (path, headers) in [
            (Some("/acme"), &[("host", "acme.notes.example")][..]),
            (Some("/acme"), &[("x-tenant", "acme")]),
            (Some("/acme"), &[("host", "notes.acme.example")]),
            (
                None,
                &[("host", "acme.notes.example"), ("x-tenant", "acme")],
            ),
            (None, &[("x-tenant", "acme"), ("x-tenant", "acme")]),
        ] {
            assert_eq!(of(&all, path, headers), None, "{path:?} {headers:?}");
        }
    }

    #[test]
    fn a_browser_says_no_tenant_in_a_header() {
        let cookie = format!("__Host-session={}", "a1".repeat(32));
        let headers = [("x-tenant", "acme"), ("cookie", &cookie)];
        assert_eq!(of(&[TenantSource::Header], None, &headers), None);
        let program = [("x-tenant", "acme"), ("authorization", "Bearer x")];
        assert_eq!(of(&[TenantSource::Header], None, &program), name("acme"));
    }

    #[test]
    fn a_host_that_misleads_is_none() {
        let domain = [TenantSource::Subdomain("notes.example".to_owned())];
        for host in [
            "acme.notes.example@evil.example",
            "a.b.notes.example",
            ".notes.example",
            "notes.example.evil.example",
            "acmenotes.example",
        ] {
            assert_eq!(
                of(&domain, None, &[("host", host)]),
                Some(Said::Nothing),
                "{host}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_host_never_breaks_it(host in "[ -~]{0,40}") {
            let domain = [TenantSource::Subdomain("notes.example".to_owned())];
            if let Some(Said::Name(name)) = of(&domain, None, &[("host", &host)]) {
                prop_assert!(!name.is_empty() && !name.contains('.'));
            }
        }
    }
}
