//! What is found in schemas that are made on top of `tests/faults/base.sql`.

use partywall_audit::{Finding, Report};

use crate::{
    database::Database,
    fault::{options, read, report},
};

/// A database of the base and more.
pub(crate) async fn base(sql: &str) -> Database {
    let db = Database::with(&read("base.sql")).await;
    db.run(sql).await;
    db
}

pub(crate) async fn found(db: &Database) -> Report {
    report(db, &options(db)).await
}

/// `ID object` of each, in order.
pub(crate) fn names(findings: &[Finding]) -> Vec<String> {
    let mut names: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", finding.id, finding.object))
        .collect();
    names.sort();
    names
}

/// Checks what is found in each of several schemas, and that the fixes clear it.
pub(crate) async fn expect<S: AsRef<str>>(cases: &[(&str, S, &[&str])]) {
    let mut wrong = Vec::new();
    for (what, sql, expected) in cases {
        let db = base(sql.as_ref()).await;
        let first = found(&db).await;
        let names_found = names(&first.findings);
        let expected: Vec<String> = expected.iter().map(|name| db.fill(name)).collect();
        if names_found != expected {
            wrong.push(format!("{what}: {names_found:#?} instead of {expected:#?}"));
            continue;
        }
        let admin = db.superuser().await;
        for finding in &first.findings {
            if let Err(error) = admin.batch_execute(&finding.fix).await {
                wrong.push(format!("{what}: {error:?}\n{}", finding.fix));
            }
        }
        let after = found(&db).await;
        if !after.is_clean() {
            wrong.push(format!("{what} after the fixes: {:#?}", after.findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The beginning of a table of tenants' rows, and its end.
pub(crate) fn table(name: &str, columns: &str) -> String {
    format!(
        "SET ROLE {{owner}};
         CREATE TABLE {name} (
           tenant_id uuid NOT NULL REFERENCES tenants (id),
           id uuid NOT NULL DEFAULT gen_random_uuid(),
           {columns}
           PRIMARY KEY (tenant_id, id)
         );
         ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
         ALTER TABLE {name} FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON {name} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
         GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {{app}};
         RESET ROLE;"
    )
}
