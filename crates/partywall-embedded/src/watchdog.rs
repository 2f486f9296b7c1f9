//! The process that outlives us for a moment, to stop PostgreSQL.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::binaries::Binaries;
use crate::home::Home;

/// A shell between us and PostgreSQL, at the other end of a pipe.
///
/// No code of ours runs after `kill -9`, and PostgreSQL does not care whether its parent lives. But the kernel closes a dead
/// process's files: the shell reads from a pipe that only we hold the writing end of, and stops PostgreSQL at its end. That end
/// is closed in every other child of ours (`O_CLOEXEC`), so none of them keeps the server alive. It has a process group of its own:
/// Ctrl-C reaches the program and not the server, which is stopped when the program has said goodbye.
#[derive(Debug)]
pub(crate) struct Watchdog {
    child: Child,
}

/// What the watchdog says with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    AsAsked,
    Initialising,
    ByItself,
    /// The watchdog itself was killed.
    Killed,
}

impl Watchdog {
    /// Starts `initdb` if there is no data, then `postgres` with these arguments.
    pub(crate) fn spawn(
        home: &Home,
        binaries: &Binaries,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> io::Result<Self> {
        let is_temporary = home.lock().is_none();
        // Thrown away data needs neither a checkpoint at the end nor to reach the disk at the beginning.
        let (sync, stop) = if is_temporary {
            ("--no-sync", "QUIT")
        } else {
            ("", "INT")
        };
        let lock = match home.lock() {
            Some(lock) => Stdio::from(lock.try_clone()?),
            None => Stdio::null(),
        };
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", include_str!("watchdog.sh"), "partywall-watchdog"])
            .arg(home.data())
            .arg(home.staging())
            .arg(binaries.initdb())
            .args([sync, stop])
            .arg(
                home.scratch()
                    .map_or(OsStr::new(""), |path| path.as_os_str()),
            )
            .arg(binaries.postgres())
            .args(arguments)
            // Ours may be one that PostgreSQL's user cannot enter.
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(lock)
            .stderr(home.log().writer()?);
        // `PGDATA`, `PGPORT`, `PGOPTIONS` … are meant for another server.
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if let Some(user) = home.user() {
            user.apply(&mut command);
        }
        let mut watchdog = Self {
            child: command.spawn()?,
        };
        if let Some(pipe) = &mut watchdog.child.stdin {
            writeln!(pipe, "{}", home.password())?;
        }
        Ok(watchdog)
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> io::Result<Option<Ended>> {
        Ok(self.child.try_wait()?.map(Ended::from))
    }

    /// Closes the pipe and waits until PostgreSQL has ended. It is told to hurry after 20 seconds, and killed after 30.
    pub(crate) fn stop(&mut self) -> io::Result<Ended> {
        drop(self.child.stdin.take());
        self.child.wait().map(Ended::from)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The watchdog does its work with or without us, and there is nobody to tell.
        let _ = self.stop();
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::AsAsked,
            Some(3) => Self::Initialising,
            Some(_) => Self::ByItself,
            None => Self::Killed,
        }
    }
}
