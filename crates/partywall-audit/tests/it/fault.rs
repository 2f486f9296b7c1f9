//! One case for each fault: `tests/faults/ID/fault.sql` is a schema with exactly that fault, made on top of
//! `tests/faults/base.sql`, and `near.sql` a correct one that looks like it.
//!
//! Lines of `fault.sql` that begin with `-- ` and a word say more of it:
//! `-- also: SEQ_SHARED` names a fault that cannot be avoided beside it, `-- without base` that it begins with an
//! empty database, `-- superuser: no` …

use std::{collections::BTreeSet, fs, path::PathBuf};

use partywall_audit::{Fault, Options, Report, check};

use crate::database::Database;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/faults")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the first comment lines of a case say after a word.
pub(crate) fn says<'a>(sql: &'a str, word: &str) -> Option<&'a str> {
    sql.lines()
        .take_while(|line| line.starts_with("--"))
        .find_map(|line| line.strip_prefix("-- ")?.strip_prefix(word))
        .map(|rest| rest.trim_start_matches(':').trim())
}

/// Makes the database of a case on a server of some major version.
pub(crate) async fn database_on(major: Option<u16>, id: &str, file: &str) -> Database {
    let sql = read(&format!("{id}/{file}"));
    let db = Database::empty_on(major).await;
    if says(&sql, "without base").is_none() {
        db.run(&read("base.sql")).await;
    }
    db.run(&sql).await;
    db
}

/// What is said of a database that other tools made: which role is the application's.
pub(crate) fn options(db: &Database) -> Options {
    let mut options = Options::default();
    options.app_roles = vec![db.role("app")];
    options
}

pub(crate) async fn report(db: &Database, options: &Options) -> Report {
    check(&mut db.superuser().await, options).await.unwrap()
}

fn show(report: &Report) -> String {
    serde_json::to_string_pretty(report).unwrap()
}

/// A fault is named and nothing else is, its fix clears it, and the near-miss is clean.
pub(crate) async fn case(id: &str) {
    case_on(None, id).await;
}

/// The same on a server of some major version.
pub(crate) async fn case_on(major: Option<u16>, id: &str) {
    let fault = Fault::named(id).unwrap_or_else(|| panic!("{id} is no fault"));
    let text = read(&format!("{id}/fault.sql"));
    let db = database_on(major, id, "fault.sql").await;
    let mut options = options(&db);
    options.strict = fault.is_residual();
    let other_residuals = |id: Fault| id.is_residual() && id != fault;

    let found = report(&db, &options).await;
    let mut expected = BTreeSet::from([id]);
    expected.extend(
        says(&text, "also")
            .into_iter()
            .flat_map(|ids| ids.split_whitespace()),
    );
    let ids: BTreeSet<&str> = found
        .findings
        .iter()
        .filter(|finding| !other_residuals(finding.id))
        .map(|finding| finding.id.id())
        .collect();
    assert_eq!(ids, expected, "{id}: {}", show(&found));
    for finding in &found.findings {
        assert!(
            !finding.why.is_empty() && !finding.fix.is_empty() && !finding.object.is_empty(),
            "{finding:?}"
        );
    }

    // The fixes as they stand, the worst first, as someone would paste them.
    let fixes: Vec<&str> = found
        .findings
        .iter()
        .filter(|finding| !other_residuals(finding.id))
        .map(|finding| finding.fix.as_str())
        .collect();
    let admin = db.superuser().await;
    for fix in fixes {
        if let Err(error) = admin.batch_execute(fix).await {
            panic!("{id}: the fix does not run: {error:?}\n{fix}");
        }
    }
    let mended = report(&db, &options).await;
    assert!(
        mended
            .findings
            .iter()
            .all(|finding| other_residuals(finding.id)),
        "{id} after its fix: {}",
        show(&mended)
    );

    let near = database_on(major, id, "near.sql").await;
    let mut options = self::options(&near);
    options.strict = fault.is_residual();
    let clean = report(&near, &options).await;
    assert!(
        clean
            .findings
            .iter()
            .all(|finding| other_residuals(finding.id)),
        "{id}, the near-miss: {}",
        show(&clean)
    );
}
