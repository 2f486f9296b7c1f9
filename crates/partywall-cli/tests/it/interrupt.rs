//! Ctrl-C, a reader that goes away, and a terminal that is none.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{database::Database, run::Partywall};

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn ctrl_c_stops_the_statement_and_rolls_back() {
    for name in ["-INT", "-TERM"] {
        let db = Database::shop("").await;
        let partywall = Partywall::at(&db);
        let mut child = partywall
            .command(&[
                "each",
                "--sql",
                "UPDATE invoices SET note = 'x'; SELECT pg_sleep(60)",
            ])
            .spawn()
            .unwrap();
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid() AND state = 'active'";
        let begun = Instant::now();
        while db.count(sleeping).await == 0 {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it does not begin"
            );
            sleep(Duration::from_millis(20));
        }
        signal(&child, name);
        let ended = child.wait().unwrap();
        assert_eq!(ended.code(), Some(130));
        assert!(begun.elapsed() < Duration::from_secs(20));
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(said.contains("stopped"), "{said}");
        // The server does not go on by itself.
        let gone = Instant::now();
        while db.count(sleeping).await > 0 {
            assert!(
                gone.elapsed() < Duration::from_secs(5),
                "the statement goes on"
            );
            sleep(Duration::from_millis(20));
        }
        assert_eq!(
            db.count("SELECT count(*) FROM invoices WHERE note = 'x'")
                .await,
            0
        );
    }
}

#[tokio::test]
async fn a_signal_is_the_childs_own() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let mut child = partywall
        .command(&[
            "shell",
            "--tenant",
            crate::database::ACME,
            "--",
            "sh",
            "-c",
            "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done",
        ])
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready\n");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(42));
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_panic() {
    let db = Database::shop("ALTER TABLE invoices DISABLE ROW LEVEL SECURITY").await;
    let partywall = Partywall::at(&db);
    for (arguments, code) in [
        (&["check"][..], 2),
        (&["check", "--json"], 2),
        (&["explain"], 0),
        (&["explain", "--json"], 0),
        (
            &["each", "--allow-bypass", "--sql", "SELECT * FROM pg_class"],
            0,
        ),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["--help"], 0),
    ] {
        let mut child = partywall.command(arguments).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        // What was found stays found.
        assert_eq!(
            child.wait().unwrap().code(),
            Some(code),
            "{arguments:?}: {said}"
        );
        assert!(
            !said.contains("panicked") && !said.contains("error"),
            "{arguments:?}: {said}"
        );
    }
}
