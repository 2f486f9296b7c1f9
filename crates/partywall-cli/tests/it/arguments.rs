use crate::{database::Database, run::Partywall};

#[test]
fn alone_it_shows_what_there_is() {
    let ended = Partywall::alone().run::<&str>(&[]).code(3);
    insta::assert_snapshot!("overview", ended.out);
}

#[test]
fn help_is_as_it_was() {
    let partywall = Partywall::alone();
    for command in [
        "check",
        "prove",
        "plan",
        "apply",
        "shell",
        "each",
        "doctor",
        "explain",
        "completions",
        "man",
    ] {
        let ended = partywall.run(&[command, "-h"]).code(0);
        insta::assert_snapshot!(format!("help_{command}"), ended.out);
    }
}

#[test]
fn wrong_arguments_are_3() {
    let partywall = Partywall::alone();
    for arguments in [
        &["chekc"][..],
        &["check", "--nonsense"],
        &["check", "--fail-on", "terrible"],
        &["check", "--json", "--github"],
        &["prove", "--as", "nonsense"],
        &["each", "--parallel", "0", "--sql", "SELECT 1"],
        &["each", "--sql", "SELECT 1", "--", "true"],
        &["shell"],
        &["shell", "--tenant", "x", "--json"],
        &["explain", "NONSENSE"],
        &["completions", "nonsense"],
        &["man", "nonsense"],
    ] {
        let ended = partywall.run(arguments).code(3);
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{ended:?}");
    }
}

#[test]
fn without_a_database_it_says_how_to_name_one() {
    for command in ["check", "prove", "plan", "doctor"] {
        Partywall::alone().run(&[command]).code(3).says(&[
            "no database is given",
            "DATABASE_URL",
            "PGHOST",
        ]);
    }
    // An empty variable is none.
    Partywall::alone()
        .with("DATABASE_URL", "")
        .run(&["check"])
        .code(3);
}

#[tokio::test]
async fn the_variables_of_libpq_count() {
    let db = Database::shop("").await;
    let url = db.url();
    let config: tokio_postgres::Config = url.parse().unwrap();
    let tokio_postgres::config::Host::Unix(host) = &config.get_hosts()[0] else {
        panic!("{url}")
    };
    let password = String::from_utf8(config.get_password().unwrap().to_vec()).unwrap();
    let user = config.get_user().unwrap();
    let partywall = Partywall::alone()
        .with("PGHOST", host.to_str().unwrap())
        .with("PGPORT", &config.get_ports()[0].to_string())
        .with("PGUSER", user)
        .with("PGDATABASE", &db.name());
    partywall.run(&["check"]).code(1).says(&["password"]);
    partywall.write(".pgpass", &format!("*:*:{}:{user}:{password}\n", db.name()));
    // libpq ignores a file that others may read, and so do we.
    partywall.run(&["check"]).code(1);
    set_private(&partywall.folder().join(".pgpass"));
    partywall.run(&["check"]).code(0);
    partywall.write(".pgpass", "");
    partywall
        .with("PGPASSWORD", &password)
        .run(&["check"])
        .code(0);
}

fn set_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_wrong_configuration_is_3_and_says_where() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    partywall
        .run(&["check", "--config", "nowhere.toml"])
        .code(3)
        .says(&["there is no file `nowhere.toml`"]);
    partywall.write("partywall.toml", "version = 1\n\n[tenant]\ncolumns = 3\n");
    partywall
        .run(&["check"])
        .code(3)
        .says(&["partywall.toml", "line 4"]);
    partywall.write("partywall.toml", "version = 7\n");
    partywall.run(&["check"]).code(3).says(&["version 7"]);
    partywall.write(
        "partywall.toml",
        "version = 1\n[check]\nfail-on = \"sometimes\"\n",
    );
    partywall.run(&["check"]).code(3).says(&["sometimes"]);
    partywall.write(
        "partywall.toml",
        "version = 1\n[roles]\napp = [\"nobody_at_all\"]\n",
    );
    partywall.run(&["check"]).code(3).says(&["nobody_at_all"]);
    partywall.write("partywall.toml", "version = 1\n");
    partywall.run(&["check"]).code(0);
}

#[tokio::test]
async fn colour_is_for_terminals_and_for_who_asks() {
    let db = Database::shop("ALTER TABLE invoices DISABLE ROW LEVEL SECURITY").await;
    let partywall = Partywall::at(&db);
    let escape = '\u{1b}';
    assert!(!partywall.run(&["check"]).code(2).out.contains(escape));
    assert!(
        partywall
            .run(&["check", "--color", "always"])
            .code(2)
            .out
            .contains(escape)
    );
    assert!(
        !partywall
            .run(&["check", "--color=never"])
            .code(2)
            .out
            .contains(escape)
    );
    let partywall = partywall.with("NO_COLOR", "1").with("CLICOLOR_FORCE", "1");
    assert!(!partywall.run(&["check"]).code(2).out.contains(escape));
}

#[tokio::test]
async fn what_cannot_be_a_setting_is_no_context() {
    let db = Database::shop(
        "DROP POLICY own ON tenants; DROP POLICY own ON customers; DROP POLICY own ON invoices;",
    )
    .await;
    for name in ["tenant", "bad name", "app.a;b", "role", ""] {
        Partywall::at(&db)
            .run(&["plan", "--context", name])
            .code(3)
            .says(&["no setting", "app.tenant_id"]);
    }
    Partywall::at(&db)
        .run(&["plan", "--context", "app.tenant"])
        .code(0);
}
