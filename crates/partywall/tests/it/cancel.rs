//! Futures dropped at any await point.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt;
use partywall::{Db, Scope, Sql, TENANT, db::Error, testing::TestDb};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, StreamTrait, TransactionTrait};
use uuid::Uuid;

use crate::{
    models::{World, post, schema},
    probe::{Dice, Found, Leaves, Probe, abandon, session},
};

/// One thing to do, whose future is dropped on the way. Rows that it writes have `mark` as title.
#[derive(Clone, Copy, Debug)]
enum Work {
    Read,
    Model,
    Insert,
    BlindUpdate,
    Transaction,
    Savepoints,
    Closure,
    Narrowed,
    Stream,
    StreamInTransaction,
    CopyOut,
    Across,
    AcrossTransaction,
    Unprepared,
    Slow,
    SlowWrite,
    Failing,
    Dirty,
    Commit,
    Committing,
    CommittingStream,
}

const ALL: [Work; 21] = [
    Work::Read,
    Work::Model,
    Work::Insert,
    Work::BlindUpdate,
    Work::Transaction,
    Work::Savepoints,
    Work::Closure,
    Work::Narrowed,
    Work::Stream,
    Work::StreamInTransaction,
    Work::CopyOut,
    Work::Across,
    Work::AcrossTransaction,
    Work::Unprepared,
    Work::Slow,
    Work::SlowWrite,
    Work::Failing,
    Work::Dirty,
    Work::Commit,
    Work::Committing,
    Work::CommittingStream,
];

fn row(mark: &str) -> post::ActiveModel {
    post::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(Uuid::now_v7().to_string()),
        title: Set(mark.to_owned()),
        ..Default::default()
    }
}

const INSERT: &str =
    "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), gen_random_uuid()::text, $1)";

impl Work {
    /// How many rows a dropped future may have written: none or all. The last is what it writes when
    /// it is not dropped.
    fn outcomes(self) -> &'static [i64] {
        match self {
            Self::Insert | Self::SlowWrite | Self::Dirty => &[0, 1],
            Self::Savepoints | Self::AcrossTransaction => &[0, 2],
            Self::Transaction
            | Self::Closure
            | Self::Commit
            | Self::Committing
            | Self::CommittingStream => &[0, 3],
            _ => &[0],
        }
    }

    /// Those that take the server's time are rare.
    fn random(dice: &mut Dice) -> Self {
        match *dice.pick(&ALL) {
            Self::Slow | Self::SlowWrite if !dice.one_in(4) => Self::Unprepared,
            work => work,
        }
    }

    fn leaves(self, dice: &mut Dice) -> Leaves {
        match self {
            Self::Slow | Self::SlowWrite => Leaves::After(Duration::from_millis(dice.next() % 20)),
            // It abandons its last part by itself.
            Self::Commit => Leaves::Never,
            _ => Leaves::random(dice),
        }
    }

    async fn run(
        self,
        db: &Db,
        scope: &Scope,
        both: &Scope,
        mark: &str,
        nth: u64,
    ) -> Result<(), Error> {
        let scoped = db.scoped(scope);
        match self {
            Self::Read => drop(scoped.rows("SELECT * FROM post", []).await?),
            Self::Model => drop(
                post::Entity::find()
                    .all(&scoped)
                    .await
                    .map_err(Error::Row)?,
            ),
            Self::Insert => drop(row(mark).insert(&scoped).await.map_err(Error::Row)?),
            Self::BlindUpdate => {
                scoped
                    .execute_sql("UPDATE post SET views = views + 1", [])
                    .await?;
            }
            Self::Transaction => {
                let tx = db.begin(scope).await?;
                row(mark).insert(&tx).await.map_err(Error::Row)?;
                tx.execute_sql(INSERT, [mark.into()]).await?;
                let _: i64 = tx.scalar("SELECT count(*) FROM post", []).await?;
                row(mark).insert(&tx).await.map_err(Error::Row)?;
                tx.commit().await?;
            }
            Self::Savepoints => {
                let tx = db.begin(scope).await?;
                tx.execute_sql(INSERT, [mark.into()]).await?;
                let inner = tx.nested()?;
                inner.execute_sql(INSERT, [mark.into()]).await?;
                let innermost = inner.nested()?;
                innermost.execute_sql(INSERT, [mark.into()]).await?;
                drop(innermost);
                inner.commit().await?;
                let undone = tx.nested()?;
                undone.execute_sql(INSERT, [mark.into()]).await?;
                undone.rollback().await?;
                tx.commit().await?;
            }
            Self::Closure => {
                let mark = mark.to_owned();
                let done = scoped.transaction(|tx| {
                    Box::pin(async move {
                        for _ in 0..3 {
                            row(&mark).insert(tx).await?;
                        }
                        Ok::<_, sea_orm::DbErr>(())
                    })
                });
                done.await.map_err(|error| match error {
                    sea_orm::TransactionError::Connection(error)
                    | sea_orm::TransactionError::Transaction(error) => Error::Row(error),
                })?;
            }
            Self::Narrowed => {
                let tx = db.begin(both).await?;
                let narrow = tx.narrowed(scope)?;
                narrow.execute_sql(INSERT, [mark.into()]).await?;
                narrow.commit().await?;
                tx.rollback().await?;
            }
            Self::Stream => {
                let mut rows = scoped
                    .stream_sql("SELECT g FROM generate_series(1, 500) g", [])
                    .await?;
                for _ in 0..nth % 7 {
                    rows.next().await.unwrap().map_err(Error::Row)?;
                }
            }
            Self::StreamInTransaction => {
                let tx = db.begin(scope).await?;
                tx.execute_sql(INSERT, [mark.into()]).await?;
                let mut rows = tx
                    .stream_sql("SELECT p.* FROM post p, generate_series(1, 99)", [])
                    .await?;
                for _ in 0..nth % 7 {
                    rows.next().await.unwrap().map_err(Error::Row)?;
                }
                drop(rows);
                let _: i64 = tx.scalar("SELECT count(*) FROM post", []).await?;
            }
            Self::CopyOut => {
                let tx = db.begin(scope).await?;
                tx.execute_sql(INSERT, [mark.into()]).await?;
                let mut chunks = tx
                    .copy_out("COPY (SELECT p.* FROM post p, generate_series(1, 99)) TO STDOUT")
                    .await?;
                for _ in 0..nth % 7 {
                    chunks.next().await.unwrap()?;
                }
            }
            Self::Across => {
                let across = db.across("a cancelled look").await?;
                drop(across.rows("SELECT * FROM post", []).await?);
            }
            Self::AcrossTransaction => {
                let across = db.across("a cancelled change").await?;
                let tx = TransactionTrait::begin(&across).await.map_err(Error::Row)?;
                for _ in 0..2 {
                    let insert = "INSERT INTO post (id, tenant_id, slug, title) \
                        VALUES (gen_random_uuid(), $2, gen_random_uuid()::text, $1)";
                    let tenant = scope
                        .to_string()
                        .split_once('=')
                        .unwrap()
                        .1
                        .parse::<Uuid>()
                        .unwrap();
                    tx.execute_sql(insert, [mark.into(), tenant.into()]).await?;
                }
                partywall::Tx::commit(tx).await?;
            }
            Self::Unprepared => {
                let sql = format!("SELECT id, title AS t{nth} FROM post WHERE views >= 0");
                drop(scoped.rows(&sql, []).await?);
                let tx = db.begin(scope).await?;
                let inner = tx.nested()?;
                drop(
                    inner
                        .rows(&format!("SELECT views AS v{nth} FROM post"), [])
                        .await?,
                );
                let again = inner.nested()?;
                drop(
                    again
                        .rows(&format!("SELECT views AS w{nth} FROM post"), [])
                        .await?,
                );
            }
            Self::Slow => {
                let stream = sea_orm::Statement::from_string(
                    sea_orm::DbBackend::Postgres,
                    "SELECT pg_sleep(0.15), p.* FROM post p",
                );
                drop(scoped.stream_raw(stream).await.map_err(Error::Row)?);
            }
            Self::SlowWrite => {
                let sql = "WITH slow AS MATERIALIZED (SELECT pg_sleep(0.03)) \
                    INSERT INTO post (id, slug, title) \
                    SELECT gen_random_uuid(), gen_random_uuid()::text, $1 FROM slow";
                scoped.execute_sql(sql, [mark.into()]).await?;
            }
            Self::Failing => {
                let tx = db.begin(scope).await?;
                tx.execute_sql(INSERT, [mark.into()]).await?;
                let inner = tx.nested()?;
                let _ = inner.execute_sql("SELECT 1 / 0", []).await;
                drop(inner);
                let _ = tx.execute_sql("SELECT nothing FROM nowhere", []).await;
                let _ = tx.commit().await;
            }
            Self::Dirty => {
                let tx = db.begin(scope).await?;
                tx.execute_sql("SET search_path = nowhere", []).await?;
                tx.execute_sql("SELECT pg_advisory_lock(7)", []).await?;
                tx.execute_sql(&INSERT.replace("post", "public.post"), [mark.into()])
                    .await?;
                tx.commit().await?;
            }
            Self::Commit => {
                let tx = db.begin(scope).await?;
                for _ in 0..3 {
                    tx.execute_sql(INSERT, [mark.into()]).await?;
                }
                // Only the commit is abandoned; `nth` says after how many polls.
                let polls = usize::try_from(nth % 4).unwrap();
                if let Some(done) = abandon(tx.commit(), Leaves::Polls(polls)).await {
                    done?;
                }
            }
            Self::Committing => {
                let tx = db.begin(scope).await?;
                for _ in 0..2 {
                    tx.execute_sql(INSERT, [mark.into()]).await?;
                }
                // Two in three are parsed first.
                let last = format!("{INSERT} /* {} */", nth % 3 * (nth >> 2));
                tx.committing().execute_sql(&last, [mark.into()]).await?;
            }
            Self::CommittingStream => {
                let tx = db.begin(scope).await?;
                tx.execute_sql(INSERT, [mark.into()]).await?;
                let two = INSERT
                    .replace("VALUES (", "SELECT ")
                    .replace(", $1)", ", $1")
                    + " FROM generate_series(1, 2) RETURNING id";
                let mut rows = tx.committing().stream_sql(&two, [mark.into()]).await?;
                for _ in 0..nth % 4 {
                    rows.next().await.transpose().map_err(Error::Row)?;
                }
            }
        }
        Ok(())
    }
}

/// A database, its two tenants, and how the connections of a login look when nothing was left there.
struct Bench {
    world: World,
    probe: Probe,
    clean: String,
    pool_size: usize,
}

impl Bench {
    async fn new(pool_size: usize) -> Self {
        let configure = |config: partywall::Config| {
            config
                .pool_size(pool_size)
                .acquire_timeout(Duration::from_secs(20))
        };
        let world = World::on(TestDb::with(&schema(), configure).await.unwrap()).await;
        let probe = Probe::new(&world.test).await;
        let clean = Found::by(world.test.db(), world.a.id)
            .await
            .unwrap()
            .session;
        assert!(
            clean.contains("context mine t; ") && clean.contains("fresh t"),
            "{clean}"
        );
        Self {
            world,
            probe,
            clean,
            pool_size,
        }
    }

    /// Abandons a few pieces of work one after another, and then looks at what is left.
    async fn case(&self, seed: u64, tried: &mut BTreeMap<String, u32>) {
        let mut dice = Dice::new(seed);
        let (actor, other) = if dice.one_in(2) {
            (&self.world.a, &self.world.b)
        } else {
            (&self.world.b, &self.world.a)
        };
        let db = self.world.test.db();
        let both = Scope::trusted([TENANT.any_of([actor.id, other.id])]);
        let mut done = Vec::new();
        for part in 0..=dice.below(4) {
            let work = Work::random(&mut dice);
            let leaves = work.leaves(&mut dice);
            let case = format!("seed {seed:#x} part {part}: {work:?}, leaves {leaves:?}");
            let mark = format!("mark {seed:x} {part}");
            let running = work.run(db, &actor.scope, &both, &mark, dice.next());
            let ended = abandon(running, leaves).await;
            if let Some(Err(error)) = &ended {
                panic!("{case}: it failed: {error:?}");
            }
            *tried.entry(format!("{work:?}")).or_default() += 1;
            done.push((work, case, mark, ended.is_some()));
        }
        let case = &done.last().unwrap().1;
        // All connections of the pool are borrowed before the first is looked at, so that none escapes
        // the look. They are the other tenant's, which wrote nothing.
        let mut borrowed = Vec::new();
        for _ in 0..self.pool_size {
            borrowed.push(db.begin(&other.scope).await.unwrap());
        }
        for tx in borrowed {
            let found = Found::on(tx, other.id).await;
            let found = found.unwrap_or_else(|error| panic!("{case}: the next fails: {error:?}"));
            assert_eq!(found.session, self.clean, "{case}");
            assert_eq!(found.posts, [(other.id, 3)], "{case}");
        }
        let list = db.scoped(&Scope::trusted([TENANT.any_of([other.id])]));
        let list: i64 = list.scalar(FOREIGN, [other.id.into()]).await.unwrap();
        assert_eq!(list, 0, "{case}: the list login sees another tenant's rows");
        self.probe.settled(case).await;
        let mut written = 0;
        for (work, case, mark, ended) in &done {
            let count = format!("SELECT count(*) FROM post WHERE title = '{mark}'");
            let rows = self.probe.count(&count).await;
            assert!(
                work.outcomes().contains(&rows),
                "{case}: {rows} rows were written"
            );
            if *ended && !matches!(work, Work::Commit | Work::CommittingStream) {
                assert_eq!(Some(&rows), work.outcomes().last(), "{case}: it ended well");
            }
            written += rows;
        }
        if written > 0 {
            self.probe
                .run(&format!(
                    "DELETE FROM post WHERE title LIKE 'mark {seed:x} %'"
                ))
                .await;
        }
        // What an UPDATE without WHERE changed, it changed for all rows of its tenant alike.
        let uneven = self
            .probe
            .count(
                "SELECT count(*) FROM (SELECT FROM post GROUP BY tenant_id \
                 HAVING min(views) <> max(views)) AS uneven",
            )
            .await;
        assert!(
            uneven == 0 || written > 0,
            "{case}: an UPDATE was done by half"
        );
        if uneven > 0 {
            self.probe.run("UPDATE post SET views = 0").await;
        }
    }
}

const FOREIGN: &str = "SELECT count(*) FROM post WHERE tenant_id <> $1";

async fn fuzz(pool_size: usize, first: u64, cases: u64) {
    let bench = Bench::new(pool_size).await;
    let mut tried = BTreeMap::new();
    for seed in first..first + cases {
        bench.case(seed, &mut tried).await;
    }
    assert_eq!(
        tried.len(),
        ALL.len(),
        "every kind of work was tried: {tried:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d25_dropped_future_leaves_nothing() {
    fuzz(1, 0x25_0000, 700).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d25_dropped_future_leaves_nothing_on_two_connections() {
    fuzz(2, 0x25_1000_0000, 500).await;
}

/// On one thread nothing happens between two polls but what the polled future does itself.
#[tokio::test]
async fn d25_dropped_future_leaves_nothing_on_one_thread() {
    fuzz(1, 0x25_2000_0000, 300).await;
}

/// The control: a transaction that is not left is there to be found.
#[tokio::test]
async fn d25_an_open_transaction_would_show() {
    let bench = Bench::new(1).await;
    let session = session(&bench.world.test.url("blog_app")).await;
    session
        .batch_execute("BEGIN; SELECT pg_advisory_lock(3)")
        .await
        .unwrap();
    let looking = tokio::spawn(async move { bench.probe.settled("control").await });
    assert!(looking.await.unwrap_err().is_panic());
}

/// A statement failed after its future was dropped, so nobody knows. What is done next in the same
/// narrower level must not fall back to the level around it.
#[tokio::test]
async fn d25_unseen_failure_keeps_to_its_level() {
    let World { test, a, b } = World::new().await;
    let both = Scope::trusted([TENANT.any_of([a.id, b.id])]);
    let tx = test.db().begin(&both).await.unwrap();
    let all: i64 = tx.scalar("SELECT count(*) FROM post", []).await.unwrap();
    assert_eq!(all, 6);
    let narrow = tx.narrowed(&a.scope).unwrap();
    let own: i64 = narrow
        .scalar("SELECT count(*) FROM post", [])
        .await
        .unwrap();
    assert_eq!(own, 3);
    // Prepared before, so that its first poll sends it.
    let fails = "SELECT 1 / (count(*) - $1) FROM post";
    let _: i64 = narrow.scalar(fails, [0_i64.into()]).await.unwrap();
    let left = abandon(
        narrow.scalar::<i64, _>(fails, [3_i64.into()]),
        Leaves::Polls(1),
    )
    .await;
    assert!(left.is_none());
    let inner = narrow.nested().unwrap();
    let error = inner.rows("SELECT id FROM post", []).await.unwrap_err();
    assert_eq!(error.database().unwrap().code(), "25P02", "{error:?}");
    drop(inner);
    let after = narrow.rows("SELECT id FROM post", []).await;
    assert!(
        after.is_err(),
        "{} rows of the outer scope show",
        after.unwrap().len()
    );
    drop(narrow);
    // The level is gone, and so is the failure: the transaction goes on.
    let all: i64 = tx.scalar("SELECT count(*) FROM post", []).await.unwrap();
    assert_eq!(all, 6);
    tx.commit().await.unwrap();
}

/// The request to stop an abandoned statement reaches the server by another way and may come late.
/// It must not stop what runs next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d25_late_cancel_meets_nobody() {
    let bench = Bench::new(1).await;
    let db = bench.world.test.db();
    let mut dice = Dice::new(0x25_3000_0000);
    for _ in 0..25 {
        // About as long as the clean-up waits before it asks the server to stop.
        let seconds = 0.095 + 0.000_5 * f64::from(u32::try_from(dice.below(20)).unwrap());
        let scoped = db.scoped(&bench.world.a.scope);
        let slow = scoped.rows("SELECT pg_sleep($1)", [seconds.into()]);
        assert!(
            abandon(slow, Leaves::After(Duration::from_millis(4)))
                .await
                .is_none()
        );
        for _ in 0..20 {
            let seen: i64 = db
                .scoped(&bench.world.b.scope)
                .scalar("SELECT count(*) FROM post", [])
                .await
                .unwrap();
            assert_eq!(seen, 3);
        }
    }
}
