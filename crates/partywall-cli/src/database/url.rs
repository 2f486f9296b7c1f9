use tokio_postgres::Config;

use crate::failure::Failure;

/// What a connection string says that the driver has no word for.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) config: Config,
    /// `sslrootcert`.
    pub(super) roots: Option<String>,
    /// `sslmode` as it was written: children understand more of them than the driver.
    pub(super) ssl_mode: Option<String>,
}

/// Options of other drivers, and of libpq, that people have in their connection strings: safe to name in an error, where
/// anything else could be a piece of a password that nobody encoded.
const FOREIGN: &[&str] = &[
    "schema",
    "pgbouncer",
    "connection_limit",
    "pool_timeout",
    "pool",
    "pool_size",
    "max_pool_size",
    "socket_timeout",
    "statement_cache_mode",
    "prepared_statement_cache_size",
    "serverVersion",
    "charset",
    "encoding",
    "reconnect",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslaccept",
    "sslidentity",
    "service",
    "passfile",
    "uselibpqcompat",
];

/// Options of libpq that change nothing for us.
const WITHOUT_EFFECT: &[&str] = &[
    "gssencmode",
    "krbsrvname",
    "gsslib",
    "sslcompression",
    "sslsni",
    "client_encoding",
];

/// Reads a connection string, as a URL or as `key=value` pairs, and tells nothing of its text in an error.
pub(super) fn parse(text: &str, from: &str) -> Result<Parsed, Failure> {
    let text = text.trim();
    let mut roots = None;
    let mut ssl_mode = None;
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let cleaned = if is_url {
        // A question mark before the last `@` is a password's.
        let begins = text.rfind('@').unwrap_or(0);
        let query = text.rfind('?').filter(|at| *at > begins);
        match query
            .and_then(|at| text.split_at_checked(at))
            .map(|(before, query)| (before, query.trim_start_matches('?')))
        {
            None => text.to_owned(),
            Some((before, query)) => {
                let mut kept = Vec::new();
                for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    match keep(key, value, from, &mut roots, &mut ssl_mode)? {
                        Some(value) => kept.push(format!("{key}={value}")),
                        None => continue,
                    }
                }
                if kept.is_empty() {
                    before.to_owned()
                } else {
                    format!("{before}?{}", kept.join("&"))
                }
            }
        }
    } else {
        // A value in quotes may hold spaces: only plain pairs of the few that matter are touched.
        let mut kept = Vec::new();
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some((key @ ("sslmode" | "sslrootcert"), value)) => {
                    if let Some(value) = keep(key, value, from, &mut roots, &mut ssl_mode)? {
                        kept.push(format!("{key}={value}"));
                    }
                }
                _ => kept.push(word.to_owned()),
            }
        }
        if roots.is_none() && ssl_mode.is_none() {
            text.to_owned()
        } else {
            kept.join(" ")
        }
    };
    let config = cleaned.parse::<Config>().map_err(|_| {
        Failure::invalid(
            format!("{from} is not a connection string"),
            "write it as `postgresql://user:password@host:5432/database`, with `@ : / ? # %` in a password percent-encoded",
        )
    })?;
    Ok(Parsed {
        config,
        roots,
        ssl_mode,
    })
}

fn keep(
    key: &str,
    value: &str,
    from: &str,
    roots: &mut Option<String>,
    ssl_mode: &mut Option<String>,
) -> Result<Option<String>, Failure> {
    match key {
        "sslmode" => {
            *ssl_mode = Some(value.to_owned());
            // TLS that is asked for is always verified here, so the stricter words mean the same.
            Ok(Some(match value {
                "verify-full" | "verify-ca" => "require".to_owned(),
                "allow" => "prefer".to_owned(),
                other => other.to_owned(),
            }))
        }
        "sslrootcert" => {
            if value != "system" {
                *roots = Some(decoded(value));
            }
            Ok(None)
        }
        key if WITHOUT_EFFECT.contains(&key) => Ok(None),
        key if FOREIGN.contains(&key) => Err(Failure::invalid(
            format!("{from} has the option `{key}`, which is not PostgreSQL's or not supported"),
            "leave that option out of the string for this tool",
        )),
        _ => Ok(Some(value.to_owned())),
    }
}

/// Takes percent-encoding away; what is not UTF-8 then is left as it was.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()]
            .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        match digits {
            [Some(high), Some(low)] => bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?')),
            _ => return text.to_owned(),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;

    #[test]
    fn stricter_words_for_tls_are_understood() {
        let url = "postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&application_name=x";
        let parsed = parse(url, "it").unwrap();
        assert_eq!(parsed.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(parsed.config.get_application_name(), Some("x"));
        assert_eq!(parsed.roots.as_deref(), Some("/etc/ca.pem"));
        let pairs = parse("host=h user=u sslmode=verify-ca", "it").unwrap();
        assert_eq!(pairs.config.get_ssl_mode(), SslMode::Require);
        let quoted = parse("host=h user=u password='a b  c'", "it").unwrap();
        assert_eq!(quoted.config.get_password(), Some(b"a b  c".as_slice()));
    }

    #[test]
    fn a_question_mark_can_be_a_passwords() {
        let parsed = parse("postgresql://u:a?b&sslmode=x@h/d?sslmode=require", "it").unwrap();
        assert_eq!(
            parsed.config.get_password(),
            Some(b"a?b&sslmode=x".as_slice())
        );
        assert_eq!(parsed.config.get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn an_error_holds_no_piece_of_the_string() {
        for url in [
            "postgresql://u:x@h/d?hunter2",
            "postgresql://u:x@h/d?hunter2=1&y=2",
            "hunter2",
            "postgresql://u:hunter2@h:port/d",
            "host=h password=hunter2 nonsense",
        ] {
            let error = parse(url, "DATABASE_URL").unwrap_err();
            let text = format!("{error} {error:?} {:?}", error.mend());
            assert!(!text.contains("hun"), "{text}");
        }
    }
}
