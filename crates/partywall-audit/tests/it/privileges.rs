//! Rights, and what is told to everybody: where the rules branch.

use crate::named::{base, expect, found, names};

#[tokio::test]
async fn who_may_make_a_schema_answers_for_names() {
    let db = base("DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {app}', current_database()); END $$;").await;
    let report = found(&db).await;
    let found_names = names(&report.findings);
    assert_eq!(found_names.len(), 1, "{found_names:?}");
    assert!(
        found_names[0].starts_with(&db.fill("SCHEMA_CREATE role {app} in database ")),
        "{found_names:?}"
    );
    expect(&[
        (
            "a role that the application is not",
            "CREATE ROLE {migrator};
             DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {migrator}', current_database()); END $$;",
            &[],
        ),
    ])
    .await;
    let admin = db.superuser().await;
    admin.batch_execute(&report.findings[0].fix).await.unwrap();
    assert!(found(&db).await.is_clean());
}
