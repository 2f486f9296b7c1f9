//! Variations on the cases of sections 1, 2 and 7: the ways by which a right, a role or a table can come to be.

mod privileges;
mod roles;
mod row_security;
mod versions;

use crate::{
    database::Database,
    fault::{options, read, report},
};

/// The base of all cases, and more.
async fn database(sql: &str) -> Database {
    let db = Database::with(&read("base.sql")).await;
    db.run(sql).await;
    db
}

/// Finds exactly these, each once, and nothing once the fixes have run. Names of roles are as in the text.
async fn finds(sql: &str, expected: &[(&str, &str)]) {
    let db = database(sql).await;
    let found = report(&db, &options(&db)).await;
    let mut ids: Vec<(String, String)> = found
        .findings
        .iter()
        .map(|finding| (finding.id.to_string(), finding.object.clone()))
        .collect();
    let mut expected: Vec<(String, String)> = expected
        .iter()
        .map(|(id, object)| ((*id).to_owned(), db.fill(object)))
        .collect();
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected, "{sql}\n{:#?}", found.findings);
    let admin = db.superuser().await;
    for finding in &found.findings {
        if let Err(error) = admin.batch_execute(&finding.fix).await {
            panic!("the fix does not run: {error:?}\n{}", finding.fix);
        }
    }
    let mended = report(&db, &options(&db)).await;
    let fixes: Vec<&str> = found.findings.iter().map(|it| it.fix.as_str()).collect();
    assert!(
        mended.is_clean(),
        "after\n{}\n{:#?}",
        fixes.join("\n"),
        mended.findings
    );
}

/// Finds nothing.
async fn is_clean(sql: &str) {
    finds(sql, &[]).await;
}

/// How many rows a role sees of a table with the context of acme, and without any.
async fn seen(db: &Database, table: &str) -> (i64, i64) {
    let client = db.login("app").await;
    let count = format!("SELECT count(*) FROM {table}");
    let without = client.query_one(&count, &[]).await.unwrap().get(0);
    client
        .batch_execute("SET app.tenant_id = 'aaaaaaaa-0000-0000-0000-000000000000'")
        .await
        .unwrap();
    (client.query_one(&count, &[]).await.unwrap().get(0), without)
}
