//! A running server.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::binaries::Binaries;
use crate::error::{DataVersionDiffers, Error, Failure, Stage};
use crate::home::Home;
use crate::postmaster::Postmaster;
use crate::process;
use crate::settings::Settings;
use crate::url;
use crate::user::User;
use crate::version::Version;
use crate::watchdog::{Ended, Watchdog};

/// The part of the socket's name that tells servers in one folder apart: ours are alone in theirs.
const PORT: u16 = 5432;
const SUPERUSER: &str = "postgres";
/// How often to look whether the server is ready: it takes tens of milliseconds.
const POLL: Duration = Duration::from_millis(1);
/// How long a server may take to go whose watchdog was killed.
const ORPHAN: Duration = Duration::from_secs(10);

/// A PostgreSQL server that runs as long as this value, and not longer than this program.
pub struct Server {
    // Before `home`, whose folders and lock may only go when the server has gone.
    watchdog: Watchdog,
    pid: u32,
    port: u16,
    home: Home,
    binaries: Binaries,
}

impl Server {
    /// Starts a server and waits until it accepts connections: about a second for the first time on a folder, tens of
    /// milliseconds after that.
    ///
    /// # Errors
    ///
    /// See [`Error`]; each says what to do about it.
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let deadline = Instant::now() + settings.timeout();
        check_parameters(settings)?;
        let home = Home::prepare(settings.place())?;
        let wanted = home.data_version();
        let binaries = Binaries::find(settings, home.user(), wanted)?;
        if let Some(data) = wanted.filter(|&major| major != binaries.version().major()) {
            let directory = home.directory().to_owned();
            return Err(DataVersionDiffers {
                directory,
                data,
                found: binaries.version(),
            }
            .into());
        }
        // Whatever a server that was killed has left: it does not count as ready.
        let left = Postmaster::read(&home.data());
        let mut watchdog = Watchdog::spawn(&home, &binaries, arguments(settings, &home))
            .map_err(Error::io("run", Path::new("/bin/sh")))?;
        let pid = wait_until_ready(&mut watchdog, &home, left, deadline)?;
        Ok(Self {
            watchdog,
            pid,
            port: settings.port().unwrap_or(PORT),
            home,
            binaries,
        })
    }

    /// A connection URL for the superuser `postgres`. It holds the password: keep it out of logs.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        self.url(SUPERUSER, self.home.password(), database)
    }

    /// A connection URL for another user, as libpq, tokio-postgres and sqlx read it.
    #[must_use]
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        url::connection(user, password, self.home.sockets(), self.port, database)
    }

    /// The folder that the socket is in; only the user that PostgreSQL runs as (and root) can enter it.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.home.sockets()
    }

    /// The port in the socket's name, and on 127.0.0.1 with [`Settings::listen`]; without it nothing listens on the network.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The version of the server.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.binaries.version()
    }

    /// The process id of the server.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// The folder that holds all there is of this server: the one that was asked for, or the one that stands in for it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.home.directory()
    }

    /// The folder that the server's programs are in; packages do not put the same set of clients there.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        self.binaries.directory()
    }

    /// The user that PostgreSQL runs as if this program runs as root, else none: then it runs as the program's user.
    #[must_use]
    pub const fn user(&self) -> Option<User> {
        self.home.user()
    }

    /// Stops the server and waits until it has gone, as dropping does; this one says if the server was gone before.
    ///
    /// Connections that are open are cut.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] with the end of its log if the server had ended by itself.
    pub fn stop(mut self) -> Result<(), Error> {
        let ended = self
            .shut_down()
            .map_err(Error::io("wait for", Path::new("/bin/sh")))?;
        match ended {
            Ended::AsAsked | Ended::Killed => Ok(()),
            Ended::Initialising | Ended::ByItself => Err(failure(Stage::Run, &self.home)),
        }
    }

    fn shut_down(&mut self) -> std::io::Result<Ended> {
        let ended = self.watchdog.stop()?;
        if ended == Ended::Killed {
            self.stop_orphan();
        }
        Ok(ended)
    }

    /// Does the watchdog's work if that was killed.
    fn stop_orphan(&self) {
        let data = self.home.data();
        let deadline = Instant::now() + ORPHAN;
        for signal in ["INT", "QUIT"] {
            if !process::serves(self.pid, &data) {
                return;
            }
            // The shell's own `kill`: not every machine has the program, and the standard library sends nothing but `KILL`.
            let mut kill = Command::new("/bin/sh");
            kill.args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal])
                .arg(self.pid.to_string());
            let _ = kill.status();
            while process::serves(self.pid, &data) && Instant::now() < deadline {
                thread::sleep(POLL);
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = self.shut_down();
    }
}

impl fmt::Debug for Server {
    /// Leaves out the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("version", &self.version())
            .field("pid", &self.pid)
            .field("directory", &self.directory())
            .field("socket_dir", &self.socket_dir())
            .finish_non_exhaustive()
    }
}

fn check_parameters(settings: &Settings) -> Result<(), Error> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    };
    match settings
        .parameters()
        .iter()
        .find(|(name, _)| !is_name(name))
    {
        Some((name, _)) => Err(Error::InvalidParameter { name: name.clone() }),
        None => Ok(()),
    }
}

/// The arguments of `postgres`; the last one for a parameter wins.
fn arguments(settings: &Settings, home: &Home) -> Vec<OsString> {
    let mut arguments = vec![OsString::from("-D"), home.data().into_os_string()];
    let mut set = |name: &str, value: &str| {
        arguments.push("-c".into());
        arguments.push(format!("{name}={value}").into());
    };
    set("timezone", "UTC");
    set("log_timezone", "UTC");
    for (name, value) in settings.parameters() {
        set(name, value);
    }
    set(
        "listen_addresses",
        settings.port().map_or("", |_| "127.0.0.1"),
    );
    set("port", &settings.port().unwrap_or(PORT).to_string());
    // A list of folders: quoted, commas and spaces are part of the name. The path is UTF-8, `Home` has seen to that.
    let sockets = home.sockets().to_string_lossy().replace('"', "\"\"");
    set("unix_socket_directories", &format!("\"{sockets}\""));
    arguments
}

fn wait_until_ready(
    watchdog: &mut Watchdog,
    home: &Home,
    left: Option<Postmaster>,
    deadline: Instant,
) -> Result<u32, Error> {
    loop {
        let ended = watchdog
            .ended()
            .map_err(Error::io("wait for", Path::new("/bin/sh")))?;
        match ended {
            Some(Ended::Initialising) => return Err(failure(Stage::Initialise, home)),
            Some(Ended::AsAsked | Ended::ByItself | Ended::Killed) => {
                return Err(failure(Stage::Start, home));
            }
            None => {}
        }
        match Postmaster::read(&home.data()) {
            Some(now) if now.is_ready && Some(&now) != left.as_ref() => return Ok(now.pid),
            Some(_) | None => {}
        }
        if Instant::now() > deadline {
            return Err(failure(Stage::Timeout, home));
        }
        thread::sleep(POLL);
    }
}

fn failure(stage: Stage, home: &Home) -> Error {
    Failure {
        stage,
        log: home.log().path().to_owned(),
        tail: home.log().tail(),
    }
    .into()
}
