use crate::{
    database::{ACME, Database, GLOBEX},
    run::Partywall,
};

#[tokio::test]
async fn each_tenant_is_alone() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let ended = partywall
        .run(&["each", "--sql", "SELECT note FROM invoices"])
        .code(0);
    assert_eq!(
        ended.out,
        format!("✓ {ACME}  note=of acme\n✓ {GLOBEX}  note=of globex\n\n✓ 2 of 2 tenants\n")
    );
    // Without WHERE, a write reaches nobody else's.
    let json = partywall
        .run(&[
            "each",
            "--json",
            "--sql",
            "UPDATE invoices SET note = note || '!'",
        ])
        .code(0)
        .json();
    assert_eq!(
        (&json["succeeded"], &json["failed"]),
        (&2.into(), &0.into())
    );
    assert_eq!(json["tenants"][0]["count"], 1);
    assert_eq!(
        db.count("SELECT count(*) FROM invoices WHERE note IN ('of acme!', 'of globex!')")
            .await,
        2
    );
}

#[tokio::test]
async fn one_that_fails_stops_nobody_else() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let sql = format!(
        "UPDATE invoices SET note = 'new'; SELECT 1 / (tenant_id <> '{ACME}')::int FROM invoices"
    );
    let ended = partywall.run(&["each", "--sql", &sql]).code(2);
    let ended = ended.says(&[
        "FAILED (1)",
        "division by zero (SQLSTATE 22012)",
        "1 of 2 tenants",
    ]);
    assert!(
        ended.out.contains(&format!("✗ {ACME}")) && ended.out.contains(&format!("✓ {GLOBEX}")),
        "{}",
        ended.out
    );
    // The one that failed was rolled back, the other was not.
    assert_eq!(
        db.count("SELECT count(*) FROM invoices WHERE note = 'new'")
            .await,
        1
    );
    let json = partywall
        .run(&["each", "--json", "--sql", &sql])
        .code(2)
        .json();
    assert_eq!(json["tenants"][0]["ok"], false);
    assert!(
        json["tenants"][0]["error"]
            .as_str()
            .unwrap()
            .contains("division by zero")
    );
    assert_eq!(json["tenants"][1]["ok"], true);
}

#[tokio::test]
async fn a_connection_that_breaks_is_opened_anew() {
    let db = Database::shop("GRANT pg_signal_backend TO {app}").await;
    let sql = format!(
        "SELECT pg_terminate_backend(pg_backend_pid()) FROM invoices WHERE tenant_id = '{ACME}'"
    );
    let ended = Partywall::at(&db).run(&["each", "--sql", &sql]).code(2);
    assert!(ended.out.contains("1 of 2 tenants"), "{ended:?}");
}

#[tokio::test]
async fn a_dry_run_keeps_nothing() {
    let db = Database::shop("").await;
    Partywall::at(&db)
        .run(&["each", "--dry-run", "--sql", "DELETE FROM invoices"])
        .code(0)
        .says(&["1 rows", "nothing was kept"]);
    assert_eq!(db.count("SELECT count(*) FROM invoices").await, 2);
}

#[tokio::test]
async fn leaving_the_transaction_is_noticed() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let sql =
        format!("SELECT set_config('app.tenant_id', '{GLOBEX}', true); SELECT * FROM invoices");
    partywall
        .run(&["each", "--tenant", ACME, "--sql", &sql])
        .code(2)
        .says(&["leave BEGIN, COMMIT, ROLLBACK and SET out"]);
    for (sql, word) in [
        ("UPDATE invoices SET note = 'stray'; COMMIT", "`COMMIT`"),
        ("UPDATE invoices SET note = 'stray'; /* ; */ end;", "`END`"),
        ("ROLLBACK; UPDATE invoices SET note = 'stray'", "`ROLLBACK`"),
    ] {
        for more in [&[][..], &["--dry-run"]] {
            let arguments = [&["each", "--sql", sql], more].concat();
            partywall
                .run(&arguments)
                .code(3)
                .says(&[word, "leave it out"]);
        }
    }
    assert_eq!(
        db.count("SELECT count(*) FROM invoices WHERE note = 'stray'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_refused() {
    let db = Database::shop("").await;
    let nobody = "cccccccc-0000-0000-0000-000000000000";
    Partywall::at(&db)
        .run(&["each", "--tenant", nobody, "--sql", "SELECT 1"])
        .code(3)
        .says(&["there is no tenant", nobody]);
    // One that is named twice is one.
    Partywall::at(&db)
        .run(&[
            "each", "--tenant", ACME, "--tenant", ACME, "--sql", "SELECT 1",
        ])
        .code(0)
        .says(&["1 of 1 tenants"]);
}

#[tokio::test]
async fn a_savepoint_stays_inside() {
    let db = Database::shop("").await;
    let sql = "SAVEPOINT a; DELETE FROM invoices; ROLLBACK TO a; SELECT count(*) FROM invoices";
    Partywall::at(&db).run(&["each", "--sql", sql]).code(0);
    assert_eq!(db.count("SELECT count(*) FROM invoices").await, 2);
}

#[tokio::test]
async fn where_no_policy_holds_nobody_goes_in() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let sql = "UPDATE invoices SET note = 'stray'";
    for opened in [
        "ALTER TABLE invoices DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE invoices ENABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY, OWNER TO {app}",
    ] {
        db.run(opened).await;
        for arguments in [
            &["each", "--sql", sql][..],
            &["shell", "--tenant", ACME, "--", "psql", "-c", sql],
        ] {
            partywall.run(arguments).code(1).says(&[
                "does not hold for",
                "public.invoices",
                "--allow-bypass",
            ]);
        }
    }
    let stray = "SELECT count(*) FROM invoices WHERE note = 'stray'";
    assert_eq!(db.count(stray).await, 0);
    partywall
        .run(&["each", "--allow-bypass", "--tenant", ACME, "--sql", sql])
        .code(0);
    assert_eq!(db.count(stray).await, 2);
}

#[tokio::test]
async fn tenants_can_be_chosen() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let tenants = |arguments: &[&str]| -> Vec<String> {
        let all = [&["each", "--json", "--sql", "SELECT 1"], arguments].concat();
        let json = partywall.run(&all).code(0).json();
        json["tenants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tenant| tenant["tenant"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(tenants(&[]), [ACME, GLOBEX]);
    assert_eq!(tenants(&["--tenant", GLOBEX]), [GLOBEX]);
    assert_eq!(
        tenants(&["--tenants", "SELECT id FROM tenants WHERE name = 'acme'"]),
        [ACME]
    );
    partywall.write("list", &format!("{GLOBEX}\n\n  {ACME}\n"));
    assert_eq!(tenants(&["--tenants-file", "list"]), [GLOBEX, ACME]);
    let ended =
        partywall.run_with_input(&["each", "--sql", "SELECT 1", "--tenants-file", "-"], ACME);
    assert!(ended.code == 0 && ended.out.contains("1 of 1"), "{ended:?}");
    // A query that lists them may not write.
    partywall
        .run(&[
            "each",
            "--sql",
            "SELECT 1",
            "--tenants",
            "DELETE FROM invoices RETURNING tenant_id",
        ])
        .code(1)
        .says(&["read-only transaction"]);
}

#[tokio::test]
async fn commands_run_in_parallel_each_in_its_scope() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    let script = "psql -XAtc 'SELECT note FROM invoices' > $PARTYWALL_TENANT.txt; echo done";
    partywall
        .run(&["each", "--parallel", "8", "--", "sh", "-c", script])
        .code(0)
        .says(&["| done", "2 of 2 tenants"]);
    assert_eq!(partywall.read(&format!("{ACME}.txt")), "of acme\n");
    assert_eq!(partywall.read(&format!("{GLOBEX}.txt")), "of globex\n");
    let script = format!("test $PARTYWALL_TENANT = {ACME} || {{ echo no >&2; exit 4; }}");
    partywall
        .run(&["each", "--", "sh", "-c", &script])
        .code(2)
        .says(&["`sh` ended with 4", "| no", "1 of 2 tenants"]);
    partywall
        .run(&["each", "--dry-run", "--", "rm", "-rf", "."])
        .code(0)
        .says(&["would run rm"]);
    assert!(partywall.folder().join(format!("{ACME}.txt")).exists());
}

#[tokio::test]
async fn many_tenants_never_mix() {
    let db = Database::shop(
        "INSERT INTO tenants SELECT gen_random_uuid(), 't' || n FROM generate_series(1, 60) n;
         INSERT INTO customers (tenant_id, email) SELECT id, id::text FROM tenants;",
    )
    .await;
    let json = Partywall::at(&db)
        .run(&[
            "each",
            "--json",
            "--parallel",
            "8",
            "--sql",
            "SELECT max(email) AS email, count(DISTINCT tenant_id) AS tenants FROM customers WHERE email NOT LIKE '%@%'",
        ])
        .code(0)
        .json();
    let tenants = json["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 62);
    for tenant in tenants {
        assert_eq!(tenant["rows"][0]["email"], tenant["tenant"]);
        assert_eq!(tenant["rows"][0]["tenants"], "1");
    }
}

#[tokio::test]
async fn nothing_to_run_is_said() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    partywall
        .run(&["each"])
        .code(3)
        .says(&["there is nothing to run"]);
    partywall
        .run(&["each", "--sql", "  "])
        .code(3)
        .says(&["there is no SQL"]);
    partywall
        .run(&["each", "--file", "nowhere.sql"])
        .code(3)
        .says(&["there is no file `nowhere.sql`"]);
    partywall.write("a.sql", "SELECT 1;\n");
    partywall.run(&["each", "--file", "a.sql"]).code(0);
}
