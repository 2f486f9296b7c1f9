//! A PgBouncer of a test's own.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use crate::database::{Database, PASSWORD, server};

const PORT: u16 = 6544;

static NEXT: AtomicU32 = AtomicU32::new(1);

pub(crate) struct Bouncer {
    process: Child,
    folder: PathBuf,
}

/// Ends PgBouncer when its own standard input ends, which it does with this program however that ends.
const SHELL: &str =
    r#""$0" -q "$1" & bouncer=$!; read -r _; kill -INT "$bouncer"; wait "$bouncer""#;

impl Bouncer {
    /// Starts one with further settings, such as `pool_mode = transaction`.
    pub(crate) async fn start(db: &Database, more: &str) -> Self {
        let server = server();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("pw-cli-{}-{number}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let users = folder.join("users.txt");
        fs::write(&users, format!("\"{}\" \"{PASSWORD}\"\n", db.role("app"))).unwrap();
        let settings = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={host} port={port}\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {folder}\n\
             listen_port = {PORT}\nauth_type = scram-sha-256\nauth_file = {users}\nlogfile = {folder}/log\n{more}\n",
            host = server.socket_dir().display(),
            port = server.port(),
            folder = folder.display(),
            users = users.display(),
        );
        fs::write(&settings, text).unwrap();
        let mut command = Command::new("/bin/sh");
        command
            .args([Path::new("-c"), Path::new(SHELL), &program(), &settings])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(user) = server.user() {
            for path in [&folder, &users, &settings] {
                chown(path, Some(user.uid()), Some(user.gid())).unwrap();
            }
            user.apply(&mut command);
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let process = command.spawn().unwrap();
        let bouncer = Self { process, folder };
        let begun = Instant::now();
        while let Err(error) =
            tokio_postgres::connect(&bouncer.url(db), tokio_postgres::NoTls).await
        {
            assert!(begun.elapsed() < Duration::from_secs(20), "{error:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bouncer
    }

    /// The application's way.
    pub(crate) fn url(&self, db: &Database) -> String {
        format!(
            "host={} port={PORT} user={} password={PASSWORD} dbname={}",
            self.folder.display(),
            db.role("app"),
            db.name()
        )
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The program; a test without it fails and says how to get it.
fn program() -> PathBuf {
    if let Some(program) = env::var_os("PARTYWALL_PGBOUNCER") {
        return program.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = ["/usr/sbin", "/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from);
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.partywall/pgbouncer/bin");
    env::split_paths(&path)
        .chain(folders)
        .chain([unpacked])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.exists())
        .expect("PgBouncer is missing: run `./test`, which gets it, or install it, or set `PARTYWALL_PGBOUNCER` to the program")
}
