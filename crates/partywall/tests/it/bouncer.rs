//! A PgBouncer of a test's own.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use partywall::testing::{TestDb, server};
use uuid::Uuid;

const PORT: u16 = 6543;

/// PgBouncer in transaction mode, with one server connection for each login.
pub struct Bouncer {
    process: Child,
    folder: PathBuf,
    passwords: Vec<(String, String)>,
    database: String,
}

/// Ends PgBouncer when its own standard input ends, which it does with this program however that ends.
const SHELL: &str =
    r#""$0" -q "$1" & bouncer=$!; read -r _; kill -INT "$bouncer"; wait "$bouncer""#;

impl Bouncer {
    pub async fn start(test: &TestDb) -> Self {
        let program = program();
        let server = server().unwrap();
        let folder = env::temp_dir().join(format!("pw-{}", Uuid::now_v7().simple()));
        fs::create_dir(&folder).unwrap();
        let roles = test.schema().roles();
        let mut passwords = Vec::new();
        let mut database = String::new();
        for login in [roles.app(), roles.list(), roles.across()] {
            let config: tokio_postgres::Config = test.url(login).parse().unwrap();
            let password = String::from_utf8(config.get_password().unwrap().to_vec()).unwrap();
            passwords.push((login.to_owned(), password));
            database = config.get_dbname().unwrap().to_owned();
        }
        let users: String = passwords
            .iter()
            .map(|(login, password)| format!("\"{login}\" \"{password}\"\n"))
            .collect();
        let users_file = folder.join("users.txt");
        fs::write(&users_file, users).unwrap();
        let settings_file = folder.join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={host} port={port}\n[pgbouncer]\n\
             listen_addr =\nunix_socket_dir = {folder}\nlisten_port = {PORT}\n\
             auth_type = scram-sha-256\nauth_file = {users}\nlogfile = {folder}/log\n\
             pool_mode = transaction\ndefault_pool_size = 1\nmax_client_conn = 100\n\
             query_wait_timeout = 20\n",
            host = server.socket_dir().display(),
            port = server.port(),
            folder = folder.display(),
            users = users_file.display(),
        );
        fs::write(&settings_file, settings).unwrap();
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(SHELL)
            .arg(&program)
            .arg(&settings_file);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(user) = server.user() {
            for path in [&folder, &users_file, &settings_file] {
                chown(path, Some(user.uid()), Some(user.gid())).unwrap();
            }
            user.apply(&mut command);
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let process = command.spawn().unwrap();
        let bouncer = Self {
            process,
            folder,
            passwords,
            database,
        };
        bouncer.wait().await;
        bouncer
    }

    async fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.folder.join(format!(".s.PGSQL.{PORT}")).exists() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "PgBouncer does not start: {log}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The connection string of a login, through the pooler.
    pub fn url(&self, login: &str) -> String {
        let (_, password) = self
            .passwords
            .iter()
            .find(|(known, _)| known == login)
            .unwrap();
        let host = self.folder.to_str().unwrap().replace('/', "%2F");
        format!(
            "postgresql://{login}:{password}@{host}:{PORT}/{}",
            self.database
        )
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            eprintln!("PgBouncer's log:\n{log}");
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The program; a test without it fails and says how to get it.
fn program() -> PathBuf {
    if let Some(program) = env::var_os("PARTYWALL_PGBOUNCER") {
        return program.into();
    }
    let on_path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&on_path).chain(
        ["/usr/sbin", "/opt/homebrew/bin", "/usr/local/bin"]
            .into_iter()
            .map(PathBuf::from),
    );
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.partywall/pgbouncer/bin");
    folders
        .chain([unpacked])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.exists())
        .expect(
            "PgBouncer is missing: run `./test`, which gets it, or install it (`apt-get install \
             pgbouncer`, `brew install pgbouncer`), or set `PARTYWALL_PGBOUNCER` to the program",
        )
}
