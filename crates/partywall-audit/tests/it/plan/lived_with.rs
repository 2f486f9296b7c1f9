//! The application as it was goes on: old queries, and inserts by code that does not know the new columns.

use partywall_audit::Phase;
use tokio_postgres::{Client, error::SqlState};

use super::{applied, planned, read};
use crate::database::Database;

const ACME: &str = "aaaaaaaa-0000-0000-0000-000000000000";
const GLOBEX: &str = "bbbbbbbb-0000-0000-0000-000000000000";

async fn count(client: &Client, sql: &str) -> i64 {
    client
        .query_one(&format!("SELECT count(*) FROM ({sql}) AS rows"), &[])
        .await
        .unwrap()
        .get(0)
}

async fn code(client: &Client, sql: &str) -> Option<SqlState> {
    client
        .batch_execute(sql)
        .await
        .err()
        .map(|error| error.code().unwrap().clone())
}

async fn as_tenant(db: &Database, tenant: &str) -> Client {
    let client = db.login("app").await;
    client
        .batch_execute(&format!("SET app.tenant_id = '{tenant}'"))
        .await
        .unwrap();
    client
}

#[tokio::test]
async fn old_code_reads_and_writes_within_its_tenant() {
    let db = Database::with(&read("depth")).await;
    applied(&db, &planned(&db).await).await.unwrap();
    let (acme, globex) = (as_tenant(&db, ACME).await, as_tenant(&db, GLOBEX).await);
    let admin = db.superuser().await;
    for (table, all) in [
        ("projects", 2),
        ("tasks", 6),
        ("remarks", 18),
        ("files", 18),
    ] {
        assert_eq!(count(&admin, &format!("SELECT * FROM {table}")).await, all);
        assert_eq!(
            count(&acme, &format!("SELECT * FROM {table}")).await,
            all / 2,
            "{table}"
        );
        assert_eq!(
            count(&db.login("app").await, &format!("SELECT * FROM {table}")).await,
            0,
            "{table}"
        );
    }
    // An insert that names no tenant, three tables away from it.
    acme.batch_execute("INSERT INTO files (remark_id, name) SELECT id, 'new' FROM remarks LIMIT 1")
        .await
        .unwrap();
    acme.batch_execute("INSERT INTO tasks (project_id, title) SELECT id, 'new' FROM projects")
        .await
        .unwrap();
    assert_eq!(
        count(
            &admin,
            &format!("SELECT * FROM files WHERE name = 'new' AND tenant_id = '{ACME}'")
        )
        .await,
        1
    );
    assert_eq!(
        count(&globex, "SELECT * FROM files WHERE name = 'new'").await,
        0
    );
    // The old joins, updates and deletes.
    let join = "SELECT f.id FROM projects p JOIN tasks t ON t.project_id = p.id JOIN remarks r ON r.task_id = t.id \
                JOIN files f ON f.remark_id = r.id";
    assert_eq!(count(&acme, join).await, 10);
    assert_eq!(
        acme.execute("UPDATE tasks SET title = 'x'", &[])
            .await
            .unwrap(),
        4
    );
    assert_eq!(
        count(&admin, "SELECT * FROM tasks WHERE title = 'x'").await,
        4
    );
    acme.batch_execute("DELETE FROM files").await.unwrap();
    assert_eq!(acme.execute("DELETE FROM projects", &[]).await.unwrap(), 1);
    assert_eq!(count(&admin, "SELECT * FROM tasks").await, 3);

    // Another's row is as missing as one that there is not, by the same error.
    let theirs: String = admin
        .query_one("SELECT id::text FROM projects", &[])
        .await
        .unwrap()
        .get(0);
    let foreign = code(
        &acme,
        &format!("INSERT INTO tasks (project_id, title) VALUES ('{theirs}', 'x')"),
    )
    .await;
    let missing = code(
        &acme,
        "INSERT INTO tasks (project_id, title) VALUES (gen_random_uuid(), 'x')",
    )
    .await;
    assert_eq!(foreign, Some(SqlState::FOREIGN_KEY_VIOLATION));
    assert_eq!(foreign, missing);
    let moved = code(&globex, &format!("UPDATE tasks SET tenant_id = '{ACME}'")).await;
    assert_eq!(moved, Some(SqlState::INSUFFICIENT_PRIVILEGE));
    assert_eq!(
        code(&acme, "TRUNCATE tasks").await,
        Some(SqlState::INSUFFICIENT_PRIVILEGE)
    );
}

/// After the first phase nothing has changed for an application that sets no context.
#[tokio::test]
async fn the_first_phase_is_not_noticed() {
    let db = Database::with(&read("depth")).await;
    let plan = planned(&db).await;
    applied(&db, &plan.clone().up_to(Phase::Expand))
        .await
        .unwrap();
    let app = db.login("app").await;
    assert_eq!(count(&app, "SELECT * FROM tasks").await, 6);
    app.batch_execute("INSERT INTO tasks (project_id, title) SELECT id, 'new' FROM projects")
        .await
        .unwrap();
    app.batch_execute("INSERT INTO remarks (task_id, body) SELECT id, 'new' FROM tasks")
        .await
        .unwrap();
    assert_eq!(
        count(&app, "SELECT * FROM tasks t JOIN projects p ON p.id = t.project_id AND p.tenant_id = t.tenant_id").await,
        8
    );
    let left = planned(&db).await;
    assert!(
        !left.is_done() && left.steps.iter().all(|step| step.phase > Phase::Expand),
        "{}",
        left.sql()
    );
    applied(&db, &left.up_to(Phase::Protect)).await.unwrap();
    assert_eq!(count(&app, "SELECT * FROM tasks").await, 0);
    applied(&db, &planned(&db).await).await.unwrap();
    assert!(planned(&db).await.is_done());
}

/// Rows that are written while the old ones are being filled are right, and all are filled in the end.
#[tokio::test]
async fn what_is_written_meanwhile_is_right() {
    let db = Database::with(&read("depth")).await;
    db.run("INSERT INTO remarks (task_id, body) SELECT id, n::text FROM tasks, generate_series(1, 20000) n").await;
    let plan = planned(&db).await;
    let app = db.login("app").await;
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = tokio::spawn(async move {
        let mut wrote = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            app.batch_execute(
                "BEGIN; INSERT INTO remarks (task_id, body) SELECT id, 'meanwhile' FROM tasks LIMIT 1;
                 INSERT INTO files (remark_id, name) SELECT id, 'meanwhile' FROM remarks ORDER BY body DESC LIMIT 1;
                 UPDATE remarks SET body = body WHERE id IN (SELECT id FROM remarks LIMIT 3); COMMIT",
            )
            .await
            .unwrap();
            wrote += 1;
        }
        wrote
    });
    let mut batches = 0;
    let expand = plan.clone().up_to(Phase::Expand);
    partywall_audit::apply(&mut db.superuser().await, &expand, &mut |applying| {
        batches += usize::from(matches!(applying, partywall_audit::Applying::Batch(..)));
    })
    .await
    .unwrap();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(writer.await.unwrap() > 3);
    assert!(batches > 12, "{batches}");
    let admin = db.superuser().await;
    let wrong = "SELECT FROM remarks r JOIN tasks t ON t.id = r.task_id JOIN projects p ON p.id = t.project_id \
                 WHERE r.tenant_id IS DISTINCT FROM p.tenant_id";
    assert_eq!(count(&admin, wrong).await, 0);
    assert!(count(&admin, "SELECT FROM remarks").await > 120_000);
    applied(&db, &planned(&db).await).await.unwrap();
}

#[tokio::test]
async fn a_link_cannot_join_two_tenants() {
    let db = Database::with(&read("link")).await;
    applied(&db, &planned(&db).await).await.unwrap();
    let acme = as_tenant(&db, ACME).await;
    let theirs: String = db
        .superuser()
        .await
        .query_one(
            &format!("SELECT id::text FROM tags WHERE tenant_id = '{GLOBEX}'"),
            &[],
        )
        .await
        .unwrap()
        .get(0);
    let crossing =
        format!("INSERT INTO post_tags (post_id, tag_id) SELECT id, '{theirs}' FROM posts");
    assert_eq!(
        code(&acme, &crossing).await,
        Some(SqlState::FOREIGN_KEY_VIOLATION)
    );
    acme.batch_execute("INSERT INTO tags (tenant_id, name) VALUES (current_setting('app.tenant_id')::uuid, 'more')")
        .await
        .unwrap();
    acme.batch_execute("INSERT INTO post_tags (post_id, tag_id) SELECT p.id, t.id FROM posts p, tags t WHERE t.name = 'more'")
        .await
        .unwrap();
    assert_eq!(acme.execute("DELETE FROM tags", &[]).await.unwrap(), 2);
    assert_eq!(count(&acme, "SELECT * FROM post_tags").await, 0);
}

/// What the application did as the owner it does as one that owns nothing.
#[tokio::test]
async fn an_owner_becomes_a_guest() {
    let db = Database::with(&read("rails")).await;
    let plan = planned(&db).await;
    applied(&db, &plan).await.unwrap();
    let app = as_tenant(&db, "1").await;
    assert_eq!(count(&app, "SELECT * FROM todos").await, 4);
    assert_eq!(count(&app, "SELECT * FROM open_todos").await, 4);
    app.batch_execute("INSERT INTO todos (project_id, title) SELECT id, 'new' FROM projects")
        .await
        .unwrap();
    app.batch_execute("INSERT INTO projects (company_id, name) VALUES (1, 'new')")
        .await
        .unwrap();
    assert_eq!(
        code(
            &app,
            "INSERT INTO projects (company_id, name) VALUES (2, 'new')"
        )
        .await,
        Some(SqlState::INSUFFICIENT_PRIVILEGE)
    );
    for sql in [
        "ALTER TABLE todos NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant_wall ON todos",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE projects OWNER TO CURRENT_USER",
    ] {
        assert_eq!(
            code(&app, sql).await,
            Some(SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}"
        );
    }
    // Migrations have a role to run as.
    let owner = plan.map.roles.owner.clone().unwrap();
    let admin = db.superuser().await;
    admin
        .batch_execute(&format!(
            "SET ROLE {owner}; ALTER TABLE todos ADD COLUMN due date; CREATE TABLE later (id int)"
        ))
        .await
        .unwrap();
}

/// A key that is set to NULL loses its own column, and not the tenant's.
#[tokio::test]
async fn setting_null_spares_the_tenant() {
    let db = Database::with(
        "CREATE ROLE {app} LOGIN PASSWORD 'secret';
         GRANT USAGE ON SCHEMA public TO {app};
         CREATE TABLE tenants (id uuid PRIMARY KEY);
         CREATE TABLE people (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL REFERENCES tenants (id));
         CREATE TABLE tickets (
           id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
           tenant_id uuid NOT NULL REFERENCES tenants (id),
           person_id uuid REFERENCES people (id) ON DELETE SET NULL
         );
         GRANT SELECT, INSERT, UPDATE, DELETE ON people, tickets TO {app};
         INSERT INTO tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000');
         INSERT INTO people (tenant_id) SELECT id FROM tenants;
         INSERT INTO tickets (tenant_id, person_id) SELECT tenant_id, id FROM people;",
    )
    .await;
    applied(&db, &planned(&db).await).await.unwrap();
    let acme = as_tenant(&db, ACME).await;
    assert_eq!(acme.execute("DELETE FROM people", &[]).await.unwrap(), 1);
    assert_eq!(
        count(&acme, "SELECT * FROM tickets WHERE person_id IS NULL").await,
        1
    );
}

/// Who owns the database and is no superuser goes the whole way, and comes back to it, although the policies
/// hold for them by then.
#[tokio::test]
async fn an_owner_who_is_no_superuser_goes_the_way() {
    let db = Database::empty().await;
    db.run(
        "CREATE ROLE {dba} LOGIN PASSWORD 'secret' CREATEROLE;
         DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), '{dba}'); END $$;
         ALTER SCHEMA public OWNER TO {dba};
         CREATE ROLE {app} LOGIN PASSWORD 'secret';
         GRANT USAGE ON SCHEMA public TO {app};",
    )
    .await;
    let mut dba = db.login("dba").await;
    let text = db.fill(&read("depth"));
    let tables = text.split_once("CREATE TABLE").unwrap().1;
    dba.batch_execute(&format!("CREATE TABLE{tables}"))
        .await
        .unwrap();
    let options = partywall_audit::Options::default();
    let first = partywall_audit::plan(&mut dba, &options, None)
        .await
        .unwrap();
    assert!(first.violations.is_empty());
    let map = first.map.clone();
    partywall_audit::apply(&mut dba, &first.clone().up_to(Phase::Protect), &mut |_| {})
        .await
        .unwrap();
    let rest = partywall_audit::plan(&mut dba, &options, Some(&map))
        .await
        .unwrap();
    assert!(rest.steps.iter().all(|step| step.phase == Phase::Contract) && !rest.is_done());
    partywall_audit::apply(&mut dba, &rest, &mut |_| {})
        .await
        .unwrap();
    assert!(
        partywall_audit::plan(&mut dba, &options, Some(&map))
            .await
            .unwrap()
            .is_done()
    );
    let acme = as_tenant(&db, ACME).await;
    assert_eq!(count(&acme, "SELECT * FROM files").await, 9);
}
