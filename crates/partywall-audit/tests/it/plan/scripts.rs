//! The script that is reviewed.

use super::{planned, read};
use crate::database::Database;

/// A role's name hangs on the database's number.
fn stable(db: &Database, text: &str) -> String {
    let number = db.role("").trim_start_matches('_').to_owned();
    text.replace(&format!("audit_{number}"), "shop")
        .replace(&format!("app_{number}"), "app")
        .replace(&format!("owner_{number}"), "owner")
}

#[tokio::test]
async fn a_script_reads_well_and_stays_the_same() {
    for name in ["single", "depth", "partitioned"] {
        let (one, other) = (
            Database::with(&read(name)).await,
            Database::with(&read(name)).await,
        );
        let (plan, again) = (planned(&one).await, planned(&other).await);
        let text = stable(&one, &plan.sql());
        assert_eq!(text, stable(&other, &again.sql()));
        insta::assert_snapshot!(format!("{name}_sql"), text);
        if name == "depth" {
            insta::assert_snapshot!(format!("{name}_toml"), stable(&one, &plan.map.toml()));
            insta::assert_snapshot!(format!("{name}_undo"), stable(&one, &plan.undo_sql()));
        }
    }
}
