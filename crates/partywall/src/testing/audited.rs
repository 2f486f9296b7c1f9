//! The command line's two judgements of a database, as assertions.

use partywall_audit::{Fault, Outcome, ProveOptions, check, prove};
use tokio_postgres::{Client, NoTls};

use super::TestDb;

/// Asserts that the audit of the catalogues finds nothing: what `partywall check` does.
///
/// # Panics
///
/// With the findings and their fixes, and when the database cannot be asked.
pub async fn assert_audited(test: &TestDb) {
    assert_audited_but(test, &[]).await;
}

/// Like [`assert_audited`], with faults that are accepted wherever they are, such as [`Fault::SeqShared`] where
/// keys are numbers.
///
/// # Panics
///
/// With the other findings and their fixes, and when the database cannot be asked.
pub async fn assert_audited_but(test: &TestDb, accepted: &[Fault]) {
    let mut admin = admin(test).await;
    let report = check(&mut admin, &test.schema().map().options())
        .await
        .expect("the database can be audited");
    let findings: Vec<String> = report
        .findings
        .iter()
        .filter(|found| !accepted.contains(&found.id))
        .map(|found| {
            format!(
                "{} on {}: {}\n  fix: {}",
                found.id, found.object, found.why, found.fix
            )
        })
        .collect();
    assert!(
        findings.is_empty(),
        "the audit found:\n{}",
        findings.join("\n")
    );
}

/// Asserts that no attack as one tenant reaches another's rows, on the live database and with every change
/// rolled back: what `partywall prove` does. Tenants and rows are those that there are, or made up.
///
/// # Panics
///
/// With the attacks that reached something, when none could run at all, and when the database cannot be asked.
pub async fn assert_proven(test: &TestDb) {
    let mut admin = admin(test).await;
    let options = test.schema().map().options();
    let proof = prove(
        &mut admin,
        None,
        &options,
        &ProveOptions::default(),
        &mut |_| {},
    )
    .await
    .expect("the database can be attacked");
    let breaches: Vec<String> = proof
        .breaches()
        .map(|(table, cell)| format!("{:?} on {table}: {:?}", cell.attack, cell.outcome))
        .collect();
    assert!(
        breaches.is_empty(),
        "attacks reached other tenants' rows:\n{}",
        breaches.join("\n")
    );
    let held = proof
        .tables
        .iter()
        .flat_map(|table| &table.cells)
        .filter(|cell| matches!(cell.outcome, Outcome::Held))
        .count();
    assert!(held > 0, "no attack could run: {proof:?}");
}

async fn admin(test: &TestDb) -> Client {
    let (client, connection) = tokio_postgres::connect(&test.superuser_url(), NoTls)
        .await
        .expect("the superuser can connect");
    tokio::spawn(connection);
    client
}
