//! What is inferred of each table, and what a reviewed map puts in its place.

use partywall_audit::{AuditError, Map, Options, Plan, TableMap, plan};

use super::{applied, planned, read};
use crate::database::Database;

async fn by(db: &Database, map: &Map) -> Result<Plan, AuditError> {
    plan(&mut db.superuser().await, &Options::default(), Some(map)).await
}

#[tokio::test]
async fn every_table_is_classified() {
    let db = Database::with(&read("serial")).await;
    db.run(
        "CREATE TABLE notes_of_nobody (id int PRIMARY KEY, body text); GRANT SELECT, INSERT ON notes_of_nobody TO {app};
         CREATE TABLE units (code text PRIMARY KEY); GRANT SELECT ON units TO {app};
         CREATE TABLE tags (id bigserial PRIMARY KEY, organization_id bigint NOT NULL REFERENCES organizations (id));
         CREATE TABLE order_tags (order_id bigint NOT NULL REFERENCES orders (id), tag_id bigint NOT NULL REFERENCES tags (id),
           PRIMARY KEY (order_id, tag_id));",
    )
    .await;
    let plan = planned(&db).await;
    let map = &plan.map;
    assert_eq!(map.tenant.table.as_deref(), Some("public.organizations"));
    assert_eq!(map.tenant.key.as_deref(), Some("id"));
    assert_eq!(map.tenant.columns, ["organization_id"]);
    let is = |table: &str| map.tables.get(table).unwrap().clone();
    assert_eq!(
        is("public.organizations"),
        TableMap::Tenant("id".to_owned())
    );
    assert_eq!(
        is("public.users"),
        TableMap::Tenant("organization_id".to_owned())
    );
    assert_eq!(is("public.orders"), TableMap::Through("user_id".to_owned()));
    assert_eq!(
        is("public.order_lines"),
        TableMap::Through("order_id".to_owned())
    );
    assert!(matches!(is("public.units"), TableMap::Global(_)));
    assert!(matches!(
        is("public.notes_of_nobody"),
        TableMap::Undecided(_)
    ));
    let text = map.toml();
    assert!(
        text.contains("{ through = \"order_id\" } # of public.orders\n"),
        "{text}"
    );
    let link = text
        .lines()
        .find(|line| line.starts_with("\"public.order_tags\""))
        .unwrap();
    assert!(
        link.contains("links public.") && link.contains("both must be one tenant's"),
        "{link}"
    );
    assert_eq!(Map::read(&text).unwrap(), *map);
    assert!(
        plan.notes
            .iter()
            .any(|note| note.object == "public.notes_of_nobody"),
        "{:#?}",
        plan.notes
    );
    // Left alone.
    assert!(!plan.sql().contains("ALTER TABLE public.notes_of_nobody"));
}

/// What was reviewed wins, and what it does not say is inferred.
#[tokio::test]
async fn a_reviewed_map_wins() {
    let db = Database::with(&read("depth")).await;
    let map = Map::new()
        .tenant_column("owner_id")
        .context("my.tenant")
        .owner("somebody")
        .table("public.files", TableMap::Undecided("later".to_owned()), "");
    let plan = by(&db, &map).await.unwrap();
    assert!(
        matches!(plan.map.tables.get("public.files"), Some(TableMap::Undecided(why)) if why == "later")
    );
    assert_eq!(
        plan.map.tables.get("public.remarks"),
        Some(&TableMap::Through("task_id".to_owned()))
    );
    let sql = plan.sql();
    assert!(
        sql.contains("ALTER TABLE public.remarks ADD COLUMN owner_id uuid;"),
        "{sql}"
    );
    assert!(
        sql.contains("current_setting('my.tenant', true)")
            && sql.contains("CREATE ROLE somebody NOLOGIN;")
    );
    assert!(!sql.contains("ALTER TABLE public.files"), "{sql}");
}

/// All of it said, nothing inferred: also where inference would find nothing.
#[tokio::test]
async fn a_map_stands_by_itself() {
    let db = Database::with(
        "CREATE TABLE clients (nr int PRIMARY KEY); CREATE TABLE things (id uuid PRIMARY KEY, belongs int NOT NULL);
         CREATE TABLE parts (id uuid PRIMARY KEY, thing uuid NOT NULL REFERENCES things (id));
         INSERT INTO clients VALUES (1), (2); INSERT INTO things SELECT gen_random_uuid(), nr FROM clients;
         INSERT INTO parts SELECT gen_random_uuid(), id FROM things;",
    )
    .await;
    let map = Map::new()
        .tenants("public.clients", "nr")
        .table("public.things", TableMap::Tenant("belongs".to_owned()), "")
        .table("public.parts", TableMap::Through("thing".to_owned()), "");
    let plan = by(&db, &map).await.unwrap();
    assert!(plan.violations.is_empty(), "{:#?}", plan.violations);
    applied(&db, &plan).await.unwrap();
    let again = by(&db, &plan.map).await.unwrap();
    assert!(again.is_done(), "{}", again.sql());
    let app = plan.map.roles.app.first().unwrap();
    let admin = db.superuser().await;
    admin
        .batch_execute(&format!("SET app.tenant_id = '2'; SET ROLE {app}"))
        .await
        .unwrap();
    for table in ["clients", "things", "parts"] {
        let rows = admin
            .query(&format!("SELECT FROM {table}"), &[])
            .await
            .unwrap();
        assert_eq!(rows.len(), 1, "{table}");
    }
}

#[tokio::test]
async fn a_contradiction_names_its_entry() {
    let db = Database::with(&read("depth")).await;
    db.run("CREATE TABLE loop_a (id int PRIMARY KEY, b int); CREATE TABLE loop_b (id int PRIMARY KEY, a int REFERENCES loop_a (id));
            ALTER TABLE loop_a ADD FOREIGN KEY (b) REFERENCES loop_b (id);
            CREATE TABLE odd (id int PRIMARY KEY, task_id uuid NOT NULL REFERENCES tasks (id), tenant_id int);")
        .await;
    let through = |columns: &str| TableMap::Through(columns.to_owned());
    let tenant = |column: &str| TableMap::Tenant(column.to_owned());
    let map = || Map::new().tenants("public.tenants", "id");
    for (map, entry, words) in [
        (
            map().table("public.nothing", tenant("id"), ""),
            "tables.\"public.nothing\"",
            "no table",
        ),
        (
            map().table("public.tasks", tenant("tennant_id"), ""),
            "tables.\"public.tasks\"",
            "no column `tennant_id`; it has id, project_id, title",
        ),
        (
            map().table("public.tasks", through("title"), ""),
            "tables.\"public.tasks\"",
            "no foreign key on `title`; it has one on `project_id`",
        ),
        (
            map().table("public.tenants", TableMap::Global(String::new()), ""),
            "tables.\"public.tenants\"",
            "not global",
        ),
        (
            map().table("public.tenants", tenant("name"), ""),
            "tables.\"public.tenants\"",
            "not the key",
        ),
        (
            map()
                .table("public.projects", TableMap::Global("x".to_owned()), "")
                .table("public.tasks", through("project_id"), ""),
            "tables.\"public.tasks\"",
            "whose rows those are is not known",
        ),
        (
            map()
                .table("public.loop_a", through("b"), "")
                .table("public.loop_b", through("a"), ""),
            "tables.\"public.loop_a\"",
            "circle",
        ),
        (
            map()
                .table("public.odd", through("task_id"), "")
                .tenant_column("tenant_id"),
            "tables.\"public.odd\"",
            "of type integer, where a tenant is uuid",
        ),
        (
            map()
                .table("public.tasks", tenant("id"), "")
                .table("tasks", tenant("id"), ""),
            "tables.\"tasks\"",
            "the same table",
        ),
        (
            Map::new().tenants("public.tenant", "id"),
            "tenant.table",
            "no table `public.tenant`",
        ),
        (
            Map::new().tenants("public.tenants", "uid"),
            "tenant.key",
            "no column `uid`",
        ),
        (
            map().owner("x").app("x"),
            "roles.owner",
            "among the application's roles",
        ),
    ] {
        match by(&db, &map).await {
            Err(AuditError::Map { entry: found, why }) => {
                assert!(found == entry && why.contains(words), "{found}: {why}");
            }
            other => panic!("{entry}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn without_a_tenant_there_is_no_plan_and_it_says_so() {
    let db = Database::with("CREATE TABLE words (word text PRIMARY KEY)").await;
    let plan = planned(&db).await;
    assert!(plan.is_done() && plan.map.tenant.table.is_none());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.what.contains("tenant.table")),
        "{:#?}",
        plan.notes
    );
}

/// What a plan does not do by itself it says.
#[tokio::test]
async fn what_is_left_to_people_is_listed() {
    let db = Database::with(&read("single")).await;
    db.run(
        "CREATE MATERIALIZED VIEW totals AS SELECT tenant_id, count(*) FROM invoices GROUP BY 1; GRANT SELECT ON totals TO {app};
         CREATE TABLE codes (id text PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants (id), name text);
         CREATE VIEW grouped AS SELECT id, name FROM codes GROUP BY id;
         CREATE TABLE bookings (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants (id), during int4range,
           EXCLUDE USING gist (during WITH &&));
         GRANT SELECT, INSERT, UPDATE, DELETE ON codes, bookings TO {app};
         CREATE FUNCTION all_of_them() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM invoices';
         ALTER TABLE invoices ADD country text REFERENCES countries (code) ON DELETE CASCADE;
         GRANT DELETE ON countries TO {app};",
    )
    .await;
    // A table that the application writes is nobody's only when somebody says so.
    let map = Map::new().table(
        "public.countries",
        TableMap::Global("reference".to_owned()),
        "",
    );
    let plan = by(&db, &map).await.unwrap();
    let says = |object: &str, words: &str| {
        assert!(
            plan.notes
                .iter()
                .any(|note| note.object == object && note.what.contains(words)),
            "{object}: {:#?}",
            plan.notes
        );
    };
    says("materialized view public.totals", "no policy protects it");
    says("codes_pkey on public.codes", "a view stands on it");
    says(
        "bookings_during_excl on public.bookings",
        "excludes values over all tenants",
    );
    says("function public.all_of_them()", "for whom no policy holds");
    assert!(
        plan.sql()
            .contains("REVOKE DELETE ON public.countries FROM"),
        "{}",
        plan.sql()
    );
    applied(&db, &plan).await.unwrap();
}
