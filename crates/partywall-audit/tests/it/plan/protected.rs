//! What a plan leaves as it is: a database that is protected.

use partywall_audit::Plan;

use super::{applied, planned};
use crate::{database::Database, sound::schemas};

/// Each `tests/sound/*.sql`: there is nothing to do in a database in which nothing is found.
#[tokio::test]
async fn a_correct_schema_needs_no_step() {
    let mut wrong = Vec::new();
    for schema in schemas().await {
        let db = schema.database().await;
        let plan = planned(&db).await;
        if !plan.is_done() || !plan.violations.is_empty() {
            wrong.push(format!(
                "{}: {:#?}\n{}",
                schema.name,
                plan.violations,
                plan.sql()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const ROLES: &str = "CREATE ROLE {own} NOLOGIN; CREATE ROLE {app} LOGIN PASSWORD 'secret';
    GRANT USAGE, CREATE ON SCHEMA public TO {own}; GRANT USAGE ON SCHEMA public TO {app}; SET ROLE {own};
    CREATE TABLE tenants (id int PRIMARY KEY, name text);
    CREATE TABLE a (tenant_id int NOT NULL REFERENCES tenants, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (tenant_id, id));
    ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a FORCE ROW LEVEL SECURITY;
    GRANT SELECT, INSERT, UPDATE, DELETE ON a TO {app};";

const B: &str = "
    CREATE TABLE b (tenant_id int NOT NULL REFERENCES tenants, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (tenant_id, id));
    GRANT SELECT, INSERT, UPDATE, DELETE ON b TO {app}; RESET ROLE;
    INSERT INTO tenants VALUES (1), (2); INSERT INTO a (tenant_id) VALUES (1), (2); INSERT INTO b (tenant_id) VALUES (1), (2);";

/// The same, with a policy on `a` and more.
async fn with(policy: &str, more: &str) -> Database {
    Database::with(&format!("{ROLES}{policy}{more}")).await
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

const PLAIN: &str = "CREATE POLICY t ON a USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);";

/// A table that was forgotten is protected as the others are, whatever the tenant is taken from.
#[tokio::test]
async fn a_forgotten_table_is_protected_as_the_others_are() {
    for (policy, before, context) in [
        (
            "CREATE POLICY t ON a USING (tenant_id = (NULLIF(current_setting('request.jwt.claims', true), '')::json ->> 'tenant_id')::int);",
            "",
            "SET request.jwt.claims = '{\"tenant_id\": 1}'",
        ),
        (
            "CREATE POLICY t ON a USING (tenant_id = ANY (string_to_array(NULLIF(current_setting('app.tenant_ids', true), ''), ',')::int[]));",
            "",
            "SET app.tenant_ids = '1'",
        ),
        (
            "CREATE POLICY t ON a USING (tenant_id = public.tenant());",
            "CREATE FUNCTION tenant() RETURNS int LANGUAGE sql STABLE
               RETURN NULLIF(current_setting('app.tenant_id', true), '')::int;",
            "SET app.tenant_id = '1'",
        ),
        (
            "CREATE TABLE members (tenant_id int NOT NULL REFERENCES tenants, user_id int NOT NULL, PRIMARY KEY (tenant_id, user_id));
             CREATE INDEX ON members (user_id);
             ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE members FORCE ROW LEVEL SECURITY;
             GRANT SELECT ON members TO {app};
             CREATE POLICY own ON members USING (user_id = NULLIF(current_setting('app.user_id', true), '')::int);
             CREATE POLICY t ON a USING (tenant_id IN (SELECT m.tenant_id FROM members m
               WHERE m.user_id = NULLIF(current_setting('app.user_id', true), '')::int));",
            "",
            "SET app.user_id = '71'",
        ),
    ] {
        let db = with(before, &format!("{policy}{B}")).await;
        if policy.contains("members") {
            db.run("INSERT INTO members VALUES (1, 71), (2, 72)").await;
        }
        let plan = planned(&db).await;
        assert_eq!(names(&plan), ["wall public.b"], "{}", plan.sql());
        applied(&db, &plan).await.unwrap();
        let admin = db.superuser().await;
        admin
            .batch_execute(&db.fill(&format!("{context}; SET ROLE {{app}}")))
            .await
            .unwrap();
        let rows = admin.query("SELECT tenant_id FROM b", &[]).await.unwrap();
        let seen: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(seen, [1], "{policy}");
        assert!(planned(&db).await.is_done());
    }
}

/// What policies say that cannot be said of another table is left to people.
#[tokio::test]
async fn what_cannot_be_repeated_is_undecided() {
    let db = with(
        "CREATE TABLE members (tenant_id int NOT NULL REFERENCES tenants, user_id int NOT NULL, a_id uuid, PRIMARY KEY (tenant_id, user_id));
         CREATE INDEX ON members (user_id);
         ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE members FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON members USING (user_id = NULLIF(current_setting('app.user_id', true), '')::int);
         GRANT SELECT ON members TO {app};
         CREATE POLICY t ON a USING (EXISTS (SELECT FROM members m WHERE m.tenant_id = a.tenant_id AND m.a_id = a.id
           AND m.user_id = NULLIF(current_setting('app.user_id', true), '')::int));",
        B,
    )
    .await;
    let plan = planned(&db).await;
    assert!(plan.is_done(), "{}", plan.sql());
    let note = plan.notes.iter().find(|note| note.object == "public.b");
    assert!(
        note.is_some_and(|note| note.what.contains("write its policy by hand")),
        "{:#?}",
        plan.notes
    );
}

/// An application that goes through views is given nothing behind them.
#[tokio::test]
async fn nothing_is_opened_behind_views() {
    let db = Database::with(
        "CREATE ROLE {own} NOLOGIN; CREATE ROLE {app} LOGIN;
         CREATE SCHEMA core AUTHORIZATION {own}; CREATE SCHEMA api AUTHORIZATION {own}; SET ROLE {own};
         CREATE TABLE core.tenants (id int PRIMARY KEY, name text);
         CREATE TABLE core.a (tenant_id int NOT NULL REFERENCES core.tenants, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (tenant_id, id));
         ALTER TABLE core.a ENABLE ROW LEVEL SECURITY;
         CREATE POLICY t ON core.a TO {app} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
         CREATE VIEW api.a WITH (security_barrier) AS SELECT * FROM core.a
           WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int WITH CASCADED CHECK OPTION;
         GRANT USAGE ON SCHEMA api TO {app}; GRANT SELECT, INSERT, UPDATE, DELETE ON api.a TO {app};",
    )
    .await;
    let plan = planned(&db).await;
    assert!(plan.is_done(), "{}", plan.sql());
}

/// What is unique over all tenants, so that nobody takes another's, stays so where no tenant can write it.
#[tokio::test]
async fn what_the_application_cannot_write_stays_unique() {
    let db = with(
        PLAIN,
        &format!(
            "{B} CREATE TABLE domains (host text PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, note text);
             CREATE INDEX ON domains (tenant_id); GRANT SELECT ON domains TO {{app}};
             CREATE TABLE names (id uuid PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, name text UNIQUE, note text);
             CREATE INDEX ON names (tenant_id); GRANT SELECT, UPDATE (note) ON names TO {{app}};"
        ),
    )
    .await;
    let plan = planned(&db).await;
    assert_eq!(
        names(&plan),
        ["wall public.b", "wall public.domains", "wall public.names"]
    );
    db.run("GRANT INSERT ON names TO {app}").await;
    let plan = planned(&db).await;
    assert!(
        names(&plan).contains(&"unique public.names(tenant_id, name)"),
        "{:?}",
        names(&plan)
    );
}

/// People who may be in several tenants are nobody's tenant.
#[tokio::test]
async fn people_are_left_to_their_policies() {
    let db = with(
        PLAIN,
        "CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL UNIQUE);
         CREATE TABLE members (tenant_id int NOT NULL REFERENCES tenants, user_id int NOT NULL REFERENCES users, PRIMARY KEY (tenant_id, user_id));
         ALTER TABLE a ADD created_by int REFERENCES users;
         ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY;
         ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE members FORCE ROW LEVEL SECURITY;
         CREATE POLICY t ON users FOR SELECT USING (EXISTS (SELECT FROM members m WHERE m.user_id = users.id
           AND m.tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int));
         CREATE POLICY t ON members USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int);
         GRANT SELECT ON users, members TO {app}; RESET ROLE;
         INSERT INTO tenants VALUES (1), (2); INSERT INTO users VALUES (71, 'x'), (72, 'y');
         INSERT INTO members VALUES (1, 71), (2, 72); INSERT INTO a (tenant_id, created_by) VALUES (1, 71), (2, 72);",
    )
    .await;
    let plan = planned(&db).await;
    assert!(
        plan.is_done() && plan.violations.is_empty() && plan.notes.is_empty(),
        "{:#?}{}",
        plan.violations,
        plan.sql()
    );
    assert!(
        !plan.map.tables.contains_key("public.users"),
        "{}",
        plan.map.toml()
    );
}

/// Rows that a policy shows to all tenants are not hidden from them, also where something else is wrong.
#[tokio::test]
async fn shared_rows_stay_shared() {
    let db = with(
        PLAIN,
        "CREATE TABLE templates (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id int REFERENCES tenants);
         CREATE INDEX ON templates (tenant_id);
         ALTER TABLE templates ENABLE ROW LEVEL SECURITY; ALTER TABLE templates FORCE ROW LEVEL SECURITY;
         CREATE POLICY t ON templates USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::int OR tenant_id IS NULL);
         GRANT SELECT, UPDATE ON templates TO {app};",
    )
    .await;
    let plan = planned(&db).await;
    assert!(plan.is_done(), "{}", plan.sql());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.object == "public.templates"),
        "{:#?}",
        plan.notes
    );
}

/// A key that maps onto the parent's tenant says whose the row is.
#[tokio::test]
async fn a_key_that_has_the_tenant_in_it_says_it() {
    let db = with(
        PLAIN,
        "CREATE TABLE docs (tenant_id int NOT NULL REFERENCES tenants, no int, PRIMARY KEY (tenant_id, no));
         CREATE TABLE pages (doc_tenant int NOT NULL, doc_no int NOT NULL, page int, PRIMARY KEY (doc_tenant, doc_no, page),
           FOREIGN KEY (doc_tenant, doc_no) REFERENCES docs);
         GRANT SELECT, INSERT ON docs, pages TO {app};
         INSERT INTO tenants VALUES (1), (2); INSERT INTO docs VALUES (1, 1), (2, 1); INSERT INTO pages VALUES (1, 1, 1);",
    )
    .await;
    let plan = planned(&db).await;
    assert_eq!(names(&plan), ["wall public.docs", "wall public.pages"]);
    assert!(
        plan.sql().contains("USING (doc_tenant = "),
        "{}",
        plan.sql()
    );
    applied(&db, &plan).await.unwrap();
}

/// Rights that the application has as a member of another role, or as everybody, are rights.
#[tokio::test]
async fn rights_of_a_group_are_looked_at() {
    let db = Database::with(
        "CREATE ROLE {rw} NOLOGIN; CREATE ROLE {app} LOGIN IN ROLE {rw};
         CREATE TABLE tenants (id int PRIMARY KEY);
         CREATE TABLE events (tenant_id int NOT NULL REFERENCES tenants, id int, PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
         CREATE TABLE events_1 PARTITION OF events DEFAULT;
         GRANT ALL ON tenants, events, events_1 TO {rw};
         ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {rw};",
    )
    .await;
    let plan = planned(&db).await;
    applied(&db, &plan).await.unwrap();
    let admin = db.superuser().await;
    for (right, table, has) in [
        ("SELECT", "events", true),
        ("INSERT", "events", true),
        ("TRUNCATE", "events", false),
        ("SELECT", "events_1", false),
        ("TRIGGER", "tenants", false),
    ] {
        let query = format!(
            "SELECT has_table_privilege('{}', '{table}', '{right}')",
            db.role("app")
        );
        let row = admin.query_one(&query, &[]).await.unwrap();
        assert_eq!(row.get::<_, bool>(0), has, "{right} on {table}");
    }
    let sql = plan.sql();
    assert!(sql.contains("ALTER DEFAULT PRIVILEGES"), "{sql}");
    let (expand, protect) = sql.split_once("== protect ==").unwrap();
    assert!(
        !expand.contains("events_1 FROM") && protect.contains("events_1 FROM"),
        "{sql}"
    );
}
