//! Rows that are in the way are counted and shown, and nothing is applied before they are mended.

use partywall_audit::{ApplyError, Plan};

use super::{
    applied,
    fingerprint::{assert_same, fingerprint},
    planned, read,
};
use crate::database::Database;

fn of<'a>(plan: &'a Plan, table: &str, words: &str) -> &'a partywall_audit::Violation {
    plan.violations
        .iter()
        .find(|it| it.table == table && it.what.contains(words))
        .unwrap_or_else(|| panic!("{table} {words}: {:#?}", plan.violations))
}

#[tokio::test]
async fn each_kind_is_counted() {
    let db = Database::with(&read("single")).await;
    db.run(
        "INSERT INTO invoices (tenant_id, customer_id, number) SELECT NULL, id, 100 + n FROM customers, generate_series(1, 3) n;
         UPDATE invoices SET parent_id = (SELECT id FROM invoices WHERE number = 1 AND tenant_id::text LIKE 'a%')
          WHERE number = 1 AND tenant_id::text LIKE 'b%';
         INSERT INTO invoices (tenant_id, customer_id, number)
         SELECT 'aaaaaaaa-0000-0000-0000-000000000000', id, 50 + n FROM customers, generate_series(1, 2) n WHERE email LIKE 'bob%';
         ALTER TABLE customers DROP CONSTRAINT customers_tenant_id_fkey;
         INSERT INTO customers (tenant_id, email) VALUES (gen_random_uuid(), 'nobody@test');",
    )
    .await;
    let before = fingerprint(&db).await;
    let plan = planned(&db).await;
    let admin = db.superuser().await;
    for (table, words, rows) in [
        ("public.invoices", "no tenant: tenant_id is NULL", 6),
        (
            "public.invoices",
            "by parent_id to a row of public.invoices that is another tenant's",
            1,
        ),
        (
            "public.invoices",
            "by customer_id to a row of public.customers that is another tenant's",
            2,
        ),
        (
            "public.customers",
            "of a tenant that is not in public.tenants",
            1,
        ),
    ] {
        let violation = of(&plan, table, words);
        assert_eq!(violation.rows, rows, "{violation:#?}");
        let shown = admin
            .query(violation.query.trim_end_matches(';'), &[])
            .await
            .unwrap();
        assert_eq!(i64::try_from(shown.len()).unwrap(), rows);
    }
    assert_eq!(plan.violations.len(), 4, "{:#?}", plan.violations);
    match applied(&db, &plan).await {
        Err(ApplyError::Violations(violations)) => assert_eq!(violations, plan.violations),
        other => panic!("{other:?}"),
    }
    assert_same("violated", &before, &fingerprint(&db).await);

    db.run(
        "DELETE FROM invoices WHERE tenant_id IS NULL OR number > 50; UPDATE invoices SET parent_id = NULL;
         DELETE FROM customers WHERE email = 'nobody@test'",
    )
    .await;
    let mended = planned(&db).await;
    assert!(mended.violations.is_empty(), "{:#?}", mended.violations);
    applied(&db, &mended).await.unwrap();
}

#[tokio::test]
async fn paths_that_lead_nowhere_or_apart_are_counted() {
    let db = Database::with(&read("link")).await;
    db.run(
        "ALTER TABLE post_tags DROP CONSTRAINT post_tags_post_id_fkey;
         INSERT INTO post_tags SELECT gen_random_uuid(), id FROM tags;
         ALTER TABLE post_tags ADD CONSTRAINT post_tags_post_id_fkey FOREIGN KEY (post_id) REFERENCES posts (id)
           ON DELETE CASCADE NOT VALID;
         INSERT INTO post_tags SELECT p.id, t.id FROM posts p JOIN tags t ON p.tenant_id <> t.tenant_id;",
    )
    .await;
    let plan = planned(&db).await;
    assert_eq!(
        of(
            &plan,
            "public.post_tags",
            "by post_id to no row of public.posts"
        )
        .rows,
        2
    );
    assert_eq!(of(&plan, "public.post_tags", "another tenant's").rows, 2);
}

/// Many rows, few of them wrong.
#[tokio::test]
async fn among_a_hundred_thousand_rows_the_wrong_ones_are_found() {
    let db = Database::with(&read("depth")).await;
    db.run(
        "INSERT INTO tasks (project_id, title) SELECT id, n::text FROM projects, generate_series(1, 50000) n;
         ALTER TABLE tasks ALTER COLUMN project_id DROP NOT NULL;
         UPDATE tasks SET project_id = NULL WHERE title IN ('17', '4711');",
    )
    .await;
    let plan = planned(&db).await;
    assert_eq!(
        of(
            &plan,
            "public.tasks",
            "belongs to no row of public.projects"
        )
        .rows,
        4
    );
    assert_eq!(plan.violations.len(), 1);
    db.run("DELETE FROM tasks WHERE project_id IS NULL").await;
    let plan = planned(&db).await;
    applied(&db, &plan).await.unwrap();
    let wrong: i64 = db
        .superuser()
        .await
        .query_one("SELECT count(*) FROM tasks t JOIN projects p ON p.id = project_id WHERE p.tenant_id <> t.tenant_id", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(wrong, 0);
}

/// A role that no policy holds for is not changed in silence, and nothing pretends to protect it.
#[tokio::test]
async fn roles_that_policies_do_not_hold_are_in_the_way() {
    for (change, back, words) in [
        (
            "ALTER ROLE {app} SUPERUSER",
            "ALTER ROLE {app} NOSUPERUSER",
            "superuser",
        ),
        (
            "ALTER ROLE {app} BYPASSRLS",
            "ALTER ROLE {app} NOBYPASSRLS",
            "BYPASSRLS",
        ),
        (
            "CREATE ROLE {admin} BYPASSRLS; CREATE ROLE {between}; GRANT {admin} TO {between}; GRANT {between} TO {app}",
            "REVOKE {between} FROM {app}",
            "can become",
        ),
        (
            "GRANT {owner} TO {app}",
            "REVOKE {owner} FROM {app}",
            "owns the tables",
        ),
    ] {
        let db = Database::with(&read("schemas")).await;
        db.run(change).await;
        let mut options = partywall_audit::Options::default();
        options.app_roles = vec![db.role("app")];
        let mut map = partywall_audit::Map::new();
        map.roles.owner = Some(db.role("owner"));
        let look = || async {
            partywall_audit::plan(&mut db.superuser().await, &options, Some(&map))
                .await
                .unwrap()
        };
        let plan = look().await;
        let role = format!("role {}", db.role("app"));
        let violation = of(&plan, &role, words);
        assert!(
            !db.superuser()
                .await
                .query(violation.query.trim_end_matches(';'), &[])
                .await
                .unwrap()
                .is_empty()
        );
        assert!(matches!(
            applied(&db, &plan).await,
            Err(ApplyError::Violations(_))
        ));
        db.run(back).await;
        let plan = look().await;
        assert!(plan.violations.is_empty(), "{:#?}", plan.violations);
        applied(&db, &plan).await.unwrap();
    }
}

/// Whoever is bound by policies counts too little: it is an error, and not a smaller number.
#[tokio::test]
async fn a_login_that_sees_a_part_does_not_count() {
    let db = Database::with(&read("single")).await;
    let nulls = "INSERT INTO invoices (customer_id, number) SELECT id, 7 FROM customers";
    db.run(nulls).await;
    db.run("ALTER TABLE invoices ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON invoices USING (tenant_id IS NOT NULL)").await;
    let bound = partywall_audit::plan(
        &mut db.login("app").await,
        &partywall_audit::Options::default(),
        None,
    )
    .await;
    assert!(bound.is_err());
    assert_eq!(of(&planned(&db).await, "public.invoices", "NULL").rows, 2);
}
