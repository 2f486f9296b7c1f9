//! Functions, operators and types that somebody planted on a search path, to be taken for the system's.
//! Where arguments fit better than those of the system's own, PostgreSQL takes the planted one, whatever
//! the order of the path.

use partywall::{
    Db, Schema,
    db::ConnectError,
    schema::Passwords,
    testing::{TestDb, assert_enforced},
};

use crate::{
    guard::gated,
    login,
    models::{comment, country, post, seal},
    probe::{Probe, session},
};

/// Operators that fit where the catalogues are asked for an object by its name. Each writes down who
/// ran it, and answers as the system's would.
const SPIES: &str = "
CREATE TABLE public.caught (who text NOT NULL DEFAULT current_user, what text);
ALTER TABLE public.caught OWNER TO partywall_test_owner;
CREATE FUNCTION public.spy(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.caught (what) VALUES ('class'); RETURN $1 = $2::oid; END $$;
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = public.spy);
CREATE FUNCTION public.spy(oid, regnamespace) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.caught (what) VALUES ('schema'); RETURN $1 = $2::oid; END $$;
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = regnamespace, FUNCTION = public.spy);
CREATE FUNCTION public.format(text, regprocedure) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.caught (what) VALUES ('format');
  RETURN pg_catalog.format($1, VARIADIC ARRAY[$2]); END $$;
GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC";

/// Answers in the system's place: nobody has any right to anything.
const LIARS: &str = "
CREATE FUNCTION public.has_database_privilege(oid, name, text) RETURNS boolean
  LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION public.has_table_privilege(text, oid, text) RETURNS boolean
  LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION public.has_any_column_privilege(text, oid, text) RETURNS boolean
  LANGUAGE sql AS 'SELECT false'";

const CAUGHT: &str = "SELECT count(*) FROM public.caught";

async fn planted(application: &str) -> (TestDb, Probe) {
    let test = TestDb::new(&gated(application, seal())).await.unwrap();
    let probe = Probe::new(&test).await;
    (test, probe)
}

#[tokio::test]
async fn applying_runs_nothing_that_somebody_planted() {
    let (test, probe) = planted("sown").await;
    probe.run(SPIES).await;
    // All the work there is: something to mend in each table, and a key to make anew.
    for damage in [
        "ALTER TABLE post NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE comment DROP CONSTRAINT comment_pkey CASCADE",
        "DROP POLICY partywall_read ON country",
        "DROP TABLE comment",
    ] {
        probe.run(damage).await;
        let applied = test.schema().apply(&test.owner_url()).await.unwrap();
        assert!(!applied.mended.is_empty(), "{damage}: {applied:?}");
        assert_eq!(probe.count(CAUGHT).await, 0, "{damage}");
    }
    assert_enforced(&test).await;
    // The control: the owner's own path does lead there.
    let owner = session(&test.owner_url()).await;
    let asked = "SELECT count(*) FROM pg_class WHERE oid = 'post'::regclass";
    let found: i64 = owner.query_one(asked, &[]).await.unwrap().get(0);
    assert_eq!(found, 1);
    let who: String = probe
        .client
        .query_one("SELECT DISTINCT who FROM public.caught", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(who, "partywall_test_owner");
}

#[tokio::test]
async fn preparing_runs_nothing_that_somebody_planted() {
    let (test, probe) = planted("strewn").await;
    probe.run(SPIES).await;
    let password = || "partywall-test".to_owned();
    let passwords = Passwords {
        app: password(),
        list: password(),
        across: password(),
        identity: password(),
    };
    let superuser = test.superuser_url();
    test.schema()
        .bootstrap(&superuser, &passwords)
        .await
        .unwrap();
    assert_eq!(probe.count(CAUGHT).await, 0);
    // The control: as the superuser's own path would have had it.
    let asked = "SELECT format('%s', oid::regprocedure) FROM pg_proc \
                 WHERE proname = 'set_config' AND pronamespace = 'pg_catalog'::regnamespace";
    probe.run(asked).await;
    let caught = "SELECT count(DISTINCT what) FROM public.caught WHERE who = 'postgres'";
    assert_eq!(probe.count(caught).await, 2);
}

#[tokio::test]
async fn connecting_believes_nothing_that_somebody_planted() {
    let (test, probe) = planted("tilled").await;
    probe.run(LIARS).await;
    Db::connect(test.config().unwrap()).await.unwrap();
    let grant = "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO tilled_app', \
                 current_database()); END $$";
    probe.run(grant).await;
    // The control: the login itself is told otherwise.
    let login = login::app(&test).await;
    let told = login
        .query_one(
            "SELECT has_database_privilege(oid, current_database(), 'TEMPORARY'), \
             pg_catalog.has_database_privilege(oid, current_database(), 'TEMPORARY') \
             FROM pg_roles WHERE rolname = current_user",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((told.get(0), told.get(1)), (false, true));
    match Db::connect(test.config().unwrap()).await {
        Err(ConnectError::Unsafe(rights)) => {
            let told = rights.to_string();
            assert!(told.contains("temporary"), "{told}");
        }
        other => panic!("it was believed: {other:?}"),
    }
    probe
        .run(&grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))
        .await;
    probe
        .run("CREATE TABLE leak (name text); GRANT SELECT ON leak TO tilled_app")
        .await;
    match Db::connect(test.config().unwrap()).await {
        Err(ConnectError::Drift(drift)) => {
            assert!(drift.to_string().contains("public.leak"), "{drift}");
        }
        other => panic!("it was believed: {other:?}"),
    }
}

/// Migrations are the application's own, and find what it finds; declared columns have the system's
/// types, even where the owner's path puts others first.
#[tokio::test]
async fn migrations_see_the_path_of_their_owner() {
    let (test, probe) = planted("reaped").await;
    probe
        .run(
            "CREATE SCHEMA garden AUTHORIZATION partywall_test_owner; \
             CREATE DOMAIN public.uuid AS pg_catalog.uuid CHECK (VALUE IS NULL); \
             DO $$ BEGIN EXECUTE format('ALTER ROLE partywall_test_owner IN DATABASE %I \
             SET search_path = garden, public, pg_catalog', current_database()); END $$; \
             DROP TABLE comment",
        )
        .await;
    // The control: to the owner, such a type is the first of its name.
    let owner = session(&test.owner_url()).await;
    let first = "SELECT 'uuid'::regtype = 'public.uuid'::regtype";
    assert!(owner.query_one(first, &[]).await.unwrap().get::<_, bool>(0));
    let grown = Schema::builder(test.schema().roles().clone(), seal())
        .model::<post::Entity>()
        .model::<comment::Entity>()
        .model::<country::Entity>()
        .migration(
            "sow",
            "CREATE TABLE bed (plants int); SET search_path = nowhere",
        )
        .migration(
            "reap",
            "INSERT INTO bed VALUES (1); UPDATE bed SET plants = 2",
        )
        .build()
        .unwrap();
    let applied = grown.apply(&test.owner_url()).await.unwrap();
    assert_eq!(applied.migrations, ["sow", "reap"]);
    assert_eq!(probe.count("SELECT sum(plants) FROM garden.bed").await, 2);
    let planted = "SELECT count(*) FROM pg_attribute \
                   WHERE attrelid = 'public.comment'::regclass AND atttypid = 'public.uuid'::regtype";
    assert_eq!(probe.count(planted).await, 0);
    test.connected_as(&grown).await.unwrap();
}
