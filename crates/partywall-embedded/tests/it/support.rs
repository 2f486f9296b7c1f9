//! What several tests need.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use partywall_embedded::{Server, Settings};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// The first column of the last row; empty if there is none.
pub(crate) fn query(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await?;
        drop(client);
        connection.await.unwrap()?;
        let last = messages.iter().rev().find_map(|message| {
            let SimpleQueryMessage::Row(row) = message else {
                return None;
            };
            row.get(0).map(str::to_owned)
        });
        Ok(last.unwrap_or_default())
    })
}

/// A folder of a test's own that others may pass through, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        let path = fs::canonicalize(std::env::temp_dir())
            .unwrap()
            .join(format!("pw-test-{pid}-{number}{name}"));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    /// One whose `data` is ready: copied, because `initdb` takes a second.
    pub(crate) fn prepared() -> Self {
        // The last test that uses it removes it; the next one makes another.
        static TEMPLATE: Mutex<Weak<Folder>> = Mutex::new(Weak::new());
        let template = {
            let mut last = TEMPLATE.lock().unwrap();
            last.upgrade().unwrap_or_else(|| {
                let folder = Arc::new(Self::new(""));
                Server::start(&Settings::new(folder.join("data")))
                    .unwrap()
                    .stop()
                    .unwrap();
                *last = Arc::downgrade(&folder);
                folder
            })
        };
        let folder = Self::new("");
        let mut copy = Command::new("cp");
        copy.arg("-Rp")
            .arg(template.join("data"))
            .arg(folder.join("data"));
        assert!(copy.status().unwrap().success());
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// An executable file.
pub(crate) fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn is_root() -> bool {
    let folder = Folder::new("");
    fs::metadata(folder.path()).unwrap().uid() == 0
}

/// Whether a process can be signalled: the dead cannot.
pub(crate) fn runs(pid: u32) -> bool {
    let mut kill = Command::new("/bin/sh");
    kill.args(["-c", &format!("kill -s 0 {pid}")])
        .stderr(Stdio::null());
    kill.status().unwrap().success()
}

pub(crate) fn signal(signal: &str, pid: u32) {
    let mut kill = Command::new("/bin/sh");
    assert!(
        kill.args(["-c", &format!("kill -s {signal} {pid}")])
            .status()
            .unwrap()
            .success()
    );
}

/// Fails the test if it does not become true soon.
pub(crate) fn eventually(what: &str, is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < Duration::from_secs(15), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Another program that has a server, and what it said about it.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) postgres: u32,
    pub(crate) url: String,
    pub(crate) directory: PathBuf,
    pub(crate) sockets: PathBuf,
    // Closed, it would fail when it prints that its test has passed.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Runs this test binary again as a program that starts a server and waits: see `parent::program`.
    pub(crate) fn start(directory: Option<&Path>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "parent::program",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("PARTYWALL_TEST_PROGRAM", directory.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut field = |name: &str| {
            let prefix = format!("{name}=");
            lines
                .find_map(|line| Some(line.unwrap().split_once(&prefix)?.1.to_owned()))
                .unwrap()
        };
        Self {
            postgres: field("postgres").parse().unwrap(),
            url: field("url"),
            directory: field("directory").into(),
            sockets: field("sockets").into(),
            child,
            _output: lines,
        }
    }

    /// `kill -9`
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
