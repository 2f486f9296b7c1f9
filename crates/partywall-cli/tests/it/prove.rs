use crate::{
    database::{ACME, Database, GLOBEX},
    run::Partywall,
};

const OPEN: &str = "ALTER TABLE invoices DISABLE ROW LEVEL SECURITY;";

/// Names that would be markup, commands to a terminal, or SQL, if anybody let them.
const HOSTILE: &str = "
SET ROLE {owner};
CREATE TABLE \"<script>alert(1)</script>\" (tenant_id uuid NOT NULL REFERENCES tenants, \"x\"\" onload=\" text);
CREATE TABLE \"a\u{1b}[31m\u{202e}b'; DROP TABLE invoices; --\" (tenant_id uuid NOT NULL REFERENCES tenants);
RESET ROLE;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {app};";

#[tokio::test]
async fn nothing_is_no_proof() {
    let db = Database::empty().await;
    let partywall = Partywall::at(&db);
    let ended = partywall.run(&["prove"]).code(3).says(&["--app-role"]);
    assert!(!ended.out.contains("✓ no breach"), "{ended:?}");
    db.run("CREATE ROLE {app} LOGIN").await;
    let ended = partywall.run(&["prove", "--app-role", &db.role("app")]);
    assert!(matches!(ended.code, 1 | 3), "{ended:?}");
    assert!(!ended.out.contains("✓ no breach"), "{ended:?}");
}

#[tokio::test]
async fn a_correct_database_holds() {
    let db = Database::shop("").await;
    for partywall in [
        Partywall::at(&db),
        Partywall::at(&db).with("APP_DATABASE_URL", &db.app_url()),
    ] {
        let ended =
            partywall
                .run(&["prove"])
                .code(0)
                .says(&["✓ no breach", "public.invoices", "held"]);
        assert!(
            ended.out.lines().all(|line| line.chars().count() <= 100),
            "{}",
            ended.out
        );
    }
    assert_eq!(db.count("SELECT count(*) FROM invoices").await, 2);
}

#[tokio::test]
async fn a_breach_is_shown_with_its_statement() {
    let db = Database::shop(OPEN).await;
    let ended = Partywall::at(&db).run(&["prove"]).code(2);
    ended.says(&[
        "BREACHES",
        "✗ read public.invoices",
        "✗ delete public.invoices",
        "DELETE FROM public.invoices",
        "control:",
    ]);
    // It was rolled back.
    assert_eq!(db.count("SELECT count(*) FROM invoices").await, 2);
}

#[tokio::test]
async fn tenants_can_be_named() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let json = partywall
        .run(&[
            "prove",
            "--json",
            "--as",
            &format!("app.tenant_id={GLOBEX}"),
            "--against",
            &format!("app.tenant_id={ACME}"),
        ])
        .code(0)
        .json();
    assert_eq!(json["version"], 1);
    assert_eq!(
        json["attacker"],
        serde_json::json!([["app.tenant_id", GLOBEX]])
    );
    assert_eq!(json["victim"], serde_json::json!([["app.tenant_id", ACME]]));
    assert_eq!(json["database"], db.name());
    let cells = json["tables"][0]["cells"].as_array().unwrap();
    for cell in cells {
        assert!(
            cell["attack"].is_string() && cell["role"].is_string() && cell["control"].is_string()
        );
        assert!(
            ["held", "breach", "absent", "not-run"].contains(&cell["outcome"].as_str().unwrap())
        );
    }
}

#[tokio::test]
async fn a_replica_is_only_read() {
    let db = Database::shop(OPEN).await;
    let partywall = Partywall::at(&db);
    partywall
        .run(&["prove", "--read-only"])
        .code(2)
        .says(&["✗ read public.invoices", "NOT RUN"]);
    partywall
        .run(&["prove", "--read-only", "--intrusive"])
        .code(3);
}

#[tokio::test]
async fn the_page_is_self_contained_and_escaped() {
    let db = Database::shop(&format!("{OPEN}{HOSTILE}")).await;
    let partywall = Partywall::at(&db);
    let ended = partywall
        .run(&["prove", "--html", "proof.html"])
        .code(2)
        .says(&["the page is in proof.html"]);
    assert!(
        !ended.out.contains('\u{1b}') && !ended.out.contains('\u{202e}'),
        "{}",
        ended.out
    );
    let page = partywall.read("proof.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<html lang=\"en\">"));

    // It loads nothing and runs nothing.
    for outside in [
        "http:",
        "https:",
        "//",
        "src=",
        "href=",
        "url(",
        "@import",
        "<script",
        "<link",
        "<img",
        "<iframe",
        "javascript:",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));

    // Names of the database are text.
    assert!(
        page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"),
        "the table is on the page"
    );
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'));
    assert_eq!(db.count("SELECT count(*) FROM invoices").await, 2);

    // What an auditor looks for.
    for text in [
        "breaches",
        "What was tested",
        "Every table against every attack",
        "What was taken for granted",
        "Each attack and its control",
        "DELETE FROM public.invoices",
        "scope=\"col\"",
        "scope=\"row\"",
        "PostgreSQL",
        ACME,
    ] {
        assert!(page.contains(text), "{text}");
    }
    // No element is left open.
    for element in [
        "section", "table", "tbody", "thead", "tr", "td", "th", "article", "details", "dl", "ul",
    ] {
        let opened = page.matches(&format!("<{element}>")).count()
            + page.matches(&format!("<{element} ")).count();
        assert_eq!(
            opened,
            page.matches(&format!("</{element}>")).count(),
            "{element}"
        );
    }
}

#[tokio::test]
async fn the_page_cannot_be_written_is_said_before_the_attack() {
    let db = Database::shop("").await;
    Partywall::at(&db)
        .run(&["prove", "--html", "."])
        .code(3)
        .says(&["is a folder"]);
}

#[tokio::test]
async fn an_accepted_breach_passes_and_a_stale_one_fails() {
    let db = Database::shop(OPEN).await;
    let partywall = Partywall::at(&db);
    partywall.run(&["prove"]).code(2).says(&["✗ read"]);
    let write = ["prove", "--baseline", "b.toml", "--write-baseline"];
    partywall.run(&write).code(0).says(&["without a reason"]);
    let accepting = ["prove", "--baseline", "b.toml", "--html", "proof.html"];
    // Nobody said why yet.
    partywall
        .run(&accepting)
        .code(3)
        .says(&["without a reason"]);
    let written = partywall.read("b.toml");
    assert!(written.contains("id = \"read\"") && written.contains("object = \"public.invoices\""));
    partywall.write(
        "b.toml",
        &written.replace("reason = \"\"", "reason = \"all of them are public\""),
    );
    partywall
        .run(&accepting)
        .code(0)
        .says(&["no breach", "accepted", "all of them are public"]);
    assert!(
        partywall
            .read("proof.html")
            .contains("all of them are public")
    );
    let json = partywall
        .run(&["prove", "--baseline", "b.toml", "--json"])
        .code(0)
        .json();
    assert_eq!(json["stale"].as_array().map(Vec::len), Some(0));
    // What the other command accepts is left alone, and what this one does the other does not miss.
    let check = ["check", "--baseline", "b.toml", "--write-baseline"];
    partywall.run(&check).code(0);
    let both = partywall.read("b.toml");
    assert!(
        both.contains("POLICY_DORMANT") && both.contains("all of them are public"),
        "{both}"
    );
    let filled = both.replace("reason = \"\"", "reason = \"so be it\"");
    partywall.write("b.toml", &filled);
    partywall.run(&["check", "--baseline", "b.toml"]).code(0);
    partywall.run(&accepting).code(0);

    db.run("ALTER TABLE invoices ENABLE ROW LEVEL SECURITY")
        .await;
    partywall
        .run(&accepting)
        .code(2)
        .says(&["it held", "read public.invoices", "stale"]);
}
