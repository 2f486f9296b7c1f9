//! D35: settings that sessions begin with, for one login, for all, in one database or in every one.

use partywall::{
    Db, Seal,
    db::ConnectError,
    schema::ApplyError,
    testing::{TestDb, assert_isolated},
};
use partywall_embedded::Settings;

use crate::{
    alone::Alone,
    guard::gated,
    login,
    models::{World, post, schema_with, seal},
    probe::Probe,
};

/// Where a setting can be made: the statement's beginning, and what the finding says of it.
const PLACES: [(&str, &str); 3] = [
    ("ALTER DATABASE %d", "of every role in this database"),
    (
        "ALTER ROLE ALL IN DATABASE %d",
        "of every role in this database",
    ),
    (
        "ALTER ROLE w_app IN DATABASE %d",
        "of w_app in this database",
    ),
];

/// Never expected, however often the schema is applied.
const UNSAFE: [(&str, &str); 5] = [
    ("partywall.context", "'{}'"),
    ("\"Partywall.Context\"", "'{}'"),
    ("role", "'pg_monitor'"),
    ("session_replication_role", "replica"),
    ("row_security", "off"),
];

/// Seen, and expected once the schema is applied again.
const SEEN: [(&str, &str); 3] = [
    ("search_path", "nowhere, public"),
    ("standard_conforming_strings", "off"),
    ("transform_null_equals", "on"),
];

/// An operator's own.
const HARMLESS: [(&str, &str); 6] = [
    ("timezone", "'Europe/Berlin'"),
    ("lock_timeout", "'3s'"),
    ("statement_timeout", "'1min'"),
    ("work_mem", "'8MB'"),
    ("default_transaction_isolation", "serializable"),
    ("auto_explain.log_min_duration", "'1s'"),
];

async fn drift(test: &TestDb) -> Option<String> {
    match Db::connect(test.config().unwrap()).await {
        Ok(_) => None,
        Err(ConnectError::Drift(drift)) => Some(drift.to_string()),
        Err(other) => panic!("refused otherwise: {other}"),
    }
}

/// A session that keeps what it began with.
struct Operator {
    probe: Probe,
    login: &'static str,
    database: String,
}

impl Operator {
    async fn of(test: &TestDb, login: &'static str) -> Self {
        let probe = Probe::new(test).await;
        let database = "SELECT current_database()::text";
        let database = probe.client.query_one(database, &[]).await.unwrap().get(0);
        Self {
            probe,
            login,
            database,
        }
    }

    fn named(&self, text: &str) -> String {
        text.replace("%d", &self.database)
            .replace("w_", &format!("{}_", self.login))
    }

    async fn set(&self, place: &str, name: &str, value: &str) {
        let place = self.named(place);
        self.probe
            .run(&format!("{place} SET {name} = {value}"))
            .await;
    }

    async fn reset(&self, place: &str, name: &str) {
        self.probe
            .run(&format!("{} RESET {name}", self.named(place)))
            .await;
    }
}

#[tokio::test]
async fn d35_a_setting_that_opens_the_wall_is_found_and_never_expected() {
    let test = TestDb::new(&gated("knob", seal())).await.unwrap();
    let operator = Operator::of(&test, "knob").await;
    for (place, of) in PLACES {
        for (name, value) in UNSAFE {
            operator.set(place, name, value).await;
            let plain = name.trim_matches('"').to_lowercase();
            let finding = format!("unsafe setting `{plain} {}` was added", operator.named(of));
            let told = drift(&test).await.unwrap_or_default();
            assert!(told.contains(&finding), "`{finding}` is not in `{told}`");
            let applied = test.schema().apply(&test.owner_url()).await;
            let Err(ApplyError::Undeclared(told)) = applied else {
                panic!("{finding}: {applied:?}")
            };
            assert!(told.to_string().contains(&finding), "{told}");
            assert!(drift(&test).await.is_some(), "{finding}");
            operator.reset(place, name).await;
            assert_eq!(drift(&test).await, None, "{finding}");
        }
    }
}

#[tokio::test]
async fn d35_a_setting_that_changes_what_a_statement_means_is_found_once() {
    let test = TestDb::new(&gated("dial", seal())).await.unwrap();
    let operator = Operator::of(&test, "dial").await;
    for (place, of) in PLACES {
        for (name, value) in SEEN {
            operator.set(place, name, value).await;
            let finding = format!("setting `{name} {}` was added", operator.named(of));
            let told = drift(&test).await.unwrap_or_default();
            assert!(told.contains(&finding), "`{finding}` is not in `{told}`");
            let applied = test.schema().apply(&test.owner_url()).await.unwrap();
            assert_eq!(applied.accepted.len(), 1, "{applied:?}");
            assert_eq!(drift(&test).await, None, "{finding}");
            operator.reset(place, name).await;
            let told = drift(&test).await.unwrap_or_default();
            assert!(told.contains("is missing"), "{finding}: {told}");
            test.schema().apply(&test.owner_url()).await.unwrap();
        }
    }
    // The control: what is an operator's to set for a database is let be. A login's own is seen.
    for (name, value) in HARMLESS {
        for (place, _) in &PLACES[..2] {
            operator.set(place, name, value).await;
            assert_eq!(drift(&test).await, None, "{name}");
            let applied = test.schema().apply(&test.owner_url()).await.unwrap();
            assert!(!applied.changed, "{name}: {applied:?}");
        }
    }
    operator.set(PLACES[2].0, "work_mem", "'9MB'").await;
    let told = drift(&test).await.unwrap_or_default();
    assert!(told.contains("setting `work_mem of dial_app"), "{told}");
}

/// Every role, in every database: on a server that no other test uses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d35_a_setting_for_the_whole_server_is_found() {
    let alone = Alone::start(&Settings::temporary()).await;
    let config = || partywall::Config::new(&alone.schema, &alone.url()).unwrap();
    let set = "ALTER ROLE ALL SET session_replication_role = replica";
    alone.admin.batch_execute(set).await.unwrap();
    let refused = Db::connect(config()).await.unwrap_err().to_string();
    let finding = "unsafe setting `session_replication_role of every role` was added: replica";
    assert!(refused.contains(finding), "{refused}");
    let reset = "ALTER ROLE ALL RESET session_replication_role";
    alone.admin.batch_execute(reset).await.unwrap();
    Db::connect(config()).await.unwrap();
    let harmless = "ALTER ROLE ALL SET lock_timeout = '5s'";
    alone.admin.batch_execute(harmless).await.unwrap();
    Db::connect(config()).await.unwrap();

    // Made before the schema is applied for the first time: not taken for granted either, and neither
    // is another database's taken for this one's.
    for sql in [
        "CREATE DATABASE other OWNER blog_owner",
        "ALTER DATABASE other SET row_security = off",
    ] {
        alone.admin.batch_execute(sql).await.unwrap();
    }
    Db::connect(config()).await.unwrap();
    let refused = alone.apply_to("other").await.unwrap_err().to_string();
    let finding = "unsafe setting `row_security of every role in this database`";
    assert!(refused.contains(finding), "{refused}");
    let reset = "ALTER DATABASE other RESET row_security";
    alone.admin.batch_execute(reset).await.unwrap();
    alone.apply_to("other").await.unwrap();
}

/// Why a context must not be a setting: without the seal, every session without a scope would be its
/// tenant's.
#[tokio::test]
async fn d35_a_context_for_everybody_would_open_the_wall() {
    let test = TestDb::new(&schema_with(Seal::Off)).await.unwrap();
    let World { test, a, b } = World::on(test).await;
    let operator = Operator::of(&test, "blog").await;
    let count = async || -> i64 {
        let client = login::app(&test).await;
        let count = client.query_one("SELECT count(*) FROM post", &[]).await;
        count.unwrap().get(0)
    };
    assert_eq!(count().await, 0);
    let context = format!("'{{\"tenant\":\"{}\"}}'", b.id);
    operator
        .set("ALTER DATABASE %d", "partywall.context", &context)
        .await;
    assert_eq!(count().await, 3);
    assert!(drift(&test).await.unwrap().contains("partywall.context"));
    // Whoever is connected already enters scopes as ever.
    assert_isolated::<post::Entity>(&test, a.id, b.id).await;
    operator
        .reset("ALTER DATABASE %d", "partywall.context")
        .await;
    assert_eq!(count().await, 0);
}
