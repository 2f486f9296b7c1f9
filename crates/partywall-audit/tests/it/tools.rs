//! Databases as other tools' documents tell people to make them: what is honestly to be said of each, and no more;
//! and one fault beside it, which is named.
//!
//! `-- finds: ID ID` of `documented.sql` is all that is found, `-- adds: ID` of `fault.sql` what comes with it.

use std::{collections::BTreeSet, fs, path::PathBuf};

use partywall_audit::{Options, Report};

use crate::{
    database::Database,
    fault::{report, says},
};

fn read(tool: &str, file: &str) -> String {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/tools/{tool}/{file}.sql"));
    fs::read_to_string(path).unwrap()
}

fn ids(report: &Report) -> BTreeSet<String> {
    report
        .findings
        .iter()
        .map(|finding| finding.id.id().to_owned())
        .collect()
}

fn said(sql: &str, word: &str) -> BTreeSet<String> {
    says(sql, word)
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

async fn tool(tool: &str) {
    let documented = read(tool, "documented");
    let db = Database::with(&documented).await;
    let found = report(&db, &Options::default()).await;
    let app: BTreeSet<String> = found
        .inferred
        .app_roles
        .iter()
        .map(|taken| taken.value.clone())
        .collect();
    let roles: BTreeSet<String> = said(&documented, "app")
        .iter()
        .map(|role| db.role(role))
        .collect();
    assert_eq!(app, roles, "{:#?}", found.inferred);
    let expected = said(&documented, "finds");
    assert_eq!(ids(&found), expected, "{tool}: {:#?}", found.findings);

    let fault = read(tool, "fault");
    db.run(&fault).await;
    let found = report(&db, &Options::default()).await;
    let mut more = said(&fault, "adds");
    assert!(!more.is_empty());
    more.extend(expected);
    assert_eq!(
        ids(&found),
        more,
        "{tool}, with a fault: {:#?}",
        found.findings
    );

    // All that is found has a fix that runs, and is gone then.
    let admin = db.superuser().await;
    for finding in &found.findings {
        if let Err(error) = admin.batch_execute(&finding.fix).await {
            panic!("{tool}: {}: {error:?}\n{}", finding.id, finding.fix);
        }
    }
    let mended = report(&db, &Options::default()).await;
    assert!(mended.is_clean(), "{tool}, mended: {:#?}", mended.findings);
}

#[tokio::test]
async fn supabase() {
    tool("supabase").await;
}

#[tokio::test]
async fn rails() {
    tool("rails").await;
}

#[tokio::test]
async fn postgrest() {
    tool("postgrest").await;
}

#[tokio::test]
async fn citus() {
    tool("citus").await;
}
