//! Two servers, one folder.

use std::process::Command;
use std::thread;

use partywall_embedded::{Error, Kind, Server, Settings};

use crate::support::{Folder, Program, query};

#[test]
fn the_second_program_is_told_who_has_the_folder() {
    let folder = Folder::prepared();
    let directory = folder.join("data");
    let mut program = Program::start(Some(&directory));
    let error = Server::start(&Settings::new(&directory)).unwrap_err();
    assert_eq!(error.kind(), Kind::InUse);
    let pid = program.child.id();
    assert_eq!(
        error.to_string(),
        format!(
            "`{}` is in use by process {pid}: stop that program first, or use another folder",
            directory.display()
        )
    );
    assert!(matches!(&error, Error::InUse(in_use) if in_use.pid() == Some(pid)));
    assert_eq!(query(&program.url, "select 1").unwrap(), "1");

    drop(program.child.stdin.take());
    program.child.wait().unwrap();
    assert!(Server::start(&Settings::new(&directory)).is_ok());
}

#[test]
fn one_of_many_that_start_together_wins() {
    let folder = Folder::new("");
    let directory = folder.join("data");
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let settings = Settings::new(&directory);
            thread::spawn(move || Server::start(&settings))
        })
        .collect();
    let results: Vec<_> = starts
        .into_iter()
        .map(|start| start.join().unwrap())
        .collect();
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 5));
    for error in lost.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), Kind::InUse, "{error}");
        assert!(
            error.to_string().contains("by this very process"),
            "{error}"
        );
    }
    let url = won
        .first()
        .unwrap()
        .as_ref()
        .unwrap()
        .superuser_url("postgres");
    assert_eq!(query(&url, "select 1").unwrap(), "1");
}

#[test]
fn a_server_that_someone_else_started_on_the_data_is_left_alone() {
    let folder = Folder::prepared();
    let settings = Settings::new(folder.join("data"));
    let server = Server::start(&settings).unwrap();
    let mut postgres = Command::new(server.bin_dir().join("postgres"));
    if let Some(user) = server.user() {
        user.apply(&mut postgres);
    }
    let data = server.directory().join("cluster/data");
    let sockets = server.socket_dir().to_owned();
    server.stop().unwrap();

    postgres
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(&sockets)
        .args(["-c", "listen_addresses="]);
    postgres
        .stderr(std::process::Stdio::null())
        .current_dir("/");
    let mut postgres = postgres.spawn().unwrap();
    crate::support::eventually("it is up", || {
        std::fs::read_to_string(data.join("postmaster.pid"))
            .is_ok_and(|text| text.contains("ready"))
    });
    let error = Server::start(&settings).unwrap_err();
    crate::support::signal("INT", postgres.id());
    postgres.wait().unwrap();
    assert_eq!(error.kind(), Kind::InUse);
    let error = error.to_string();
    assert!(
        error.contains(&format!("(`kill -INT {}`)", postgres.id())),
        "{error}"
    );
    assert!(Server::start(&settings).is_ok());
}
