//! The live attacks.

use partywall_audit::{Cell, Outcome, Proof, ProveOptions, prove};

use crate::{
    database::Database,
    fault::{options, read},
};

pub(crate) async fn proof(db: &Database, how: &ProveOptions) -> Proof {
    let mut admin = db.superuser().await;
    prove(&mut admin, None, &options(db), how, &mut |_| {})
        .await
        .unwrap()
}

/// A proof as lines, without what differs from run to run.
pub(crate) fn lines(db: &Database, proof: &Proof) -> String {
    let mut text = String::new();
    for table in &proof.tables {
        text += &format!("{}\n", table.table);
        for cell in &table.cells {
            text += &format!("  {}\n", line(cell));
        }
    }
    for role in ["app", "owner", "support", "admin"] {
        text = text.replace(&db.role(role), role);
    }
    text
}

fn line(cell: &Cell) -> String {
    match &cell.outcome {
        Outcome::Held => format!("{}: held: {}", cell.attack, cell.control),
        Outcome::Absent => format!("{}: absent: {}", cell.attack, cell.control),
        Outcome::NotRun { why } => format!("{}: not run: {why}", cell.attack),
        Outcome::Breach { statement, what } => {
            format!(
                "{}: BREACH: {what}\n    {}\n    control: {}",
                cell.attack,
                statement.replace('\n', "\n    "),
                cell.control
            )
        }
        _ => "?".to_owned(),
    }
}

#[tokio::test]
async fn the_base_holds() {
    let db = Database::with(&read("base.sql")).await;
    let proof = proof(&db, &ProveOptions::default()).await;
    insta::assert_snapshot!(lines(&db, &proof));
}
