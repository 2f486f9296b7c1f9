//! Looks at the database from outside of the wall, and makes random cases that can be repeated.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use partywall::{Db, Scope, Sql, TENANT, testing::TestDb};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// A session of a superuser, or of whomever the connection string names.
pub async fn session(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The superuser's view of a test's database.
pub struct Probe {
    pub client: Client,
}

impl Probe {
    /// Gives every login back the sight of what its own session keeps, which a hardened database does
    /// not show: [`Found`] looks there.
    pub async fn new(test: &TestDb) -> Self {
        let probe = Self {
            client: session(&test.superuser_url()).await,
        };
        probe
            .run(
                "GRANT SELECT ON pg_cursors, pg_prepared_statements TO PUBLIC; \
                 GRANT EXECUTE ON FUNCTION pg_cursor(), pg_prepared_statement() TO PUBLIC",
            )
            .await;
        probe
    }

    pub async fn run(&self, sql: &str) {
        self.client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until no session of an application login is busy, in a transaction or holds a lock. The
    /// clean-up after a dropped future may take its time; it may not take for ever.
    pub async fn settled(&self, case: &str) {
        let deadline = Instant::now() + Duration::from_secs(8);
        loop {
            let rows = self
                .client
                .query(
                    "SELECT format('%s %s: %s; locks %s', pid, state, query, \
                       (SELECT string_agg(locktype || ' ' || mode, ', ') FROM pg_locks l \
                        WHERE l.pid = a.pid)) \
                     FROM pg_stat_activity a \
                     WHERE datname = current_database() AND backend_type = 'client backend' \
                       AND pid <> pg_backend_pid() \
                       AND usename <> 'postgres' \
                       AND (state <> 'idle' OR xact_start IS NOT NULL \
                            OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid))",
                    &[],
                )
                .await
                .unwrap();
            if rows.is_empty() {
                return;
            }
            let left: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            assert!(
                Instant::now() < deadline,
                "{case}: sessions are not at rest: {left:#?}"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What the next user of a connection finds there.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// Posts that are visible, and of whom.
    pub posts: Vec<(Uuid, i64)>,
    /// Everything else that a session can keep, as `name = value`.
    pub session: String,
}

/// Everything that a session can keep from one use to the next, as one text.
const SESSION: &str = "SELECT concat_ws('; ',
  format('context mine %s', current_setting('partywall.context', true) LIKE '%' || $1 || '%'),
  format('users %s %s', current_user, session_user),
  format('search_path %s', current_setting('search_path')),
  format('TimeZone %s', current_setting('TimeZone')),
  format('statement_timeout %s', current_setting('statement_timeout')),
  format('lock_timeout %s', current_setting('lock_timeout')),
  format('role %s', current_setting('role')),
  format('default_transaction_read_only %s', current_setting('default_transaction_read_only')),
  format('default_transaction_isolation %s', current_setting('default_transaction_isolation')),
  format('transaction_read_only %s', current_setting('transaction_read_only')),
  format('transaction_isolation %s', current_setting('transaction_isolation')),
  format('standard_conforming_strings %s', current_setting('standard_conforming_strings')),
  format('client_encoding %s', current_setting('client_encoding')),
  format('DateStyle %s', current_setting('DateStyle')),
  format('row_security %s', current_setting('row_security')),
  format('bytea_output %s', current_setting('bytea_output')),
  format('backslash_quote %s', current_setting('backslash_quote')),
  format('work_mem %s', current_setting('work_mem')),
  format('application_name %s', current_setting('application_name')),
  format('idle_in_transaction_session_timeout %s', current_setting('idle_in_transaction_session_timeout')),
  format('fresh %s', extract(epoch FROM now()) >= $2::text::float8),
  format('temporary %s', pg_my_temp_schema()),
  format('listening %s', (SELECT count(*) FROM pg_listening_channels())),
  format('cursors %s', (SELECT count(*) FROM pg_cursors WHERE is_holdable)),
  format('strangers prepared %s', (SELECT string_agg(name, ',') FROM pg_prepared_statements
                                   WHERE from_sql)),
  format('session locks %s', (SELECT count(*) FROM pg_locks
                               WHERE pid = pg_backend_pid() AND locktype LIKE 'adv%')))";

impl Found {
    /// Looks at the connection that a scope gets next.
    pub async fn by(db: &Db, tenant: Uuid) -> Result<Self, partywall::db::Error> {
        let tx = db.begin(&Scope::trusted([TENANT.is(tenant)])).await?;
        Self::on(tx, tenant).await
    }

    /// Looks at the connection of a transaction that has sent nothing yet.
    pub async fn on(tx: partywall::Tx, tenant: Uuid) -> Result<Self, partywall::db::Error> {
        let before = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        // A millisecond for the rounding.
        let before = format!("{:.6}", before.as_secs_f64() - 0.001);
        let session = tx
            .scalar(SESSION, [tenant.to_string().into(), before.into()])
            .await?;
        let posts = tx
            .rows(
                "SELECT tenant_id, count(*) FROM post GROUP BY 1 ORDER BY 1",
                [],
            )
            .await?
            .iter()
            .map(|row| {
                (
                    row.try_get_by_index(0).unwrap(),
                    row.try_get_by_index(1).unwrap(),
                )
            })
            .collect();
        tx.commit().await?;
        Ok(Self { posts, session })
    }
}

/// Random numbers that a seed repeats (SplitMix64, Steele et al. 2014). Prints the seed when its
/// case panics.
pub struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the case that failed has the seed {:#x}", self.seed);
        }
    }
}

/// When the user of a future goes away.
#[derive(Clone, Copy, Debug)]
pub enum Leaves {
    /// After so many polls that did not end it.
    Polls(usize),
    After(Duration),
    Never,
}

impl Leaves {
    pub fn random(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0 => Self::Never,
            1..=5 => Self::Polls(dice.below(9)),
            _ => Self::After(Duration::from_micros(dice.next() % 2_000)),
        }
    }
}

/// Runs a future until it ends or its user leaves, and drops it there.
pub async fn abandon<F: Future>(future: F, leaves: Leaves) -> Option<F::Output> {
    let mut future = pin!(future);
    match leaves {
        Leaves::Never => Some(future.await),
        Leaves::After(time) => tokio::time::timeout(time, future).await.ok(),
        Leaves::Polls(polls) => {
            let mut left = polls;
            poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => Poll::Ready(Some(output)),
                    // The last poll ends it at once instead of waiting to be woken.
                    Poll::Pending if left == 0 => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
        }
    }
}
