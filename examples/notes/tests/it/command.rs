//! The program itself: how it starts, what it keeps, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use notes::Place;
use serde_json::json;

use crate::{
    browser::Browser,
    world::{World, folder, query},
};

pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

fn command(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partywall-example-notes"));
    command
        .args(arguments)
        .env_remove("NOTES_SUPERUSER_URL")
        // An application's own database, which the example leaves alone.
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
        .env_remove("RUST_LOG")
        .env("NOTES_DATA", &place.folder);
    if let Some(url) = &place.url {
        command.env("NOTES_SUPERUSER_URL", url);
    }
    command.envs(variables.iter().copied());
    command
}

/// Runs the program to its end.
pub fn run(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let output = command(place, arguments, variables).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The program while it runs.
struct Running {
    child: Child,
    url: String,
    password: String,
    printed: String,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut child = command(place, arguments, &[("PORT", "0")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap());
        let mut printed = String::new();
        while !printed.contains("Ctrl-C") {
            assert_ne!(
                lines.read_line(&mut printed).unwrap(),
                0,
                "it ended: {printed}"
            );
        }
        let value = |name: &str| {
            let line = printed.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().last().unwrap().to_owned()
        };
        Self {
            url: value("Notes:"),
            password: value("Password:"),
            child,
            printed,
        }
    }

    fn user(&self, name: &str) -> Browser {
        let mut browser = Browser::new(&self.url);
        browser.sign_in(&format!("{name}@example.com"), &self.password);
        browser
    }

    /// Asks it to stop and waits.
    fn stop(mut self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
        let mut rest = String::new();
        self.child
            .stdout
            .as_mut()
            .unwrap()
            .read_to_string(&mut rest)
            .unwrap();
        self.printed.push_str(&rest);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keeps_and_resets(place: &Place) {
    let first = Running::start(place, &[]);
    assert!(
        first.printed.contains("ann@example.com"),
        "{}",
        first.printed
    );
    let password = first.password.clone();
    let bob = first.user("bob");
    bob.post("/api/tenants/acme/notes", &json!({ "title": "kept" }))
        .is(201);
    let notes = bob.get("/api/tenants/acme/notes").is(200).each("title");
    let gone = bob.get("/api/tenants/acme/notes?q=Stocktaking").json()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    bob.delete(&format!("/api/tenants/acme/notes/{gone}"))
        .is(204);
    let cookie = bob.cookie.clone();
    first.stop("TERM");

    let second = Running::start(place, &[]);
    assert_eq!(second.password, password);
    let mut bob = Browser::new(&second.url);
    bob.cookie = cookie.clone();
    let kept = bob.get("/api/tenants/acme/notes").is(200).each("title");
    assert_eq!(
        kept,
        notes
            .into_iter()
            .filter(|title| !title.contains("Stocktaking"))
            .collect::<Vec<_>>()
    );
    second.stop("INT");

    let third = Running::start(place, &["--reset"]);
    assert_ne!(third.password, password);
    let mut old = Browser::new(&third.url);
    old.cookie = cookie;
    old.get("/api/tenants").is(401);
    let titles = third
        .user("bob")
        .get("/api/tenants/acme/notes")
        .is(200)
        .each("title");
    assert!(
        titles.len() == 4 && !titles.contains(&"kept".to_owned()),
        "{titles:?}"
    );
    third.stop("TERM");
}

#[test]
fn data_is_kept_until_it_is_reset() {
    keeps_and_resets(&World::place());
}

#[test]
fn the_embedded_server_keeps_it_too() {
    let folder = folder("embedded");
    let place = Place {
        folder: folder.join("a/b"),
        url: None,
    };
    keeps_and_resets(&place);
    let secrets = std::fs::metadata(place.folder.join("secrets.json")).unwrap();
    assert_eq!(secrets.permissions().mode() & 0o777, 0o600);
    let file = folder.join("notes.csv");
    std::fs::write(&file, "title,body\na,b\n").unwrap();
    let ran = run(
        &place,
        &["--import", file.to_str().unwrap(), "--tenant", "initech"],
        &[],
    );
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "1 notes loaded\n"),
        "{}",
        ran.stderr
    );
    let running = Running::start(&place, &[]);
    let twice = run(&place, &[], &[("PORT", "0")]);
    assert_eq!(twice.code, 1);
    assert!(twice.stderr.starts_with("error: "), "{}", twice.stderr);
    let notes = running
        .user("ivy")
        .get("/api/tenants/initech/notes")
        .is(200)
        .each("title");
    assert_eq!(notes[0], "a");
    running.stop("TERM");
}

#[test]
fn a_busy_port_is_told_before_anything_happens() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let place = Place {
        folder: folder("busy").join("data"),
        url: None,
    };
    let ran = run(&place, &["--reset"], &[("PORT", &port)]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.stderr,
        format!(
            "error: port {port} is in use: set PORT to another one, or stop what listens there\n"
        )
    );
    assert!(!Path::new(&place.folder).exists());
}

#[test]
fn a_database_with_other_tables_is_left_alone() {
    let place = World::place();
    let url = place.url.clone().unwrap();
    query(
        &url,
        "CREATE TABLE theirs (a int); INSERT INTO theirs VALUES (1)",
    );
    let ran = run(&place, &["--reset"], &[("PORT", "0")]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("give it a database of its own"),
        "{}",
        ran.stderr
    );
    assert_eq!(query(&url, "SELECT * FROM theirs"), ["1"]);
    let missing = Place {
        url: Some("postgres://nobody@127.0.0.1:1/none".to_owned()),
        ..place
    };
    let ran = run(&missing, &[], &[("PORT", "0")]);
    assert_eq!(ran.code, 1);
}

/// As the example was before its accounts came from the library.
#[test]
fn data_of_an_earlier_version_is_told_and_kept() {
    let place = World::place();
    let url = place.url.clone().unwrap();
    let database = query(&url, "SELECT current_database()").remove(0);
    query(
        &url,
        &format!(
            "CREATE ROLE {database}_owner LOGIN; CREATE TABLE membership (person_id uuid, tenant_id uuid);
             ALTER TABLE membership OWNER TO {database}_owner"
        ),
    );
    let says = format!(
        "error: the data in `{}` is of an earlier version of this example, which this one cannot read: start anew with --reset, which throws it away\n",
        place.folder.display()
    );
    let ran = run(&place, &[], &[("PORT", "0")]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, says.as_str()));
    query(&url, "SELECT * FROM membership");

    // The secrets of that version know of no identity login.
    query(&url, "DROP TABLE membership");
    let secrets = place.folder.join("secrets.json");
    std::fs::write(&secrets, r#"{ "seal_key": "", "owner": "", "app": "" }"#).unwrap();
    let ran = run(&place, &[], &[("PORT", "0")]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, says.as_str()));

    query(&url, "CREATE TABLE membership (person_id uuid)");
    query(
        &url,
        &format!("ALTER TABLE membership OWNER TO {database}_owner"),
    );
    let anew = Running::start(&place, &["--reset"]);
    anew.user("bob").get("/api/tenants/acme/notes").is(200);
    anew.stop("TERM");
}
