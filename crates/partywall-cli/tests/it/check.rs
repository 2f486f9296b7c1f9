use serde_json::Value;

use crate::{database::Database, run::Partywall};

const OPEN: &str =
    "ALTER TABLE invoices DISABLE ROW LEVEL SECURITY; GRANT TRIGGER ON customers TO {app};";

#[tokio::test]
async fn a_correct_database_is_fine() {
    let db = Database::shop("").await;
    Partywall::at(&db).run(&["check"]).code(0).says(&[
        "no fault was found",
        "Taken for granted",
        "public.tenants",
    ]);
}

#[tokio::test]
async fn nothing_known_is_not_fine() {
    let db = Database::empty().await;
    let partywall = Partywall::at(&db);
    partywall
        .run(&["check"])
        .code(3)
        .says(&["nothing was checked", "--tenant-column"]);
    partywall.run(&["check", "--json"]).code(3);
    // With tenants there is something to say.
    db.run("CREATE TABLE tenants (id uuid PRIMARY KEY); CREATE TABLE note (tenant_id uuid REFERENCES tenants)").await;
    partywall.run(&["check"]).code(2).says(&["RLS_OFF"]);
}

#[tokio::test]
async fn findings_are_shown_the_worst_first() {
    let db = Database::shop(OPEN).await;
    let ended = Partywall::at(&db).run(&["check"]).code(2);
    insta::assert_snapshot!("check_human", db.same(&ended.out));
}

#[tokio::test]
async fn the_json_document_is_stable() {
    let db = Database::shop(OPEN).await;
    let ended = Partywall::at(&db).run(&["check", "--json"]).code(2);
    insta::assert_snapshot!("check_json", db.same(&ended.out));
}

#[tokio::test]
async fn severity_decides_what_fails() {
    let db = Database::shop("GRANT TRIGGER ON customers TO {app};").await;
    let partywall = Partywall::at(&db);
    partywall.run(&["check"]).code(2).says(&["PRIV_TRIGGER"]);
    partywall.run(&["check", "--fail-on", "medium"]).code(2);
    partywall
        .run(&["check", "--fail-on", "high"])
        .code(0)
        .says(&["PRIV_TRIGGER"]);
    partywall.write(
        "partywall.toml",
        "version = 1\n[check]\nfail-on = \"high\"\n",
    );
    partywall.run(&["check"]).code(0);
    partywall.run(&["check", "--fail-on", "perf"]).code(2);
}

#[tokio::test]
async fn what_is_by_design_counts_when_asked() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let residual = partywall.run(&["check", "--json"]).code(0).json();
    assert!(!residual["residual"].as_array().unwrap().is_empty());
    let strict = partywall
        .run(&["check", "--strict", "--json"])
        .code(2)
        .json();
    assert_eq!(strict["residual"], serde_json::json!([]));
    assert_eq!(
        strict["findings"].as_array().unwrap().len(),
        residual["residual"].as_array().unwrap().len()
    );
}

#[tokio::test]
async fn schemas_are_chosen() {
    let db = Database::shop(OPEN).await;
    let partywall = Partywall::at(&db);
    partywall.run(&["check", "--schema", "public"]).code(2);
    db.run("CREATE SCHEMA other").await;
    let json = partywall
        .run(&["check", "--json", "--schema", "other"])
        .json();
    let found = json["findings"].to_string();
    assert!(!found.contains("public.invoices"), "{found}");
    partywall
        .run(&["check", "--schema", "nowhere"])
        .code(3)
        .says(&["no schema `nowhere`"]);
}

#[tokio::test]
async fn sarif_is_as_the_standard_wants_it() {
    let db = Database::shop(OPEN).await;
    let partywall = Partywall::at(&db);
    let ended = partywall.run(&["check", "--sarif"]).code(2);
    valid(&ended.json());
    // Beside the text, into a file.
    partywall
        .run(&["check", "--sarif", "out.sarif"])
        .code(2)
        .says(&["HIGH"]);
    let file: Value = serde_json::from_str(&partywall.read("out.sarif")).unwrap();
    assert_eq!(file, ended.json());
    let uri = &file["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        ["uri"];
    assert_eq!(uri, "partywall.toml");
    partywall.run(&["check", "--sarif", "-", "--json"]).code(3);
}

/// What the schema of SARIF 2.1.0 requires of the parts that are there, and what GitHub requires beside it.
fn valid(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert!(driver["name"].is_string());
    let rules = driver["rules"].as_array().unwrap();
    assert!(rules.len() > 60);
    for rule in rules {
        assert!(rule["id"].is_string());
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["none", "note", "warning", "error"].contains(&level));
    }
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let location = &result["locations"][0];
        assert!(location["physicalLocation"]["artifactLocation"]["uri"].is_string());
        assert!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
        assert!(result["partialFingerprints"].is_object());
    }
}

#[tokio::test]
async fn github_shows_annotations() {
    let db = Database::shop(
        "SET ROLE {owner}; CREATE TABLE \"a\n::error title=x::y,%\" (tenant_id uuid NOT NULL REFERENCES tenants); RESET ROLE;
         GRANT SELECT ON \"a\n::error title=x::y,%\" TO {app};",
    )
    .await;
    let ended = Partywall::at(&db).run(&["check", "--github"]).code(2);
    assert!(
        ended
            .out
            .lines()
            .any(|line| line.starts_with("::error title=RLS_OFF ")),
        "{}",
        ended.out
    );
    // The name of the table begins no command of its own.
    for line in ended.out.lines().filter(|line| line.starts_with("::")) {
        let title = line.split_once("title=").unwrap().1;
        assert!(title.contains("::") && !title.starts_with('x'), "{line}");
    }
    assert!(ended.out.lines().last().unwrap().starts_with("partywall: "));
}

/// All rows of the catalogues that somebody could have changed, as one hash, and the rows of a table.
const STATE: &str = "SELECT hashtext(string_agg(t::text, '' ORDER BY t::text))::bigint FROM (
    SELECT pg_class.xmin::text, pg_class.oid FROM pg_class UNION ALL SELECT xmin::text, oid FROM pg_policy
    UNION ALL SELECT xmin::text, oid FROM pg_proc UNION ALL SELECT xmin::text, 0 FROM invoices) t";

#[tokio::test]
async fn nothing_is_changed() {
    let db = Database::shop(OPEN).await;
    let partywall = Partywall::at(&db);
    let before = db.count(STATE).await;
    partywall.run(&["check"]).code(2);
    partywall.run(&["doctor"]).code(2);
    assert_eq!(db.count(STATE).await, before);
    db.run("UPDATE invoices SET note = 'x'").await;
    assert_ne!(db.count(STATE).await, before);
}
