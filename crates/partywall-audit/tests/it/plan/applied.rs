//! Applied, a plan leaves a database that the audit is content with; undone, the one that there was.

use partywall_audit::{Options, TableMap, check};

use super::{
    applied,
    fingerprint::{assert_same, fingerprint},
    planned, read, stays,
};
use crate::database::Database;

async fn whole(name: &str, db: Database) {
    db.run(&read(name)).await;
    let before = fingerprint(&db).await;
    let plan = planned(&db).await;
    assert!(plan.violations.is_empty(), "{name}: {:#?}", plan.violations);
    assert!(!plan.steps.is_empty(), "{name}: {plan:#?}");
    assert!(
        !plan
            .map
            .tables
            .values()
            .any(|table| matches!(table, TableMap::Undecided(_))),
        "{name}: {:#?}",
        plan.map
    );
    if let Err(error) = applied(&db, &plan).await {
        panic!("{name}: {error:?}\n{}", plan.sql());
    }
    let again = planned(&db).await;
    assert!(again.is_done(), "{name}: {}", again.sql());

    let report = check(&mut db.superuser().await, &plan.map.options())
        .await
        .unwrap();
    let stays = stays(name);
    let found: Vec<_> = report
        .findings
        .iter()
        .filter(|it| !stays.iter().any(|id| id == it.id.id()))
        .collect();
    assert!(found.is_empty(), "{name}: {found:#?}");

    // By its map as well, as `apply` does it.
    let mapped = partywall_audit::plan(
        &mut db.superuser().await,
        &Options::default(),
        Some(&plan.map),
    )
    .await
    .unwrap();
    assert!(
        mapped.is_done() && mapped.violations.is_empty(),
        "{name}: {}",
        mapped.sql()
    );
    assert_eq!(mapped.map, plan.map, "{name}");

    let undo = plan.undo_sql();
    if let Err(error) = db.superuser().await.batch_execute(&undo).await {
        panic!("{name}: {error:?}\n{undo}");
    }
    assert_same(name, &before, &fingerprint(&db).await);
    // It can run when nothing was done.
    if let Err(error) = db.superuser().await.batch_execute(&undo).await {
        panic!("{name}, undone twice: {error:?}\n{undo}");
    }
    assert_same(name, &before, &fingerprint(&db).await);
}

macro_rules! databases {
    ($($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            whole(stringify!($name), Database::empty().await).await;
        })*

        #[test]
        fn all_are_tried() {
            let mut files: Vec<String> = std::fs::read_dir(super::folder())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let mut tried = [$(concat!(stringify!($name), ".sql")),*];
            tried.sort_unstable();
            assert_eq!(files, tried);
        }
    };
}

databases! { single depth link partitioned serial schemas hostile rails nobody partly }

#[tokio::test]
async fn every_version_of_postgresql_goes_the_way() {
    for major in crate::database::versions() {
        for name in ["single", "partitioned", "serial"] {
            whole(name, Database::empty_on(Some(major)).await).await;
        }
    }
}
