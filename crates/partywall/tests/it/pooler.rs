//! Behind PgBouncer in transaction mode, where every transaction may meet another session.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use partywall::{
    Config, Db, Roles, Schema, Scope, Sql, TENANT,
    db::{Error, ErrorKind, Refused},
    testing::TestDb,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};
use uuid::Uuid;

use crate::{
    bouncer::Bouncer,
    models::seal,
    probe::{Dice, Leaves, Probe, abandon, session},
};

/// Has columns of types that the driver does not know and looks up.
mod ticket {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
    pub enum Mood {
        #[sea_orm(string_value = "happy")]
        Happy,
        #[sea_orm(string_value = "so, so")]
        SoSo,
    }

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "ticket")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        pub mood: Mood,
        pub moods: Vec<Mood>,
        pub title: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use ticket::Mood;

fn schema(application: &str) -> Schema {
    Schema::builder(Roles::named(application), seal())
        .model::<ticket::Entity>()
        .build()
        .unwrap()
}

fn new_ticket(title: &str) -> ticket::ActiveModel {
    ticket::ActiveModel {
        id: Set(Uuid::now_v7()),
        mood: Set(Mood::SoSo),
        moods: Set(vec![Mood::SoSo, Mood::Happy]),
        title: Set(title.to_owned()),
        ..Default::default()
    }
}

struct Pooled {
    test: TestDb,
    bouncer: Bouncer,
    a: Uuid,
    b: Uuid,
}

impl Pooled {
    async fn new(application: &str) -> Self {
        let test = TestDb::new(&schema(application)).await.unwrap();
        let bouncer = Bouncer::start(&test).await;
        let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
        for (tenant, name) in [(a, "a"), (b, "b")] {
            for _ in 0..3 {
                new_ticket(name)
                    .insert(&test.as_tenant(tenant))
                    .await
                    .unwrap();
            }
        }
        Self {
            test,
            bouncer,
            a,
            b,
        }
    }

    fn config(&self) -> Config {
        let roles = self.test.schema().roles();
        Config::new(self.test.schema(), &self.bouncer.url(roles.app()))
            .unwrap()
            .list_login(&self.bouncer.url(roles.list()))
            .unwrap()
            .across_login(&self.bouncer.url(roles.across()))
            .unwrap()
            .unnamed_statements()
            .acquire_timeout(Duration::from_secs(20))
            .pool_size(2)
    }

    async fn connect(&self) -> Db {
        Db::connect(self.config()).await.unwrap()
    }
}

/// One piece of one tenant's work, which must see its own rows and no others.
async fn work(db: &Db, dice: &mut Dice, tenant: Uuid, other: Uuid) -> Result<(), Error> {
    let scope = Scope::trusted([TENANT.is(tenant)]);
    let scoped = db.scoped(&scope);
    match dice.below(9) {
        0 | 1 => {
            let seen = ticket::Entity::find()
                .all(&scoped)
                .await
                .map_err(Error::Row)?;
            assert!(seen.len() >= 3 && seen.iter().all(|ticket| ticket.tenant_id == tenant));
            assert!(
                seen.iter()
                    .all(|ticket| ticket.moods == [Mood::SoSo, Mood::Happy])
            );
        }
        2 => {
            let foreign: i64 = scoped
                .scalar(
                    "SELECT count(*) FROM ticket WHERE tenant_id <> $1",
                    [tenant.into()],
                )
                .await?;
            assert_eq!(foreign, 0);
        }
        3 | 4 => {
            let tx = db.begin(&scope).await?;
            let made = new_ticket("made").insert(&tx).await.map_err(Error::Row)?;
            assert_eq!((made.tenant_id, made.mood), (tenant, Mood::SoSo));
            let inner = tx.nested()?;
            inner.execute_sql("DELETE FROM ticket", []).await?;
            assert_eq!(
                ticket::Entity::find()
                    .count(&inner)
                    .await
                    .map_err(Error::Row)?,
                0
            );
            drop(inner);
            let all = ticket::Entity::find().all(&tx).await.map_err(Error::Row)?;
            assert!(all.len() >= 4 && all.iter().all(|ticket| ticket.tenant_id == tenant));
            if dice.one_in(2) {
                tx.rollback().await?;
            }
        }
        5 => {
            let mut rows = scoped
                .stream_sql("SELECT tenant_id, mood FROM ticket", [])
                .await?;
            for _ in 0..dice.below(3) {
                let row = rows.next().await.unwrap().map_err(Error::Row)?;
                assert_eq!(row.try_get_by_index::<Uuid>(0).unwrap(), tenant);
            }
        }
        6 => {
            let both = Scope::trusted([TENANT.any_of([tenant, other])]);
            let seen: i64 = db
                .scoped(&both)
                .scalar("SELECT count(DISTINCT tenant_id) FROM ticket", [])
                .await?;
            assert_eq!(seen, 2);
        }
        7 => {
            let tx = db.begin(&scope).await?;
            let mut chunks = tx
                .copy_out("COPY (SELECT tenant_id FROM ticket) TO STDOUT")
                .await?;
            while let Some(chunk) = chunks.next().await {
                assert_eq!(&chunk?[..36], tenant.to_string().as_bytes());
            }
        }
        _ => {
            let across = db.across("a look through the pooler").await?;
            let seen: i64 = across
                .scalar("SELECT count(DISTINCT tenant_id) FROM ticket", [])
                .await?;
            assert_eq!(seen, 2);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d29_tenants_alternate_over_one_server_connection() {
    let pooled = Pooled::new("pooled").await;
    let probe = Probe::new(&pooled.test).await;
    let pooled_a = pooled.a;
    let served = Arc::new(Mutex::new([BTreeSet::new(), BTreeSet::new()]));
    let busy: Vec<_> = [(0, pooled.a, pooled.b), (1, pooled.b, pooled.a)]
        .into_iter()
        .map(|(n, own, other)| {
            let (config, served) = (pooled.config(), served.clone());
            tokio::spawn(async move {
                // Like two instances of an application.
                let db = Db::connect(config).await.unwrap();
                for round in 0..700_u64 {
                    let mut dice = Dice::new(0x29_0000 + round * 2 + n);
                    let (own, other) = if dice.one_in(4) {
                        (other, own)
                    } else {
                        (own, other)
                    };
                    let leaves = if dice.one_in(5) {
                        Leaves::random(&mut dice)
                    } else {
                        Leaves::Never
                    };
                    if let Some(done) = abandon(work(&db, &mut dice, own, other), leaves).await {
                        done.unwrap();
                    }
                    let scoped = db.scoped(&Scope::trusted([TENANT.is(own)]));
                    let pid: i32 = scoped.scalar("SELECT pg_backend_pid()", []).await.unwrap();
                    served.lock().unwrap()[usize::from(own == pooled_a)].insert(pid);
                }
            })
        })
        .collect();
    for task in busy {
        task.await.unwrap();
    }
    probe.settled("after all work").await;
    // Nothing of it committed.
    assert_eq!(probe.count("SELECT count(*) FROM ticket").await, 6);
    // The same server connections served both tenants.
    let [of_b, of_a] = &*served.lock().unwrap();
    assert!(!of_a.is_disjoint(of_b), "{of_a:?} {of_b:?}");
}

/// The control: these two clients do share a session, and what one leaves there the other finds.
#[tokio::test]
async fn d29_a_session_setting_does_reach_the_other_client() {
    let pooled = Pooled::new("shared").await;
    let one = session(&pooled.bouncer.url("shared_app")).await;
    let other = session(&pooled.bouncer.url("shared_app")).await;
    one.batch_execute("SET partywall.context = 'left behind'")
        .await
        .unwrap();
    let found = other
        .simple_query("SELECT current_setting('partywall.context', true), pg_backend_pid()")
        .await
        .unwrap();
    let row = found
        .iter()
        .find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .unwrap();
    assert_eq!(row.get(0), Some("left behind"));
    // And Partywall, on that same session, does not.
    let db = pooled.connect().await;
    for tenant in [pooled.a, pooled.b] {
        let scoped = db.scoped(&Scope::trusted([TENANT.is(tenant)]));
        let pid: i32 = scoped.scalar("SELECT pg_backend_pid()", []).await.unwrap();
        assert_eq!(row.get(1), Some(pid.to_string().as_str()));
        let seen = ticket::Entity::find().all(&scoped).await.unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|ticket| ticket.tenant_id == tenant));
    }
}

/// Cursors and listeners are what nobody but the entry function takes from a pooler's session: the
/// pooler keeps it when a client goes.
#[tokio::test]
async fn d28_what_others_left_on_a_pooled_session_is_gone() {
    let pooled = Pooled::new("leavings").await;
    let _probe = Probe::new(&pooled.test).await;
    const LEFT: &str = "SELECT format('%s %s %s', pg_backend_pid(), \
        (SELECT count(*) FROM pg_cursors WHERE is_holdable), \
        (SELECT count(*) FROM pg_listening_channels()))";
    let one = session(&pooled.bouncer.url("leavings_app")).await;
    let other = session(&pooled.bouncer.url("leavings_app")).await;
    let db = pooled.connect().await;
    for tenant in [pooled.a, pooled.b] {
        one.batch_execute(
            "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 'secret'; COMMIT; LISTEN leavings",
        )
        .await
        .unwrap();
        let found = other.simple_query(LEFT).await.unwrap();
        let found = found.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let (pid, left) = found.unwrap().split_once(' ').unwrap();
        assert_eq!(
            left, "1 1",
            "the control: it is there for whoever comes next"
        );
        let scoped = db.scoped(&Scope::trusted([TENANT.is(tenant)]));
        // Listening ends when the first transaction does.
        for left in ["0 1", "0 0"] {
            let seen: String = scoped.scalar(LEFT, []).await.unwrap();
            assert_eq!(seen, format!("{pid} {left}"));
        }
    }
}

/// What would outlive the scope there is not sent at all; a cursor that ends with its transaction is.
#[tokio::test]
async fn d28_what_a_pooler_would_keep_is_refused() {
    let pooled = Pooled::new("keeping").await;
    let db = pooled.connect().await;
    let scope = Scope::trusted([TENANT.is(pooled.a)]);
    let tx = db.begin(&scope).await.unwrap();
    for sql in [
        "DECLARE c CURSOR WITH HOLD FOR SELECT title FROM ticket",
        "LISTEN keeping",
        "PREPARE p AS SELECT title FROM ticket",
        "EXECUTE p",
        "DEALLOCATE ALL",
    ] {
        let refused = tx.execute_sql(sql, []).await;
        assert!(
            matches!(refused, Err(Error::Refused(Refused::Session))),
            "{sql}: {refused:?}"
        );
    }
    tx.execute_sql("DECLARE c CURSOR FOR SELECT title FROM ticket", [])
        .await
        .unwrap();
    assert_eq!(tx.rows("FETCH ALL FROM c", []).await.unwrap().len(), 3);
    tx.commit().await.unwrap();
}

/// The number in the next name that the driver gives in this process.
async fn next_name(test: &TestDb) -> u32 {
    let client = session(&test.superuser_url()).await;
    let _statement = client.prepare("SELECT 1").await.unwrap();
    let named = client
        .query_one("SELECT max(name) FROM pg_prepared_statements", &[])
        .await
        .unwrap();
    named
        .get::<_, String>(0)
        .trim_start_matches('s')
        .parse()
        .unwrap()
}

/// Another process has left statements on the server connection, with the names that come next here.
#[tokio::test]
async fn d29_names_that_others_left_do_not_collide() {
    let pooled = Pooled::new("named").await;
    let raw = session(&pooled.bouncer.url("named_app")).await;
    let next = next_name(&pooled.test).await;
    let taken: String = (next..next + 2_000)
        .map(|n| format!("PREPARE s{n} AS SELECT 'theirs';"))
        .collect();
    raw.batch_execute(&taken).await.unwrap();
    let refused = raw
        .batch_execute(&format!("PREPARE s{next} AS SELECT 1"))
        .await
        .unwrap_err();
    assert_eq!(
        refused.code().unwrap().code(),
        "42P05",
        "the names are taken"
    );
    let db = pooled.connect().await;
    let scope = Scope::trusted([TENANT.is(pooled.a)]);
    let seen = ticket::Entity::find()
        .all(&db.scoped(&scope))
        .await
        .unwrap();
    assert_eq!(seen.len(), 3);
    // Once more while they are there again: nothing that follows needs a name.
    raw.batch_execute(&taken).await.unwrap();
    let made = new_ticket("more").insert(&db.scoped(&scope)).await.unwrap();
    assert_eq!(made.moods, [Mood::SoSo, Mood::Happy]);
    let mut dice = Dice::new(1);
    for _ in 0..20 {
        work(&db, &mut dice, pooled.a, pooled.b).await.unwrap();
    }
}

/// The clean-up after a dropped future works through the pooler as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d29_slow_statement_is_cancelled_through_the_pooler() {
    let pooled = Pooled::new("slow").await;
    let probe = Probe::new(&pooled.test).await;
    let db = pooled.connect().await;
    let scope = Scope::trusted([TENANT.is(pooled.a)]);
    for _ in 0..3 {
        let scoped = db.scoped(&scope);
        let slow = scoped.rows("SELECT pg_sleep(30)", []);
        assert!(
            abandon(slow, Leaves::After(Duration::from_millis(30)))
                .await
                .is_none()
        );
        let started = std::time::Instant::now();
        let scoped = db.scoped(&scope);
        let seen: i64 = scoped
            .scalar("SELECT count(*) FROM ticket", [])
            .await
            .unwrap();
        assert_eq!(seen, 3);
        assert!(
            started.elapsed() < Duration::from_secs(8),
            "{:?}",
            started.elapsed()
        );
    }
    let config = pooled
        .config()
        .statement_timeout(Some(Duration::from_millis(100)));
    let hasty = Db::connect(config).await.unwrap();
    let error = hasty
        .scoped(&scope)
        .rows("SELECT pg_sleep(30)", [])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    probe.settled("after slow statements").await;
}
