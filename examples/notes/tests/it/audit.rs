//! The example's own database under the audit: clean, and no longer when anything that protects it is taken away.

use std::{collections::BTreeMap, fs, path::Path};

use notes::{Database, Place};
use partywall_audit::{Fault, Finding, Options, Outcome, ProveOptions, Report, check, prove};
use partywall_embedded::{Server, Settings};
use tokio_postgres::{Client, NoTls};

use crate::world::{folder, query, runtime};

/// A database on a server of its own: some of what is taken away here is the whole server's.
struct Subject {
    url: String,
    database: Database,
    _server: Server,
}

impl Subject {
    fn new(name: &str) -> Self {
        let server = Server::start(&Settings::temporary()).unwrap();
        query(&server.superuser_url("postgres"), "CREATE DATABASE notes");
        let url = server.superuser_url("notes");
        let place = Place {
            folder: folder(name),
            url: Some(url.clone()),
        };
        let database = runtime().block_on(Database::open(&place, false)).unwrap();
        Self {
            url,
            database,
            _server: server,
        }
    }

    fn run(&self, sql: &str) {
        query(&self.url, sql);
    }

    fn check(&self, options: &Options) -> Report {
        runtime().block_on(async { check(&mut connect(&self.url).await, options).await.unwrap() })
    }

    /// What names something, what takes it away, and what puts it back.
    fn protections(&self, sql: &str) -> Vec<[String; 3]> {
        let sql = format!("{CATALOGUE} {sql} ORDER BY 1, 2");
        let rows = runtime().block_on(async { connect(&self.url).await.query(&sql, &[]).await });
        rows.unwrap_or_else(|error| panic!("{error:?} in {sql}"))
            .iter()
            .map(|row| [row.get(0), row.get(1), row.get(2)])
            .collect()
    }

    fn given(&self) -> Options {
        self.database.db().schema().map().options()
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[test]
fn the_database_is_clean() {
    let subject = Subject::new("audit-clean");
    for options in [subject.given(), Options::default()] {
        let report = subject.check(&options);
        assert!(report.is_clean(), "{report:#?}");
    }
    // What is inferred is what the models say.
    let (given, inferred) = (
        subject.check(&subject.given()).inferred,
        subject.check(&Options::default()).inferred,
    );
    let values = |taken: &[partywall_audit::Taken]| -> Vec<String> {
        let mut values: Vec<String> = taken.iter().map(|taken| taken.value.clone()).collect();
        values.sort();
        values
    };
    assert_eq!(values(&given.contexts), values(&inferred.contexts));
    assert_eq!(values(&given.app_roles), values(&inferred.app_roles));
    assert!(inferred.undecided.is_empty(), "{inferred:#?}");
}

#[test]
fn no_attack_reaches_anything() {
    let subject = Subject::new("audit-proof");
    let proof = runtime().block_on(async {
        prove(
            &mut connect(&subject.url).await,
            None,
            &subject.given(),
            &ProveOptions::default(),
            &mut |_| {},
        )
        .await
        .unwrap()
    });
    let breaches: Vec<_> = proof.breaches().collect();
    assert!(breaches.is_empty(), "{breaches:#?}");
    // The notes are attacked in earnest: whoever runs these attacks reaches their own rows.
    let notes = proof
        .tables
        .iter()
        .find(|table| table.table == "public.note")
        .unwrap();
    let held = |cell: &&partywall_audit::Cell| matches!(cell.outcome, Outcome::Held);
    assert!(notes.cells.iter().filter(held).count() >= 10, "{notes:#?}");
}

/// Of each kind of protection: what names it, what takes it away, what puts it back, and which object the
/// finding has to be about.
const PROTECTIONS: &[(&str, &str)] = &[
    (
        "row-level security is on",
        "SELECT object, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', object),
                format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', object) FROM protected",
    ),
    (
        "also for the owner",
        "SELECT object, format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', object),
                format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', object) FROM protected",
    ),
    (
        "a restrictive policy is there",
        "SELECT object, format('DROP POLICY %I ON %s', polname, object), made
           FROM policies WHERE NOT polpermissive AND nth = 1",
    ),
    (
        "and is not widened",
        "SELECT object, format('ALTER POLICY %I ON %s USING (true) WITH CHECK (true)', polname, object),
                format('DROP POLICY %I ON %s; %s', polname, object, made)
           FROM policies WHERE NOT polpermissive AND nth = 1",
    ),
    (
        "and holds for every command",
        "SELECT object, format('DROP POLICY %I ON %s; %s', polname, object, reading),
                format('DROP POLICY %I ON %s; %s', polname, object, made)
           FROM policies WHERE NOT polpermissive AND nth = 1 AND reading IS NOT NULL",
    ),
    (
        "a permissive policy lets rows through",
        "SELECT object, format('DROP POLICY %I ON %s', polname, object), made
           FROM policies WHERE polpermissive AND nth = 1",
    ),
    (
        "no policy is for everybody",
        "SELECT object, format('CREATE POLICY planted ON %s USING (true)', object),
                format('DROP POLICY planted ON %s', object) FROM protected",
    ),
    (
        "the application cannot truncate",
        "SELECT object, format('GRANT TRUNCATE ON %s TO %I', object, app),
                format('REVOKE TRUNCATE ON %s FROM %I', object, app) FROM protected, app",
    ),
    (
        "nor make triggers",
        "SELECT object, format('GRANT TRIGGER ON %s TO %I', object, app),
                format('REVOKE TRIGGER ON %s FROM %I', object, app) FROM protected, app",
    ),
    (
        "nobody else has rights",
        "SELECT object, format('GRANT SELECT ON %s TO PUBLIC', object),
                format('REVOKE SELECT ON %s FROM PUBLIC', object) FROM protected",
    ),
    (
        "nobody makes objects in the schemas",
        "SELECT 'role ' || app, format('GRANT CREATE ON SCHEMA %I TO %I', nspname, app),
                format('REVOKE CREATE ON SCHEMA %I FROM %I', nspname, app)
           FROM pg_namespace, app WHERE nspname IN ('public', 'identity', 'partywall')",
    ),
    (
        "the application is no superuser",
        "SELECT 'role ' || app, format('ALTER ROLE %I SUPERUSER', app), format('ALTER ROLE %I NOSUPERUSER', app) FROM app",
    ),
    (
        "nor does it bypass row-level security",
        "SELECT 'role ' || app, format('ALTER ROLE %I BYPASSRLS', app), format('ALTER ROLE %I NOBYPASSRLS', app) FROM app",
    ),
    (
        "nor reads the log",
        "SELECT 'role ' || app, format('ALTER ROLE %I REPLICATION', app), format('ALTER ROLE %I NOREPLICATION', app) FROM app",
    ),
    (
        "nor is it the owner",
        "SELECT 'role ' || app, format('GRANT %I TO %I', owner, app), format('REVOKE %I FROM %I', owner, app) FROM app, owner",
    ),
    (
        "nor runs the server's programs",
        "SELECT 'role ' || app, format('GRANT pg_execute_server_program TO %I', app),
                format('REVOKE pg_execute_server_program FROM %I', app) FROM app",
    ),
    (
        "keys refer within the tenant",
        "SELECT object, format('ALTER TABLE %s DROP CONSTRAINT %I', object, conname),
                format('ALTER TABLE %s ADD CONSTRAINT %I %s', object, conname, pg_get_constraintdef(k.oid))
           FROM protected JOIN pg_constraint k ON conrelid = protected.oid AND contype = 'f' AND conparentid = 0",
    ),
    (
        "the context has no value of its own",
        "SELECT 'role ' || app, format('ALTER ROLE %I SET partywall.context = ''x''', app),
                format('ALTER ROLE %I RESET partywall.context', app) FROM app",
    ),
    (
        "what runs as the owner is not everybody's",
        "SELECT p.oid::regprocedure::text, format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', p.oid::regprocedure),
                format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure)
           FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
          WHERE nspname IN ('partywall', 'identity') AND prosecdef",
    ),
    (
        "nor does it look names up by the caller's path",
        "SELECT p.oid::regprocedure::text, format('ALTER FUNCTION %s RESET search_path', p.oid::regprocedure),
                format('ALTER FUNCTION %s RESET ALL; ', p.oid::regprocedure)
                || (SELECT string_agg(format('ALTER FUNCTION %s SET %s TO %s', p.oid::regprocedure, split_part(c, '=', 1), split_part(c, '=', 2)), '; ' ORDER BY at)
                      FROM unnest(proconfig) WITH ORDINALITY u (c, at))
           FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
          WHERE nspname = 'partywall' AND proconfig::text LIKE '%search_path=%'",
    ),
];

/// What the queries above begin with.
const CATALOGUE: &str = "
WITH protected AS (
  SELECT c.oid, c.oid::regclass::text AS object FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
   WHERE relrowsecurity AND nspname IN ('public', 'identity', 'partywall')),
app AS (SELECT rolname AS app FROM pg_roles WHERE rolname LIKE '%_app' AND rolcanlogin),
owner AS (SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class JOIN protected USING (oid)),
policies AS (
  SELECT object, polname, polpermissive,
         row_number() OVER (PARTITION BY object, polpermissive ORDER BY polname) AS nth,
         format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', polname, object, kind, command, roles)
         || coalesce(' USING (' || used || ')', '') || coalesce(' WITH CHECK (' || checked || ')', '') AS made,
         format('CREATE POLICY %I ON %s AS %s FOR SELECT TO %s USING (%s)', polname, object, kind, roles, used) AS reading
    FROM protected JOIN pg_policy ON polrelid = protected.oid,
         LATERAL (SELECT CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS kind,
                CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
                (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ', ') FROM unnest(polroles) r) AS roles,
                pg_get_expr(polqual, polrelid) AS used, pg_get_expr(polwithcheck, polrelid) AS checked) AS said)
";

/// Names of functions as they are found: with the schema and the types, or as a table is called.
fn is_about(finding: &Finding, object: &str) -> bool {
    let bare = |text: &str| text.replace(['"', ' '], "").replace("public.", "");
    let object = bare(object);
    let whole = |text: &str| bare(text) == object;
    whole(&finding.object)
        || bare(&finding.object).ends_with(&format!("on{object}"))
        || bare(&finding.object).starts_with(&object)
        || finding.tables.iter().any(|table| whole(table))
        || (finding.id == Fault::Drift && bare(&finding.why).contains(&object))
}

/// `UPDATE_AUDIT=1` writes `audit.md`: what is found, for each kind of protection that is taken away.
#[test]
fn whatever_protects_is_missed_when_it_is_gone() {
    let subject = Subject::new("audit-taken");
    let mut text = String::from(
        "# What is found when something that protects is taken away\n\n\
         Written by `audit.rs`, with `UPDATE_AUDIT=1`. `DRIFT` alone: the database is not as it was applied, though nothing\n\
         more can be reached than before.\n\n| what held | objects | found |\n|---|---|---|\n",
    );
    let mut missed = Vec::new();
    for (kind, sql) in PROTECTIONS {
        let parts = subject.protections(sql);
        assert!(!parts.is_empty(), "{kind}: there is nothing of it");
        for [_, away, _] in &parts {
            subject.run(away);
        }
        let report = subject.check(&subject.given());
        for [_, _, back] in parts.iter().rev() {
            subject.run(back);
        }
        let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &report.findings {
            *ids.entry(finding.id.id()).or_default() += 1;
        }
        for [object, away, _] in &parts {
            if !report
                .findings
                .iter()
                .any(|finding| is_about(finding, object))
            {
                missed.push(format!("{kind}: {away}"));
            }
        }
        let ids: Vec<String> = ids
            .iter()
            .map(|(id, count)| format!("{id} × {count}"))
            .collect();
        text += &format!("| {kind} | {} | {} |\n", parts.len(), ids.join(", "));
    }
    assert!(missed.is_empty(), "{}\n{text}", missed.join("\n"));
    let whole = subject.check(&subject.given());
    assert!(
        whole.is_clean(),
        "what was put back is not what was: {whole:#?}"
    );

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/audit.md");
    if std::env::var_os("UPDATE_AUDIT").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "audit.md is not what is found: run with UPDATE_AUDIT=1 and read what changed\n{text}"
    );
}
