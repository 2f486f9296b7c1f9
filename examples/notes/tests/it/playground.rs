//! The SQL console, attacked by a member of one tenant who wants another's rows.

use std::time::{Duration, Instant};

use crate::{
    attacks::{self, Kind},
    browser::Browser,
    world::World,
};

/// In every text of the victim, and nowhere else.
const SECRET: &str = "GLOBEX-SECRET-7f3a";
/// In every text of the attacker.
const OWN: &str = "ACME-OWN-51c9";

/// The victim's and everybody's rows, the wall itself, and nothing of the attacker's tenant.
const ELSEWHERE: &str = "
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
  SELECT 'note' || t::text AS line FROM note t WHERE tenant_id <> '{acme}'
  UNION ALL SELECT 'comment' || t::text FROM comment t WHERE tenant_id <> '{acme}'
  UNION ALL SELECT 'tag' || t::text FROM tag t WHERE tenant_id <> '{acme}'
  UNION ALL SELECT 'note_tag' || t::text FROM note_tag t WHERE tenant_id <> '{acme}'
  UNION ALL SELECT 'tenant' || t::text FROM identity.tenant t
  UNION ALL SELECT 'user' || t::text FROM identity.\"user\" t
  UNION ALL SELECT 'credential' || t::text FROM identity.credential t
  UNION ALL SELECT 'session' || (to_jsonb(t) - 'seen_at')::text FROM identity.session t
  UNION ALL SELECT 'sign-up' || t::text FROM identity.sign_up t
  UNION ALL SELECT 'staff' || t::text FROM identity.staff t
  UNION ALL SELECT 'outbox' || t::text FROM identity.outbox t
  UNION ALL SELECT 'account' || t::text FROM identity.account t
  UNION ALL SELECT 'role' || t::text FROM identity.role t
  UNION ALL SELECT 'inclusion' || t::text FROM identity.role_inclusion t
  UNION ALL SELECT 'account role' || t::text FROM identity.account_role t
  UNION ALL SELECT 'grant' || t::text FROM identity.account_grant t
  UNION ALL SELECT 'group' || t::text FROM identity.account_group t
  UNION ALL SELECT 'group member' || t::text FROM identity.group_member t
  UNION ALL SELECT 'group role' || t::text FROM identity.group_role t
  UNION ALL SELECT 'invitation' || t::text FROM identity.invitation t
  UNION ALL SELECT 'api key' || t::text FROM identity.api_key t
  UNION ALL SELECT 'domain' || t::text FROM identity.domain t
  UNION ALL SELECT 'staff entry' || t::text FROM identity.staff_entry t
  UNION ALL SELECT 'audit' || t::text FROM identity.audit t WHERE tenant_id <> '{acme}'
  UNION ALL SELECT 'key' || t::text FROM partywall.seal_key t
  UNION ALL SELECT 'crossing' || count(*) FROM partywall.crossing t
  UNION ALL SELECT 'expected' || t::text FROM partywall.expected t
  UNION ALL SELECT format('relation %s %s %s %s %s %s', relname, relnamespace, relkind, relrowsecurity,
            relforcerowsecurity, relacl) FROM pg_class WHERE relpersistence = 'p' AND relnamespace::regnamespace::text !~ '^pg_toast'
  UNION ALL SELECT 'policy' || t::text FROM pg_policy t
  UNION ALL SELECT 'function' || proname || prosrc FROM pg_proc WHERE pronamespace = 'partywall'::regnamespace
  UNION ALL SELECT 'role' || t::text FROM pg_roles t WHERE rolname IN ('postgres', current_database() || '_app', current_database() || '_list', current_database() || '_across', current_database() || '_identity', current_database() || '_owner')
  UNION ALL SELECT 'large' || oid FROM pg_largeobject_metadata
) AS everything";

const ACME: &str = "
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
  SELECT 'note' || t::text AS line FROM note t WHERE tenant_id = '{acme}'
  UNION ALL SELECT 'comment' || t::text FROM comment t WHERE tenant_id = '{acme}'
  UNION ALL SELECT 'tag' || t::text FROM tag t WHERE tenant_id = '{acme}'
  UNION ALL SELECT 'note_tag' || t::text FROM note_tag t WHERE tenant_id = '{acme}'
) AS everything";

/// Where the attacker's own rows are kept, out of reach, to put them back.
const KEEP: &str = "
CREATE SCHEMA vault;
CREATE TABLE vault.note AS SELECT * FROM note WHERE tenant_id = '{acme}';
CREATE TABLE vault.comment AS SELECT * FROM comment WHERE tenant_id = '{acme}';
CREATE TABLE vault.tag AS SELECT * FROM tag WHERE tenant_id = '{acme}';
CREATE TABLE vault.note_tag AS SELECT * FROM note_tag WHERE tenant_id = '{acme}'";

const PUT_BACK: &str = "
DELETE FROM note WHERE tenant_id = '{acme}'; DELETE FROM tag WHERE tenant_id = '{acme}';
INSERT INTO note SELECT * FROM vault.note; INSERT INTO comment SELECT * FROM vault.comment;
INSERT INTO tag SELECT * FROM vault.tag; INSERT INTO note_tag SELECT * FROM vault.note_tag";

struct Siege {
    world: World,
    bob: Browser,
    eve: Browser,
    names: Vec<(&'static str, String)>,
    elsewhere: String,
    acme: String,
    eves_view: String,
}

impl Siege {
    fn lay(world: World) -> Self {
        for (slug, marker) in [("globex", SECRET), ("acme", OWN)] {
            let id = format!("(SELECT id FROM identity.tenant WHERE slug = '{slug}')");
            world.sql(&format!(
                "UPDATE note SET title = '{marker} ' || title, body = '{marker} ' || body WHERE tenant_id = {id};
                 UPDATE comment SET body = '{marker} ' || body WHERE tenant_id = {id};
                 UPDATE tag SET label = '{marker} ' || label WHERE tenant_id = {id}"
            ));
        }
        let (bob, eve) = (world.user("bob"), world.user("eve"));
        let one = |sql: &str| world.one(sql);
        let names = vec![
            ("{acme}", world.tenant("acme")),
            ("{globex}", world.tenant("globex")),
            ("{eve}", world.person("eve")),
            ("{bob}", world.person("bob")),
            ("{bob_account}", world.account("bob", "acme")),
            ("{ann_account}", world.account("ann", "acme")),
            ("{eve_account}", world.account("eve", "globex")),
            (
                "{acme_owner}",
                one(
                    "SELECT r.id FROM identity.role r JOIN identity.tenant t ON t.id = tenant_id WHERE slug = 'acme' AND builtin = 'owner'",
                ),
            ),
            (
                "{token_hash}",
                one("SELECT token_hash FROM identity.session LIMIT 1"),
            ),
            ("{acme_note}", world.note("acme")),
            ("{globex_note}", world.note("globex")),
            (
                "{globex_tag}",
                one(
                    "SELECT n.id FROM tag n JOIN identity.tenant t ON t.id = tenant_id WHERE slug = 'globex' ORDER BY 1 LIMIT 1",
                ),
            ),
            ("{app}", one("SELECT current_database() || '_app'")),
            (
                "{identity_login}",
                one("SELECT current_database() || '_identity'"),
            ),
        ];
        let mut siege = Self {
            world,
            bob,
            eve,
            names,
            elsewhere: String::new(),
            acme: String::new(),
            eves_view: String::new(),
        };
        siege.world.sql(&siege.fill(KEEP));
        siege.elsewhere = siege.world.one(&siege.fill(ELSEWHERE));
        siege.acme = siege.world.one(&siege.fill(ACME));
        siege.eves_view = siege.eve.get("/api/tenants/globex/notes").is(200).body;
        assert!(siege.eves_view.contains(SECRET) && !siege.eves_view.contains(OWN));
        siege
    }

    fn fill(&self, sql: &str) -> String {
        let filled = self
            .names
            .iter()
            .fold(sql.to_owned(), |sql, (name, value)| {
                sql.replace(name, value)
            });
        filled.replace(
            "{context}",
            &format!("{{\"tenant\":\"{}\"}}", self.names[1].1),
        )
    }

    /// Runs a statement and tells the answer.
    fn attack(&self, sql: &str) -> String {
        self.bob.sql("acme", &self.fill(sql)).body
    }

    /// What must hold after whatever was tried.
    fn check(&self, sql: &str, why: &str) {
        let at = || format!("after {why}: {sql}");
        assert_eq!(
            self.world.one(&self.fill(ELSEWHERE)),
            self.elsewhere,
            "something changed {}",
            at()
        );
        let eves_view = self.eve.get("/api/tenants/globex/notes");
        assert_eq!(
            eves_view.body,
            self.eves_view,
            "eve sees something else {}",
            at()
        );
        let own = self.bob.get("/api/tenants/acme/notes").is(200);
        assert!(
            !own.body.contains(SECRET),
            "bob's next request leaks {}",
            at()
        );
        if self.world.one(&self.fill(ACME)) != self.acme {
            self.world.sql(&self.fill(PUT_BACK));
            let own = self.bob.get("/api/tenants/acme/notes").is(200);
            assert!(
                own.body.contains(OWN) && !own.body.contains(SECRET),
                "bob's view {}",
                at()
            );
        } else {
            assert!(own.body.contains(OWN), "bob lost his rows {}", at());
        }
    }
}

fn besiege(siege: &Siege, kind: &Kind) {
    for (sql, why) in kind.attacks {
        let started = Instant::now();
        let answer = siege.attack(sql);
        siege.check(sql, why);
        let took = started.elapsed();
        assert!(
            !answer.contains(SECRET),
            "{} leaks by {why}: {sql}\n{answer}",
            kind.name
        );
        assert!(took < Duration::from_secs(5), "{why} took {took:?}: {sql}");
        if std::env::var_os("ATTACKS_SHOW").is_some() {
            println!(
                "{:8.1?} {sql}\n         {}",
                took,
                answer.chars().take(160).collect::<String>()
            );
        }
    }
    for (sql, needle) in kind.controls {
        let answer = siege.attack(sql);
        let needle = if *needle == "OWN" { OWN } else { needle };
        assert!(
            answer.contains(needle),
            "{}: the control does not reach its own: {sql}\n{answer}",
            kind.name
        );
        siege.check(sql, "a control");
    }
}

#[test]
fn nothing_that_is_typed_leaves_the_tenant() {
    let siege = Siege::lay(World::start(true));
    let kinds = attacks::all();
    let count: usize = kinds.iter().map(|kind| kind.attacks.len()).sum();
    assert!(count >= 200, "{count} attacks are too few");
    for kind in &kinds {
        assert!(!kind.controls.is_empty(), "{} has no control", kind.name);
        besiege(&siege, kind);
    }
    println!("{count} attacks of {} kinds", kinds.len());
}

/// Gives back what a hardened database takes from everybody, as where nobody is a superuser.
const SOFTEN: &str = "GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO PUBLIC;
                      GRANT UPDATE ON pg_settings TO PUBLIC";

#[test]
fn the_seal_holds_without_the_hardening() {
    let world = World::start(true);
    world.sql(SOFTEN);
    let siege = Siege::lay(world);
    for kind in attacks::context::unhardened() {
        besiege(&siege, &kind);
    }
}

#[test]
fn without_the_seal_the_context_can_be_changed() {
    let world = World::unsealed();
    world.sql(SOFTEN);
    let siege = Siege::lay(world);
    let mut leaks = 0;
    for (sql, why) in attacks::context::CLASSIC {
        let answer = siege.attack(sql);
        assert!(
            answer.contains(SECRET),
            "expected to break, and does not: {why}: {sql}\n{answer}"
        );
        leaks += 1;
    }
    for (sql, _) in attacks::context::OTHER {
        leaks += usize::from(siege.attack(sql).contains(SECRET));
    }
    println!("{leaks} statements read the other tenant where contexts are not sealed");
    assert!(leaks >= attacks::context::CLASSIC.len());
    // What does not depend on the context's secrecy holds all the same.
    let denied = siege.attack("SET ROLE postgres");
    assert!(denied.contains("42501"), "{denied}");
}

#[test]
fn statements_that_never_end_hold_up_nobody() {
    let world = World::start(true);
    let (bob, eve) = (world.user("bob"), world.user("eve"));
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| bob.sql("acme", "SELECT pg_sleep(60)"));
        }
        std::thread::sleep(Duration::from_millis(300));
        for _ in 0..5 {
            let started = Instant::now();
            eve.get("/api/tenants/globex/notes").is(200);
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "{:?}",
                started.elapsed()
            );
        }
    });
}

#[test]
fn answers_have_the_shape_that_is_promised() {
    let world = World::start(true);
    let bob = world.user("bob");
    let answer = bob
        .sql("acme", "SELECT 1 AS a, NULL AS b, 'x' AS a")
        .is(200)
        .json();
    assert_eq!(answer["columns"], serde_json::json!(["a", "b", "a"]));
    assert_eq!(answer["rows"], serde_json::json!([["1", null, "x"]]));
    assert_eq!(answer["affected"], 1);
    let empty = bob
        .sql("acme", "SELECT title FROM note WHERE false")
        .is(200)
        .json();
    assert_eq!(
        (empty["columns"][0].as_str(), empty["affected"].as_u64()),
        (Some("title"), Some(0))
    );
    let changed = bob
        .sql("acme", "UPDATE note SET title = title")
        .is(200)
        .json();
    assert_eq!(changed["affected"], 4);
    let returned = bob
        .sql(
            "acme",
            "WITH a AS (SELECT 1) UPDATE note SET title = title RETURNING id",
        )
        .is(200)
        .json();
    assert_eq!(
        (
            returned["affected"].as_u64(),
            returned["rows"].as_array().unwrap().len()
        ),
        (Some(4), 4)
    );
    let removed = bob
        .sql(
            "acme",
            "WITH a AS (DELETE FROM comment RETURNING body) SELECT count(*) FROM a; -- all",
        )
        .is(200)
        .json();
    assert_eq!(removed["rows"][0][0], "4");
    assert_eq!(
        bob.sql("acme", "SELECT count(*) FROM comment").json()["rows"][0][0],
        "0",
        "it was kept"
    );
    let many = bob
        .sql("acme", "SELECT * FROM generate_series(1, 1000000)")
        .is(200)
        .json();
    assert_eq!(
        (
            many["rows"].as_array().unwrap().len(),
            many["truncated"].as_bool()
        ),
        (200, Some(true))
    );
    let wide = bob
        .sql(
            "acme",
            "SELECT repeat('é', 100000) FROM generate_series(1, 500)",
        )
        .is(200);
    assert!(wide.body.len() < 600_000, "{}", wide.body.len());
    let types = "SELECT oid, relname, relacl, reltype, xmin, ctid, point '(1,2)', interval '1 day', \
                 ARRAY[[1,2]], ROW(1,'a'), '1.5'::numeric, inet '::1', 'a b'::tsvector, int4range(1,5), \
                 bit '101', money '1', '\\x00ff'::bytea FROM pg_class LIMIT 1";
    let types = bob.sql("acme", types).is(200).json();
    assert_eq!(types["columns"].as_array().unwrap().len(), 17);
    assert!(
        bob.sql("acme", "EXPLAIN SELECT * FROM note")
            .is(200)
            .body
            .contains("note")
    );
    assert!(
        bob.sql("acme", "SHOW server_version")
            .is(200)
            .body
            .contains('.')
    );
    let error = bob.sql("acme", "SELEC 1").is(422).json();
    assert_eq!(error["code"], "42601");
    for (sql, code) in [
        ("", "refused"),
        ("COMMIT", "refused"),
        ("SELECT 1; SELECT 2", "42601"),
        ("SELECT pg_sleep(9)", "timeout"),
    ] {
        assert_eq!(bob.sql("acme", sql).is(422).json()["code"], code, "{sql}");
    }
    bob.sql("acme", &format!("SELECT '{}'", "x".repeat(10_000)))
        .is(422);
    bob.sql("globex", "SELECT 1").is(404);
    world.anonymous().sql("acme", "SELECT 1").is(401);
    let page = bob
        .form("/t/acme/sql", &[("sql", "SELECT '<b>' AS \"<i>\"")])
        .is(200)
        .body;
    assert!(
        page.contains("&#60;b&#62;") && !page.contains("<b>"),
        "{page}"
    );
}
