//! What an attack must not do: leave anything behind, hang, or say that nothing was found where nothing ran.

use std::time::Duration;

use partywall_audit::{AuditError, Cell, Options, Outcome, Progress, Proof, ProveOptions, prove};
use tokio_postgres::Client;

use crate::{
    database::Database,
    fault::{options, read},
    prove::{breached, lines, proof},
};

const A: &str = "aaaaaaaa-0000-0000-0000-000000000000";
const B: &str = "bbbbbbbb-0000-0000-0000-000000000000";

/// A table with a trigger, a serial number, a function and a view, on top of the base.
const MORE: &str = "SET ROLE {owner};
CREATE TABLE jobs (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id bigserial,
  name varchar(20) NOT NULL CHECK (name <> ''),
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON jobs USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := now(); RETURN NEW; END';
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION add_job(name text) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO jobs (tenant_id, name) SELECT id, name FROM tenants RETURNING id $$;
CREATE VIEW my_jobs WITH (security_barrier) AS SELECT * FROM jobs;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, my_jobs TO {app};
GRANT USAGE ON SEQUENCE jobs_id_seq TO {app};
RESET ROLE;
INSERT INTO jobs (tenant_id, name) SELECT id, name FROM tenants;";

async fn base(more: &str) -> Database {
    Database::with(&(read("base.sql") + more)).await
}

/// Everything in a database: rows, sequences, catalogues, with who wrote each row last.
pub(crate) async fn fingerprint(db: &Database) -> String {
    let client = db.superuser().await;
    let mut text = String::new();
    let names = client
        .query(
            "SELECT c.oid::regclass::text, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'S') AND (n.nspname !~ '^pg_' OR c.relname IN \
             ('pg_class', 'pg_proc', 'pg_policy', 'pg_trigger', 'pg_attribute', 'pg_namespace', 'pg_constraint')) ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    for row in names {
        let (name, kind): (String, String) = (row.get(0), row.get(1));
        let sql = match kind.as_str() {
            "S" => format!("SELECT last_value || ' ' || is_called FROM {name}"),
            // The statistics of a table are written at any time.
            _ if name == "pg_class" => "SELECT md5(string_agg(oid::text || relname || relrowsecurity || relforcerowsecurity, ',' ORDER BY oid)) FROM pg_class WHERE oid >= 16384".to_owned(),
            _ => format!(
                "SELECT coalesce(md5(string_agg(t.xmin::text || t::text, ',' ORDER BY t::text)), '') FROM {name} t"
            ),
        };
        let sum: String = client.query_one(&sql, &[]).await.unwrap().get(0);
        text += &format!("{name} {sum}\n");
    }
    text
}

/// What a session says of itself, if it is idle.
async fn session(client: &Client) -> Vec<Option<String>> {
    let row = client
        .simple_query(
            "SELECT now() = statement_timestamp(), session_user, current_user, current_setting('search_path'), \
             current_setting('lock_timeout'), current_setting('statement_timeout'), \
             current_setting('session_replication_role'), current_setting('row_security')",
        )
        .await
        .unwrap()
        .into_iter()
        .find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            tokio_postgres::SimpleQueryMessage::CommandComplete(_)
            | tokio_postgres::SimpleQueryMessage::RowDescription(_)
            | _ => None,
        })
        .unwrap();
    (0..row.len())
        .map(|at| row.get(at).map(str::to_owned))
        .collect()
}

pub(crate) fn cell<'p>(proof: &'p Proof, table: &str, attack: &str) -> &'p Cell {
    proof
        .tables
        .iter()
        .find(|it| it.table == table)
        .unwrap_or_else(|| panic!("{table}"))
        .cells
        .iter()
        .find(|cell| cell.attack.id() == attack)
        .unwrap()
}

pub(crate) fn why(cell: &Cell) -> &str {
    let Outcome::NotRun { why } = &cell.outcome else {
        panic!("{cell:?}");
    };
    why
}

#[tokio::test]
async fn nothing_is_left_and_the_same_comes_out_again() {
    let db = base(MORE).await;
    let before = fingerprint(&db).await;
    let mut admin = db.superuser().await;
    let idle = session(&admin).await;
    let mut proofs = Vec::new();
    for intrusive in [false, true, false] {
        let mut how = ProveOptions::default();
        how.intrusive = intrusive;
        let mut fresh = db.superuser().await;
        let found = prove(&mut fresh, None, &options(&db), &how, &mut |_| {})
            .await
            .unwrap();
        assert_eq!(session(&fresh).await, idle);
        proofs.push(lines(&db, &found));
        assert_eq!(fingerprint(&db).await, before);
    }
    assert_eq!(proofs[0], proofs[2]);
    // The application's own login comes to the same, but for how it became the role.
    let mut app = db.login("app").await;
    let idle_app = session(&app).await;
    let found = prove(
        &mut admin,
        Some(&mut app),
        &options(&db),
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert_eq!(session(&admin).await, idle);
    assert_eq!(session(&app).await, idle_app);
    assert_eq!(fingerprint(&db).await, before);
    let outcomes = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with("    "))
            .map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(": "))
            .collect()
    };
    assert_eq!(outcomes(&lines(&db, &found)), outcomes(&proofs[0]));
    // A function that takes a number from a sequence is not called, unless that is allowed.
    assert!(why(cell(&found, "public.jobs", "function")).contains("no rollback gives back"));
    let mut how = ProveOptions::default();
    how.spend_numbers = true;
    let found = proof(&db, &options(&db), &how).await;
    assert!(
        matches!(cell(&found, "public.jobs", "function").outcome, Outcome::NotRun { ref why } if !why.contains("gives back"))
    );
}

#[tokio::test]
async fn a_dropped_future_rolls_back() {
    let db = base(MORE).await;
    let before = fingerprint(&db).await;
    let mut admin = db.superuser().await;
    let mut app = db.login("app").await;
    let (idle, idle_app) = (session(&admin).await, session(&app).await);
    let mut dropped = 0;
    for ms in [1, 5, 20, 50, 90, 140, 200, 300, 450, 700] {
        for with_app in [false, true] {
            let (options, how) = (options(&db), ProveOptions::default());
            let app = with_app.then_some(&mut app);
            let mut see = |_: Progress<'_>| {};
            let run = prove(&mut admin, app, &options, &how, &mut see);
            dropped += u32::from(
                tokio::time::timeout(Duration::from_millis(ms), run)
                    .await
                    .is_err(),
            );
        }
        assert_eq!(session(&admin).await, idle, "{ms}");
        assert_eq!(session(&app).await, idle_app, "{ms}");
    }
    assert!(dropped > 5, "{dropped}");
    assert_eq!(fingerprint(&db).await, before);
}

#[tokio::test]
async fn who_can_become_nobody_runs_nothing() {
    let db = base("CREATE ROLE {staff} LOGIN PASSWORD 'secret'; GRANT {owner} TO {staff};").await;
    let mut staff = db.login("staff").await;
    let found = prove(
        &mut staff,
        None,
        &options(&db),
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert_eq!(found.tables.len(), 3);
    for table in &found.tables {
        for cell in &table.cells {
            assert!(why(cell).contains("is no superuser"), "{cell:?}");
        }
    }
    // With the application's login, its policies bind the one who looks too.
    let mut app = db.login("app").await;
    let found = prove(
        &mut staff,
        Some(&mut app),
        &options(&db),
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert!(why(cell(&found, "public.invoices", "read")).contains("the attacker has no row"));
}

#[tokio::test]
async fn a_login_that_bypasses_policies_is_enough_to_look() {
    let db = base(
        "CREATE ROLE {staff} LOGIN PASSWORD 'secret' BYPASSRLS; GRANT USAGE ON SCHEMA public TO {staff};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {staff};
         CREATE POLICY open ON invoices FOR DELETE USING (true);
         CREATE POLICY widens ON customers FOR SELECT USING (true);",
    )
    .await;
    let (mut staff, mut app) = (db.login("staff").await, db.login("app").await);
    let found = prove(
        &mut staff,
        Some(&mut app),
        &options(&db),
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await
    .unwrap();
    let text = lines(&db, &found);
    for (table, attack) in [("public.invoices", "delete"), ("public.customers", "read")] {
        let Outcome::Breach { statement, .. } = &cell(&found, table, attack).outcome else {
            panic!("{table} {attack}\n{text}");
        };
        assert!(!statement.contains("AUTHORIZATION"), "{statement}");
    }
    for attack in ["update", "insert", "move", "no-context", "set-role"] {
        let outcome = &cell(&found, "public.invoices", attack).outcome;
        assert_eq!(*outcome, Outcome::Held, "{attack}\n{text}");
    }
}

#[tokio::test]
async fn a_replica_is_only_read() {
    let db = base("CREATE POLICY open ON invoices FOR SELECT USING (true); CREATE POLICY gone ON invoices FOR DELETE USING (true);").await;
    let mut how = ProveOptions::default();
    how.read_only = true;
    let found = proof(&db, &options(&db), &how).await;
    let reached = breached(&found);
    assert!(
        reached.contains("read") && !reached.contains("delete"),
        "{reached:?}"
    );
    assert!(why(cell(&found, "public.invoices", "delete")).contains("nothing is written"));
    assert_eq!(
        cell(&found, "public.customers", "read").outcome,
        Outcome::Held
    );
}

#[tokio::test]
async fn a_connection_that_was_used_is_told_apart() {
    let db = base("").await;
    let mut admin = db.superuser().await;
    let mut app = db.login("app").await;
    app.batch_execute(&format!(
        "SET app.tenant_id = '{B}'; SET row_security = off"
    ))
    .await
    .unwrap();
    let found = prove(
        &mut admin,
        Some(&mut app),
        &options(&db),
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await
    .unwrap();
    assert!(breached(&found).is_empty(), "{}", lines(&db, &found));
    assert_eq!(
        cell(&found, "public.invoices", "read").outcome,
        Outcome::Held
    );

    // Somebody else's transaction is neither used nor ended.
    app.batch_execute(
        "RESET app.tenant_id; RESET row_security; BEGIN; CREATE TEMPORARY TABLE mine ()",
    )
    .await
    .unwrap();
    let refused = prove(
        &mut admin,
        Some(&mut app),
        &options(&db),
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await;
    assert!(matches!(refused, Err(AuditError::Busy("application"))));
    app.batch_execute("SELECT * FROM mine; COMMIT; SELECT * FROM mine")
        .await
        .unwrap();
}

#[tokio::test]
async fn contexts_can_be_given() {
    let db = base("CREATE POLICY wide ON invoices FOR SELECT USING (status = 'published');").await;
    let pair = |tenant: &str| vec![("app.tenant_id".to_owned(), tenant.to_owned())];
    let mut how = ProveOptions::default();
    (how.attacker, how.victim) = (pair(A), pair(B));
    let found = proof(&db, &options(&db), &how).await;
    assert!(breached(&found).contains("read"));
    // The other way round nothing is published.
    (how.attacker, how.victim) = (pair(B), pair(A));
    let found = proof(&db, &options(&db), &how).await;
    assert!(!breached(&found).contains("read"), "{}", lines(&db, &found));
    how.victim = pair("nobody");
    let mut admin = db.superuser().await;
    let refused = prove(&mut admin, None, &options(&db), &how, &mut |_| {}).await;
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("app.tenant_id") && !message.contains("nobody"),
        "{message}"
    );
}

#[tokio::test]
async fn names_are_never_executed() {
    let db = base(
        "CREATE SCHEMA \"x\"\"; DROP TABLE public.invoices; --\" AUTHORIZATION {owner};
         SET ROLE {owner};
         GRANT USAGE ON SCHEMA \"x\"\"; DROP TABLE public.invoices; --\" TO {app};
         CREATE TABLE \"x\"\"; DROP TABLE public.invoices; --\".\"Ünï'code\\\" (
           tenant_id uuid NOT NULL REFERENCES tenants (id),
           \"i'd\"\" -- \" uuid NOT NULL,
           \"select\" text NOT NULL DEFAULT 'it''s \\ \"x\"',
           PRIMARY KEY (tenant_id, \"i'd\"\" -- \")
         );
         ALTER TABLE \"x\"\"; DROP TABLE public.invoices; --\".\"Ünï'code\\\" ENABLE ROW LEVEL SECURITY;
         ALTER TABLE \"x\"\"; DROP TABLE public.invoices; --\".\"Ünï'code\\\" FORCE ROW LEVEL SECURITY;
         CREATE POLICY \"p'\" ON \"x\"\"; DROP TABLE public.invoices; --\".\"Ünï'code\\\"
           USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
         GRANT SELECT, INSERT, UPDATE, DELETE ON \"x\"\"; DROP TABLE public.invoices; --\".\"Ünï'code\\\" TO {app};
         RESET ROLE;",
    )
    .await;
    let before = fingerprint(&db).await;
    let found = proof(&db, &options(&db), &ProveOptions::default()).await;
    let text = lines(&db, &found);
    assert!(breached(&found).is_empty(), "{text}");
    assert!(!text.contains("not run"), "{text}");
    assert_eq!(found.tables.len(), 4);
    assert_eq!(fingerprint(&db).await, before);
}

#[tokio::test]
async fn a_table_without_grants_holds() {
    let db = base("REVOKE ALL ON invoices FROM {app};").await;
    let found = proof(&db, &options(&db), &ProveOptions::default()).await;
    for attack in [
        "read",
        "count",
        "update",
        "delete",
        "insert",
        "move",
        "upsert",
        "malformed-context",
    ] {
        let cell = cell(&found, "public.invoices", attack);
        assert_eq!(cell.outcome, Outcome::Held, "{cell:?}");
        assert!(cell.control.contains("no right to it"), "{cell:?}");
    }
}

#[tokio::test]
async fn a_role_within_reach_is_tried() {
    let db = base(
        "CREATE ROLE {support} BYPASSRLS; GRANT USAGE ON SCHEMA public TO {support};
         GRANT SELECT ON invoices TO {support};
         CREATE ROLE {staff} NOINHERIT; GRANT {support} TO {staff}; GRANT {staff} TO {app};",
    )
    .await;
    let found = proof(&db, &options(&db), &ProveOptions::default()).await;
    assert!(matches!(
        cell(&found, "public.invoices", "set-role").outcome,
        Outcome::Breach { .. }
    ));
    assert_eq!(
        cell(&found, "public.customers", "set-role").outcome,
        Outcome::Held
    );
}

#[tokio::test]
async fn claims_and_memberships_are_found_by_trying() {
    let claims = base(
        "CREATE FUNCTION my_tenant() RETURNS uuid LANGUAGE sql STABLE AS
           $$ SELECT (NULLIF(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'tenant')::uuid $$;
         GRANT EXECUTE ON FUNCTION my_tenant() TO {app};
         ALTER POLICY own ON tenants USING (id = my_tenant());
         ALTER POLICY own ON customers USING (tenant_id = my_tenant());
         ALTER POLICY own ON invoices USING (tenant_id = my_tenant());",
    )
    .await;
    let members = base(
        "CREATE TABLE members (tenant_id uuid NOT NULL REFERENCES tenants (id), account text NOT NULL, PRIMARY KEY (tenant_id, account));
         INSERT INTO members VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'ann'), ('bbbbbbbb-0000-0000-0000-000000000000', 'bob'),
           ('aaaaaaaa-0000-0000-0000-000000000000', 'all'), ('bbbbbbbb-0000-0000-0000-000000000000', 'all');
         GRANT SELECT ON members TO {app};
         ALTER TABLE members ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON members USING (account = current_setting('app.account', true));
         ALTER POLICY own ON tenants USING (id IN (SELECT tenant_id FROM members));
         ALTER POLICY own ON customers USING (tenant_id IN (SELECT tenant_id FROM members));
         ALTER POLICY own ON invoices USING (tenant_id IN (SELECT tenant_id FROM members));",
    )
    .await;
    for db in [claims, members] {
        let found = proof(&db, &options(&db), &ProveOptions::default()).await;
        let text = format!("{:?}\n{}", found.attacker, lines(&db, &found));
        assert!(breached(&found).is_empty(), "{text}");
        for table in ["public.customers", "public.invoices", "public.tenants"] {
            assert_eq!(cell(&found, table, "read").outcome, Outcome::Held, "{text}");
        }
        // And what is wrong is found in such a context as well.
        db.run("CREATE POLICY gone ON invoices FOR DELETE USING (true)")
            .await;
        let found = proof(&db, &options(&db), &ProveOptions::default()).await;
        assert!(
            breached(&found).contains("delete"),
            "{}",
            lines(&db, &found)
        );
    }
}

/// A database as Partywall sets it up, with the functions as it writes them.
#[tokio::test]
async fn sealed_contexts_are_made_and_forged() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../partywall/src/schema/sql");
    let sql = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let open = sql("sealed.sql");
    let declare = sql("sealed_declare.sql");
    let function = |name: &str, returns: &str, body: &str| {
        format!(
            "CREATE FUNCTION partywall.{name}() RETURNS {returns} LANGUAGE plpgsql STABLE SECURITY DEFINER AS $p$
             DECLARE raw text := current_setting('partywall.context', true); scope json; {declare}
             BEGIN IF raw IS NULL OR raw = '' THEN RETURN NULL; END IF; {open} RETURN {body}; END $p$;\n"
        )
    };
    let more = format!(
        "CREATE SCHEMA partywall; GRANT USAGE ON SCHEMA partywall TO {{app}};
         {} {} {} {}
         INSERT INTO partywall.seal_key VALUES ('k1', decode(repeat('36', 64), 'hex'), decode(repeat('5c', 64), 'hex'));
         ALTER POLICY own ON tenants USING (id = (SELECT partywall.tenant()));
         ALTER POLICY own ON customers USING (tenant_id = (SELECT partywall.tenant()));
         ALTER POLICY own ON invoices USING (tenant_id = (SELECT partywall.tenant()));",
        sql("2_enter.sql"),
        sql("5_seal_keys.sql"),
        function("tenant", "uuid", "(scope ->> 'tenant')::uuid"),
        function("tenant_list", "uuid[]", "ARRAY[(scope ->> 'tenant')::uuid]"),
    );
    let more = if sql("5_seal_keys.sql").contains("CREATE TABLE partywall.seal_key") {
        more
    } else {
        more.replace(
            "CREATE SCHEMA partywall;",
            "CREATE SCHEMA partywall; CREATE TABLE partywall.seal_key (id text PRIMARY KEY, inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);",
        )
    };
    let db = base(&more).await;
    let before = fingerprint(&db).await;
    let found = proof(&db, &options(&db), &ProveOptions::default()).await;
    let text = lines(&db, &found);
    assert!(breached(&found).is_empty(), "{text}");
    for attack in [
        "read",
        "update",
        "insert",
        "no-context",
        "empty-context",
        "malformed-context",
    ] {
        assert_eq!(
            cell(&found, "public.invoices", attack).outcome,
            Outcome::Held,
            "{attack}\n{text}"
        );
    }
    assert_eq!(
        found.attacker,
        [(
            "partywall.context".to_owned(),
            format!("sealed: {{\"tenant\":\"{A}\"}}")
        )]
    );
    assert_eq!(fingerprint(&db).await, before);
    // A function that does not look at the seal is found out.
    db.run(
        "CREATE OR REPLACE FUNCTION partywall.tenant() RETURNS uuid LANGUAGE sql STABLE AS
         $$ SELECT (substring(NULLIF(current_setting('partywall.context', true), '') FROM '\\{.*')::json ->> 'tenant')::uuid $$",
    )
    .await;
    let found = proof(&db, &options(&db), &ProveOptions::default()).await;
    let forged = cell(&found, "public.invoices", "malformed-context");
    assert!(
        matches!(&forged.outcome, Outcome::Breach { statement, .. } if statement.contains("forged")),
        "{forged:?}"
    );
}

#[tokio::test]
async fn progress_is_told_table_by_table() {
    let db = base("").await;
    let mut admin = db.superuser().await;
    let mut seen = Vec::new();
    let found = prove(
        &mut admin,
        None,
        &options(&db),
        &ProveOptions::default(),
        &mut |progress| match progress {
            Progress::Started(attacks) => seen.push(attacks.to_string()),
            Progress::Table(table) => seen.push(table.table.clone()),
            _ => {}
        },
    )
    .await
    .unwrap();
    let attacks: usize = found.tables.iter().map(|it| it.cells.len()).sum();
    assert_eq!(
        seen,
        [
            &attacks.to_string(),
            "public.customers",
            "public.invoices",
            "public.tenants"
        ]
    );
    let none = prove(
        &mut admin,
        None,
        &Options::default(),
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await;
    assert!(none.is_ok(), "{none:?}");
}
