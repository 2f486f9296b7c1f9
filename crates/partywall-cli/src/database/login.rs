use std::{env, path::Path, time::Duration};

use partywall_connect::{Connector, Tls, is_refusal};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

use super::{Session, passfile, startup_options, url};
use crate::{
    args::{AppLogin, Common},
    failure::Failure,
    interrupt::Interrupt,
};

/// How long the server may take to answer, unless the connection string says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where libpq's of the distributions look for a server of this machine.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// A login at a database. It has no `Debug`: it holds a password.
#[derive(Clone)]
pub(crate) struct Login {
    config: Config,
    tls: Tls,
    roots: Option<String>,
    ssl_mode: Option<String>,
}

impl Login {
    /// The login that sees the catalogues: what `--database-url` says, or the environment.
    pub(crate) fn admin(common: &Common) -> Result<Self, Failure> {
        if let Some(url) = given(common.database_url.as_deref()) {
            return Self::read(url, "the connection string (--database-url, DATABASE_URL)");
        }
        let any = ["PGHOST", "PGHOSTADDR", "PGUSER", "PGDATABASE", "PGPORT"]
            .iter()
            .any(|name| variable(name).is_some());
        if env::var_os("PGSERVICE").is_some() && !any {
            return Err(Failure::invalid(
                "PGSERVICE is not supported",
                "pass the service's values as --database-url, or as PGHOST, PGUSER and PGDATABASE",
            ));
        }
        if any {
            return Self::complete(url::parse("", "the environment")?);
        }
        Err(Failure::invalid(
            "no database is given",
            "set DATABASE_URL, or pass --database-url postgresql://user@host/database; PGHOST, PGUSER and PGDATABASE count too",
        ))
    }

    /// The application's own login, if one is given.
    pub(crate) fn app(app: &AppLogin) -> Result<Option<Self>, Failure> {
        given(app.app_url.as_deref())
            .map(|url| {
                Self::read(
                    url,
                    "the application's connection string (--app-url, APP_DATABASE_URL)",
                )
            })
            .transpose()
    }

    fn read(text: &str, from: &str) -> Result<Self, Failure> {
        Self::complete(url::parse(text, from)?)
    }

    /// Takes from the environment what the string leaves out, as libpq does.
    fn complete(parsed: url::Parsed) -> Result<Self, Failure> {
        let url::Parsed {
            mut config,
            mut roots,
            mut ssl_mode,
        } = parsed;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            if let Some(address) = variable("PGHOSTADDR").and_then(|address| address.parse().ok()) {
                config.hostaddr(address);
            }
            match variable("PGHOST") {
                Some(hosts) => hosts.split(',').for_each(|host| {
                    config.host(host);
                }),
                None if config.get_hostaddrs().is_empty() => match SOCKETS.iter().find(|folder| {
                    let port = variable("PGPORT").unwrap_or_else(|| "5432".to_owned());
                    Path::new(folder).join(format!(".s.PGSQL.{port}")).exists()
                }) {
                    Some(folder) => {
                        config.host_path(folder);
                    }
                    None => {
                        config.host("localhost");
                    }
                },
                None => {}
            }
        }
        if config.get_ports().is_empty()
            && let Some(ports) = variable("PGPORT")
        {
            for port in ports.split(',') {
                config.port(port.trim().parse().map_err(|_| {
                    Failure::invalid("PGPORT is not a port", "give a number, such as 5432")
                })?);
            }
        }
        if config.get_user().is_none() {
            let user = variable("PGUSER")
                .or_else(|| variable("USER"))
                .or_else(|| variable("LOGNAME"))
                .unwrap_or_else(|| "postgres".to_owned());
            config.user(user);
        }
        if config.get_dbname().is_none() {
            let name = variable("PGDATABASE")
                .or_else(|| config.get_user().map(str::to_owned))
                .unwrap_or_default();
            config.dbname(name);
        }
        if ssl_mode.is_none()
            && let Some(mode) = variable("PGSSLMODE")
        {
            config.ssl_mode(match mode.as_str() {
                "disable" => SslMode::Disable,
                "require" | "verify-ca" | "verify-full" => SslMode::Require,
                _ => SslMode::Prefer,
            });
            ssl_mode = Some(mode);
        }
        roots = roots.or_else(|| variable("PGSSLROOTCERT").filter(|path| path != "system"));
        if config.get_connect_timeout().is_none() {
            let seconds = variable("PGCONNECT_TIMEOUT").and_then(|seconds| seconds.parse().ok());
            config.connect_timeout(seconds.map_or(CONNECT_TIMEOUT, Duration::from_secs));
        }
        if config.get_application_name().is_none() {
            config.application_name("partywall");
        }
        let mut login = Self {
            config,
            tls: Tls::default(),
            roots,
            ssl_mode,
        };
        if login.config.get_password().is_none() {
            let found = variable("PGPASSWORD").or_else(|| {
                passfile::password(&login.host(), login.port(), login.database(), login.user())
            });
            if let Some(password) = found {
                login.config.password(password);
            }
        }
        if let Some(path) = &login.roots {
            login.tls = Tls::roots(path).map_err(|source| Failure::Tls {
                place: login.place(),
                source,
            })?;
        }
        Ok(login)
    }

    /// The same login, whose sessions begin with these settings.
    pub(crate) fn beginning_with<'a>(
        &self,
        settings: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut login = self.clone();
        let ours = startup_options(settings);
        if ours.is_empty() {
            // Not even an empty one: poolers refuse the parameter.
            return login;
        }
        let options = match self.config.get_options() {
            Some(theirs) => format!("{theirs} {ours}"),
            None => ours,
        };
        login.config.options(options);
        login
    }

    pub(crate) fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    pub(crate) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    fn host(&self) -> String {
        match (
            self.config.get_hosts().first(),
            self.config.get_hostaddrs().first(),
        ) {
            (Some(Host::Tcp(name)), _) => name.clone(),
            #[cfg(unix)]
            (Some(Host::Unix(folder)), _) => folder.display().to_string(),
            (None, Some(address)) => address.to_string(),
            (None, None) => "localhost".to_owned(),
        }
    }

    fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }

    /// Database, host and user, for people. Never a password.
    pub(crate) fn place(&self) -> String {
        format!(
            "database `{}` on {}:{} as `{}`",
            self.database(),
            self.host(),
            self.port(),
            self.user()
        )
    }

    /// The variables by which libpq, and so psql, `pg_dump` and most programs, find the same login. The password is
    /// among them: an argument would show it to every user of the machine.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("PGUSER", self.user().to_owned()),
            ("PGDATABASE", self.database().to_owned()),
        ];
        let hosts: Vec<String> = self
            .config
            .get_hosts()
            .iter()
            .map(|host| match host {
                Host::Tcp(name) => name.clone(),
                #[cfg(unix)]
                Host::Unix(folder) => folder.display().to_string(),
            })
            .collect();
        if !hosts.is_empty() {
            environment.push(("PGHOST", hosts.join(",")));
        }
        let addresses: Vec<String> = self
            .config
            .get_hostaddrs()
            .iter()
            .map(ToString::to_string)
            .collect();
        if !addresses.is_empty() {
            environment.push(("PGHOSTADDR", addresses.join(",")));
        }
        let ports: Vec<String> = self
            .config
            .get_ports()
            .iter()
            .map(ToString::to_string)
            .collect();
        environment.push((
            "PGPORT",
            if ports.is_empty() {
                "5432".to_owned()
            } else {
                ports.join(",")
            },
        ));
        if let Some(password) = self.config.get_password() {
            environment.push(("PGPASSWORD", String::from_utf8_lossy(password).into_owned()));
        }
        if let Some(mode) = &self.ssl_mode {
            environment.push(("PGSSLMODE", mode.clone()));
        }
        if let Some(roots) = &self.roots {
            environment.push(("PGSSLROOTCERT", roots.clone()));
        }
        if let Some(options) = self.config.get_options() {
            environment.push(("PGOPTIONS", options.to_owned()));
        }
        environment
    }

    /// Connects.
    pub(crate) async fn connect(&self, interrupt: &Interrupt) -> Result<Session, Failure> {
        let connector =
            Connector::new(self.config.clone(), &self.tls).map_err(|source| Failure::Tls {
                place: self.place(),
                source,
            })?;
        let client = connector
            .connect()
            .await
            .map_err(|source| Failure::Connect {
                place: self.place(),
                mend: self.mend(&source),
                source,
            })?;
        interrupt.cover(&connector, client.cancel_token());
        Ok(Session { client })
    }

    /// What to do about a connection that failed.
    fn mend(&self, error: &tokio_postgres::Error) -> String {
        if is_refusal(error) {
            return "sslmode=require verifies the server's certificate: name its authority with sslrootcert=FILE, or use a host name that the certificate has".to_owned();
        }
        let Some(code) = error.code() else {
            let text = crate::failure::said(error);
            return if text.contains("password missing") {
                format!(
                    "give `{}` a password: in the connection string, PGPASSWORD or ~/.pgpass",
                    self.user()
                )
            } else {
                format!(
                    "see whether PostgreSQL runs at {}:{} and may be reached from here",
                    self.host(),
                    self.port()
                )
            };
        };
        match code.code() {
            "28P01" => format!(
                "see whether the password of `{}` is right and pg_hba.conf lets it in from here",
                self.user()
            ),
            "28000" => format!(
                "see whether there is a role `{}` that may log in, and pg_hba.conf lets it in from here",
                self.user()
            ),
            "3D000" => "list the databases with `psql -l`".to_owned(),
            "08P01" if self.config.get_options().is_some() => {
                "a pooler that refuses start-up options: give the server's own address instead"
                    .to_owned()
            }
            "53300" => {
                "too many connections are open: wait, or use a login with reserved ones".to_owned()
            }
            _ => String::new(),
        }
    }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
