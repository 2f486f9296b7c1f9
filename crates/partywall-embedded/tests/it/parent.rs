//! The end of the program is the end of its server.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use partywall_embedded::{Server, Settings};

use crate::support::{Folder, Program, eventually, query, runs, signal};

#[test]
#[ignore = "a program of its own that the other tests start and kill"]
fn program() {
    let Some(directory) = std::env::var_os("PARTYWALL_TEST_PROGRAM") else {
        return;
    };
    let directory = PathBuf::from(directory);
    let is_temporary = directory.as_os_str().is_empty();
    let settings = if is_temporary {
        Settings::temporary()
    } else {
        Settings::new(directory)
    };
    let server = Server::start(&settings).unwrap();
    println!("\npostgres={}", server.pid());
    println!("url={}", server.superuser_url("postgres"));
    println!("directory={}", server.directory().display());
    println!("sockets={}", server.socket_dir().display());
    // Until the test closes our input or kills us.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    server.stop().unwrap();
}

#[test]
fn a_killed_program_leaves_no_server_and_no_temporary_folder() {
    let mut program = Program::start(None);
    assert_eq!(query(&program.url, "select 1").unwrap(), "1");
    assert!(program.directory.join("cluster/data/PG_VERSION").exists());
    program.kill();
    eventually("the server ends", || !runs(program.postgres));
    eventually("the folder is removed", || !program.directory.exists());
}

#[test]
fn a_program_that_ends_well_leaves_nothing_either() {
    let mut program = Program::start(None);
    drop(program.child.stdin.take());
    assert!(program.child.wait().unwrap().success());
    assert!(!runs(program.postgres));
    assert!(!program.directory.exists());
}

#[test]
fn what_was_committed_before_the_kill_is_there_after_it() {
    let folder = Folder::prepared();
    let mut program = Program::start(Some(&folder.join("data")));
    query(&program.url, "create table note as select 'kept' as text").unwrap();
    program.kill();
    // At once: the start waits for the watchdog of the killed program, and does not take its lock for a living one's.
    let server = Server::start(&Settings::new(folder.join("data"))).unwrap();
    assert!(!runs(program.postgres));
    assert_ne!(server.pid(), program.postgres);
    let text = query(&server.superuser_url("postgres"), "select text from note").unwrap();
    assert_eq!(text, "kept");
    server.stop().unwrap();
}

#[test]
fn a_program_killed_during_initdb_leaves_nothing_in_the_way() {
    let folder = Folder::new("");
    let directory = folder.join("data");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "parent::program", "--ignored", "--nocapture"])
        .env("PARTYWALL_TEST_PROGRAM", &directory)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let staging = directory.join("cluster/data.new");
    eventually("initdb is at work", || staging.join("global").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let server = Server::start(&Settings::new(&directory)).unwrap();
    assert_eq!(
        query(&server.superuser_url("postgres"), "select 1").unwrap(),
        "1"
    );
    assert!(!staging.exists());
}

#[test]
fn half_an_initdb_is_done_again() {
    let folder = Folder::prepared();
    let directory = folder.join("data");
    // What a machine that lost power in the middle would have: neither `initdb` nor the watchdog could clean up.
    let staging = directory.join("cluster/data.new");
    fs::rename(directory.join("cluster/data"), &staging).unwrap();
    fs::remove_file(staging.join("PG_VERSION")).unwrap();
    let server = Server::start(&Settings::new(&directory)).unwrap();
    assert_eq!(
        query(&server.superuser_url("postgres"), "select 1").unwrap(),
        "1"
    );
    assert!(!staging.exists());
}

#[test]
fn a_server_that_dies_takes_its_watchdog_along_and_is_reported() {
    let folder = Folder::prepared();
    let server = Server::start(&Settings::new(folder.join("data"))).unwrap();
    signal("QUIT", server.pid());
    eventually("the server ends", || !runs(server.pid()));
    // The watchdog had the lock as well: a moment later it is gone, and `stop` says what happened.
    thread::sleep(Duration::from_millis(200));
    let error = server.stop().unwrap_err().to_string();
    assert!(
        error.starts_with("`postgres` ended by itself; the end of `"),
        "{error}"
    );
    assert!(error.contains("immediate shutdown"), "{error}");
    assert!(Server::start(&Settings::new(folder.join("data"))).is_ok());
}

#[test]
fn signals_for_everybody_do_not_stop_the_server() {
    let mut program = Program::start(None);
    // The watchdog leads a group of its own, which the server is in.
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.postgres)).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let (watchdog, group) = (fields[1].parse().unwrap(), fields[2]);
    assert_eq!(group, format!("{watchdog}"));
    assert_ne!(watchdog, program.child.id());
    for name in ["INT", "TERM", "HUP"] {
        signal(name, watchdog);
    }
    thread::sleep(Duration::from_millis(100));
    assert_eq!(query(&program.url, "select 1").unwrap(), "1");
    program.kill();
    eventually("the server ends", || !runs(program.postgres));
    eventually("the folder is removed", || !program.directory.exists());
}

#[test]
fn a_killed_watchdog_is_stood_in_for() {
    let server = Server::start(&Settings::temporary()).unwrap();
    let (pid, directory) = (server.pid(), server.directory().to_owned());
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    signal("KILL", parent);
    server.stop().unwrap();
    eventually("the server ends", || !runs(pid));
    assert!(!directory.exists());
}
