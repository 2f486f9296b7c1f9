//! Correct schemas, of the shapes that real systems have: nothing is found in them.
//!
//! Lines of a file that begin with `-- ` and a word say more of it: `-- needs: 15` the oldest server that has
//! what it uses, `-- app: web worker` which roles are the application's (`app` otherwise), `-- without roles`
//! that it makes all roles itself.

use std::{collections::BTreeSet, fs, path::PathBuf};

use partywall_audit::Options;

use crate::{
    database::Database,
    fault::{options, report, says},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sound")
}

/// The schemas, in order.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    assert!(files.len() >= 35, "{}", files.len());
    files
}

/// The roles, which most of them begin with.
pub(crate) fn begin() -> String {
    fs::read_to_string(folder().join("begin/roles.sql")).unwrap()
}

#[tokio::test]
async fn the_base_of_all_cases_is_clean() {
    let db = Database::with(&crate::fault::read("base.sql")).await;
    let found = report(&db, &options(&db)).await;
    assert!(found.is_clean(), "{found:#?}");
}

/// The server's major version.
pub(crate) async fn major(db: &Database) -> i32 {
    let row = db
        .superuser()
        .await
        .query_one("SELECT current_setting('server_version_num')::int4", &[])
        .await;
    row.unwrap().get::<_, i32>(0) / 10_000
}

/// Each `tests/sound/*.sql` by itself, twice: with the application's roles given, and with everything inferred.
#[tokio::test]
async fn a_correct_schema_gives_no_finding() {
    let begin = begin();
    let server = major(&Database::empty().await).await;
    let only = std::env::var("SOUND").unwrap_or_default();
    let mut wrong = Vec::new();
    for file in files() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let sql = fs::read_to_string(&file).unwrap();
        let needs = says(&sql, "needs").map_or(13, |needs| needs.parse().unwrap());
        if server < needs || !name.contains(&only) {
            continue;
        }
        let db = Database::empty().await;
        let begin = if says(&sql, "without roles").is_some() {
            ""
        } else {
            &begin
        };
        db.run(&format!("{begin}{sql}")).await;
        let roles: BTreeSet<String> = says(&sql, "app")
            .unwrap_or("app")
            .split_whitespace()
            .map(|role| db.role(role))
            .collect();

        let mut given = Options::default();
        given.app_roles = roles.iter().cloned().collect();
        let found = report(&db, &given).await;
        if !found.is_clean() {
            wrong.push(format!("{name}: {:#?}", found.findings));
        }
        let found = report(&db, &Options::default()).await;
        if !found.is_clean() {
            wrong.push(format!("{name}, inferred: {:#?}", found.findings));
        }
        let inferred: BTreeSet<String> = found
            .inferred
            .app_roles
            .iter()
            .map(|taken| taken.value.clone())
            .collect();
        if inferred != roles {
            wrong.push(format!(
                "{name}: the application is {:#?}",
                found.inferred.app_roles
            ));
        }
        // What is not known to be a tenant's is not looked at: a schema must not be clean for that.
        if found.inferred.tenant_columns.is_empty() || !found.inferred.undecided.is_empty() {
            wrong.push(format!("{name}: {:#?}", found.inferred));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
