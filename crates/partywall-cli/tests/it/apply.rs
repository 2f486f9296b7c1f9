use crate::{
    database::Database,
    plan::{plan, raw},
    run::Partywall,
};

#[tokio::test]
async fn it_wants_a_file_that_somebody_reviewed() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    partywall.run(&["apply"]).code(3).says(&["partywall plan"]);
    partywall.write(
        "partywall.toml",
        "version = 1\n[tables]\n\"public.x\" = { undecided = \"?\" }\n",
    );
    partywall
        .run(&["apply"])
        .code(3)
        .says(&["undecided", "public.x"]);
    partywall.write("partywall.toml", "version = 1\n");
    partywall.write("plan.sql", "SELECT 1;\n");
    partywall
        .run(&["apply", "--yes"])
        .code(3)
        .says(&["changed by hand"]);
}

/// What nobody reviewed is not done: a table that came, a phase that was left out, a map that was changed.
#[tokio::test]
async fn what_is_not_in_the_plan_is_not_done() {
    let db = raw().await;
    let partywall = Partywall::at(&db);
    let refused = |words: &str| {
        partywall
            .run(&["apply", "--yes"])
            .code(3)
            .says(&["is not what would be done", words]);
    };
    plan(&partywall, &db, &["--up-to", "expand"]).code(0);
    refused("owner of public.customers");
    plan(&partywall, &db, &[]).code(0);
    db.run("CREATE TABLE newt (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants (id)); GRANT SELECT ON newt TO PUBLIC")
        .await;
    refused("newt");
    assert_eq!(db.count("SELECT count(*) FROM pg_policy").await, 0);
    db.run("DROP TABLE newt").await;
    std::fs::remove_file(partywall.folder().join("plan.sql")).unwrap();
    partywall
        .run(&["apply", "--yes"])
        .code(3)
        .says(&["there is no", "plan.sql"]);
    plan(&partywall, &db, &[]).code(0);
    partywall.run(&["apply", "--yes"]).code(0);
}

#[tokio::test]
async fn afterwards_check_and_prove_are_clean() {
    let db = raw().await;
    let partywall = Partywall::at(&db);
    plan(&partywall, &db, &[]).code(0);
    // Nobody can be asked here.
    partywall.run(&["apply"]).code(3).says(&["--yes"]);
    assert_eq!(db.count("SELECT count(*) FROM pg_policy").await, 0);

    let ended = partywall
        .run(&["apply", "--yes", "--up-to", "expand"])
        .code(0);
    ended.says(&["steps done", "the way back is in undo-"]);
    assert_eq!(db.count("SELECT count(*) FROM pg_policy").await, 0);
    partywall.run(&["apply", "--yes"]).code(0).says(&[
        "✓ wall public.invoices",
        "partywall check && partywall prove",
    ]);
    partywall
        .run(&["apply", "--yes"])
        .code(0)
        .says(&["there is nothing to do"]);

    partywall
        .run(&["check"])
        .code(0)
        .says(&["no fault was found"]);
    partywall.run(&["prove"]).code(0).says(&["✓ no breach"]);
    let app = Partywall::at(&db).with("APP_DATABASE_URL", &db.app_url());
    app.run(&["prove"]).code(0).says(&["✓ no breach"]);
    let json = app
        .run(&["each", "--json", "--sql", "SELECT count(*) FROM lines"])
        .code(0)
        .json();
    assert_eq!(json["tenants"][0]["rows"][0]["count"], "1");

    // And without one of its statements, both find it.
    db.run("ALTER TABLE invoices DISABLE ROW LEVEL SECURITY")
        .await;
    partywall.run(&["check"]).code(2).says(&["POLICY_DORMANT"]);
    partywall
        .run(&["prove"])
        .code(2)
        .says(&["✗ read public.invoices"]);
}
