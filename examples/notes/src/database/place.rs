use std::path::PathBuf;

use partywall_embedded::{Server, Settings};

use super::{OpenError, admin::Admin};

/// Where the database is.
#[derive(Clone, Debug)]
pub struct Place {
    /// Holds the secrets, and the embedded server's data.
    pub folder: PathBuf,
    /// A superuser's connection string of a database to take over, instead of the embedded server.
    pub url: Option<String>,
}

/// The server, running.
#[derive(Debug)]
pub(super) enum Found {
    Embedded {
        server: Box<Server>,
        superuser_url: String,
    },
    Url(String),
}

const DATABASE: &str = "notes";

impl Found {
    pub(super) async fn find(place: &Place) -> Result<Self, OpenError> {
        if let Some(url) = &place.url {
            return Ok(Self::Url(url.clone()));
        }
        let settings = Settings::new(place.folder.join("server"));
        let server = tokio::task::spawn_blocking(move || Server::start(&settings)).await??;
        Admin::connect(&server.superuser_url("postgres"))
            .await?
            .create(DATABASE)
            .await?;
        Ok(Self::Embedded {
            superuser_url: server.superuser_url(DATABASE),
            server: Box::new(server),
        })
    }

    pub(super) fn superuser_url(&self) -> &str {
        match self {
            Self::Embedded { superuser_url, .. } | Self::Url(superuser_url) => superuser_url,
        }
    }

    /// The connection string of another login to the same database.
    pub(super) fn url(&self, database: &str, login: &str, password: &str) -> String {
        match self {
            Self::Embedded { server, .. } => server.url(login, password, database),
            Self::Url(url) => with_login(url, login, password),
        }
    }

    pub(super) fn into_parts(self) -> (String, Option<Server>) {
        match self {
            Self::Embedded {
                server,
                superuser_url,
            } => (superuser_url, Some(*server)),
            Self::Url(url) => (url, None),
        }
    }
}

/// A connection string, in either of the two forms, with another login. Logins and passwords are
/// our own and need no quoting.
fn with_login(url: &str, login: &str, password: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return format!("{url} user={login} password={password}");
    };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{login}:{password}@{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::with_login;

    #[test]
    fn the_login_is_replaced() {
        for (url, expected) in [
            ("postgres://a:b@h:1/d?x=@", "postgres://l:p@h:1/d?x=@"),
            ("postgresql://h/d", "postgresql://l:p@h/d"),
            ("postgresql://a@%2Frun/d", "postgresql://l:p@%2Frun/d"),
            ("host=h user=a", "host=h user=a user=l password=p"),
        ] {
            assert_eq!(with_login(url, "l", "p"), expected);
        }
    }
}
