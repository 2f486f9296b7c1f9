//! Connection URLs.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A connection URL whose host is the socket's folder.
///
/// The folder stands percent-encoded in the host's place, which libpq, tokio-postgres and sqlx all read; sqlx refuses
/// the other spelling, an empty host with `?host=`.
pub(crate) fn connection(
    user: &str,
    password: &str,
    socket_dir: &Path,
    port: u16,
    database: &str,
) -> String {
    let mut url = String::from("postgresql://");
    encode(&mut url, user.as_bytes());
    url.push(':');
    encode(&mut url, password.as_bytes());
    url.push('@');
    encode(&mut url, socket_dir.as_os_str().as_bytes());
    // Writing to a `String` cannot fail.
    let _ = write!(url, ":{port}/");
    encode(&mut url, database.as_bytes());
    url
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
fn encode(url: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn everything_special_is_encoded() {
        let url = super::connection(
            "o'hara",
            "a/b@c:é",
            Path::new("/tmp/x y,z"),
            5432,
            "no?te#s",
        );
        assert_eq!(
            url,
            "postgresql://o%27hara:a%2Fb%40c%3A%C3%A9@%2Ftmp%2Fx%20y%2Cz:5432/no%3Fte%23s"
        );
    }
}
