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

/// A correct schema.
pub(crate) struct Schema {
    /// Of its file.
    pub(crate) name: String,
    text: String,
}

impl Schema {
    /// A database that has it.
    pub(crate) async fn database(&self) -> Database {
        let begin = match says(&self.text, "without roles") {
            Some(_) => String::new(),
            None => fs::read_to_string(folder().join("begin/roles.sql")).unwrap(),
        };
        Database::with(&(begin + &self.text)).await
    }

    /// The application's roles in such a database.
    pub(crate) fn roles(&self, db: &Database) -> BTreeSet<String> {
        says(&self.text, "app")
            .unwrap_or("app")
            .split_whitespace()
            .map(|role| db.role(role))
            .collect()
    }
}

/// Those that the server can have; with `SOUND=NAME` only those whose names have that in them.
pub(crate) async fn schemas() -> Vec<Schema> {
    let server = major(&Database::empty().await).await;
    let only = std::env::var("SOUND").unwrap_or_default();
    files()
        .into_iter()
        .map(|file| Schema {
            name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
            text: fs::read_to_string(&file).unwrap(),
        })
        .filter(|schema| {
            let needs = says(&schema.text, "needs").map_or(13, |needs| needs.parse().unwrap());
            server >= needs && schema.name.contains(&only)
        })
        .collect()
}

/// Their files, in order.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    assert!(files.len() >= 35, "{}", files.len());
    files
}

#[tokio::test]
async fn the_base_of_all_cases_is_clean() {
    let db = Database::with(&crate::fault::read("base.sql")).await;
    let found = report(&db, &options(&db)).await;
    assert!(found.is_clean(), "{found:#?}");
}

/// The server's major version.
async fn major(db: &Database) -> i32 {
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
    let mut wrong = Vec::new();
    for schema in schemas().await {
        let name = &schema.name;
        let db = schema.database().await;
        let roles = schema.roles(&db);

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
