//! A plan that was stopped anywhere is gone on with, and ends as if nothing had been.

use std::time::Duration;

use futures_util::{
    FutureExt,
    future::{Either, select},
};
use partywall_audit::{ApplyError, Applying, Options, Plan, apply, plan};
use tokio::sync::oneshot;

use super::{
    applied,
    fingerprint::{assert_same, fingerprint},
    planned, read,
};
use crate::database::Database;

/// What a database is after the plan, without the names that hang on its number.
async fn end(db: &Database) -> String {
    let text = fingerprint(db).await;
    let number = db.role("").trim_start_matches('_').to_owned();
    text.replace(&format!("audit_{number}_"), "DB_")
        .replace(&format!("_{number} "), "_N ")
        .replace(&format!("_{number},"), "_N,")
        .replace(&format!("_{number}="), "_N=")
        .replace(&format!("_{number}}}"), "_N}")
}

/// Applies and drops the future once this many steps have begun to run. Whether it ended before.
async fn stop_after(db: &Database, plan: &Plan, steps: usize) -> bool {
    // The session that was left may still be in its last statement.
    let watch = db.superuser().await;
    let busy = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' \
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
    while watch.query_one(busy, &[]).await.unwrap().get(0) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (mut send, mut begun, mut batches) = (None, 0, 0);
    let (sender, stopped) = oneshot::channel::<()>();
    send.replace(sender);
    let mut client = db.superuser().await;
    let mut see = |applying: Applying<'_>| {
        // A step of batches is not done before the next one says so: without a batch nothing came of it.
        batches += usize::from(matches!(applying, Applying::Batch(..)));
        if let Applying::Done(step) = applying
            && (!step.repeat || batches > 0)
        {
            begun += 1;
            if begun == steps
                && let Some(send) = send.take()
            {
                let _ = send.send(());
            }
        }
    };
    let applying = apply(&mut client, plan, &mut see).boxed();
    match select(stopped, applying).await {
        Either::Left(_) => false,
        Either::Right((outcome, _)) => {
            outcome.unwrap();
            true
        }
    }
}

/// Stopped after each step, in turns with the plan as it was and with one that is made anew.
#[tokio::test]
async fn stopped_after_each_step() {
    for name in ["single", "link", "partitioned", "serial", "rails", "nobody"] {
        let (whole, db) = (Database::empty().await, Database::empty().await);
        whole.run(&read(name)).await;
        db.run(&read(name)).await;
        applied(&whole, &planned(&whole).await).await.unwrap();
        let first = planned(&db).await;
        let mut plan_now = first.clone();
        for turn in 0_usize.. {
            assert!(turn < 200, "{name} does not end");
            // The first plan is whole; the map of it is what `apply` reads each time.
            if turn % 2 == 1 {
                plan_now = plan(
                    &mut db.superuser().await,
                    &Options::default(),
                    Some(&first.map),
                )
                .await
                .unwrap();
                assert!(
                    plan_now.violations.is_empty(),
                    "{name}: {:#?}",
                    plan_now.violations
                );
            } else {
                plan_now = if turn % 4 == 0 {
                    first.clone()
                } else {
                    plan_now
                };
            }
            if stop_after(&db, &plan_now, 1).await {
                break;
            }
        }
        assert!(planned(&db).await.is_done(), "{name}");
        assert_same(name, &end(&whole).await, &end(&db).await);
        // What was written before the first step undoes all of it.
        db.superuser()
            .await
            .batch_execute(&first.undo_sql())
            .await
            .unwrap();
    }
}

/// Stopped at any moment, in the middle of a statement too.
#[tokio::test]
async fn stopped_at_any_moment() {
    for name in ["partitioned", "serial", "single"] {
        let (whole, db) = (Database::empty().await, Database::empty().await);
        whole.run(&read(name)).await;
        db.run(&read(name)).await;
        applied(&whole, &planned(&whole).await).await.unwrap();
        let map = planned(&db).await.map;
        let mut stops = 0;
        for turn in 0_u64.. {
            assert!(turn < 2000, "{name} does not end");
            let mut client = db.superuser().await;
            let plan = plan(&mut client, &Options::default(), Some(&map))
                .await
                .unwrap();
            let patience = Duration::from_micros(1500 * (turn % 23));
            let ended =
                tokio::time::timeout(patience, apply(&mut client, &plan, &mut |_| {})).await;
            match ended {
                Ok(Ok(())) => break,
                // The session of before is still in its last statement.
                Ok(Err(ApplyError::Busy)) => tokio::time::sleep(Duration::from_millis(5)).await,
                Ok(Err(error)) => panic!("{name}: {error:?}"),
                Err(_) => stops += 1,
            }
        }
        assert!(stops > 3, "{name} was stopped {stops} times");
        assert_same(name, &end(&whole).await, &end(&db).await);
    }
}

/// An index that was being built when the server was told to stop leaves an invalid one.
#[tokio::test]
async fn an_invalid_index_is_built_anew() {
    let db = Database::with(&read("single")).await;
    let plan = planned(&db).await;
    let build = plan.steps.iter().find(|step| !step.transactional).unwrap();
    let admin = db.superuser().await;
    // Rows that the index cannot hold leave it invalid, as any failure does.
    let name = build
        .sql
        .split_whitespace()
        .skip_while(|word| *word != "CONCURRENTLY")
        .nth(1)
        .unwrap();
    admin
        .batch_execute("CREATE TABLE spare (a int); INSERT INTO spare VALUES (1), (1)")
        .await
        .unwrap();
    let failed = admin
        .batch_execute(&format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {name} ON spare (a)"
        ))
        .await;
    assert!(failed.is_err());
    let drop_spare = admin.batch_execute("DROP TABLE spare");
    drop_spare.await.unwrap();
    // The same on the table itself: its build is cancelled while it waits for a transaction that is open.
    let mut holder = db.superuser().await;
    let held = holder.transaction().await.unwrap();
    held.batch_execute("INSERT INTO tenants VALUES (gen_random_uuid(), 'x')")
        .await
        .unwrap();
    let table = build
        .sql
        .split(" ON ")
        .nth(1)
        .unwrap()
        .split([' ', '('])
        .next()
        .unwrap()
        .to_owned();
    held.batch_execute(&format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
        .await
        .unwrap();
    admin
        .batch_execute("SET statement_timeout = '100ms'")
        .await
        .unwrap();
    assert!(
        admin
            .batch_execute(build.sql.trim_end_matches(';'))
            .await
            .is_err()
    );
    held.rollback().await.unwrap();
    let invalid: i64 = admin
        .query_one("SELECT count(*) FROM pg_index WHERE NOT indisvalid", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(invalid, 1);
    for plan in [planned(&db).await, plan] {
        applied(&db, &plan).await.unwrap();
        let invalid: i64 = admin
            .query_one("SELECT count(*) FROM pg_index WHERE NOT indisvalid", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(invalid, 0);
    }
}

#[tokio::test]
async fn only_one_session_applies() {
    let db = Database::with(&read("single")).await;
    let plan = planned(&db).await;
    let other = db.superuser().await;
    other
        .batch_execute("SELECT pg_advisory_lock(x'706172747977616c'::bigint)")
        .await
        .unwrap();
    assert!(matches!(applied(&db, &plan).await, Err(ApplyError::Busy)));
    drop(other);
    loop {
        match applied(&db, &plan).await {
            Ok(()) => break,
            Err(ApplyError::Busy) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Who holds a lock for long makes the plan wait and give way, and it says so.
#[tokio::test]
async fn a_lock_that_is_not_had_is_told() {
    let db = Database::with(&read("depth")).await;
    let plan = planned(&db).await;
    let mut holder = db.superuser().await;
    let held = holder.transaction().await.unwrap();
    held.batch_execute("SELECT * FROM remarks").await.unwrap();
    let (mut waited, mut begun) = (0, Vec::new());
    let mut client = db.superuser().await;
    let outcome = apply(&mut client, &plan, &mut |applying| match applying {
        Applying::Waiting(step, _) => {
            waited += 1;
            assert!(step.name.contains("remarks"), "{}", step.name);
        }
        Applying::Done(step) => begun.push(step.name.clone()),
        Applying::Step(..) | Applying::Skipped(_) | Applying::Batch(..) | _ => {}
    })
    .await;
    let Err(ApplyError::Locked { step, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        waited > 2 && step == "column public.remarks(tenant_id)",
        "{step}"
    );
    assert!(!begun.is_empty());
    held.rollback().await.unwrap();
    applied(&db, &plan).await.unwrap();
    assert!(planned(&db).await.is_done());
}

#[tokio::test]
async fn a_database_that_changed_is_a_surprise() {
    for (change, says) in [
        ("CREATE TABLE more (id int)", "public.more is new"),
        (
            "ALTER TABLE tasks ADD COLUMN more int",
            "public.tasks has a new column more of type integer",
        ),
        (
            "ALTER TABLE remarks DROP COLUMN body",
            "public.remarks has no column body of type text any more",
        ),
        ("DROP TABLE files", "public.files is gone"),
        (
            "ALTER TABLE tasks ADD UNIQUE (title, id)",
            "public.tasks has a new key tasks_title_id_key",
        ),
    ] {
        let db = Database::with(&read("depth")).await;
        let plan = planned(&db).await;
        let before = fingerprint(&db).await;
        db.run(change).await;
        let changed = fingerprint(&db).await;
        match applied(&db, &plan).await {
            Err(ApplyError::Surprise(what)) => assert_eq!(what, says),
            other => panic!("{change}: {other:?}"),
        }
        assert_ne!(before, changed);
        assert_same(change, &changed, &fingerprint(&db).await);
    }
}
