use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, HOST},
};

use super::{Token, session::LIFETIME};

const NAME: &str = "notes_session";

/// The token that a request carries.
pub(super) fn token(headers: &HeaderMap) -> Option<Token> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == NAME)
        .find_map(|(_, value)| Token::parse(value))
}

/// The `Set-Cookie` that keeps a token.
pub(crate) fn holding(token: &Token, request: &HeaderMap) -> HeaderValue {
    set(token.as_str(), LIFETIME.as_secs(), request)
}

/// The `Set-Cookie` that forgets it.
pub(crate) fn cleared(request: &HeaderMap) -> HeaderValue {
    set("", 0, request)
}

fn set(value: &str, seconds: u64, request: &HeaderMap) -> HeaderValue {
    let secure = if is_loopback(request) { "" } else { "; Secure" };
    let text = format!("{NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Whether the browser talks to its own machine: only there may a cookie travel without TLS.
fn is_loopback(request: &HeaderMap) -> bool {
    let host = request
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name == "localhost" || name == "[::1]" || is_127(name)
}

fn is_127(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>()
        .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_except_on_this_machine() {
        let secure = |host: &'static str| {
            let mut request = HeaderMap::new();
            request.insert(HOST, HeaderValue::from_static(host));
            cleared(&request).to_str().unwrap().contains("Secure")
        };
        for host in ["127.0.0.1:8080", "localhost", "[::1]:80", "127.9.9.9"] {
            assert!(!secure(host), "{host}");
        }
        for host in [
            "notes.example",
            "127.0.0.1.notes.example",
            "localhost.example:80",
            "",
        ] {
            assert!(secure(host), "{host}");
        }
    }

    #[test]
    fn only_a_token_is_read() {
        let read = |cookies: &str| {
            let mut request = HeaderMap::new();
            request.insert(COOKIE, HeaderValue::from_str(cookies).unwrap());
            token(&request).is_some()
        };
        let good = "a1".repeat(32);
        assert!(read(&format!("x=y; notes_session={good}")));
        assert!(!read(&format!("other={good}")));
        assert!(!read("notes_session="));
        assert!(!read("notes_session=' OR 1=1"));
    }
}
