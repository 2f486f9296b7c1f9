//! What a plan leaves as it is: a database that is protected.

use std::fs;

use super::planned;
use crate::{
    database::Database,
    fault::says,
    sound::{begin, files, major},
};

/// Each `tests/sound/*.sql`: there is nothing to do in a database in which nothing is found.
#[tokio::test]
async fn a_correct_schema_needs_no_step() {
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
        let plan = planned(&db).await;
        if !plan.is_done() || !plan.violations.is_empty() {
            wrong.push(format!("{name}: {:#?}\n{}", plan.violations, plan.sql()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
