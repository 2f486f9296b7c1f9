//! Programs that run as root, which PostgreSQL refuses to.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use partywall_embedded::{Error, Server, Settings};

use crate::support::{Folder, is_root, query};

#[test]
fn it_runs_as_another_user_who_owns_no_more_than_it_must() {
    let folder = Folder::prepared();
    let server = Server::start(&Settings::new(folder.join("data"))).unwrap();
    let owner = |name: &str| fs::metadata(server.directory().join(name)).unwrap().uid();
    let mine = owner("");
    if !is_root() {
        assert_eq!(server.user(), None);
        assert_eq!(owner("cluster/data"), mine);
        return;
    }
    let user = server.user().unwrap().uid();
    assert_ne!(user, 0);
    assert_eq!(
        fs::metadata(format!("/proc/{}", server.pid()))
            .unwrap()
            .uid(),
        user
    );
    for name in ["", "password", "partywall.lock", "server.log"] {
        assert_eq!(owner(name), 0, "{name}");
    }
    for name in ["cluster", "cluster/data", "run"] {
        assert_eq!(owner(name), user, "{name}");
    }
    // Root's further groups would be a way around all of this.
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let groups = status
        .lines()
        .find_map(|line| line.strip_prefix("Groups:"))
        .unwrap();
    assert_eq!(groups.trim(), "");
}

#[test]
fn a_folder_that_the_other_user_cannot_reach_gets_a_stand_in() {
    let folder = Folder::new("");
    if !is_root() {
        return;
    }
    let private = folder.join("root");
    fs::create_dir(&private).unwrap();
    fs::set_permissions(&private, Permissions::from_mode(0o700)).unwrap();
    let settings = Settings::new(private.join("repository/.partywall/notes"));

    let server = Server::start(&settings).unwrap();
    let stand_in = server.directory().to_owned();
    assert!(stand_in.starts_with("/var/lib/partywall"), "{server:?}");
    query(
        &server.superuser_url("postgres"),
        "create table note as select 1",
    )
    .unwrap();
    server.stop().unwrap();
    let server = Server::start(&settings).unwrap();
    assert_eq!(server.directory(), stand_in);
    assert_eq!(
        query(&server.superuser_url("postgres"), "select * from note").unwrap(),
        "1"
    );
    server.stop().unwrap();
    fs::remove_dir_all(&stand_in).unwrap();

    // The positive control: once the way is open, no stand-in is needed.
    fs::set_permissions(&private, Permissions::from_mode(0o711)).unwrap();
    let server = Server::start(&settings).unwrap();
    assert!(server.directory().starts_with(&private));
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let folder = Folder::new("");
    if !is_root() {
        return;
    }
    let directory = folder.join("data");
    fs::create_dir(&directory).unwrap();
    std::os::unix::fs::chown(&directory, Some(12345), None).unwrap();
    let error = Server::start(&Settings::new(&directory)).unwrap_err();
    assert!(matches!(error, Error::Refused(_)));
    let error = error.to_string();
    assert!(
        error.contains("belongs to user id 12345, not 0: run as the user that made it"),
        "{error}"
    );
}
