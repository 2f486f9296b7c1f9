use crate::{database::Database, run::Partywall};

/// A shop that nobody has protected: every table another way to its tenant.
pub(crate) const RAW: &str = "
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {app} LOGIN PASSWORD '{password}';
CREATE TABLE tenants (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
CREATE TABLE customers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL REFERENCES tenants, name text NOT NULL);
CREATE TABLE invoices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL REFERENCES tenants, customer_id uuid NOT NULL REFERENCES customers);
CREATE TABLE lines (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), invoice_id uuid NOT NULL REFERENCES invoices, what text NOT NULL);
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
INSERT INTO tenants (name) VALUES ('acme'), ('globex');
INSERT INTO customers (tenant_id, name) SELECT id, name FROM tenants;
INSERT INTO invoices (tenant_id, customer_id) SELECT tenant_id, id FROM customers;
INSERT INTO lines (invoice_id, what) SELECT id, 'line' FROM invoices;
";

pub(crate) async fn raw() -> Database {
    let db = Database::empty().await;
    db.run(RAW).await;
    db
}

pub(crate) fn known(db: &Database) -> [String; 2] {
    ["--app-role".to_owned(), db.role("app")]
}

pub(crate) fn plan(partywall: &Partywall, db: &Database, more: &[&str]) -> crate::run::Ended {
    let known = known(db);
    let all: Vec<&str> = ["plan"]
        .into_iter()
        .chain(known.iter().map(String::as_str))
        .chain(more.iter().copied())
        .collect();
    partywall.run(&all)
}

#[tokio::test]
async fn it_writes_what_is_to_be_reviewed() {
    let db = raw().await;
    let partywall = Partywall::at(&db);
    let ended = plan(&partywall, &db, &[]).code(0);
    let ended = ended.says(&[
        "By a column of their own (3)",
        "Through another row (1)",
        "Of no tenant (1)",
        "wrote partywall.toml",
        "then run `partywall apply`",
    ]);
    assert!(
        ended.out.lines().all(|line| line.chars().count() <= 100),
        "{}",
        ended.out
    );
    let map = partywall.read("partywall.toml");
    assert!(
        map.contains("\"public.lines\" = { through = \"invoice_id\" }"),
        "{map}"
    );
    let sql = partywall.read("plan.sql");
    assert!(
        sql.contains("NOT VALID") && sql.contains("lock_timeout") && sql.contains("CONCURRENTLY"),
        "{sql}"
    );
    assert!(partywall.read("undo.sql").contains("Takes the plan back"));
    // The same again, and nothing was changed.
    let again = Partywall::at(&db);
    plan(&again, &db, &[]).code(0);
    assert_eq!(again.read("plan.sql"), sql);
    assert_eq!(db.count("SELECT count(*) FROM pg_policy").await, 0);
}

#[tokio::test]
async fn what_somebody_changed_is_not_overwritten() {
    let db = raw().await;
    let partywall = Partywall::at(&db);
    plan(&partywall, &db, &[]).code(0);
    // The map was reviewed: it counts, and stays.
    let map = partywall.read("partywall.toml").replace(
        "{ through = \"invoice_id\" }",
        "{ global = \"everybody's\" }",
    );
    partywall.write("partywall.toml", &map);
    plan(&partywall, &db, &[])
        .code(0)
        .says(&["Of no tenant (2)"]);
    assert_eq!(partywall.read("partywall.toml"), map);
    assert!(!partywall.read("plan.sql").contains("wall public.lines"));
    // A script that was changed by hand stays as well, unless somebody insists.
    partywall.write(
        "plan.sql",
        &format!("{}-- mine\n", partywall.read("plan.sql")),
    );
    plan(&partywall, &db, &[])
        .code(1)
        .says(&["`./plan.sql` was changed by hand", "--force"]);
    assert!(partywall.read("plan.sql").contains("-- mine"));
    plan(&partywall, &db, &["--force"]).code(0);
    assert!(!partywall.read("plan.sql").contains("-- mine"));
    // Elsewhere is free.
    plan(&partywall, &db, &["--out", "elsewhere"]).code(0);
    assert!(
        partywall
            .read("elsewhere/partywall.toml")
            .contains("through")
    );
}

#[tokio::test]
async fn what_is_in_the_way_is_counted() {
    let db = raw().await;
    db.run("ALTER TABLE customers ALTER tenant_id DROP NOT NULL; INSERT INTO customers (tenant_id, name) VALUES (NULL, 'orphan'), (NULL, 'other');").await;
    let partywall = Partywall::at(&db);
    plan(&partywall, &db, &[]).code(2).says(&[
        "Rows in the way (1)",
        "public.customers: 2 rows",
        "tenant_id IS NULL",
        "mend the rows",
    ]);
    partywall
        .run(&["apply", "--yes"])
        .code(2)
        .says(&["Rows in the way", "nothing was done"]);
    assert_eq!(db.count("SELECT count(*) FROM pg_policy").await, 0);
}

#[tokio::test]
async fn json_has_it_all() {
    let db = raw().await;
    let partywall = Partywall::at(&db);
    let json = plan(&partywall, &db, &["--json"]).code(0).json();
    assert_eq!(json["version"], 1);
    assert_eq!(
        json["map"]["tables"]["public.lines"]["through"],
        "invoice_id"
    );
    assert_eq!(json["violations"], serde_json::json!([]));
    let step = &json["steps"][0];
    for field in ["name", "why", "phase", "sql", "undo", "transactional"] {
        assert!(!step[field].is_null(), "{field}: {step}");
    }
    assert!(!partywall.folder().join("plan.sql").exists());
    let less = plan(&partywall, &db, &["--json", "--up-to", "expand"])
        .code(0)
        .json();
    let steps = less["steps"].as_array().unwrap();
    assert!(steps.len() < json["steps"].as_array().unwrap().len());
    assert!(steps.iter().all(|step| step["phase"] == "expand"));
}
