//! Whether `Scoped` is true: random policies, and what PostgreSQL lets through of each.

use std::sync::LazyLock;

use partywall_embedded::{Server, Settings};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use tokio_postgres::{Client, NoTls};

use super::*;
use crate::{Options, catalogue};

static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::start(&Settings::temporary()).expect("PostgreSQL starts"));

async fn connect(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&SERVER.superuser_url(database), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

async fn database(name: &str) -> Client {
    let admin = connect("postgres").await;
    admin
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    connect(name).await
}

const CONTEXT: &str = "NULLIF(current_setting('app.tenant', true), '')";
const RAW: &str = "current_setting('app.tenant', true)";
const PERSON: &str = "NULLIF(current_setting('app.person', true), '')";

const SCHEMA: &str = r"
CREATE ROLE app_SCHEMA;
CREATE TABLE tenants (id text PRIMARY KEY);
INSERT INTO tenants VALUES ('a'), ('b'), ('A'), ('ab'), ('x');
CREATE TABLE parents (id int PRIMARY KEY, tenant_id text NOT NULL REFERENCES tenants);
INSERT INTO parents VALUES (1, 'a'), (2, 'b'), (3, 'A'), (4, 'ab');
ALTER TABLE parents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON parents USING (tenant_id = NULLIF(current_setting('app.tenant', true), ''));
CREATE TABLE open_parents (id int PRIMARY KEY, tenant_id text NOT NULL REFERENCES tenants);
INSERT INTO open_parents SELECT * FROM parents;
CREATE TABLE members (person text NOT NULL, tenant_id text NOT NULL REFERENCES tenants, PRIMARY KEY (person, tenant_id));
INSERT INTO members VALUES ('pa', 'a'), ('pb', 'b'), ('pA', 'A');
CREATE TABLE regions (region text, tenant_id text REFERENCES tenants);
INSERT INTO regions VALUES ('eu', 'a'), ('eu', 'b');
CREATE FUNCTION ctx() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULLIF(current_setting(''app.tenant'', true), '''')';
CREATE FUNCTION ctx_or_all(t text) RETURNS text LANGUAGE sql STABLE AS 'SELECT COALESCE(NULLIF(current_setting(''app.tenant'', true), ''''), t)';
CREATE FUNCTION is_mine(t text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT t = NULLIF(current_setting(''app.tenant'', true), '''')';
CREATE FUNCTION is_mine_or_admin(t text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  c text := current_setting('app.tenant', true);
BEGIN
  -- An IF in a comment.
  IF current_setting('app.admin', true) = 'on' THEN
    RETURN true;
  ELSIF c IS NULL OR c = '' THEN
    RETURN false;
  END IF;
  RETURN t = c;
END
$$;
CREATE FUNCTION is_mine_strictly(t text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  c text;
BEGIN
  SELECT m.tenant_id INTO c FROM members m WHERE m.person = NULLIF(current_setting('app.person', true), '') LIMIT 1;
  IF c IS NULL THEN
    RAISE NOTICE 'nobody';
    RETURN false;
  END IF;
  RETURN t = c;
END
$$;
CREATE FUNCTION my_tenants() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER AS
  'SELECT m.tenant_id FROM members m WHERE m.person = NULLIF(current_setting(''app.person'', true), '''')';
CREATE FUNCTION all_tenants() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT id FROM tenants';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO app_SCHEMA;
";

const ROWS: &str = "CREATE TABLE NAME (id int PRIMARY KEY, tenant_id text REFERENCES tenants, parent int, open_parent int, tags text[] NOT NULL, owner text, flag boolean NOT NULL);
INSERT INTO NAME SELECT row_number() OVER (), t, p, p, ARRAY[coalesce(t, 'none')], o, f
  FROM unnest(ARRAY['a', 'b', 'A', 'ab', 'x', NULL]) t, unnest(ARRAY[1, 2]) p, unnest(ARRAY['pa', NULL]) o, unnest(ARRAY[true, false]) f;
ALTER TABLE NAME ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON NAME TO app_SCHEMA;
";

/// Conditions of which policies are made.
fn atom() -> impl Strategy<Value = String> {
    proptest::sample::select(atoms())
}

fn atoms() -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for sql in [
        "tenant_id = CONTEXT",
        "CONTEXT = tenant_id",
        "tenant_id = RAW",
        "tenant_id = (SELECT CONTEXT)",
        "tenant_id::varchar = CONTEXT",
        "tenant_id = ctx()",
        "tenant_id = (SELECT ctx())",
        "tenant_id = ANY (string_to_array(RAW, ','))",
        "tenant_id IN (CONTEXT, ctx())",
        "tenant_id = ANY (ARRAY[CONTEXT])",
        "tenant_id IN (SELECT CONTEXT)",
        "tenant_id IN (SELECT m.tenant_id FROM members m WHERE m.person = PERSON)",
        "tenant_id = (SELECT m.tenant_id FROM members m WHERE m.person = PERSON LIMIT 1)",
        "tenant_id = ANY (ARRAY(SELECT m.tenant_id FROM members m WHERE m.person = PERSON))",
        "tenant_id = ANY ((SELECT array_agg(m.tenant_id) FROM members m WHERE m.person = PERSON)::text[])",
        "EXISTS (SELECT FROM members m WHERE m.tenant_id = NAME.tenant_id AND m.person = PERSON)",
        "(SELECT count(*) FROM members m WHERE m.tenant_id = NAME.tenant_id AND m.person = PERSON) > 0",
        "tenant_id = ANY ((SELECT coalesce(array_agg(m.tenant_id), '{}') FROM members m WHERE m.person = PERSON)::text[])",
        "tenant_id = COALESCE(CONTEXT, 'x')",
        "tenant_id IN (SELECT my_tenants())",
        "tenant_id IN (SELECT t FROM my_tenants() t)",
        "is_mine(tenant_id)",
        "is_mine_strictly(tenant_id)",
        "tenant_id IS NOT DISTINCT FROM CONTEXT",
        "tenant_id IN (SELECT p.tenant_id FROM parents p WHERE p.id = parent)",
        "EXISTS (SELECT FROM parents p WHERE p.tenant_id = NAME.tenant_id)",
        "EXISTS (WITH q AS (SELECT * FROM open_parents) SELECT FROM q JOIN parents USING (tenant_id) WHERE q.tenant_id = NAME.tenant_id AND parents.tenant_id = CONTEXT)",
        "tenant_id IN (SELECT CONTEXT UNION SELECT m.tenant_id FROM members m WHERE m.person = PERSON)",
        // Not the tenant's alone.
        "EXISTS (SELECT FROM open_parents p WHERE p.id = open_parent)",
        "EXISTS (SELECT FROM members m WHERE m.person = PERSON)",
        "EXISTS (SELECT count(*) FROM members m WHERE m.tenant_id = NAME.tenant_id AND m.person = PERSON)",
        "EXISTS (SELECT FROM members m WHERE m.tenant_id = NAME.tenant_id AND m.person = PERSON HAVING count(*) = 0)",
        "(SELECT count(*) = 0 FROM members m WHERE m.tenant_id = NAME.tenant_id AND m.person = PERSON)",
        "(SELECT count(*) FROM members m WHERE m.tenant_id = NAME.tenant_id AND m.person = PERSON) >= 0",
        "EXISTS (SELECT FROM members m LEFT JOIN parents p ON p.tenant_id = NAME.tenant_id AND p.tenant_id = CONTEXT WHERE m.person = PERSON)",
        "tenant_id IN (SELECT all_tenants())",
        "tenant_id IN (SELECT CONTEXT UNION SELECT id FROM tenants)",
        "tenant_id = ctx_or_all(tenant_id)",
        "is_mine_or_admin(tenant_id)",
        "tenant_id = COALESCE(CONTEXT, tenant_id)",
        "tenant_id = ALL (string_to_array(RAW, ','))",
        "tags && string_to_array(RAW, ',')",
        "tags @> string_to_array(RAW, ',')",
        "tenant_id LIKE CONTEXT || '%'",
        "starts_with(tenant_id, RAW)",
        "lower(tenant_id) = lower(CONTEXT)",
        "left(tenant_id, 1) = CONTEXT",
        "tenant_id::varchar(1) = CONTEXT",
        "tenant_id <> CONTEXT",
        "tenant_id >= CONTEXT",
        "tenant_id = tenant_id",
        "tenant_id = 'x'",
        "tenant_id IS NULL",
        "tenant_id IS NOT NULL",
        "CONTEXT IS NULL",
        "CONTEXT IS NOT NULL",
        "RAW IS NULL",
        "RAW = ''",
        "RAW <> ''",
        "length(RAW) = 0",
        "current_setting('app.admin', true) = 'on'",
        "NULLIF(current_setting('app.admin', true), '')::boolean",
        "current_user = 'postgres'",
        "flag",
        "owner = 'pa'",
        "owner = PERSON",
        "owner IS NULL",
        "id < 5",
        "true",
        "false",
        "NULL::boolean",
    ] {
        all.push(
            sql.replace("CONTEXT", CONTEXT)
                .replace("RAW", RAW)
                .replace("PERSON", PERSON),
        );
    }
    all
}

fn predicate() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 10, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            4 => two.clone().prop_map(|(a, b)| format!("({a} AND {b})")),
            3 => two.clone().prop_map(|(a, b)| format!("({a} OR {b})")),
            1 => inner.clone().prop_map(|a| format!("(NOT {a})")),
            1 => three.prop_map(|(a, b, c)| format!("CASE WHEN {a} THEN {b} ELSE {c} END")),
            1 => two.clone().prop_map(|(a, b)| format!("COALESCE({a}, {b})")),
            1 => inner.clone().prop_map(|a| format!("(({a}) IS TRUE)")),
            1 => inner.clone().prop_map(|a| format!("(({a}) IS NOT FALSE)")),
            1 => inner.clone().prop_map(|a| format!("(({a}) IS NOT TRUE)")),
            1 => inner.clone().prop_map(|a| format!("(({a}) IS FALSE)")),
            1 => inner.clone().prop_map(|a| format!("(({a}) IS NULL)")),
            1 => inner.clone().prop_map(|a| format!("(SELECT {a})")),
            1 => two.prop_map(|(a, b)| format!("(({a}) IS NOT DISTINCT FROM ({b}))")),
        ]
    })
}

/// What sessions there are: the tenant, the person, the flag.
const SESSIONS: [(Option<&str>, Option<&str>, Option<&str>); 7] = [
    (None, None, None),
    (Some(""), Some(""), Some("")),
    (Some("a"), Some("pa"), None),
    (Some("b"), Some("pb"), Some("off")),
    (Some("A"), Some("pA"), None),
    (Some("a"), Some("pa"), Some("on")),
    (None, None, Some("on")),
];

type Row = (Option<String>, Option<String>);

/// Whose rows of each table pass, in a session; none where the query fails.
async fn passing(session: usize, role: &str, tables: usize) -> Vec<Vec<Row>> {
    // A setting that was never set has to be in a session that never set it.
    let client = connect("soundness").await;
    let (tenant, person, admin) = SESSIONS[session];
    for (name, value) in [("tenant", tenant), ("person", person), ("admin", admin)] {
        if let Some(value) = value {
            client
                .batch_execute(&format!("SET app.{name} = '{value}'"))
                .await
                .unwrap();
        }
    }
    client
        .batch_execute(&format!("SET ROLE {role}"))
        .await
        .unwrap();
    let mut all = Vec::new();
    for at in 0..tables {
        let rows = client
            .query(&format!("SELECT DISTINCT tenant_id, owner FROM t{at}"), &[])
            .await
            .unwrap_or_default();
        all.push(rows.iter().map(|row| (row.get(0), row.get(1))).collect());
    }
    all
}

/// Whose rows a session of the first tenant can make in each table, without looking at them.
async fn made(role: &str, tables: usize) -> Vec<Vec<Row>> {
    let client = connect("soundness").await;
    let sql = format!("SET app.tenant = 'a'; SET app.person = 'pa'; SET ROLE {role}");
    client.batch_execute(&sql).await.unwrap();
    let mut all = Vec::new();
    for at in 0..tables {
        let mut made = Vec::new();
        for tenant in [Some("a"), Some("b"), Some("A"), Some("ab"), Some("x"), None] {
            let value = tenant.map_or("NULL".to_owned(), |tenant| format!("'{tenant}'"));
            let insert = format!(
                "BEGIN; INSERT INTO t{at} VALUES (1000, {value}, 1, 1, ARRAY['a'], 'pa', true)"
            );
            if client.batch_execute(&insert).await.is_ok() {
                made.push((tenant.map(str::to_owned), Some("pa".to_owned())));
            }
            client.batch_execute("ROLLBACK").await.unwrap();
        }
        all.push(made);
    }
    all
}

/// The rows that a session may see: its own, and for what is said to be the user's own, those.
fn allowed(session: usize, row: &Row, standing: &Standing, owned: bool) -> bool {
    let (tenant, person, _) = SESSIONS[session];
    let meant = |is_it: fn(&Gap) -> bool| matches!(standing, Standing::Open(openings) if openings.iter().any(|it| is_it(&it.gap)));
    let own = tenant.is_some_and(|tenant| !tenant.is_empty() && row.0.as_deref() == Some(tenant));
    // 'x' stands in for those who have none.
    let stands_in = tenant.unwrap_or_default().is_empty() && row.0.as_deref() == Some("x");
    own || stands_in
        || (owned && person.is_some() && row.1.as_deref() == person)
        || (row.0.is_none() && meant(|gap| matches!(gap, Gap::NullTenant { .. })))
        || (row.0.as_deref() == Some("x") && meant(|gap| matches!(gap, Gap::SharedTenant { .. })))
}

#[tokio::test]
async fn what_is_scoped_lets_no_other_row_through() {
    const COUNT: usize = 400;
    let role = "app_soundness";
    let client = database("soundness").await;
    client
        .batch_execute(&SCHEMA.replace("app_SCHEMA", role))
        .await
        .unwrap();
    let mut runner = TestRunner::deterministic();
    let mut predicates: Vec<String> = Vec::new();
    let strategy = predicate();
    let mut of_each = atoms().into_iter();
    for at in 0..COUNT {
        // Each by itself, and then what they make together.
        let predicate = of_each
            .next()
            .unwrap_or_else(|| strategy.new_tree(&mut runner).unwrap().current());
        let name = format!("t{at}");
        let predicate = predicate.replace("NAME", &name);
        let rows = ROWS.replace("NAME", &name).replace("app_SCHEMA", role);
        client.batch_execute(&rows).await.unwrap();
        client
            .batch_execute(&format!("CREATE POLICY p ON {name} USING ({predicate})"))
            .await
            .unwrap_or_else(|error| panic!("{predicate}: {error:?}"));
        predicates.push(predicate);
    }
    let options = Options {
        tenant_columns: vec!["tenant_id".to_owned()],
        app_roles: vec![role.to_owned()],
        contexts: vec!["app.tenant".to_owned(), "app.person".to_owned()],
        ..Options::default()
    };
    // As `check` does.
    client
        .batch_execute("SET search_path = pg_catalog")
        .await
        .unwrap();
    let catalogue = catalogue::load(&client).await.unwrap();
    client.batch_execute("RESET search_path").await.unwrap();
    let subject = Subject::of(&catalogue, &options).unwrap();
    let evaluations = Evaluations::default();
    let wall = Wall::new(&catalogue, &subject, &evaluations);
    let app = catalogue.roles.named(role).unwrap().oid;

    let mut sessions = Vec::new();
    for session in 0..SESSIONS.len() {
        sessions.push(passing(session, role, COUNT).await);
    }
    let made = made(role, COUNT).await;
    let mut wrong = Vec::new();
    let mut checked = 0;
    let (mut scoped, mut open, mut opaque, mut needless) = (0, 0, 0, Vec::new());
    for (at, predicate) in predicates.iter().enumerate() {
        let name = format!("t{at}");
        let relation = catalogue
            .relations
            .values()
            .find(|relation| relation.name.name == name)
            .unwrap();
        let judged = wall.judge(app, relation.oid, Command::Select, &[]);
        let seen: Vec<&Vec<Row>> = sessions.iter().map(|tables| &tables[at]).collect();
        let standing = &judged.standing;
        // Of a table that is said to be people's own, the owner's rows.
        let by_owner = relation.column_named("owner").map(|column| column.number);
        let owned = judged.tie.owned || subject.tenant_column(relation.oid) == by_owner;
        // The session is the third of the list. To own a row is not enough to make it.
        let insert = wall.standing(app, relation.oid, Command::Insert);
        let by_tenant = relation
            .column_named("tenant_id")
            .map(|column| column.number);
        if subject.tenant_column(relation.oid) == by_tenant && insert == Standing::Scoped {
            checked += 1;
            for row in &made[at] {
                if !allowed(2, row, &insert, false) && row.0.as_deref() != Some("a") {
                    wrong.push(format!("{row:?} can be made: {predicate}"));
                }
            }
        }
        let claims = match standing {
            Standing::Scoped => {
                scoped += 1;
                true
            }
            Standing::Closed => {
                let any = seen.iter().any(|rows| !rows.is_empty());
                if any {
                    wrong.push(format!("closed, and something passes: {predicate}"));
                }
                false
            }
            Standing::Open(openings) => {
                let meant = openings
                    .iter()
                    .all(|it| matches!(it.gap, Gap::NullTenant { .. } | Gap::SharedTenant { .. }));
                if openings
                    .iter()
                    .any(|it| matches!(it.gap, Gap::Opaque { .. }))
                {
                    opaque += 1;
                } else {
                    open += 1;
                }
                meant
            }
            Standing::Exempt => panic!("policies hold"),
        };
        let foreign: Vec<_> = seen
            .iter()
            .enumerate()
            .flat_map(|(session, rows)| rows.iter().map(move |row| (session, row)))
            .filter(|(session, row)| !allowed(*session, row, standing, owned))
            .collect();
        if claims && !foreign.is_empty() {
            wrong.push(format!(
                "{standing:?}, and these pass {foreign:?}: {predicate}"
            ));
        }
        if !claims && foreign.is_empty() && matches!(standing, Standing::Open(_)) {
            needless.push(format!("{standing:?}: {predicate}"));
        }
    }
    eprintln!(
        "scoped {scoped}, open {open}, opaque {opaque}, needlessly open {}",
        needless.len()
    );
    assert!(
        wrong.is_empty(),
        "{} of {COUNT}:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    // A test in which nothing is scoped, or nothing open, says nothing.
    assert!(scoped > COUNT / 20 && open > COUNT / 4, "{scoped} {open}");
    assert!(checked > COUNT / 20, "{checked}");
}
