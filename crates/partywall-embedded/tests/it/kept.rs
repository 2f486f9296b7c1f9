//! Data that outlives the server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use partywall_embedded::{Error, Kind, Server, Settings};

use crate::support::{Folder, query};

#[test]
fn data_and_password_are_kept() {
    let folder = Folder::new("");
    let settings = Settings::new(folder.join("not/yet/there"));
    let first = Server::start(&settings).unwrap();
    let url = first.superuser_url("postgres");
    query(&url, "create table note as select 'kept' as text").unwrap();
    assert_eq!(query(&url, "show fsync").unwrap(), "on");
    first.stop().unwrap();

    let second = Server::start(&settings).unwrap();
    assert_eq!(second.superuser_url("postgres"), url);
    assert_eq!(query(&url, "select text from note").unwrap(), "kept");

    let mode = |name: &str| {
        fs::metadata(second.directory().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("password"), 0o600);
    assert_eq!(mode("server.log"), 0o600);
    assert_eq!(mode("cluster"), 0o700);
    assert_eq!(mode("cluster/data"), 0o700);
}

#[test]
fn a_stale_pid_file_is_no_obstacle() {
    let folder = Folder::prepared();
    let settings = Settings::new(folder.join("data"));
    let server = Server::start(&settings).unwrap();
    let note = server.directory().join("cluster/data/postmaster.pid");
    let text = fs::read_to_string(&note).unwrap();
    server.stop().unwrap();

    // As left by a crash; the number now belongs to another process that lives, and the note even says `ready`.
    let rest = text.split_once('\n').unwrap().1;
    for pid in [std::process::id(), 1, 4_000_000] {
        fs::write(&note, format!("{pid}\n{rest}")).unwrap();
        let server = Server::start(&settings).unwrap();
        assert_ne!(server.pid(), pid);
        assert_eq!(
            query(&server.superuser_url("postgres"), "select 1").unwrap(),
            "1"
        );
    }
}

#[test]
fn a_folder_with_other_files_is_not_touched() {
    let folder = Folder::new("");
    fs::write(folder.join("thesis.txt"), "years of work").unwrap();
    let error = Server::start(&Settings::new(folder.path())).unwrap_err();
    assert!(matches!(error, Error::Refused(_)));
    assert_eq!(error.kind(), Kind::Settings);
    let path = folder.path().display();
    assert_eq!(
        error.to_string(),
        format!("`{path}` holds other files: use a new or an empty folder")
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    fs::remove_file(folder.join("thesis.txt")).unwrap();
    assert!(Server::start(&Settings::new(folder.path())).is_ok());
}

#[test]
fn a_lost_password_is_told() {
    let folder = Folder::prepared();
    let settings = Settings::new(folder.join("data"));
    drop(Server::start(&settings).unwrap());
    fs::remove_file(folder.join("data/password")).unwrap();
    let error = Server::start(&settings).unwrap_err().to_string();
    assert!(
        error.contains("`password` is missing: put it back"),
        "{error}"
    );
}

#[test]
fn data_of_another_version_is_told_and_left_alone() {
    let folder = Folder::prepared();
    let settings = Settings::new(folder.join("data"));
    let version = Server::start(&settings).unwrap().version();
    let note = folder.join("data/cluster/data/PG_VERSION");
    fs::write(&note, "13\n").unwrap();
    let error = Server::start(&settings).unwrap_err();
    assert!(matches!(error, Error::DataVersionDiffers(_)));
    let error = error.to_string();
    assert!(
        error.contains(&format!("holds data of PostgreSQL 13, found was {version}")),
        "{error}"
    );
    fs::write(&note, format!("{}\n", version.major())).unwrap();
    assert!(Server::start(&settings).is_ok());
}

#[test]
fn the_log_of_the_run_before_stays() {
    let folder = Folder::prepared();
    let settings = Settings::new(folder.join("data"));
    let server = Server::start(&settings).unwrap();
    query(
        &server.superuser_url("postgres"),
        "select 'marker' from nowhere",
    )
    .unwrap_err();
    server.stop().unwrap();
    drop(Server::start(&settings).unwrap());
    let old = fs::read_to_string(folder.join("data/server.log.old")).unwrap();
    assert!(old.contains("marker"), "{old}");
    let new = fs::read_to_string(folder.join("data/server.log")).unwrap();
    assert!(!new.contains("marker"), "{new}");
}
