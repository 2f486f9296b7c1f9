//! Sessions left dirty.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt;
use partywall::{
    Db, ScopedDb, Sql, Tx,
    db::{Error, ErrorKind},
    testing::TestDb,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use crate::{
    models::{Tenant, World, post, schema},
    probe::{Dice, Found, Probe, session},
};

/// Statements that leave something on a session, or try to. `{b}` stands for the other tenant,
/// `{n}` for a small number.
const DIRT: [&str; 63] = [
    "SET search_path = nowhere",
    "SET search_path TO pg_temp, public",
    "SET SESSION TimeZone = 'Asia/Kathmandu'",
    "SET statement_timeout = 1",
    "SET lock_timeout = 1",
    "SET idle_in_transaction_session_timeout = 1",
    "SET default_transaction_read_only = on",
    "SET default_transaction_isolation = 'serializable'",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SET TRANSACTION READ ONLY",
    "SET standard_conforming_strings = off",
    "SET backslash_quote = on",
    "SET client_encoding = 'LATIN1'",
    "SET DateStyle = 'German'",
    "SET bytea_output = 'escape'",
    "SET row_security = off",
    "SET partywall.context = '{\"tenant\":\"{b}\"}'",
    "SET LOCAL partywall.context = '{\"tenant\":\"{b}\"}'",
    "SET ROLE NONE",
    "SET ROLE blog_app",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION blog_app",
    "SET SESSION AUTHORIZATION postgres",
    "RESET ALL",
    "SELECT set_config('search_path', 'nowhere', false)",
    "SELECT set_config('TimeZone', 'Asia/Tokyo', false)",
    "SELECT set_config('statement_timeout', '1', false)",
    "SELECT set_config('default_transaction_read_only', 'on', false)",
    "SELECT set_config('standard_conforming_strings', 'off', false)",
    "SELECT set_config('partywall.context', '{\"tenant\":\"{b}\"}', false)",
    "SELECT set_config('partywall.context', '{\"tenant\":\"{b}\"}', true)",
    "SELECT set_config('role', 'blog_app', false)",
    // The names of functions and settings, hidden from whoever reads the text.
    "SELECT U&\"set\\005fconfig\"('search_path', 'nowhere', false)",
    "SELECT U&\"set\\005fconfig\"('statement_timeout', '1', false)",
    "SELECT U&\"pg\\005fadvisory\\005flock\"({n})",
    "UPDATE pg_settings SET setting = 'nowhere' WHERE name = 'search_path'",
    "UPDATE pg_settings SET setting = '1' WHERE name = 'statement_timeout'",
    "UPDATE pg_settings SET setting = 'LATIN1' WHERE name = 'client_encoding'",
    "SELECT query_to_xml('SELECT set_con' || 'fig(''lock_timeout'', ''1'', false)', true, true, '')::text",
    "SELECT query_to_xml('SELECT set_con' || 'fig(''statement_timeout'', ''2000'', false)', true, true, '')::text",
    "SELECT query_to_xml('SELECT pg_adv' || 'isory_lock({n})', true, true, '')::text",
    "PREPARE s{n} AS SELECT 'poison'",
    "PREPARE partywall AS SELECT * FROM post",
    "DEALLOCATE ALL",
    "DISCARD PLANS",
    "LISTEN dirt",
    "NOTIFY dirt",
    "SELECT pg_advisory_lock({n})",
    "SELECT pg_advisory_lock_shared({n})",
    "SELECT pg_try_advisory_lock({n})",
    "SELECT pg_advisory_xact_lock({n})",
    "DECLARE c{n} CURSOR WITH HOLD FOR SELECT id::text FROM post",
    "DECLARE d{n} CURSOR FOR SELECT id::text FROM post",
    "CREATE TEMPORARY TABLE post AS SELECT 'b' AS poison",
    "CREATE TEMPORARY VIEW post AS SELECT 'b' AS poison",
    "CREATE TABLE public.dirt ()",
    "SELECT nextval('dirt')",
    "SELECT setval('dirt', {n}, true)",
    "SELECT setseed(0.5)",
    "SELECT 1 / 0",
    "SELECT poison FROM nowhere",
    "DO $$ BEGIN PERFORM set_config('search_path', 'nowhere', false); END $$",
    "DO $$ BEGIN EXECUTE 'PREPARE s{n} AS SELECT 1'; PERFORM pg_advisory_lock({n}); END $$",
];

/// Statements that would end the transaction that holds the scope.
const REFUSED: [&str; 9] = [
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "/* a comment */ COMMIT AND CHAIN",
    "END",
    "ABORT",
    "SAVEPOINT a",
    "RELEASE partywall_1",
    "PREPARE TRANSACTION 'a'",
];

/// Each of these is let in at times, or there would be no dirt of its kind. Aborted transactions are
/// what the failing statements leave.
const KINDS: [&str; 10] = [
    "SET search_path",
    "SET statement_timeout",
    "SET partywall.context",
    "SELECT set_config",
    "SELECT U&",
    "UPDATE pg_settings",
    "SELECT pg_advisory_lock(",
    "DECLARE",
    "CREATE TEMPORARY",
    "SELECT nextval",
];

struct Bench {
    world: World,
    probe: Probe,
    clean: String,
}

impl Bench {
    async fn new() -> Self {
        let one = |config: partywall::Config| {
            config.pool_size(1).acquire_timeout(Duration::from_secs(20))
        };
        let world = World::on(TestDb::with(&schema(), one).await.unwrap()).await;
        let probe = Probe::new(&world.test).await;
        // Rights that a hardened database does not give, so that there is more dirt to make.
        probe
            .run(
                "CREATE SEQUENCE dirt; GRANT ALL ON dirt TO blog_app; \
                 GRANT UPDATE ON pg_settings TO blog_app; \
                 GRANT EXECUTE ON FUNCTION set_config, setseed TO blog_app; \
                 GRANT USAGE ON LANGUAGE plpgsql TO blog_app; \
                 DO $$ BEGIN EXECUTE pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO blog_app', \
                 current_database()); END $$",
            )
            .await;
        let clean = Found::by(world.test.db(), world.a.id)
            .await
            .unwrap()
            .session;
        Self {
            world,
            probe,
            clean,
        }
    }

    fn db(&self) -> &Db {
        self.world.test.db()
    }

    /// Makes some dirt, in a transaction or in single statements, and writes down what it did. Of what
    /// was let in, `let_in` keeps the first words.
    async fn dirty(
        &self,
        dice: &mut Dice,
        actor: &Tenant,
        other: &Tenant,
        let_in: &mut BTreeMap<String, u64>,
    ) -> Vec<String> {
        let statements: Vec<String> = (0..=dice.below(4))
            .map(|_| {
                dice.pick(&DIRT)
                    .replace("{b}", &other.id.to_string())
                    .replace("{n}", &dice.below(100).to_string())
            })
            .collect();
        let mut log = Vec::new();
        let mut note = |way: &str, sql: &str, done: Result<u64, Error>| {
            if done.is_ok() {
                let kind = KINDS.iter().find(|kind| sql.starts_with(**kind));
                *let_in.entry(kind.unwrap_or(&"").to_string()).or_default() += 1;
            }
            log.push(format!(
                "{way} {sql} -> {:?}",
                done.map_err(|error| error.kind())
            ));
        };
        let scoped = self.db().scoped(&actor.scope);
        if dice.one_in(2) {
            for sql in &statements {
                let done = alone(&scoped, dice, sql).await;
                note("alone", sql, done);
            }
            return log;
        }
        let tx = self.db().begin(&actor.scope).await.unwrap();
        let mut nested: Option<Tx> = None;
        for sql in &statements {
            let within = nested.as_ref().unwrap_or(&tx);
            if dice.one_in(12) {
                let sql = *dice.pick(&REFUSED);
                let refused = within.execute_sql(sql, []).await;
                let is = matches!(refused, Err(Error::Refused(_) | Error::Aborted));
                assert!(is, "{sql}: {refused:?}");
            }
            let done = inside(within, dice, sql).await;
            note("inside", sql, done);
            if dice.one_in(4) && nested.is_none() {
                nested = tx.nested().ok();
            }
        }
        drop(nested);
        match dice.below(3) {
            0 => drop(tx),
            1 => drop(tx.rollback().await),
            _ => drop(tx.commit().await),
        }
        log
    }

    async fn check(&self, case: &str, actor: &Tenant, other: &Tenant, deep: bool) {
        for tenant in [other, actor] {
            let found = Found::by(self.db(), tenant.id)
                .await
                .unwrap_or_else(|error| panic!("{case}: the next fails: {error:?}"));
            assert_eq!(found.session, self.clean, "{case}");
            assert_eq!(found.posts, [(tenant.id, 3)], "{case}");
            if !deep {
                return;
            }
        }
        let scoped = self.db().scoped(&other.scope);
        let last = scoped.rows("SELECT lastval()", []).await;
        assert_eq!(
            last.unwrap_err().database().unwrap().code(),
            "55000",
            "{case}: lastval"
        );
        let id = Uuid::now_v7();
        let row = post::ActiveModel {
            id: Set(id),
            slug: Set(id.to_string()),
            title: Set("a statement of the next".to_owned()),
            ..Default::default()
        };
        assert_eq!(
            row.insert(&scoped).await.unwrap().tenant_id,
            other.id,
            "{case}"
        );
        assert_eq!(
            post::Entity::find().all(&scoped).await.unwrap().len(),
            4,
            "{case}"
        );
        post::Entity::delete_by_id(id).exec(&scoped).await.unwrap();
        self.probe.settled(case).await;
    }
}

async fn inside(tx: &Tx, dice: &mut Dice, sql: &str) -> Result<u64, Error> {
    if !dice.one_in(8) {
        return tx.execute_sql(sql, []).await;
    }
    // A COPY runs any query, and has a protocol of its own.
    let mut chunks = tx.copy_out(&format!("COPY ({sql}) TO STDOUT")).await?;
    chunks.next().await.map_or(Ok(0), |chunk| chunk.map(|_| 1))
}

async fn alone(scoped: &ScopedDb, dice: &mut Dice, sql: &str) -> Result<u64, Error> {
    if !dice.one_in(4) {
        return scoped.execute_sql(sql, []).await;
    }
    let mut rows = scoped.stream_sql(sql, []).await?;
    rows.next()
        .await
        .map_or(Ok(0), |row| row.map(|_| 1))
        .map_err(Error::Row)
}

async fn soil(first: u64, cases: u64) {
    let bench = Bench::new().await;
    let (a, b) = (&bench.world.a, &bench.world.b);
    let raw = session(&bench.world.test.url("blog_app")).await;
    let mut outcomes = BTreeMap::<bool, u64>::new();
    let mut let_in = BTreeMap::new();
    for seed in first..first + cases {
        let mut dice = Dice::new(seed);
        let (actor, other) = if dice.one_in(2) { (a, b) } else { (b, a) };
        let log = bench.dirty(&mut dice, actor, other, &mut let_in).await;
        for line in &log {
            *outcomes.entry(line.contains("Ok(")).or_default() += 1;
        }
        let case = format!("seed {seed:#x}: {log:#?}");
        bench.check(&case, actor, other, seed % 8 == 0).await;
        if seed % 32 == 0 {
            // The same login, without a scope and past the pool.
            let rows = raw.query("SELECT FROM post", &[]).await.unwrap();
            assert!(rows.is_empty(), "{case}: rows without a scope");
            let free = raw
                .query_one(
                    "SELECT count(*) FROM generate_series(0, 99) AS n \
                     WHERE NOT pg_try_advisory_lock(n)",
                    &[],
                )
                .await
                .unwrap();
            assert_eq!(
                free.get::<_, i64>(0),
                0,
                "{case}: advisory locks are still held"
            );
            raw.batch_execute("SELECT pg_advisory_unlock_all()")
                .await
                .unwrap();
        }
    }
    // The dirt is real: a good part of it was let in.
    assert!(outcomes[&true] > cases / 3, "{outcomes:?}");
    assert!(outcomes[&false] > cases / 10, "{outcomes:?}");
    for kind in KINDS {
        assert!(let_in.contains_key(kind), "{kind} is not in {let_in:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d28_dirty_connection_is_cleaned_or_closed() {
    soil(0x28_0000, 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d28_more_dirt_is_cleaned_or_closed() {
    soil(0x28_1000_0000, 1_000).await;
}

/// A limit that the text hides is undone on entry, but entering itself falls under it. Where that is
/// too short to enter at all, one statement fails, and the connection is not used again.
#[tokio::test]
async fn d28_hidden_time_limit_does_not_stay() {
    let bench = Bench::new().await;
    let hidden = "SELECT query_to_xml(\
        'SELECT set_con' || 'fig(''statement_timeout'', ''1'', false)', true, true, '')::text";
    for _ in 0..40 {
        bench
            .db()
            .scoped(&bench.world.a.scope)
            .execute_sql(hidden, [])
            .await
            .unwrap();
        let scoped = bench.db().scoped(&bench.world.b.scope);
        let count = || scoped.scalar::<i64, _>("SELECT count(*) FROM post", []);
        let seen = match count().await {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
                count().await.expect("the limit has stayed")
            }
            Ok(seen) => seen,
        };
        assert_eq!(seen, 3);
    }
}

/// A statement stays as the server read it, so one that was read under a transaction's own settings is
/// not the next tenant's.
#[tokio::test]
async fn d28_statement_read_under_hidden_settings_does_not_stay() {
    let bench = Bench::new().await;
    let hidden = "SELECT query_to_xml('SELECT set_con' || \
        'fig(''standard_conforming_strings'', ''off'', true)', true, true, '')::text";
    let sql = "SELECT format('%s %s', length('a\\nb'), pg_backend_pid())";
    let tx = bench.db().begin(&bench.world.a.scope).await.unwrap();
    tx.execute_sql(hidden, []).await.unwrap();
    let soiled: String = tx.scalar(sql, []).await.unwrap();
    assert!(soiled.starts_with("3 "), "the control: {soiled}");
    let clean = soiled.replacen('3', "4", 1);
    tx.commit().await.unwrap();
    let scoped = bench.db().scoped(&bench.world.b.scope);
    assert_eq!(scoped.scalar::<String, _>(sql, []).await.unwrap(), clean);
    let tx = bench.db().begin(&bench.world.b.scope).await.unwrap();
    tx.execute_sql("SELECT 1", []).await.unwrap();
    assert_eq!(tx.scalar::<String, _>(sql, []).await.unwrap(), clean);
}

/// And it is prepared for good once it was prepared at rest.
#[tokio::test]
async fn d28_statements_of_clean_transactions_stay_prepared() {
    let bench = Bench::new().await;
    let sql = "SELECT title FROM post WHERE slug = $1";
    let mut names = Vec::new();
    for tenant in [&bench.world.a, &bench.world.b, &bench.world.a] {
        let tx = bench.db().begin(&tenant.scope).await.unwrap();
        tx.execute_sql("SELECT 1", []).await.unwrap();
        let title: String = tx.scalar(sql, ["post-0".into()]).await.unwrap();
        assert!(title.ends_with(" 0"));
        let name =
            "SELECT name || pg_backend_pid() FROM pg_prepared_statements WHERE statement = $1";
        names.push(tx.scalar::<String, _>(name, [sql.into()]).await.unwrap());
        tx.commit().await.unwrap();
    }
    assert_ne!(names[0], names[1]);
    assert_eq!(names[1], names[2]);
}

/// The control: on a session that nobody cleans, each of these shows.
#[tokio::test]
async fn d28_dirt_would_show() {
    let bench = Bench::new().await;
    let raw = session(&bench.world.test.url("blog_app")).await;
    raw.batch_execute("SET statement_timeout = 4711; SELECT pg_advisory_lock(1); LISTEN dirt")
        .await
        .unwrap();
    let kept = raw
        .query_one(
            "SELECT current_setting('statement_timeout'), \
             (SELECT count(*) FROM pg_listening_channels()), \
             (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(kept.get::<_, String>(0), "4711ms");
    assert_eq!((kept.get::<_, i64>(1), kept.get::<_, i64>(2)), (1, 1));
    raw.batch_execute(
        "RESET statement_timeout; CREATE TEMPORARY TABLE post AS SELECT 'b' AS poison",
    )
    .await
    .unwrap();
    let poisoned = raw.query_one("SELECT * FROM post", &[]).await.unwrap();
    assert_eq!(poisoned.get::<_, String>(0), "b");
}
