//! The script that is reviewed.

use super::{
    applied,
    fingerprint::{assert_same, fingerprint},
    planned, read,
};
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

/// Run as psql does, statement by statement, the script ends where `apply` does.
#[tokio::test]
async fn a_script_does_what_apply_does() {
    for name in ["depth", "partitioned", "hostile", "serial"] {
        let (one, other) = (
            Database::with(&read(name)).await,
            Database::with(&read(name)).await,
        );
        applied(&one, &planned(&one).await).await.unwrap();
        let client = other.superuser().await;
        let script = planned(&other).await.sql();
        let mut statements = String::new();
        for part in script.split("\n\n") {
            // What cannot be in a transaction is sent by itself.
            for line in part
                .lines()
                .filter(|line| line.starts_with("SET ") || line.starts_with("RESET "))
            {
                client.batch_execute(line).await.unwrap();
            }
            let rest: Vec<&str> = part
                .lines()
                .filter(|line| !line.starts_with("SET ") || part.contains("\nBEGIN;"))
                .filter(|line| !line.starts_with("RESET ") && !line.starts_with("-- "))
                .collect();
            let rest = rest.join("\n");
            statements.push_str(&rest);
            if let Err(error) = client.batch_execute(&rest).await {
                panic!("{name}: {error:?}\n{rest}");
            }
        }
        assert!(statements.contains("CONCURRENTLY"), "{statements}");
        assert!(planned(&other).await.is_done(), "{name}");
        assert_same(
            name,
            &stable(&one, &fingerprint(&one).await),
            &stable(&other, &fingerprint(&other).await),
        );
    }
}
