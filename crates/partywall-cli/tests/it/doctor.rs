use crate::{
    bouncer::Bouncer,
    database::{ACME, Database},
    run::Partywall,
};

fn lines(json: &serde_json::Value, topic: &str) -> Vec<String> {
    json["lines"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["topic"] == topic)
        .map(|line| {
            format!(
                "{}: {}",
                line["status"].as_str().unwrap(),
                line["what"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn all_is_well() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db).with("APP_DATABASE_URL", &db.app_url());
    let ended = partywall.run(&["doctor"]).code(0);
    let ended = ended.says(&[
        "✓ server",
        "✓ roles",
        "✓ clock",
        "✓ pooler",
        "✓ sizes",
        "- drift",
    ]);
    assert!(
        ended.out.lines().all(|line| line.chars().count() <= 100),
        "{}",
        ended.out
    );
    let json = partywall.run(&["doctor", "--json"]).code(0).json();
    assert_eq!(json["version"], 1);
    assert_eq!(
        lines(&json, "clock"),
        ["ok: the server's and this machine's agree"]
    );
    for line in json["lines"].as_array().unwrap() {
        assert!(["ok", "warn", "fail", "not-known"].contains(&line["status"].as_str().unwrap()));
        assert!(line["mend"].is_string());
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_mend() {
    let db = Database::shop("ALTER ROLE {app} BYPASSRLS").await;
    let ended = Partywall::at(&db)
        .run(&["doctor", "--app-role", &db.role("app")])
        .code(2);
    ended.says(&["✗ roles", "→ ALTER ROLE", "NOBYPASSRLS"]);
}

#[tokio::test]
async fn a_login_that_sees_less_says_so() {
    let db = Database::shop("").await;
    let json = Partywall::alone()
        .with("DATABASE_URL", &db.app_url())
        .run(&["doctor", "--json"])
        .json();
    assert!(
        lines(&json, "login")[0].starts_with("warn: asks as app_"),
        "{json}"
    );
}

async fn through(settings: &str) -> (i32, String) {
    let db = Database::shop("").await;
    let bouncer = Bouncer::start(&db, settings).await;
    let partywall = Partywall::at(&db).with("APP_DATABASE_URL", &bouncer.url(&db));
    let ended = partywall.run(&["doctor", "--json"]);
    (ended.code, lines(&ended.json(), "pooler").join("\n"))
}

#[tokio::test]
async fn a_pooler_is_found_out() {
    let (code, said) = through("pool_mode = transaction\ndefault_pool_size = 1").await;
    assert!(
        code == 0 && said.starts_with("warn: shares sessions of the server by transaction"),
        "{said}"
    );
    let (code, said) = through("pool_mode = transaction\ndefault_pool_size = 10").await;
    assert!(code == 0 && said.starts_with("warn: shares"), "{said}");
    let (code, said) = through("pool_mode = session\ndefault_pool_size = 10").await;
    assert_eq!(
        (code, said.as_str()),
        (0, "ok: hands sessions on, and resets them in between")
    );
    let (code, said) =
        through("pool_mode = session\nserver_reset_query =\ndefault_pool_size = 10").await;
    assert!(code == 2 && said.contains("CTX_POOL_LEAK"), "{said}");
}

#[tokio::test]
async fn each_works_through_a_pooler_and_shell_says_why_it_does_not() {
    let db = Database::shop("").await;
    let bouncer = Bouncer::start(&db, "pool_mode = transaction\ndefault_pool_size = 2").await;
    let partywall = Partywall::at(&db).with("APP_DATABASE_URL", &bouncer.url(&db));
    let sql = "SELECT note FROM invoices";
    let json = partywall
        .run(&["each", "--json", "--parallel", "4", "--sql", sql])
        .code(0)
        .json();
    assert_eq!(json["tenants"][0]["rows"][0]["note"], "of acme");
    assert_eq!(json["tenants"][1]["rows"][0]["note"], "of globex");
    partywall
        .run(&["shell", "--tenant", ACME, "--", "psql", "-XAtc", sql])
        .code(1)
        .says(&["pooler", "server's own address"]);
}

#[tokio::test]
async fn what_is_accepted_is_nothing_to_mend() {
    let db = Database::shop("ALTER TABLE invoices DISABLE ROW LEVEL SECURITY;").await;
    let partywall = Partywall::at(&db);
    let write = ["check", "--baseline", "b.toml", "--write-baseline"];
    partywall.run(&write).code(0);
    let filled = partywall.read("b.toml").replace("\"\"", "\"so be it\"");
    partywall.write("b.toml", &filled);
    partywall.run(&["doctor"]).code(2);
    partywall.write(
        "partywall.toml",
        "version = 1\n[check]\nbaseline = \"b.toml\"\n",
    );
    partywall.run(&["doctor"]).code(0);
}
