//! Logins that could get around the wall.

use std::fmt::Write as _;

use partywall::{
    Config, Db, Roles, Schema,
    db::{ConnectError, UnsafeRights},
    schema::Seal,
    testing::TestDb,
};

use crate::models::{comment, country, post, seal};

/// Roles belong to the whole server, so what is done to these must not meet another test.
pub fn gated(application: &str, seal: Seal) -> Schema {
    Schema::builder(Roles::named(application), seal)
        .model::<post::Entity>()
        .model::<comment::Entity>()
        .model::<country::Entity>()
        .build()
        .unwrap()
}

async fn refusal(test: &TestDb) -> UnsafeRights {
    match Db::connect(test.config().unwrap()).await {
        Err(ConnectError::Unsafe(rights)) => rights,
        other => panic!("it was not refused: {other:?}"),
    }
}

/// What is wrong, the SQL that does it, and the SQL that cleans up what a fix leaves.
const UNSAFE: [(&str, &str, &str); 24] = [
    ("superuser", "ALTER ROLE gate_app SUPERUSER", ""),
    ("bypass", "ALTER ROLE gate_app BYPASSRLS", ""),
    ("creates roles", "ALTER ROLE gate_app CREATEROLE", ""),
    ("replicates", "ALTER ROLE gate_app REPLICATION", ""),
    ("owner", "ALTER TABLE post OWNER TO gate_app", ""),
    (
        "member of the owner",
        "GRANT partywall_test_owner TO gate_app",
        "",
    ),
    (
        "member of a superuser",
        "CREATE ROLE gate_super SUPERUSER; GRANT gate_super TO gate_app",
        "DROP ROLE gate_super",
    ),
    (
        "member of a bypass role",
        "CREATE ROLE gate_bypass BYPASSRLS NOLOGIN NOINHERIT; GRANT gate_bypass TO gate_app",
        "DROP ROLE gate_bypass",
    ),
    (
        "two hops to a bypass role",
        "CREATE ROLE gate_bypass BYPASSRLS; CREATE ROLE gate_hop NOINHERIT; \
         GRANT gate_bypass TO gate_hop; GRANT gate_hop TO gate_app",
        "DROP ROLE gate_hop; DROP ROLE gate_bypass",
    ),
    (
        "two hops to the owner",
        "CREATE ROLE gate_hop NOINHERIT; GRANT partywall_test_owner TO gate_hop; \
         GRANT gate_hop TO gate_app",
        "DROP ROLE gate_hop",
    ),
    ("member of across", "GRANT gate_across TO gate_app", ""),
    (
        "runs programs",
        "GRANT pg_execute_server_program TO gate_app",
        "",
    ),
    (
        "temporary",
        "GRANT TEMPORARY ON DATABASE {database} TO gate_app",
        "",
    ),
    (
        "temporary for all",
        "GRANT TEMPORARY ON DATABASE {database} TO PUBLIC",
        "",
    ),
    (
        "creates schemas",
        "GRANT CREATE ON DATABASE {database} TO gate_app",
        "",
    ),
    (
        "creates in public",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "",
    ),
    (
        "creates in partywall",
        "GRANT CREATE ON SCHEMA partywall TO gate_app",
        "",
    ),
    ("truncates", "GRANT TRUNCATE ON post TO gate_app", ""),
    (
        "truncates with all",
        "GRANT TRUNCATE ON comment TO PUBLIC",
        "",
    ),
    (
        "refers and fires",
        "GRANT REFERENCES, TRIGGER ON post TO gate_app",
        "",
    ),
    (
        "runs as a superuser",
        "CREATE FUNCTION all_posts() RETURNS SETOF post LANGUAGE sql SECURITY DEFINER \
         AS 'SELECT * FROM public.post'",
        "DROP FUNCTION all_posts()",
    ),
    (
        "runs as the owner",
        "CREATE PROCEDURE public.open() LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN END'; \
         ALTER PROCEDURE public.open() OWNER TO partywall_test_owner; \
         REVOKE EXECUTE ON PROCEDURE public.open() FROM PUBLIC; \
         GRANT EXECUTE ON PROCEDURE public.open() TO gate_app",
        "DROP PROCEDURE public.open()",
    ),
    (
        "runs as across",
        "CREATE FUNCTION all_posts() RETURNS SETOF post LANGUAGE sql SECURITY DEFINER \
         AS 'SELECT * FROM public.post'; ALTER FUNCTION all_posts() OWNER TO gate_across",
        "DROP FUNCTION all_posts()",
    ),
    (
        "runs as a bypass role",
        "CREATE ROLE gate_bypass BYPASSRLS; \
         CREATE FUNCTION all_posts() RETURNS SETOF post LANGUAGE sql SECURITY DEFINER \
         AS 'SELECT * FROM public.post'; ALTER FUNCTION all_posts() OWNER TO gate_bypass",
        "DROP FUNCTION all_posts(); DROP ROLE gate_bypass",
    ),
];

#[tokio::test]
async fn d34_unsafe_login_is_refused_with_the_fix() {
    let test = TestDb::new(&gated("gate", seal())).await.unwrap();
    let url = test.superuser_url();
    let database = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let mut told = String::new();
    for (case, damage, after) in UNSAFE {
        test.as_superuser(&damage.replace("{database}", database))
            .await
            .unwrap();
        let refused = refusal(&test).await;
        for finding in refused.findings() {
            writeln!(told, "{case}: {finding}").unwrap();
        }
        for finding in refused.findings() {
            test.as_superuser(finding.fix()).await.unwrap();
        }
        match Db::connect(test.config().unwrap()).await {
            Ok(_) => {}
            // A table that had another owner has lost its grants.
            Err(ConnectError::Drift(_)) if case == "owner" => {
                test.schema().apply(&test.owner_url()).await.unwrap();
                Db::connect(test.config().unwrap()).await.unwrap();
            }
            Err(error) => panic!("{case}: the fix does not help: {error}"),
        }
        test.as_superuser(after).await.unwrap();
    }
    insta::assert_snapshot!(told.replace(database, "«database»"), @"
    superuser: the login gate_app is a superuser, and row-level security does not apply to superusers: run `ALTER ROLE gate_app NOSUPERUSER` as a superuser
    bypass: the login gate_app has BYPASSRLS, so no policy applies to it: run `ALTER ROLE gate_app NOBYPASSRLS` as a superuser
    creates roles: the login gate_app may create roles: run `ALTER ROLE gate_app NOCREATEROLE` as a superuser
    replicates: the login gate_app may read the replication stream, which has every row: run `ALTER ROLE gate_app NOREPLICATION` as a superuser
    owner: the login gate_app is the owner of public.post, and an owner can switch row-level security off: run `ALTER TABLE public.post OWNER TO partywall_test_owner` as a superuser
    member of the owner: the login gate_app is a member of partywall_test_owner, which owns the database: run `REVOKE partywall_test_owner FROM gate_app` as a superuser
    member of the owner: the login gate_app is a member of partywall_test_owner, the owner of public.comment, public.country, public.post, and an owner can switch row-level security off: run `REVOKE partywall_test_owner FROM gate_app` as a superuser
    member of a superuser: the login gate_app is a member of gate_super, which is a superuser: run `REVOKE gate_super FROM gate_app` as a superuser
    member of a bypass role: the login gate_app is a member of gate_bypass, which has BYPASSRLS: run `REVOKE gate_bypass FROM gate_app` as a superuser
    two hops to a bypass role: the login gate_app is a member of gate_bypass, which has BYPASSRLS: run `REVOKE gate_hop FROM gate_app` as a superuser
    two hops to the owner: the login gate_app is a member of partywall_test_owner, which owns the database: run `REVOKE gate_hop FROM gate_app` as a superuser
    two hops to the owner: the login gate_app is a member of partywall_test_owner, the owner of public.comment, public.country, public.post, and an owner can switch row-level security off: run `REVOKE gate_hop FROM gate_app` as a superuser
    member of across: the login gate_app is a member of gate_across, which sees other rows: run `REVOKE gate_across FROM gate_app` as a superuser
    runs programs: the login gate_app is a member of pg_execute_server_program, which reaches past the policies: run `REVOKE pg_execute_server_program FROM gate_app` as a superuser
    temporary: the login gate_app may create temporary objects, which outlive a scope: run `REVOKE TEMPORARY ON DATABASE «database» FROM PUBLIC, gate_app` as a superuser
    temporary for all: the login gate_list may create temporary objects, which outlive a scope: run `REVOKE TEMPORARY ON DATABASE «database» FROM PUBLIC, gate_list` as a superuser
    creates schemas: the login gate_app may create schemas: run `REVOKE CREATE ON DATABASE «database» FROM PUBLIC, gate_app` as a superuser
    creates in public: the login gate_list may create objects in the schema public: run `REVOKE CREATE ON SCHEMA public FROM PUBLIC, gate_list` as a superuser
    creates in partywall: the login gate_app may create objects in the schema partywall: run `REVOKE CREATE ON SCHEMA partywall FROM PUBLIC, gate_app` as a superuser
    truncates: the login gate_app may TRUNCATE public.post: run `REVOKE TRUNCATE ON public.post FROM PUBLIC, gate_app` as a superuser
    truncates with all: the login gate_list may TRUNCATE public.comment: run `REVOKE TRUNCATE ON public.comment FROM PUBLIC, gate_list` as a superuser
    refers and fires: the login gate_app may REFERENCES public.post: run `REVOKE REFERENCES ON public.post FROM PUBLIC, gate_app` as a superuser
    refers and fires: the login gate_app may TRIGGER public.post: run `REVOKE TRIGGER ON public.post FROM PUBLIC, gate_app` as a superuser
    runs as a superuser: the login gate_list may execute public.all_posts(), which runs as postgres, and that role is a superuser: run `REVOKE EXECUTE ON ROUTINE public.all_posts() FROM PUBLIC, gate_list` as a superuser
    runs as the owner: the login gate_app may execute public.open(), which runs as partywall_test_owner, and that role owns protected tables: run `REVOKE EXECUTE ON ROUTINE public.open() FROM PUBLIC, gate_app` as a superuser
    runs as across: the login gate_list may execute public.all_posts(), which runs as gate_across, and that role sees other rows: run `REVOKE EXECUTE ON ROUTINE public.all_posts() FROM PUBLIC, gate_list` as a superuser
    runs as a bypass role: the login gate_list may execute public.all_posts(), which runs as gate_bypass, and that role has BYPASSRLS: run `REVOKE EXECUTE ON ROUTINE public.all_posts() FROM PUBLIC, gate_list` as a superuser
    ");
}

#[tokio::test]
async fn d34_owner_and_superuser_logins_are_refused() {
    let schema = gated("gate_plain", seal());
    let test = TestDb::new(&schema).await.unwrap();
    for url in [test.owner_url(), test.superuser_url()] {
        let error = Db::connect(Config::new(&schema, &url).unwrap())
            .await
            .unwrap_err();
        assert!(matches!(error, ConnectError::Unsafe(_)), "{error}");
    }
    // A login that is safe and the wrong one.
    let list = test.url("gate_plain_list");
    let error = Db::connect(Config::new(&schema, &list).unwrap())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"connected as `gate_plain_list`, but the policies are for `gate_plain_app`: use that login");
    for (list, across) in [
        ("gate_plain_app", "gate_plain_across"),
        ("gate_plain_list", "gate_plain_app"),
    ] {
        let config = Config::new(&schema, &test.url("gate_plain_app"))
            .unwrap()
            .list_login(&test.url(list))
            .unwrap()
            .across_login(&test.url(across))
            .unwrap();
        let error = Db::connect(config).await.unwrap_err();
        assert!(matches!(error, ConnectError::WrongLogin { .. }), "{error}");
    }
    let config = Config::new(&schema, &test.url("gate_plain_app"))
        .unwrap()
        .list_login(&test.superuser_url())
        .unwrap();
    let error = Db::connect(config).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unsafe(_)), "{error}");
    // The control.
    Db::connect(test.config().unwrap()).await.unwrap();
}

/// The other two logins are checked as the application's is.
#[tokio::test]
async fn d34_other_logins_are_checked_as_well() {
    let test = TestDb::new(&gated("gate_other", seal())).await.unwrap();
    for (damage, fix) in [
        (
            "ALTER ROLE gate_other_list BYPASSRLS",
            "ALTER ROLE gate_other_list NOBYPASSRLS",
        ),
        (
            "ALTER ROLE gate_other_across SUPERUSER",
            "ALTER ROLE gate_other_across NOSUPERUSER",
        ),
        (
            "GRANT gate_other_across TO gate_other_list",
            "REVOKE gate_other_across FROM gate_other_list",
        ),
        (
            "GRANT TRUNCATE ON post TO gate_other_across",
            "REVOKE TRUNCATE ON public.post FROM PUBLIC, gate_other_across",
        ),
    ] {
        test.as_superuser(damage).await.unwrap();
        let refused = refusal(&test).await;
        let fixes: Vec<&str> = refused
            .findings()
            .iter()
            .map(|finding| finding.fix())
            .collect();
        assert_eq!(fixes, [fix], "{damage}");
        test.as_superuser(fix).await.unwrap();
        Db::connect(test.config().unwrap()).await.unwrap();
    }
}

/// Not every function that runs with another's rights is a way out.
#[tokio::test]
async fn d34_harmless_definers_are_let_be() {
    let test = TestDb::new(&gated("gate_definer", seal())).await.unwrap();
    let definer = "LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NULL; END'";
    for harmless in [
        // Of a role that can do nothing.
        format!(
            "CREATE ROLE gate_definer_other; CREATE FUNCTION one() RETURNS int {definer}; \
             ALTER FUNCTION one() OWNER TO gate_definer_other"
        ),
        // Not for our logins.
        format!(
            "CREATE FUNCTION two() RETURNS int {definer}; REVOKE EXECUTE ON FUNCTION two() FROM PUBLIC"
        ),
        format!("CREATE SCHEMA closed; CREATE FUNCTION closed.three() RETURNS int {definer}"),
        // Nobody can call it.
        format!("CREATE FUNCTION four() RETURNS trigger {definer}"),
        // With the rights of whoever calls it.
        "CREATE FUNCTION five() RETURNS int LANGUAGE sql AS 'SELECT 5'".to_owned(),
    ] {
        test.as_superuser(&harmless).await.unwrap();
        Db::connect(test.config().unwrap()).await.unwrap();
    }
    // The control: the same function, given to a login.
    test.as_superuser("GRANT EXECUTE ON FUNCTION two() TO gate_definer_app")
        .await
        .unwrap();
    let refused = refusal(&test).await;
    assert_eq!(refused.findings().len(), 1, "{refused}");
    let fix = "DROP FUNCTION one(), two(); DROP ROLE gate_definer_other";
    test.as_superuser(fix).await.unwrap();
}
