//! D20: what the application's login may not do at all, and what a table's rights leave of the rest.

use partywall::{Sql, db::ErrorKind, testing::assert_enforced};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::{
    login,
    models::{World, country, event, invoice, post},
};

const REFUSED: [&str; 41] = [
    "TRUNCATE post",
    "TRUNCATE post CASCADE",
    "CREATE TABLE mine (id int)",
    "CREATE TABLE mine AS SELECT * FROM post",
    "SELECT * INTO mine FROM post",
    "CREATE TEMP TABLE mine (id int)",
    "CREATE TEMP TABLE mine AS SELECT * FROM post",
    "SELECT * INTO TEMP mine FROM post",
    "CREATE TEMP VIEW mine AS SELECT 1",
    "CREATE TEMP SEQUENCE mine",
    "CREATE VIEW mine AS SELECT * FROM post",
    "CREATE MATERIALIZED VIEW mine AS SELECT * FROM post",
    "CREATE INDEX ON post (title)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "CREATE EXTENSION dblink",
    "CREATE POLICY mine ON post USING (true)",
    "CREATE TRIGGER mine AFTER INSERT ON post EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO post DO INSTEAD NOTHING",
    "ALTER POLICY partywall_app_tenant ON post USING (true)",
    "DROP POLICY partywall_app_tenant ON post",
    "ALTER TABLE post DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE post NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE post OWNER TO blog_app",
    "ALTER TABLE post ADD COLUMN mine int",
    "ALTER ROLE blog_app BYPASSRLS",
    "ALTER ROLE blog_app CREATEROLE",
    "DROP TABLE post",
    "COMMENT ON TABLE post IS 'mine'",
    "SET ROLE blog_list",
    "SET ROLE blog_across",
    "SET ROLE partywall_test_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION blog_across",
    "GRANT blog_across TO blog_app",
    "GRANT SELECT ON partywall.seal_key TO blog_app",
    "SELECT * FROM partywall.seal_key",
    "SELECT partywall.cross('why', 'where', 1)",
    "UPDATE partywall.applied SET sealed = false",
    "REFRESH MATERIALIZED VIEW post",
];

#[tokio::test]
async fn d20_the_application_login_is_refused() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let login = login::app(&world.test).await;
    for sql in REFUSED {
        // Some commands are not even sent.
        let refused = db.execute_sql(sql, []).await.unwrap_err();
        let kinds = [ErrorKind::Denied, ErrorKind::Refused];
        assert!(kinds.contains(&refused.kind()), "{sql}: {refused}");
        let denied = login.execute(sql, &[]).await.unwrap_err();
        assert_eq!(
            denied.code().map(SqlState::code),
            Some("42501"),
            "{sql}: {denied}"
        );
    }
    // The owner of the tables can do such things, so it is the login that is refused.
    world
        .test
        .as_superuser("CREATE TABLE mine (id int); DROP TABLE mine")
        .await
        .unwrap();
    assert_eq!(post::Entity::find().count(&db).await.unwrap(), 3);
    assert_enforced(&world.test).await;
}

#[tokio::test]
async fn d20_grants_grant_nothing() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    // Of a right held without the option to pass it on, PostgreSQL says so in a warning at most.
    for sql in [
        "GRANT SELECT ON post TO PUBLIC",
        "GRANT SELECT ON post TO blog_list WITH GRANT OPTION",
        "GRANT EXECUTE ON FUNCTION partywall.enter(text, integer) TO PUBLIC",
        "REVOKE SELECT ON post FROM blog_list",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    ] {
        drop(db.execute_sql(sql, []).await);
    }
    assert_enforced(&world.test).await;
    world
        .test
        .as_superuser("GRANT SELECT ON post TO PUBLIC")
        .await
        .unwrap();
    let noticed = partywall::Db::connect(world.test.config().unwrap())
        .await
        .unwrap_err();
    assert!(noticed.to_string().contains("privilege"), "{noticed}");
}

#[tokio::test]
async fn d20_row_security_cannot_be_switched_off() {
    let world = World::new().await;
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    tx.execute_sql("SET LOCAL row_security = off", [])
        .await
        .unwrap();
    let refused = tx.rows("SELECT * FROM post", []).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied, "{refused}");
    tx.rollback().await.unwrap();
    let db = world.test.as_scope(&world.a.scope);
    assert_eq!(post::Entity::find().count(&db).await.unwrap(), 3);
}

#[tokio::test]
async fn d20_a_log_is_written_once() {
    let world = World::new().await;
    for own in [&world.a, &world.b] {
        let db = world.test.as_scope(&own.scope);
        let event = |what: &str| event::ActiveModel {
            what: Set(what.to_owned()),
            ..Default::default()
        };
        event("in").insert(&db).await.unwrap();
        event::Entity::insert_many([event("read"), event("out")])
            .exec(&db)
            .await
            .unwrap();
        assert_eq!(event::Entity::find().count(&db).await.unwrap(), 3);
        for sql in [
            "UPDATE event SET what = ''",
            "DELETE FROM event",
            "TRUNCATE event",
        ] {
            let refused = db.execute_sql(sql, []).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Denied, "{sql}");
        }
    }
}

#[tokio::test]
async fn d20_what_is_only_read_is_written_on_the_way_across() {
    let world = World::new().await;
    let invoice = |tenant: Uuid| invoice::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant),
        cents: Set(100),
    };
    let db = world.test.as_scope(&world.a.scope);
    assert!(invoice(world.a.id).insert(&db).await.is_err());
    let across = world
        .test
        .db()
        .across("invoices are made monthly")
        .await
        .unwrap();
    for tenant in [world.a.id, world.b.id] {
        invoice(tenant).insert(&across).await.unwrap();
    }
    let seen = invoice::Entity::find().all(&db).await.unwrap();
    assert_eq!(
        seen.iter()
            .map(|invoice| invoice.tenant_id)
            .collect::<Vec<_>>(),
        [world.a.id]
    );
    for sql in ["UPDATE invoice SET cents = 0", "DELETE FROM invoice"] {
        assert_eq!(
            db.execute_sql(sql, []).await.unwrap_err().kind(),
            ErrorKind::Denied,
            "{sql}"
        );
    }
    // Nor is what is nobody's anybody's to write.
    let country = || country::ActiveModel {
        code: Set("fr".to_owned()),
        name: Set("France".to_owned()),
    };
    assert!(country().insert(&db).await.is_err());
    country().insert(&across).await.unwrap();
    for own in [&world.a, &world.b] {
        let db = world.test.as_scope(&own.scope);
        assert_eq!(country::Entity::find().count(&db).await.unwrap(), 1);
    }
}
