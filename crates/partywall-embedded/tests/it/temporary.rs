//! Servers that leave nothing.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use partywall_embedded::{Error, Kind, Server, Settings};

use crate::support::{query, runs};

#[test]
fn starts_answers_and_leaves_nothing() {
    let settings = Settings::temporary().parameter("max_connections", "42");
    let server = Server::start(&settings).unwrap();
    let url = server.superuser_url("postgres");
    let show = |name: &str| query(&url, &format!("show {name}")).unwrap();
    assert_eq!(show("max_connections"), "42");
    assert_eq!(show("fsync"), "off");
    assert_eq!(show("listen_addresses"), "");
    assert_eq!(show("timezone"), "UTC");
    assert_eq!(show("server_encoding"), "UTF8");
    let collation = "select datcollate from pg_database where datname = 'postgres'";
    assert_eq!(query(&url, collation).unwrap(), "C");
    assert!(show("server_version").starts_with(&server.version().to_string()));
    let pid = query(&url, "select pg_read_file('postmaster.pid', 0, 20)").unwrap();
    assert_eq!(pid.lines().next().unwrap(), server.pid().to_string());

    let (pid, directory) = (server.pid(), server.directory().to_owned());
    server.stop().unwrap();
    assert!(!runs(pid));
    assert!(!directory.exists());
}

#[test]
fn dropping_stops_as_well() {
    let server = Server::start(&Settings::temporary()).unwrap();
    let (pid, directory) = (server.pid(), server.directory().to_owned());
    drop(server);
    assert!(!runs(pid));
    assert!(!directory.exists());
}

#[test]
fn open_connections_do_not_hold_up_the_end() {
    let server = Server::start(&Settings::temporary()).unwrap();
    let url = server.superuser_url("postgres");
    let sleeper = thread::spawn(move || query(&url, "select pg_sleep(60)"));
    let url = server.superuser_url("postgres");
    let others = "select count(*) from pg_stat_activity where query like 'select pg_sleep%'";
    crate::support::eventually("the sleeper is in", || query(&url, others).unwrap() == "1");
    let start = std::time::Instant::now();
    server.stop().unwrap();
    assert!(start.elapsed() < std::time::Duration::from_secs(10));
    assert!(sleeper.join().unwrap().is_err());
}

#[test]
fn only_the_password_opens_it_and_only_through_a_private_folder() {
    let server = Server::start(&Settings::temporary()).unwrap();
    let mode = fs::metadata(server.socket_dir())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(query(&server.superuser_url("postgres"), "select 1").is_ok());
    assert!(query(&server.url("postgres", "", "postgres"), "select 1").is_err());
    let error = query(&server.url("postgres", "wrong", "postgres"), "select 1").unwrap_err();
    assert!(error.to_string().contains("authentication failed") || error.as_db_error().is_some());
    assert!(!format!("{server:?}").contains("password"));

    // Names and passwords with every kind of character.
    let url = server.superuser_url("postgres");
    query(
        &url,
        r#"create role "o'hara@home:é" login password 'a/b%c?'"#,
    )
    .unwrap();
    query(&url, r#"create database "no te#s?""#).unwrap();
    let url = server.url("o'hara@home:é", "a/b%c?", "no te#s?");
    let who = query(&url, "select current_user || ' ' || current_database()").unwrap();
    assert_eq!(who, "o'hara@home:é no te#s?");
}

#[test]
fn this_crates_parameters_cannot_be_set_and_bad_names_are_told() {
    let settings = Settings::temporary()
        .parameter("listen_addresses", "*")
        .parameter("port", "1");
    let server = Server::start(&settings).unwrap();
    assert_eq!(
        query(&server.superuser_url("postgres"), "show listen_addresses").unwrap(),
        ""
    );

    let settings = Settings::temporary().parameter("a=b -c fsync", "x");
    let error = Server::start(&settings).unwrap_err();
    assert!(matches!(error, Error::InvalidParameter { .. }));
    assert_eq!(error.kind(), Kind::Settings);
    let text =
        "`a=b -c fsync` is not the name of a server parameter: use letters, digits, `_` and `.`";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_value_that_postgres_refuses_is_in_the_error() {
    let settings = Settings::temporary().parameter("max_connections", "many");
    let error = Server::start(&settings).unwrap_err();
    assert_eq!(error.kind(), Kind::Server);
    let error = error.to_string();
    assert!(
        error.starts_with("`postgres` ended before it was ready; it wrote:\n"),
        "{error}"
    );
    assert!(
        error.contains("invalid value for parameter \"max_connections\""),
        "{error}"
    );
}

#[test]
fn several_at_once() {
    let starts: Vec<_> = (0..2)
        .map(|_| thread::spawn(|| Server::start(&Settings::temporary()).unwrap()))
        .collect();
    let servers: Vec<_> = starts
        .into_iter()
        .map(|start| start.join().unwrap())
        .collect();
    for server in &servers {
        assert_eq!(
            query(&server.superuser_url("postgres"), "select 1").unwrap(),
            "1"
        );
    }
}

#[test]
fn listens_on_loopback_where_it_is_asked_to() {
    let reaches = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    // Another program may take the port in between.
    let (server, port) = (0..5)
        .find_map(|_| {
            let port = free();
            let server = Server::start(&Settings::temporary().listen(port)).ok()?;
            Some((server, port))
        })
        .unwrap();
    assert_eq!(server.port(), port);
    assert!(reaches(port));
    // The socket file is there as well, and has the port in its name.
    let url = server.superuser_url("postgres");
    let asked = |name: &str| query(&url, &format!("show {name}")).unwrap();
    assert_eq!(asked("listen_addresses"), "127.0.0.1");
    assert_eq!(asked("port"), port.to_string());
    let through =
        url.split('@').next().unwrap().to_owned() + &format!("@127.0.0.1:{port}/postgres");
    assert_eq!(query(&through, "select 1").unwrap(), "1");
    let wrong = format!("postgresql://postgres:wrong@127.0.0.1:{port}/postgres");
    assert!(query(&wrong, "select 1").is_err());
    drop(server);
    assert!(!reaches(port));
    let quiet = Server::start(&Settings::temporary()).unwrap();
    let listens = query(&quiet.superuser_url("postgres"), "show listen_addresses").unwrap();
    assert_eq!(listens, "");
}
