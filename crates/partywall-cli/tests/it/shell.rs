use crate::{
    database::{ACME, Database, GLOBEX},
    run::Partywall,
};

const NOTES: &str = "SELECT string_agg(note, ',' ORDER BY note) FROM invoices";

#[tokio::test]
async fn a_command_sees_its_tenant_alone() {
    let db = Database::shop("").await;
    // As the superuser who becomes the application's role, and as its own login.
    for partywall in [
        Partywall::at(&db),
        Partywall::at(&db).with("APP_DATABASE_URL", &db.app_url()),
        Partywall::alone().with("APP_DATABASE_URL", &db.app_url()),
    ] {
        for (tenant, note) in [(ACME, "of acme\n"), (GLOBEX, "of globex\n")] {
            let ended = partywall
                .run(&["shell", "--tenant", tenant, "--", "psql", "-XAtc", NOTES])
                .code(0)
                .says(&[tenant]);
            assert_eq!(ended.out, note);
        }
        let ended = partywall
            .run(&[
                "shell",
                "--quiet",
                "--tenant",
                ACME,
                "--",
                "psql",
                "-XAtc",
                "SELECT current_user",
            ])
            .code(0);
        assert_eq!(ended.out.trim(), db.role("app"));
        assert_eq!(ended.err, "");
    }
}

#[tokio::test]
async fn psql_reads_from_standard_input() {
    let db = Database::shop("").await;
    let ended = Partywall::at(&db)
        .run_with_input(&["shell", "--tenant", ACME], "SELECT note FROM invoices;\n");
    assert!(
        ended.code == 0 && ended.out.contains("of acme") && !ended.out.contains("of globex"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn the_code_of_the_command_is_passed_on() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    for code in [0, 1, 2, 7, 255] {
        partywall
            .run(&[
                "shell",
                "--tenant",
                ACME,
                "--",
                "sh",
                "-c",
                &format!("exit {code}"),
            ])
            .code(code);
    }
    partywall
        .run(&["shell", "--tenant", ACME, "--", "no-such-program"])
        .code(1)
        .says(&["cannot run `no-such-program`", "install"]);
}

#[tokio::test]
async fn hostile_values_stay_values() {
    // Tenants whose ids would be options, quotes and line breaks if anybody let them.
    let ids = [
        "a b\\c",
        "x' OR '1'='1",
        "-c role=postgres",
        "tab\there",
        "line\nbreak",
        "ünï ☃",
        "\\",
        "%n$(id)`id`",
    ];
    let db = Database::empty().await;
    db.run(
        "CREATE ROLE {app} LOGIN PASSWORD '{password}'; CREATE TABLE tenants (id text PRIMARY KEY);
         CREATE TABLE note (tenant_id text NOT NULL REFERENCES tenants, body text); CREATE INDEX ON note (tenant_id);
         ALTER TABLE note ENABLE ROW LEVEL SECURITY; ALTER TABLE note FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON note USING (tenant_id = NULLIF(current_setting('app.tenant', true), ''));
         ALTER TABLE tenants ENABLE ROW LEVEL SECURITY; ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON tenants USING (id = NULLIF(current_setting('app.tenant', true), ''));
         GRANT SELECT ON tenants, note TO {app}; GRANT INSERT ON note TO {app};",
    )
    .await;
    let client = db.superuser().await;
    for id in ids {
        client
            .execute("INSERT INTO tenants VALUES ($1)", &[&id])
            .await
            .unwrap();
        client
            .execute("INSERT INTO note VALUES ($1, $1)", &[&id])
            .await
            .unwrap();
    }
    let partywall = Partywall::at(&db).with("APP_DATABASE_URL", &db.app_url());
    for id in ids {
        let ended = partywall
            .run(&[
                "shell",
                "--quiet",
                &format!("--tenant={id}"),
                "--",
                "psql",
                "-XAtc",
                "SELECT body FROM note",
            ])
            .code(0);
        assert_eq!(ended.out, format!("{id}\n"));
    }
    let json = Partywall::at(&db)
        .run(&[
            "each",
            "--json",
            "--sql",
            "SELECT body, count(*) OVER () AS n FROM note",
        ])
        .code(0)
        .json();
    for tenant in json["tenants"].as_array().unwrap() {
        assert_eq!(tenant["tenant"], tenant["rows"][0]["body"]);
        assert_eq!(tenant["rows"][0]["n"], "1");
    }
    assert_eq!(json["tenants"].as_array().unwrap().len(), ids.len());
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_refused() {
    let db = Database::shop("").await;
    Partywall::at(&db)
        .run(&["shell", "--tenant", "acme", "--", "true"])
        .code(3)
        .says(&["there is no tenant `acme` in public.tenants", ACME]);
}

#[tokio::test]
async fn a_login_that_does_not_see_all_tenants_lists_none() {
    let db = Database::shop("").await;
    let partywall = Partywall::alone().with("APP_DATABASE_URL", &db.app_url());
    partywall
        .run(&["each", "--sql", NOTES])
        .code(1)
        .says(&["does not see all tenants", "--database-url"]);
    partywall
        .run(&["each", "--tenant", GLOBEX, "--sql", NOTES])
        .code(0)
        .says(&["of globex"]);
}

#[tokio::test]
async fn a_role_that_policies_do_not_hold_for_is_refused() {
    let db = Database::shop("ALTER ROLE {app} BYPASSRLS").await;
    let partywall = Partywall::at(&db).with("APP_DATABASE_URL", &db.app_url());
    let arguments = ["shell", "--tenant", ACME, "--", "psql", "-XAtc", NOTES];
    partywall
        .run(&arguments)
        .code(1)
        .says(&["would see every tenant", "--allow-bypass"]);
    partywall
        .run(&["each", "--sql", NOTES])
        .code(1)
        .says(&["would see every tenant"]);
    let ended = partywall
        .run(&[
            "shell",
            "--allow-bypass",
            "--tenant",
            ACME,
            "--",
            "psql",
            "-XAtc",
            NOTES,
        ])
        .code(0);
    assert_eq!(ended.out, "of acme,of globex\n");
}

#[tokio::test]
async fn settings_can_be_said_in_full() {
    let db = Database::shop("").await;
    let ended = Partywall::at(&db)
        .run(&[
            "shell",
            "--set",
            &format!("app.tenant_id={GLOBEX}"),
            "--",
            "psql",
            "-XAtc",
            NOTES,
        ])
        .code(0);
    assert_eq!(ended.out, "of globex\n");
}

/// A database with Partywall's own entry function and seal, of the texts that its library makes them from.
fn sealed() -> String {
    let tables = include_str!("../../../partywall/src/schema/sql/1_tables.sql");
    let enter = include_str!("../../../partywall/src/schema/sql/2_enter.sql");
    let declare = include_str!("../../../partywall/src/schema/sql/sealed_declare.sql");
    let open = include_str!("../../../partywall/src/schema/sql/sealed.sql");
    format!(
        "CREATE SCHEMA partywall;\n{tables}\n{enter}\n
         INSERT INTO partywall.seal_key VALUES ('k1', decode(repeat('36', 64), 'hex'), decode(repeat('5c', 64), 'hex'));
         INSERT INTO partywall.applied (declarations, sealed) VALUES ('', true);
         CREATE FUNCTION partywall.tenant() RETURNS pg_catalog.uuid
         LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS $partywall$
         DECLARE
           raw pg_catalog.text := pg_catalog.current_setting('partywall.context', true);
           scope pg_catalog.json;
         {declare}
         BEGIN
           IF raw IS NULL OR raw = '' THEN RETURN NULL; END IF;
         {open}
           RETURN (scope ->> 'tenant')::pg_catalog.uuid;
         END $partywall$;
         REVOKE ALL ON FUNCTION partywall.tenant() FROM PUBLIC;
         GRANT USAGE ON SCHEMA partywall TO {{app}}, {{owner}};
         GRANT EXECUTE ON FUNCTION partywall.tenant() TO {{app}}, {{owner}};
         ALTER POLICY own ON tenants USING (id = (SELECT partywall.tenant()));
         ALTER POLICY own ON customers USING (tenant_id = (SELECT partywall.tenant()));
         ALTER POLICY own ON invoices USING (tenant_id = (SELECT partywall.tenant()));"
    )
}

#[tokio::test]
async fn a_sealed_context_is_good_for_one_transaction() {
    let db = Database::shop(&sealed()).await;
    let partywall = Partywall::at(&db);
    partywall
        .run(&["shell", "--tenant", ACME, "--", "psql", "-XAtc", NOTES])
        .code(1)
        .says(&["sealed", "partywall each"]);
    let ended = partywall.run_with_input(
        &["shell", "--tenant", ACME],
        "SELECT note FROM invoices;\nROLLBACK;\nSELECT count(*) AS after FROM invoices;\n",
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.contains("of acme") && !ended.out.contains("of globex"),
        "{ended:?}"
    );
    assert!(
        ended.out.replace(['-', '\n', ' '], "").contains("after0"),
        "{ended:?}"
    );
    let json = partywall
        .run(&["each", "--json", "--parallel", "2", "--sql", NOTES])
        .code(0)
        .json();
    assert_eq!(json["tenants"][0]["rows"][0]["string_agg"], "of acme");
    assert_eq!(json["tenants"][1]["rows"][0]["string_agg"], "of globex");
    partywall
        .run(&["each", "--", "true"])
        .code(1)
        .says(&["sealed"]);
    // Whoever may not read the keys cannot seal.
    Partywall::alone()
        .with("APP_DATABASE_URL", &db.app_url())
        .run(&["each", "--tenant", ACME, "--sql", NOTES])
        .code(1)
        .says(&["may not read the keys"]);
    let left: Vec<_> = std::fs::read_dir(std::env::temp_dir())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| {
            name.strip_prefix("partywall-")
                .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
