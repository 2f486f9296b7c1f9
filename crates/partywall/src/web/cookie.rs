use http::{HeaderMap, HeaderValue, header::COOKIE};

use crate::identity::{Identity, SessionToken};

/// The cookie that keeps a session's token.
///
/// The prefix `__Host-` makes browsers refuse it without `Secure`, with a `Domain`, or with another
/// `Path` than `/` (RFC 6265bis, section 4.1.3.2): no neighbour on a sibling domain can plant one.
/// Browsers keep it on `http://127.0.0.1` and `http://localhost` as well, which they trust.
#[derive(Clone, Copy, Debug)]
pub struct SessionCookie;

impl SessionCookie {
    /// The cookie's name.
    pub const NAME: &'static str = "__Host-session";

    /// The token that a request carries. None where it carries several that differ: a neighbour may
    /// have planted one of them.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<SessionToken> {
        let mut tokens = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(name, _)| *name == Self::NAME)
            .map(|(_, value)| value);
        let first = tokens.next()?;
        if tokens.any(|other| other != first) {
            return None;
        }
        SessionToken::parse(first)
    }

    /// The `Set-Cookie` that keeps a token.
    #[must_use]
    pub fn holding(identity: &Identity, token: &SessionToken) -> HeaderValue {
        set(token.expose(), identity.settings().absolute.as_secs())
    }

    /// The `Set-Cookie` that forgets it.
    #[must_use]
    pub fn cleared() -> HeaderValue {
        set("", 0)
    }
}

fn set(value: &str, seconds: u64) -> HeaderValue {
    let name = SessionCookie::NAME;
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cookies: &[&str]) -> Option<SessionToken> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        SessionCookie::read(&headers)
    }

    #[test]
    fn only_one_token_is_read() {
        let (one, two) = ("a1".repeat(32), "b2".repeat(32));
        let cookie = |token: &str| format!("__Host-session={token}");
        assert!(read(&[&format!("x=y; {}", cookie(&one))]).is_some());
        assert!(read(&[&cookie(&one), &cookie(&one)]).is_some());
        assert!(read(&[&cookie(&one), &cookie(&two)]).is_none());
        assert!(read(&[&format!("session={one}")]).is_none());
        assert!(read(&["__Host-session="]).is_none());
        assert!(read(&["__Host-session=' OR 1=1"]).is_none());
    }

    #[test]
    fn the_cookie_is_for_this_host_and_no_script() {
        let text = SessionCookie::cleared();
        let text = text.to_str().unwrap();
        for wanted in ["__Host-", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(text.contains(wanted), "{wanted}");
        }
        assert!(!text.contains("Domain"));
    }
}
