use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, HOST, ORIGIN},
};

use super::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another site's page made a browser send.
///
/// Browsers say where a request comes from (`Sec-Fetch-Site`, and `Origin` before that), and a page
/// cannot make them lie. A program that says neither holds no visitor's cookie. What brings a key
/// (`Authorization: Bearer`) passes: no browser adds one by itself, and a page may only where CORS lets
/// it. A layer around all routes: `middleware::from_fn(refuse_cross_site)`.
pub async fn refuse_cross_site(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(&request) {
        return next.run(request).await;
    }
    Problem::cross_site().into_response()
}

fn is_ours<B>(request: &http::Request<B>) -> bool {
    let text = |value: &HeaderValue| value.to_str().unwrap_or("").to_owned();
    let header = |name: &HeaderName| request.headers().get(name).map(text);
    if header(&AUTHORIZATION).is_some_and(|value| value.starts_with("Bearer ")) {
        return true;
    }
    if let Some(site) = header(&SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    match header(&ORIGIN) {
        None => true,
        Some(origin) => {
            // HTTP/2 has an authority in the place of the header.
            let authority = request
                .uri()
                .authority()
                .map(|host| host.as_str().to_owned());
            let host = authority.or_else(|| header(&HOST));
            origin.split_once("://").map(|(_, host)| host) == host.as_deref()
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_our_own_pages() {
        let asked = |uri: &str, pairs: &[(&str, &str)]| {
            let request = http::Request::builder().uri(uri);
            let request = pairs.iter().fold(request, |request, (name, value)| {
                request.header(*name, *value)
            });
            super::is_ours(&request.body(()).unwrap())
        };
        let is_ours =
            |pairs: &[(&str, &str)]| asked("/", &[&[("host", "127.0.0.1:8080")], pairs].concat());
        // As HTTP/2 says it.
        let ours = [("origin", "https://notes.example")];
        assert!(asked("https://notes.example/x", &ours));
        assert!(!asked("https://other.example/x", &ours));
        let cross_site = ("sec-fetch-site", "cross-site");
        assert!(is_ours(&[cross_site, ("authorization", "Bearer pw_x")]));
        // A browser adds this one by itself.
        assert!(!is_ours(&[cross_site, ("authorization", "Basic x")]));
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
