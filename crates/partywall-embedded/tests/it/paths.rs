//! Folders with every kind of name.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use partywall_embedded::{Server, Settings};

use crate::support::{Folder, Program, eventually, query, runs};

#[test]
fn spaces_quotes_and_letters_of_the_world() {
    let folder = Folder::prepared();
    let mut last = folder.join("data");
    for name in [
        "with space",
        "it's \"quoted\", $HOME `x`",
        "gefäß",
        "-D",
        "100%",
    ] {
        fs::rename(&last, folder.join(name)).unwrap();
        last = folder.join(name);
        let server = Server::start(&Settings::new(&last)).unwrap();
        assert!(server.socket_dir().starts_with(folder.path()), "{server:?}");
        assert_eq!(
            query(&server.superuser_url("postgres"), "select 1").unwrap(),
            "1",
            "{name}"
        );
        server.stop().unwrap();
    }
}

#[test]
fn a_path_too_long_for_a_socket_gets_one_elsewhere() {
    let folder = Folder::prepared();
    let long = folder.join(&"long".repeat(40));
    fs::rename(folder.join("data"), &long).unwrap();
    let mut program = Program::start(Some(&long));
    assert_eq!(query(&program.url, "select 1").unwrap(), "1");
    assert!(!program.sockets.starts_with(folder.path()));
    assert!(program.sockets.is_dir());
    // Also after the watchdog's cleaning up the data has to be there, and the sockets not.
    program.kill();
    eventually("the server ends", || !runs(program.postgres));
    eventually("the sockets' folder is removed", || {
        !program.sockets.exists()
    });
    let server = Server::start(&Settings::new(&long)).unwrap();
    let sockets = server.socket_dir().to_owned();
    assert!(sockets.is_dir());
    server.stop().unwrap();
    assert!(!sockets.exists());
    assert!(long.join("cluster/data/PG_VERSION").exists());
}

#[test]
fn a_link_to_a_folder_is_followed() {
    let folder = Folder::prepared();
    fs::create_dir(folder.join("big disk")).unwrap();
    fs::set_permissions(folder.join("big disk"), Permissions::from_mode(0o755)).unwrap();
    fs::rename(folder.join("data"), folder.join("big disk/data")).unwrap();
    std::os::unix::fs::symlink("big disk", folder.join("link")).unwrap();
    let server = Server::start(&Settings::new(folder.join("link/data"))).unwrap();
    assert_eq!(server.directory(), folder.join("big disk/data"));
}
