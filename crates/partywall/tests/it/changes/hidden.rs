//! What strangers learn of it: somebody who runs SQL of their own under one of the application's logins,
//! or opens a connection with its password.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use partywall::{
    Seal, Sql,
    db::{Change, Operation},
    testing::TestDb,
};
use sea_orm::EntityTrait;
use tokio_postgres::{AsyncMessage, Client, NoTls, error::SqlState};

use super::{id, next, nothing_but_a_marker, post as add, posts, schema_of, world};
use crate::{
    models::{World, post, seal},
    probe::{Probe, session},
};

/// A session, and the channels and payloads of the notifications that it gets.
async fn ear(url: &str) -> (Client, Arc<Mutex<Vec<(String, String)>>>) {
    let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(n) = message {
                let heard = (n.channel().to_owned(), n.payload().to_owned());
                told.lock().unwrap().push(heard);
            }
        }
    });
    (client, heard)
}

async fn channel(world: &World) -> String {
    let probe = Probe::new(&world.test).await;
    let row = probe
        .client
        .query_one("SELECT name FROM partywall.channel", &[]);
    row.await.unwrap().get(0)
}

/// All that a stranger can name: every name and text that the database shows to them.
async fn guesses(client: &Client, world: &World) -> BTreeSet<String> {
    let mut guesses = BTreeSet::new();
    for sql in [
        "SELECT nspname::text FROM pg_namespace",
        "SELECT relname::text FROM pg_class",
        "SELECT proname::text FROM pg_proc WHERE pronamespace = 'partywall'::regnamespace",
        "SELECT datname::text FROM pg_database",
        "SELECT rolname::text FROM pg_roles",
        "SELECT object || name FROM partywall.expected",
        "SELECT definition FROM partywall.expected",
        "SELECT declarations FROM partywall.applied",
        "SELECT prosrc FROM pg_proc WHERE pronamespace = 'partywall'::regnamespace",
        "SELECT setting FROM pg_settings",
        "SELECT pg_listening_channels()",
        "SELECT unnest(string_to_array(prosrc, ' ')) FROM pg_proc WHERE pronamespace = 'partywall'::regnamespace",
        "SELECT tgname::text FROM pg_trigger",
        "SELECT encode(tgargs, 'escape') FROM pg_trigger",
        "SELECT coalesce(query, '') FROM pg_stat_get_activity(NULL)",
        "SELECT query FROM pg_stat_activity WHERE query IS NOT NULL",
    ] {
        // What is hidden from them they learn nothing by.
        if let Ok(rows) = client.query(sql, &[]).await {
            guesses.extend(
                rows.iter()
                    .filter_map(|row| row.get::<_, Option<String>>(0)),
            );
        }
    }
    for tenant in [world.a.id, world.b.id] {
        guesses.insert(tenant.to_string());
        guesses.insert(format!("tenant:{tenant}"));
    }
    guesses
        .extend(["changes", "partywall", "partywall_changes", "note", "post"].map(str::to_owned));
    guesses.retain(|name| !name.is_empty() && name.len() < 64 && !name.contains('\0'));
    guesses
}

#[tokio::test]
async fn a_stranger_with_the_application_login_hears_nothing() {
    for (application, seal) in [("herald", seal()), ("herald_bare", Seal::Off)] {
        let test = TestDb::new(&schema_of(application, seal)).await.unwrap();
        let world = World::on(test).await;
        // Also where the hardening does not hide other sessions: what their statements say tells nothing.
        let probe = Probe::new(&world.test).await;
        probe
            .run(
                "GRANT SELECT ON pg_stat_activity TO PUBLIC; \
                 GRANT EXECUTE ON FUNCTION pg_stat_get_activity(integer) TO PUBLIC",
            )
            .await;
        let db = world.test.db();
        let mut told = posts(db, &world.a.scope).await;
        let roles = world.test.schema().roles();
        for login in [roles.app(), roles.list()] {
            let (client, heard) = ear(&world.test.url(login)).await;
            let guesses = guesses(&client, &world).await;
            assert!(guesses.len() > 500, "only {} guesses", guesses.len());
            let secret = channel(&world).await;
            assert!(!guesses.contains(&secret), "{login} reads the channel");
            for guess in &guesses {
                let listen = format!("LISTEN \"{}\"", guess.replace('"', "\"\""));
                client.batch_execute(&listen).await.unwrap();
            }
            nothing_but_a_marker(&mut told, db, &world.a.scope).await;
            // A round trip brings along whatever there is to hear.
            client
                .batch_execute("NOTIFY changes, 'control'")
                .await
                .unwrap();
            client.batch_execute("SELECT 1").await.unwrap();
            let control = ("changes".to_owned(), "control".to_owned());
            assert_eq!(*heard.lock().unwrap(), [control], "{login}");
        }
        // The control: whoever knows the channel does hear.
        let (client, heard) = ear(&world.test.url(roles.app())).await;
        let listen = format!("LISTEN \"{}\"", channel(&world).await);
        client.batch_execute(&listen).await.unwrap();
        nothing_but_a_marker(&mut told, db, &world.a.scope).await;
        client.batch_execute("SELECT 1").await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_stranger_can_neither_read_the_channel_nor_ask_to_listen() {
    let world = world().await;
    let roles = world.test.schema().roles();
    for login in [roles.app(), roles.list()] {
        let client = session(&world.test.url(login)).await;
        for sql in [
            "SELECT * FROM partywall.channel",
            "UPDATE partywall.channel SET name = 'mine'",
            "SELECT partywall.listen()",
            "SELECT partywall.listening()",
            "SELECT partywall.announce('\"public\".\"post\"', 'many', NULL, NULL)",
            "SELECT partywall.announce_many('\"public\".\"post\"', '{}')",
            "CREATE TRIGGER mine AFTER INSERT ON post FOR EACH STATEMENT EXECUTE FUNCTION partywall.announce()",
        ] {
            let error = client.batch_execute(sql).await.unwrap_err();
            let code = error.code().unwrap_or_else(|| panic!("{sql}: {error}"));
            assert_eq!(*code, SqlState::INSUFFICIENT_PRIVILEGE, "{login}: {sql}");
        }
    }
    // Nor does the one that may listen learn on which channel it does so by any other right.
    let client = session(&world.test.url(roles.across())).await;
    client
        .batch_execute("SELECT partywall.listen()")
        .await
        .unwrap();
    let error = client
        .batch_execute("SELECT * FROM partywall.channel")
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
}

#[tokio::test]
async fn a_statement_of_the_application_cannot_listen() {
    let world = world().await;
    let scoped = world.test.as_scope(&world.a.scope);
    for sql in ["LISTEN changes", "/* x */ listen changes"] {
        let error = scoped.execute_sql(sql, []).await.unwrap_err();
        assert!(error.to_string().contains("listeners"), "{error}");
    }
}

#[tokio::test]
async fn a_forged_notification_leads_to_a_read_in_scope_at_most() {
    let world = world().await;
    let db = world.test.db();
    let mut of_a = posts(db, &world.a.scope).await;
    let mut of_b = posts(db, &world.b.scope).await;
    let secret = channel(&world).await;
    let roles = world.test.schema().roles();
    let forger = session(&world.test.url(roles.app())).await;
    let forged = world.b.posts[0];
    let long = "x".repeat(7_000);
    let tenant = world.a.id;
    let table = r#""table": "\"public\".\"post\"""#;
    let row = format!(
        r#"{{{table}, "op": "update", "owner": {{"tenant": "{tenant}"}}, "keys": [["{forged}"]]}}"#
    );
    for payload in [
        "",
        "not json",
        "{}",
        &long,
        &row.replace("post", "secret"),
        &row.replace("tenant", "author"),
        &row.replace("update", "drop"),
        // Rows of nobody's are for nobody.
        &format!(r#"{{{table}, "op": "update", "owner": {{}}, "keys": [["{forged}"]]}}"#),
        &format!(r#"{{{table}, "op": "update", "owner": null, "keys": [["{forged}"]]}}"#),
        &row,
    ] {
        forger
            .execute("SELECT pg_notify($1, $2)", &[&secret, &payload])
            .await
            .unwrap();
    }
    // The one that is well formed is told to the tenant that it names, and leads to nothing there.
    assert_eq!(id(&mut of_a).await, (Operation::Update, forged));
    let read = post::Entity::find_by_id(forged);
    let read = read.one(&db.scoped(&world.a.scope)).await.unwrap();
    assert_eq!(read, None);
    let read = post::Entity::find_by_id(forged);
    let read = read.one(&db.scoped(&world.b.scope)).await.unwrap();
    assert_eq!(read.unwrap().id, forged);
    nothing_but_a_marker(&mut of_a, db, &world.a.scope).await;
    nothing_but_a_marker(&mut of_b, db, &world.b.scope).await;
}

#[tokio::test]
async fn the_search_path_of_a_writer_changes_nothing() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    let probe = Probe::new(&world.test).await;
    // Functions of the same names, where the writer's session looks first.
    probe
        .run(
            "CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO PUBLIC; \
             CREATE FUNCTION trap.jsonb_build_array(VARIADIC \"any\") RETURNS jsonb LANGUAGE internal AS 'jsonb_build_array'; \
             CREATE FUNCTION trap.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'trapped %', $1; END $$; \
             CREATE FUNCTION trap.jsonb_agg(jsonb) RETURNS jsonb LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'trapped'; END $$",
        )
        .await;
    let tx = db.begin(a).await.unwrap();
    tx.execute_sql("SET LOCAL search_path = trap, pg_catalog, public", [])
        .await
        .unwrap();
    // The control: they are what a statement of the session's own calls.
    let error = db.begin(a).await.unwrap();
    error
        .execute_sql("SET LOCAL search_path = trap, pg_catalog, public", [])
        .await
        .unwrap();
    let trapped = error.execute_sql("SELECT pg_notify('a', 'b')", []).await;
    assert!(trapped.unwrap_err().to_string().contains("trapped"));
    let changed = world.a.posts[0];
    tx.execute_sql(
        "UPDATE post SET title = 'x' WHERE id = $1",
        [changed.into()],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(id(&mut heard).await, (Operation::Update, changed));
}

/// Which channel it is stays hidden for good: a new name is one statement of the owner's, and whoever
/// listens learns of it without being told.
#[tokio::test]
async fn the_channel_can_be_renamed() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    let owner = session(&world.test.owner_url()).await;
    owner
        .batch_execute("UPDATE partywall.channel SET name = 'another'")
        .await
        .unwrap();
    add(db, a, "unheard").await;
    // Nothing is lost silently: when it is noticed, everything is read again.
    let found = tokio::time::timeout(Duration::from_secs(30), next_within(&mut heard)).await;
    assert_eq!(found.unwrap(), Change::Resync);
    nothing_but_a_marker(&mut heard, db, a).await;
}

async fn next_within(heard: &mut partywall::db::Changes) -> Change {
    futures_util::StreamExt::next(heard).await.unwrap()
}

#[tokio::test]
async fn nothing_of_it_shows_in_debug() {
    let world = world().await;
    let db = world.test.db();
    let heard = posts(db, &world.a.scope).await;
    assert_eq!(format!("{heard:?}"), "Changes");
    let mut heard = heard;
    let new = add(db, &world.a.scope, "debug").await;
    let told = next(&mut heard).await;
    let shown = format!("{told:?}");
    assert!(shown.contains(&new.to_string()) && !shown.contains(&world.a.id.to_string()));
}
