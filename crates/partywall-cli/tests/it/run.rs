//! The program, run.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::database::{Database, PASSWORD, programs};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A folder of a test's own, in which the program runs, and its environment.
pub(crate) struct Partywall {
    folder: PathBuf,
    environment: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Partywall {
    /// Without a database.
    pub(crate) fn alone() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("partywall-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            environment: Vec::new(),
        }
    }

    /// With a database, as its superuser.
    pub(crate) fn at(database: &Database) -> Self {
        Self::alone().with("DATABASE_URL", &database.url())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// The command, with nothing of the environment that the tests themselves run in.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", programs())
            .env("HOME", &self.folder)
            .env("LANG", "C.UTF-8")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ended {
        self.ended(self.command(arguments), None)
    }

    /// Runs it with something on standard input.
    pub(crate) fn run_with_input<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Ended {
        self.ended(self.command(arguments), Some(input))
    }

    fn ended(&self, mut command: Command, input: Option<&str>) -> Ended {
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        if let Some(input) = input {
            child
                .stdin
                .take()
                .unwrap()
                .write_all(input.as_bytes())
                .unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let ended = Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ended.err.contains("panicked"), "{ended:?}");
        for text in [&ended.out, &ended.err] {
            assert!(
                !text.contains(PASSWORD),
                "a password was printed: {ended:?}"
            );
        }
        ended
    }
}

impl Drop for Partywall {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Ended {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// Checks that all is in the output or in what was said beside it.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.out.contains(text) || self.err.contains(text),
                "`{text}` is not in\n{}\n{}",
                self.out,
                self.err
            );
        }
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
