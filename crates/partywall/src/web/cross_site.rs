use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderName,
    header::{HOST, ORIGIN},
};

use super::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another site's page made a browser send.
///
/// Browsers say where a request comes from (`Sec-Fetch-Site`, and `Origin` before that), and a page
/// cannot make them lie. A program that says neither holds no visitor's cookie. A layer around all
/// routes: `middleware::from_fn(refuse_cross_site)`.
pub async fn refuse_cross_site(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(request.headers()) {
        return next.run(request).await;
    }
    Problem::cross_site().into_response()
}

fn is_ours(headers: &HeaderMap) -> bool {
    let header = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(site) = header(&SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    match header(&ORIGIN) {
        None => true,
        Some(origin) => origin.split_once("://").map(|(_, host)| host) == header(&HOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages() {
        let is_ours = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            is_ours(
                &[("host", "127.0.0.1:8080")]
                    .iter()
                    .map(|(n, v)| (HeaderName::from_static(n), v.parse().unwrap()))
                    .chain(pairs)
                    .collect(),
            )
        };
        assert!(is_ours(&[]));
        assert!(is_ours(&[("sec-fetch-site", "same-origin")]));
        assert!(is_ours(&[("sec-fetch-site", "none")]));
        assert!(is_ours(&[("origin", "http://127.0.0.1:8080")]));
        assert!(!is_ours(&[("sec-fetch-site", "cross-site")]));
        assert!(!is_ours(&[("sec-fetch-site", "same-site")]));
        assert!(!is_ours(&[("origin", "null")]));
        assert!(!is_ours(&[("origin", "http://127.0.0.1:8081")]));
        assert!(!is_ours(&[("origin", "https://evil.example")]));
        assert!(!is_ours(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://127.0.0.1:8080")
        ]));
    }
}
