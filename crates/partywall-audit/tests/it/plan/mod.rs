//! The way to row-level security, on databases of several kinds: `tests/plan/*.sql`.

mod applied;
mod decided;
mod fingerprint;
mod interrupted;
mod lived_with;
mod protected;
mod scripts;
mod violated;

use std::{fs, path::PathBuf};

use partywall_audit::{ApplyError, Options, Plan, apply, plan};

use crate::database::Database;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/plan")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.sql"))).unwrap()
}

/// Which faults stay, as the first line says.
fn stays(name: &str) -> Vec<String> {
    let text = read(name);
    let ids = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("-- stays: "))
        .unwrap_or_default();
    ids.split_whitespace().map(str::to_owned).collect()
}

async fn planned(db: &Database) -> Plan {
    plan(&mut db.superuser().await, &Options::default(), None)
        .await
        .unwrap()
}

async fn applied(db: &Database, plan: &Plan) -> Result<(), ApplyError> {
    apply(&mut db.superuser().await, plan, &mut |_| {}).await
}
