//! PostgreSQL that is missing or broken.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use partywall_embedded::{Error, Kind, Server, Settings};

use crate::support::{Folder, script};

fn start(bin_dir: &Path) -> Error {
    Server::start(&Settings::temporary().bin_dir(bin_dir)).unwrap_err()
}

const FIX: &str = "install it (`apt-get install postgresql`), or let `./run` or `./test` fetch one, or set \
                   `PARTYWALL_PG_BIN` to its bin folder, or use a server that is running";

#[test]
fn a_folder_without_it() {
    let folder = Folder::new("");
    let error = start(folder.path());
    assert_eq!(error.kind(), Kind::NotFound);
    let path = folder.path().display();
    assert_eq!(
        error.to_string(),
        format!("no PostgreSQL 14 or newer found (`{path}` lacks `initdb` or `postgres`): {FIX}")
    );
    assert!(
        matches!(&error, Error::NotFound(found) if found.rejected().eq([folder.path()])),
        "{error:?}"
    );
}

#[test]
fn programs_that_do_not_work() {
    let folder = Folder::new("");
    script(&folder.join("initdb"), "#!/bin/sh\n");
    let postgres = folder.join("postgres");
    let path = folder.path().display();

    script(
        &postgres,
        "#!/bin/sh\necho 'libssl.so.1: cannot open' >&2; exit 127\n",
    );
    let error = start(folder.path()).to_string();
    let said = format!("(`{path}/postgres --version` said `libssl.so.1: cannot open`)");
    assert!(error.contains(&said), "{error}");

    script(&postgres, "#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n");
    let error = start(folder.path()).to_string();
    assert!(
        error.contains(&format!("(`{path}` is version 13.4)")),
        "{error}"
    );

    fs::set_permissions(&postgres, Permissions::from_mode(0o644)).unwrap();
    let error = start(folder.path()).to_string();
    assert!(
        error.contains(&format!("`{path}/postgres` does not run: ")),
        "{error}"
    );
}

#[test]
fn what_a_failing_initdb_says_is_told() {
    let folder = Folder::new("");
    script(
        &folder.join("initdb"),
        "#!/bin/sh\necho 'initdb: error: no space left' >&2; exit 1\n",
    );
    script(
        &folder.join("postgres"),
        "#!/bin/sh\necho 'postgres (PostgreSQL) 16.1'\n",
    );
    let error = start(folder.path());
    assert_eq!(error.kind(), Kind::Server);
    let text = "`initdb` failed; it wrote:\n  initdb: error: no space left";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_server_that_never_gets_ready_is_given_up() {
    let folder = Folder::new("");
    script(
        &folder.join("initdb"),
        "#!/bin/sh\nfor a; do case $a in --pgdata=*) mkdir -p \"${a#*=}\";; esac; done\n",
    );
    script(
        &folder.join("postgres"),
        "#!/bin/sh\ncase $* in --version) echo 'postgres (PostgreSQL) 16.1';; *) echo busy >&2; exec sleep 60;; esac\n",
    );
    let timeout = std::time::Duration::from_millis(500);
    let settings = Settings::temporary()
        .bin_dir(folder.path())
        .start_timeout(timeout);
    let error = Server::start(&settings).unwrap_err().to_string();
    let text = "`postgres` was not ready in time (see `start_timeout`); it wrote:\n  busy";
    assert_eq!(error, text);
}
