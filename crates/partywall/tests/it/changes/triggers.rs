//! The triggers that announce are part of what is applied.

use partywall::{
    Db, Roles, Schema,
    db::{ConnectError, Error},
    schema::SchemaError,
    testing::TestDb,
};

use super::{nothing_but_a_marker, posts, schema_of, world};
use crate::{
    models::{World, comment, country, post, reaction, seal, tag},
    probe::Probe,
};

const TRIGGERS: &str = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'partywall_announce%'";
const FUNCTIONS: &str = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'partywall'::regnamespace \
     AND proname LIKE 'announce%' AND prorettype = 'trigger'::regtype";

#[tokio::test]
async fn applying_again_is_harmless_and_keeps_the_channel() {
    let world = world().await;
    let (schema, probe) = (world.test.schema(), Probe::new(&world.test).await);
    let channel = "SELECT hashtext(name)::bigint FROM partywall.channel";
    let before = probe.count(channel).await;
    let mut heard = posts(world.test.db(), &world.a.scope).await;
    assert!(!schema.apply(&world.test.owner_url()).await.unwrap().changed);
    // Also where there is something to be put right.
    probe.run("REVOKE SELECT ON post FROM herald_list").await;
    assert!(schema.apply(&world.test.owner_url()).await.unwrap().changed);
    assert_eq!(probe.count(channel).await, before);
    assert_eq!(probe.count(TRIGGERS).await, 20);
    nothing_but_a_marker(&mut heard, world.test.db(), &world.a.scope).await;
}

#[tokio::test]
async fn d35_a_damaged_trigger_is_found_and_mended() {
    let world = World::on(
        TestDb::new(&schema_of("herald_broken", seal()))
            .await
            .unwrap(),
    )
    .await;
    let (test, probe) = (&world.test, Probe::new(&world.test).await);
    let mut heard = posts(test.db(), &world.a.scope).await;
    let function = "SELECT tgfoid::regproc::text FROM pg_trigger WHERE tgname = 'partywall_announce_insert' \
         AND tgrelid = 'post'::regclass";
    let function: String = probe.client.query_one(function, &[]).await.unwrap().get(0);
    for (damage, word) in [
        (
            "DROP TRIGGER partywall_announce_delete ON post",
            "trigger `partywall_announce_delete` is missing",
        ),
        (
            "ALTER TABLE post DISABLE TRIGGER partywall_announce_insert",
            "trigger `partywall_announce_insert` was altered",
        ),
        (
            "ALTER TABLE comment DISABLE TRIGGER USER",
            "public.comment: the trigger",
        ),
        (
            &format!("ALTER FUNCTION {function}() SECURITY INVOKER"),
            "definer f",
        ),
        (
            &format!("ALTER FUNCTION {function}() RESET search_path"),
            "config -",
        ),
        (
            &format!(
                "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
                 SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'"
            ),
            "was altered",
        ),
        (
            "CREATE OR REPLACE FUNCTION partywall.announce(relation text, op text, owner jsonb, keys jsonb) \
             RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(''open'', keys::text); END'",
            "partywall.announce(text,text,jsonb,jsonb)",
        ),
        (
            "GRANT EXECUTE ON FUNCTION partywall.listen() TO herald_broken_app",
            "partywall.listen()",
        ),
        (
            "GRANT SELECT ON partywall.channel TO herald_broken_app",
            "partywall.channel",
        ),
        (
            "CREATE TRIGGER partywall_announce_more AFTER INSERT ON post FOR EACH STATEMENT \
             EXECUTE FUNCTION partywall.announce_post()",
            "partywall_announce_more",
        ),
    ] {
        let needed = "CREATE FUNCTION partywall.announce_post() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'";
        if damage.contains("announce_post") {
            probe.run(needed).await;
        }
        probe.run(damage).await;
        let Err(ConnectError::Drift(drift)) = Db::connect(test.config().unwrap()).await else {
            panic!("{damage}: it was not found")
        };
        assert!(drift.to_string().contains(word), "{damage}: {drift}");
        let applied = test.schema().apply(&test.owner_url()).await;
        let applied = applied.unwrap_or_else(|error| panic!("{damage}: {error}"));
        assert!(!applied.mended.is_empty(), "{damage}: {applied:?}");
        Db::connect(test.config().unwrap()).await.unwrap();
        nothing_but_a_marker(&mut heard, test.db(), &world.a.scope).await;
    }
}

fn quiet() -> Schema {
    Schema::builder(Roles::named("herald"), seal())
        .model::<post::Entity>()
        .model::<comment::Entity>()
        .model::<reaction::Entity>()
        .model::<tag::Entity>()
        .model::<crate::models::post_tag::Entity>()
        .model::<country::Entity>()
        .model::<crate::models::article::Entity>()
        .build()
        .unwrap()
}

#[tokio::test]
async fn what_is_no_longer_announced_leaves_nothing() {
    let world = world().await;
    let (test, probe) = (&world.test, Probe::new(&world.test).await);
    assert_eq!(
        (probe.count(TRIGGERS).await, probe.count(FUNCTIONS).await),
        (20, 5)
    );
    quiet().apply(&test.owner_url()).await.unwrap();
    assert_eq!(
        (probe.count(TRIGGERS).await, probe.count(FUNCTIONS).await),
        (0, 0)
    );
    let db = test.connected_as(&quiet()).await.unwrap();
    let asked = db.changes(&world.a.scope).of::<post::Entity>();
    let error = asked.subscribe().await.unwrap_err();
    assert!(matches!(error, Error::NotAnnounced("post")), "{error}");
    // And back.
    test.schema().apply(&test.owner_url()).await.unwrap();
    assert_eq!(
        (probe.count(TRIGGERS).await, probe.count(FUNCTIONS).await),
        (20, 5)
    );
    let db = test.reconnected().await.unwrap();
    let mut heard = posts(&db, &world.a.scope).await;
    nothing_but_a_marker(&mut heard, &db, &world.a.scope).await;
}

#[test]
fn what_cannot_be_announced_is_said_when_the_schema_is_built() {
    let builder = || Schema::builder(Roles::named("herald"), seal());
    let error = builder().announces::<post::Entity>().build().unwrap_err();
    insta::assert_snapshot!(error, @"the changes of `public.post` are announced, which is not declared: add its model to the schema");
    let error = builder()
        .model::<post::Entity>()
        .model::<country::Entity>()
        .model::<comment::Entity>()
        .model::<reaction::Entity>()
        .announces::<reaction::Entity>()
        .build()
        .unwrap_err();
    assert!(matches!(error, SchemaError::NotTold { .. }));
    insta::assert_snapshot!(error, @"the changes of the table `public.reaction` cannot be announced, since its rows do not carry their `tenant`: leave `exists` out, so that they do");
}
