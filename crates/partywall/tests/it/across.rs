//! The way across.

use std::{fs, path::Path};

use partywall::{
    Config, Db, Sql, Tx,
    db::{Error, ErrorKind, NoLogin, Refused},
};
use sea_orm::{EntityTrait, PaginatorTrait, TransactionTrait};

use crate::{
    models::{World, post, schema},
    probe::{Found, Probe, session},
};

async fn crossings(probe: &Probe) -> Vec<(String, String, i32)> {
    let sql = "SELECT reason, file, line FROM partywall.crossing ORDER BY id";
    let rows = probe.client.query(sql, &[]).await.unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

#[tokio::test]
async fn d31_across_needs_a_reason_and_is_written_down() {
    let World { test, a, .. } = World::new().await;
    let probe = Probe::new(&test).await;
    for reason in ["", " \t\n"] {
        let refused = test.db().across(reason).await.unwrap_err();
        assert!(
            matches!(refused, Error::Refused(Refused::Reason)),
            "{refused:?}"
        );
    }
    assert_eq!(crossings(&probe).await, []);
    let line = line!() + 1;
    let across = test.db().across("the nightly count").await.unwrap();
    let place = (
        "the nightly count".to_owned(),
        file!().to_owned(),
        i32::try_from(line).unwrap(),
    );
    assert_eq!(crossings(&probe).await, std::slice::from_ref(&place));
    assert_eq!(post::Entity::find().count(&across).await.unwrap(), 6);
    // The row is there before anything is read, and no rollback takes it away.
    let tx: Tx = TransactionTrait::begin(&across).await.unwrap();
    tx.execute_sql("DELETE FROM post", []).await.unwrap();
    tx.rollback().await.unwrap();
    drop(across);
    assert_eq!(crossings(&probe).await, std::slice::from_ref(&place));
    assert_eq!(
        post::Entity::find()
            .count(&test.as_tenant(a.id))
            .await
            .unwrap(),
        3
    );
    // Who crossed can neither change nor delete what is written down, only read it.
    let across = test.db().across("to cover the tracks").await.unwrap();
    for sql in [
        "DELETE FROM partywall.crossing",
        "UPDATE partywall.crossing SET reason = 'none'",
        "TRUNCATE partywall.crossing",
        "INSERT INTO partywall.crossing (reason, file, line) VALUES ('a', 'b', 1)",
    ] {
        let denied = across.execute_sql(sql, []).await.unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::Denied, "{sql}: {denied:?}");
    }
    let seen: i64 = across
        .scalar("SELECT count(*) FROM partywall.crossing", [])
        .await
        .unwrap();
    assert_eq!(seen, 2);
    assert_eq!(crossings(&probe).await[0], place);
}

#[tokio::test]
async fn d31_across_has_its_own_login() {
    let World { test, .. } = World::new().await;
    let without = Config::new(&schema(), &test.url("blog_app")).unwrap();
    let db = Db::connect(without).await.unwrap();
    let error = db.across("no login").await.unwrap_err();
    assert!(
        matches!(error, Error::NoLogin(NoLogin::Across)),
        "{error:?}"
    );
    let across = test.db().across("who am I").await.unwrap();
    let me: String = across
        .scalar("SELECT session_user::text", [])
        .await
        .unwrap();
    assert_eq!(me, "blog_across");
}

#[tokio::test]
async fn d32_nothing_is_left_of_across() {
    let World { test, a, b } = World::new().await;
    let probe = Probe::new(&test).await;
    let before = Found::by(test.db(), a.id).await.unwrap();
    let across = test.db().across("a look").await.unwrap();
    let tx: Tx = TransactionTrait::begin(&across).await.unwrap();
    let all: i64 = tx.scalar("SELECT count(*) FROM post", []).await.unwrap();
    assert_eq!(all, 6);
    // Also while it is open, and whoever asks.
    for tenant in [&a, &b] {
        let found = Found::by(test.db(), tenant.id).await.unwrap();
        assert_eq!(found.posts, [(tenant.id, 3)]);
        assert_eq!(found.session, before.session);
    }
    tx.commit().await.unwrap();
    drop(across);
    for tenant in [&a, &b] {
        let found = Found::by(test.db(), tenant.id).await.unwrap();
        assert_eq!(found.posts, [(tenant.id, 3)]);
        assert_eq!(found.session, before.session);
    }
    probe.settled("after the way across").await;
}

#[tokio::test]
async fn d33_application_login_cannot_cross() {
    let World { test, a, .. } = World::new().await;
    let probe = Probe::new(&test).await;
    let scoped = test.as_tenant(a.id);
    let raw = session(&test.url("blog_app")).await;
    for sql in [
        "SELECT * FROM partywall.crossing",
        "INSERT INTO partywall.crossing (reason, file, line) VALUES ('a', 'b', 1)",
        "DELETE FROM partywall.crossing",
        "SELECT partywall.cross('a', 'b', 1)",
        "SELECT * FROM partywall.seal_key",
        "INSERT INTO partywall.seal_key VALUES ('a', '', '')",
        "UPDATE partywall.expected SET definition = ''",
        "SET ROLE blog_across",
        "SET SESSION AUTHORIZATION blog_across",
        "SELECT set_config('role', 'blog_across', false)",
        "GRANT blog_across TO blog_app",
        "ALTER ROLE blog_app BYPASSRLS",
        "ALTER POLICY partywall_app_tenant ON post USING (true)",
        "ALTER TABLE post DISABLE ROW LEVEL SECURITY",
    ] {
        let denied = scoped.execute_sql(sql, []).await.unwrap_err();
        // Some are not even sent.
        let is = matches!(denied.kind(), ErrorKind::Denied | ErrorKind::Refused);
        assert!(is, "{sql}: {denied:?}");
        let denied = raw.batch_execute(sql).await.unwrap_err();
        assert_eq!(denied.code().unwrap().code(), "42501", "{sql}: {denied:?}");
    }
    assert_eq!(crossings(&probe).await, []);
    let seen = scoped.rows("SELECT FROM post", []).await.unwrap();
    assert_eq!(seen.len(), 3);
    // The control: the other login may do what this one may not.
    let across = session(&test.url("blog_across")).await;
    across
        .batch_execute("SELECT partywall.cross('a', 'b', 1)")
        .await
        .unwrap();
    assert_eq!(crossings(&probe).await.len(), 1);
}

/// Every place in the repository's published code that goes across. This list only shrinks.
const SITES: [&str; 11] = [
    "crates/partywall/src/identity/deactivate.rs: 1",
    "crates/partywall/src/identity/domain/recheck.rs: 1",
    "crates/partywall/src/identity/export.rs: 1",
    "crates/partywall/src/identity/import/mod.rs: 1",
    "crates/partywall/src/identity/mailer.rs: 1",
    "crates/partywall/src/identity/purge.rs: 1",
    "crates/partywall/src/identity/session.rs: 1",
    "crates/partywall/src/jobs/rounds.rs: 1",
    "crates/partywall/src/web/resource/idempotency/mod.rs: 1",
    "examples/notes/src/import/load.rs: 1",
    "examples/notes/src/seed.rs: 1",
];

#[test]
fn d31_sites_can_be_counted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap();
    let mut sites = Vec::new();
    for folder in ["crates", "examples", "bench"] {
        find(&root.join(folder), &root, &mut sites);
    }
    assert!(!sites.is_empty(), "the search finds this file at least");
    let is_test = |site: &String| site.contains("/tests/") || site.contains("/benches/");
    let (tests, code): (Vec<String>, Vec<String>) = sites.into_iter().partition(is_test);
    assert!(
        tests.iter().any(|site| site.contains("across.rs")),
        "{tests:?}"
    );
    assert_eq!(code, SITES, "a place that goes across has come or gone");
}

/// Files and functions are found by the one name there is, comments left out.
fn find(folder: &Path, root: &Path, sites: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            find(&path, root, sites);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            // Without an argument it is the name of the login.
            let found = code
                .filter(|line| {
                    let line = line.replace(".across()", "");
                    line.contains(".across(")
                        || line.contains("db().across_at(")
                        || line.contains("Db::across")
                })
                .count();
            if found > 0 {
                let file = path.strip_prefix(root).unwrap().display();
                sites.push(format!("{file}: {found}"));
            }
        }
    }
}
