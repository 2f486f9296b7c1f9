//! Correct schemas, of the shapes that real systems have: nothing is found in them.

use std::{fs, path::PathBuf};

use crate::{
    database::Database,
    fault::{options, report},
};

#[tokio::test]
async fn the_base_of_all_cases_is_clean() {
    let db = Database::with(&crate::fault::read("base.sql")).await;
    let found = report(&db, &options(&db)).await;
    assert!(found.is_clean(), "{found:#?}");
}

/// Each `tests/sound/*.sql` by itself, with what can be inferred left to be inferred.
#[tokio::test]
async fn a_correct_schema_gives_no_finding() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sound");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in files {
        let db = Database::with(&fs::read_to_string(&file).unwrap()).await;
        let found = report(&db, &options(&db)).await;
        if !found.is_clean() {
            wrong.push(format!("{}: {:#?}", file.display(), found.findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
