//! A wall that somebody has damaged: found at start, and mended or reported by `Schema::apply`.

use partywall::{
    Db, Schema,
    db::ConnectError,
    schema::ApplyError,
    testing::{TestDb, assert_blocks_without_scope, assert_isolated},
};

use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use uuid::Uuid;

use crate::{
    guard::gated,
    models::{post, seal},
    probe::Probe,
};

/// Statements that take one stone out of the wall, and words of the finding. `Schema::apply` puts
/// each back. `w_app` and the like are the logins.
const MENDED: &[(&str, &[&str])] = &[
    (
        "ALTER TABLE post DISABLE ROW LEVEL SECURITY",
        &["public.post", "enabled f"],
    ),
    (
        "ALTER TABLE post NO FORCE ROW LEVEL SECURITY",
        &["public.post", "forced f"],
    ),
    (
        "ALTER TABLE country DISABLE ROW LEVEL SECURITY",
        &["public.country", "enabled f"],
    ),
    (
        "DROP POLICY partywall_rows ON post",
        &["policy `partywall_rows` is missing"],
    ),
    (
        "DROP POLICY partywall_app_tenant ON post",
        &["policy `partywall_app_tenant` is missing"],
    ),
    (
        "DROP POLICY partywall_list_tenant ON comment",
        &["public.comment", "is missing"],
    ),
    (
        "ALTER POLICY partywall_app_tenant ON post USING (true)",
        &["partywall_app_tenant", "altered"],
    ),
    (
        "ALTER POLICY partywall_app_tenant ON post WITH CHECK (true)",
        &["partywall_app_tenant", "altered"],
    ),
    (
        "ALTER POLICY partywall_app_tenant ON post TO w_across",
        &["partywall_app_tenant", "to w_across"],
    ),
    (
        "ALTER POLICY partywall_rows ON post TO PUBLIC",
        &["partywall_rows", "to public"],
    ),
    (
        "ALTER POLICY partywall_across ON country TO w_app",
        &["public.country", "to w_app"],
    ),
    (
        "DROP POLICY partywall_app_tenant ON post; CREATE POLICY partywall_app_tenant ON post \
         AS PERMISSIVE TO w_app USING (tenant_id = (SELECT partywall.tenant()))",
        &["partywall_app_tenant", "permissive"],
    ),
    (
        "DROP POLICY partywall_app_tenant ON post; CREATE POLICY partywall_app_tenant ON post \
         AS RESTRICTIVE FOR SELECT TO w_app USING (tenant_id = (SELECT partywall.tenant()))",
        &["partywall_app_tenant", "restrictive r"],
    ),
    (
        "CREATE POLICY partywall_more ON post USING (true)",
        &["partywall_more", "added"],
    ),
    (
        "GRANT UPDATE ON post TO w_app",
        &["privilege `w_app`", "UPDATE"],
    ),
    (
        "GRANT UPDATE (tenant_id) ON post TO w_app",
        &["privilege `w_app`", "UPDATE(tenant_id)"],
    ),
    (
        "GRANT SELECT ON post TO PUBLIC",
        &["privilege `public`", "SELECT"],
    ),
    (
        "GRANT SELECT (id) ON post TO PUBLIC",
        &["privilege `public`", "SELECT(id)"],
    ),
    (
        "GRANT SELECT ON post TO w_app WITH GRANT OPTION",
        &["privilege `w_app`", "SELECT*"],
    ),
    (
        "GRANT INSERT ON country TO w_list",
        &["public.country", "privilege `w_list`", "INSERT"],
    ),
    (
        "REVOKE SELECT ON post FROM w_app",
        &["privilege `w_app`", "altered"],
    ),
    (
        "REVOKE ALL ON comment FROM w_across",
        &["public.comment", "`w_across` is missing"],
    ),
    (
        "CREATE OR REPLACE FUNCTION partywall.tenant() RETURNS uuid LANGUAGE sql STABLE \
         AS 'SELECT gen_random_uuid()'",
        &["function `partywall.tenant()`"],
    ),
    (
        "ALTER FUNCTION partywall.tenant() VOLATILE",
        &["function `partywall.tenant()`", "volatile v"],
    ),
    (
        "ALTER FUNCTION partywall.tenant() SECURITY INVOKER",
        &["partywall.tenant()", "definer f"],
    ),
    (
        "ALTER FUNCTION partywall.tenant() SET search_path = public",
        &["partywall.tenant()", "search_path"],
    ),
    (
        "ALTER FUNCTION partywall.tenant() LEAKPROOF",
        &["partywall.tenant()", "leakproof t"],
    ),
    (
        "ALTER FUNCTION partywall.tenant_list() PARALLEL UNSAFE",
        &["tenant_list()", "parallel u"],
    ),
    (
        "ALTER FUNCTION partywall.enter(text, integer) SECURITY DEFINER",
        &["partywall.enter", "definer t"],
    ),
    (
        "ALTER FUNCTION partywall.cross(text, text, integer) SECURITY INVOKER",
        &["\"cross\"(text", "definer f"],
    ),
    (
        "CREATE OR REPLACE FUNCTION partywall.enter(context text, statement_ms integer) RETURNS void \
         LANGUAGE sql AS 'SELECT set_config(''partywall.context'', $1, false)'",
        &["function `partywall.enter(text,integer)`", "altered"],
    ),
    (
        "DROP FUNCTION partywall.narrow(text)",
        &["function `partywall.narrow(text)` is missing"],
    ),
    (
        "GRANT EXECUTE ON FUNCTION partywall.cross(text, text, integer) TO w_app",
        &["\"cross\"(text", "w_app"],
    ),
    (
        "REVOKE EXECUTE ON FUNCTION partywall.tenant() FROM w_app",
        &["partywall.tenant()", "acl"],
    ),
    (
        "ALTER TABLE post ALTER COLUMN tenant_id DROP DEFAULT",
        &["column `tenant_id`", "altered"],
    ),
    (
        "ALTER TABLE post ALTER COLUMN tenant_id SET DEFAULT gen_random_uuid()",
        &["column `tenant_id`"],
    ),
    (
        "ALTER TABLE comment ALTER COLUMN tenant_id DROP DEFAULT",
        &["public.comment", "column `tenant_id`"],
    ),
    (
        "ALTER TABLE comment DROP CONSTRAINT comment_tenant_id_post_id_fkey",
        &["constraint `comment_tenant_id_post_id_fkey` is missing"],
    ),
    (
        "ALTER TABLE comment DROP CONSTRAINT comment_tenant_id_post_id_fkey, \
         ADD CONSTRAINT comment_tenant_id_post_id_fkey CHECK (true)",
        &["comment_tenant_id_post_id_fkey", "CHECK"],
    ),
    (
        "ALTER TABLE comment DROP CONSTRAINT comment_tenant_id_post_id_fkey, \
         ADD CONSTRAINT comment_tenant_id_post_id_fkey FOREIGN KEY (tenant_id, post_id) \
         REFERENCES post (tenant_id, id) NOT VALID",
        &["comment_tenant_id_post_id_fkey", "NOT VALID"],
    ),
    (
        "ALTER TABLE comment DISABLE TRIGGER ALL",
        &["comment_tenant_id_post_id_fkey", "disabled"],
    ),
    (
        "ALTER TABLE post DROP CONSTRAINT post_tenant_id_slug_key",
        &["post_tenant_id_slug_key", "missing"],
    ),
    (
        "ALTER TABLE post DROP CONSTRAINT post_tenant_id_slug_key, \
         ADD CONSTRAINT post_tenant_id_slug_key UNIQUE (id, slug)",
        &["post_tenant_id_slug_key", "UNIQUE (id, slug)"],
    ),
    (
        "ALTER TABLE post DROP CONSTRAINT post_tenant_id_slug_key; \
         CREATE UNIQUE INDEX post_tenant_id_slug_key ON post (id, slug)",
        &["post_tenant_id_slug_key"],
    ),
    (
        "ALTER TABLE post DROP CONSTRAINT post_pkey CASCADE",
        &["constraint `post_pkey` is missing"],
    ),
    (
        "ALTER TABLE post DROP CONSTRAINT post_pkey CASCADE, ADD CONSTRAINT post_pkey PRIMARY KEY (id)",
        &["constraint `post_pkey`", "PRIMARY KEY (id)"],
    ),
    (
        "ALTER TABLE comment DISABLE TRIGGER partywall_fill_tenant",
        &["partywall_fill_tenant", "altered"],
    ),
    (
        "DROP TRIGGER partywall_fill_tenant ON comment",
        &["`partywall_fill_tenant` is missing"],
    ),
    (
        "INSERT INTO partywall.seal_key VALUES ('planted', 'a', 'b')",
        &["partywall", "seal key `planted` was added"],
    ),
    (
        "INSERT INTO partywall.seal_key VALUES ('planted', 'a', 'b'); \
         INSERT INTO partywall.expected SELECT 'partywall', 'seal key', name, pads \
         FROM partywall.seal_keys() WHERE name = 'planted'",
        &["partywall", "seal key `planted` was added"],
    ),
    (
        "UPDATE partywall.seal_key SET inner_pad = outer_pad",
        &["seal key", "was altered"],
    ),
    (
        "DELETE FROM partywall.seal_key",
        &["seal key", "is missing"],
    ),
    (
        "GRANT SELECT ON partywall.seal_key TO w_app",
        &["partywall.seal_key", "privilege `w_app`"],
    ),
    (
        "GRANT SELECT (inner_pad) ON partywall.seal_key TO w_list",
        &["partywall.seal_key", "w_list"],
    ),
    (
        "GRANT DELETE ON partywall.expected TO w_app",
        &["partywall.expected", "DELETE"],
    ),
    (
        "GRANT INSERT ON partywall.crossing TO w_app",
        &["partywall.crossing", "INSERT"],
    ),
    (
        "GRANT DELETE ON partywall.crossing TO PUBLIC",
        &["partywall.crossing", "DELETE"],
    ),
];

/// What `Schema::apply` has no right or no reason to undo: it says so and changes nothing.
const REPORTED: &[(&str, &[&str], &str)] = &[
    (
        "CREATE POLICY open ON post USING (true)",
        &["public.post", "policy `open` was added"],
        "DROP POLICY open ON post",
    ),
    (
        "CREATE POLICY open ON comment FOR SELECT TO w_app USING (id IS NOT NULL)",
        &["public.comment", "policy `open` was added"],
        "DROP POLICY open ON comment",
    ),
    (
        "CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
         AS 'BEGIN RETURN NEW; END'; \
         CREATE TRIGGER spy BEFORE INSERT ON post FOR EACH ROW EXECUTE FUNCTION spy()",
        &["public.post", "trigger `spy` was added"],
        "DROP TRIGGER spy ON post; DROP FUNCTION spy()",
    ),
    (
        "CREATE RULE spy AS ON INSERT TO comment DO ALSO NOTIFY spy",
        &["public.comment", "rule `spy` was added"],
        "DROP RULE spy ON comment",
    ),
    (
        "CREATE FUNCTION partywall.extra() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'",
        &["function `partywall.extra()` was added"],
        "DROP FUNCTION partywall.extra()",
    ),
    (
        "CREATE TABLE partywall.extra (); ALTER TABLE partywall.extra OWNER TO partywall_test_owner",
        &["partywall.extra"],
        "DROP TABLE partywall.extra",
    ),
    (
        "GRANT EXECUTE ON FUNCTION partywall.tenant() TO pg_monitor",
        &["function `partywall.tenant()`", "pg_monitor"],
        "REVOKE EXECUTE ON FUNCTION partywall.tenant() FROM pg_monitor",
    ),
    (
        "GRANT SELECT ON partywall.seal_key TO pg_monitor",
        &["partywall.seal_key", "pg_monitor"],
        "REVOKE SELECT ON partywall.seal_key FROM pg_monitor",
    ),
    (
        "ALTER ROLE w_app CREATEDB",
        &["role `w_app`", "createdb t"],
        "ALTER ROLE w_app NOCREATEDB",
    ),
    (
        "CREATE ROLE w_harmless; GRANT w_harmless TO w_list",
        &["role `w_list`", "member of w_harmless"],
        "DROP ROLE w_harmless",
    ),
    (
        "CREATE TABLE leak (tenant_id uuid)",
        &["public.leak is not declared", "has the column tenant_id"],
        "DROP TABLE leak",
    ),
    (
        "CREATE SCHEMA other; CREATE TABLE other.leak (tenant_id uuid)",
        &["other.leak is not declared"],
        "DROP SCHEMA other CASCADE",
    ),
    (
        "CREATE TABLE leak (a uuid, b uuid, FOREIGN KEY (a, b) REFERENCES post (tenant_id, id))",
        &["public.leak is not declared", "refers to", "post"],
        "DROP TABLE leak",
    ),
    (
        "CREATE TABLE leak (name text); GRANT SELECT ON leak TO w_app",
        &["public.leak is not declared", "granted to w_app"],
        "DROP TABLE leak",
    ),
    (
        "CREATE TABLE leak (name text); GRANT SELECT (name) ON leak TO w_list",
        &["public.leak is not declared", "granted to w_list"],
        "DROP TABLE leak",
    ),
    (
        "CREATE TABLE leak (name text); GRANT INSERT ON leak TO PUBLIC",
        &[
            "public.leak is not declared",
            "granted to w_across and w_app and w_list",
        ],
        "DROP TABLE leak",
    ),
    (
        "CREATE VIEW leak AS SELECT * FROM post; GRANT SELECT ON leak TO w_app",
        &["public.leak is not declared", "granted to w_app"],
        "DROP VIEW leak",
    ),
    (
        "CREATE MATERIALIZED VIEW leak AS SELECT * FROM post; GRANT SELECT ON leak TO w_app",
        &["public.leak is not declared", "granted to w_app"],
        "DROP MATERIALIZED VIEW leak",
    ),
    (
        "CREATE TABLE leak () INHERITS (post); GRANT SELECT ON leak TO w_app; \
         ALTER TABLE leak OWNER TO partywall_test_owner",
        &["public.leak is not declared", "granted to w_app"],
        "DROP TABLE leak",
    ),
];

struct Damaged {
    test: TestDb,
    probe: Probe,
    /// What was expected of the database before anything was done to it.
    expected: String,
    login: &'static str,
    tenants: [Uuid; 2],
}

const EXPECTED: &str = "SELECT md5(string_agg(concat_ws(' ', object, aspect, name, definition), \
                        E'\\n' ORDER BY object, aspect, name)) FROM partywall.expected";

impl Damaged {
    async fn new(login: &'static str) -> Self {
        let schema: Schema = gated(login, seal());
        let test = TestDb::new(&schema).await.unwrap();
        let tenants = [Uuid::now_v7(), Uuid::now_v7()];
        for tenant in tenants {
            let post = post::ActiveModel {
                id: Set(Uuid::now_v7()),
                slug: Set("a".to_owned()),
                title: Set("b".to_owned()),
                ..Default::default()
            };
            post.insert(&test.as_tenant(tenant)).await.unwrap();
        }
        let probe = Probe::new(&test).await;
        let expected = Self::expected(&probe).await;
        Self {
            test,
            probe,
            expected,
            login,
            tenants,
        }
    }

    async fn expected(probe: &Probe) -> String {
        probe.client.query_one(EXPECTED, &[]).await.unwrap().get(0)
    }

    /// The statement with this database's logins.
    fn for_login(&self, sql: &str) -> String {
        sql.replace("w_", &format!("{}_", self.login))
    }

    async fn found(&self, case: &str, words: &[&str]) {
        let told = match Db::connect(self.test.config().unwrap()).await {
            Err(ConnectError::Drift(drift)) => drift.to_string(),
            Err(other) => panic!("{case}: refused otherwise: {other}"),
            Ok(_) => panic!("{case}: it was not found"),
        };
        for word in words {
            let word = self.for_login(word);
            assert!(told.contains(&word), "{case}: `{word}` is not in `{told}`");
        }
    }

    async fn whole(&self, case: &str) {
        if let Err(error) = Db::connect(self.test.config().unwrap()).await {
            panic!("{case}: it is not as it was: {error}");
        }
        assert_eq!(
            Self::expected(&self.probe).await,
            self.expected,
            "{case}: less is expected now"
        );
    }
}

async fn mend(login: &'static str, cases: &[(&str, &[&str])]) {
    let damaged = Damaged::new(login).await;
    damaged.whole("before").await;
    for (damage, words) in cases {
        damaged.probe.run(&damaged.for_login(damage)).await;
        damaged.found(damage, words).await;
        let applied = damaged.test.schema().apply(&damaged.test.owner_url()).await;
        let applied = applied.unwrap_or_else(|error| panic!("{damage}: {error:?}"));
        assert!(
            applied.changed && !applied.mended.is_empty(),
            "{damage}: {applied:?}"
        );
        assert_eq!(applied.accepted, [], "{damage}");
        damaged.whole(damage).await;
    }
    let [one, other] = damaged.tenants;
    assert_isolated::<post::Entity>(&damaged.test, one, other).await;
    assert_blocks_without_scope(&damaged.test).await;
}

#[tokio::test]
async fn d35_damage_is_found_and_mended() {
    mend("stone", &MENDED[..MENDED.len() / 2]).await;
}

#[tokio::test]
async fn d35_more_damage_is_found_and_mended() {
    mend("brick", &MENDED[MENDED.len() / 2..]).await;
}

#[tokio::test]
async fn d36_what_nobody_declared_is_found_and_reported() {
    let damaged = Damaged::new("stray").await;
    for (damage, words, repair) in REPORTED {
        damaged.probe.run(&damaged.for_login(damage)).await;
        damaged.found(damage, words).await;
        match damaged.test.schema().apply(&damaged.test.owner_url()).await {
            Err(ApplyError::Undeclared(told)) => {
                for word in *words {
                    let word = damaged.for_login(word);
                    assert!(
                        told.to_string().contains(&word),
                        "{damage}: `{word}` is not in `{told}`"
                    );
                }
            }
            other => panic!("{damage}: it was not reported: {other:?}"),
        }
        // Still found: what was reported was not taken for granted.
        damaged.found(damage, words).await;
        damaged.probe.run(&damaged.for_login(repair)).await;
        damaged.whole(damage).await;
    }
}

/// The owner's own changes to its tables: found, and expected once the schema is applied again.
#[tokio::test]
async fn d35_columns_and_keys_of_the_owner_are_accepted() {
    let damaged = Damaged::new("mortar").await;
    for (change, words) in [
        (
            "ALTER TABLE post ADD COLUMN note text",
            ["column `note` was added"],
        ),
        (
            "ALTER TABLE post ADD CONSTRAINT short CHECK (length(slug) < 99)",
            ["constraint `short` was added"],
        ),
        (
            "CREATE UNIQUE INDEX one_note ON post (tenant_id, note)",
            ["unique index `public.one_note`"],
        ),
        (
            "ALTER TABLE post DROP CONSTRAINT short",
            ["constraint `short` is missing"],
        ),
    ] {
        damaged.probe.run(change).await;
        damaged.found(change, &words).await;
        let applied = damaged
            .test
            .schema()
            .apply(&damaged.test.owner_url())
            .await
            .unwrap();
        assert_eq!(
            (applied.mended.len(), applied.accepted.len()),
            (0, 1),
            "{change}: {applied:?}"
        );
        Db::connect(damaged.test.config().unwrap()).await.unwrap();
    }
}

/// A relation that is left to itself on purpose is named in the schema.
#[tokio::test]
async fn d36_unprotected_by_name_is_not_reported() {
    let plain = TestDb::new(&gated("bare", seal())).await.unwrap();
    plain
        .as_superuser("CREATE TABLE ledger (tenant_id uuid)")
        .await
        .unwrap();
    let error = Db::connect(plain.config().unwrap()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Drift(_)), "{error}");
    let named = Schema::builder(plain.schema().roles().clone(), seal())
        .model::<post::Entity>()
        .model::<crate::models::comment::Entity>()
        .model::<crate::models::country::Entity>()
        .unprotected("public", "ledger", "the accounting tool owns it")
        .build()
        .unwrap();
    let left: Vec<_> = named.unprotected().collect();
    assert_eq!((left.len(), left[0].relation.as_str()), (1, "ledger"));
    assert_eq!(left[0].reason, "the accounting tool owns it");
    let config = partywall::Config::new(&named, &plain.url("bare_app")).unwrap();
    Db::connect(config).await.unwrap();
}
