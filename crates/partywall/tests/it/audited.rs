//! The audit of the live database: in tests, when connecting, and as a map for the command line.

use partywall::{
    Db,
    db::{ConnectError, OnDrift},
    testing::{Fault, TestDb, assert_audited, assert_audited_but, assert_proven},
};
use partywall_audit::{Map, TableMap};

use crate::models;

/// A view that reads past the policies, for the application to read.
const LEAK: &str = "CREATE VIEW leak AS SELECT * FROM post; GRANT SELECT ON leak TO blog_app";

async fn audited(test: &TestDb) -> Result<Db, ConnectError> {
    let config = test.config().unwrap().on_drift(OnDrift::Warn).audited();
    Db::connect(config).await
}

#[tokio::test]
async fn d35_a_good_database_is_clean_and_holds() {
    let world = models::World::new().await;
    // Articles and events are numbered.
    assert_audited_but(&world.test, &[Fault::SeqShared]).await;
    assert_proven(&world.test).await;
    audited(&world.test).await.unwrap();
}

#[tokio::test]
async fn d35_a_leak_is_refused_when_connecting() {
    let test = TestDb::new(&models::schema()).await.unwrap();
    test.as_superuser(LEAK).await.unwrap();
    // Without the audit the drift is all that is said of it, as a warning.
    let config = test.config().unwrap().on_drift(OnDrift::Warn);
    Db::connect(config).await.unwrap();
    let error = audited(&test).await.unwrap_err();
    let ConnectError::Audit(found) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(found.findings()[0].id, Fault::ViewDefiner, "{error}");
    assert!(error.to_string().contains("public.leak"), "{error}");
    test.as_superuser(&found.findings()[0].fix).await.unwrap();
    audited(&test).await.unwrap();
}

#[tokio::test]
async fn d35_a_leak_fails_both_assertions() {
    let world = models::World::new().await;
    world.test.as_superuser(LEAK).await.unwrap();
    let message = tokio::spawn(async move { assert_audited(&world.test).await })
        .await
        .unwrap_err()
        .into_panic();
    let message = message.downcast::<String>().unwrap();
    assert!(message.contains("VIEW_DEFINER"), "{message}");

    let world = models::World::new().await;
    world.test.as_superuser(LEAK).await.unwrap();
    let message = tokio::spawn(async move { assert_proven(&world.test).await })
        .await
        .unwrap_err()
        .into_panic();
    let message = message.downcast::<String>().unwrap();
    assert!(message.contains("View on"), "{message}");
}

#[test]
fn the_map_reads_back_and_names_every_table() {
    let map = models::schema().map();
    assert_eq!(Map::read(&map.toml()).unwrap(), map);
    assert_eq!(
        map.tables.get("public.post"),
        Some(&TableMap::Tenant("tenant_id".to_owned()))
    );
    assert!(matches!(
        map.tables.get("public.country"),
        Some(TableMap::Global(_))
    ));
    assert_eq!(map.tenant.contexts, ["partywall.context"]);
    assert!(map.roles.app.contains(&"blog_app".to_owned()));
}
