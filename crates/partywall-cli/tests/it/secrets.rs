//! No password is ever printed: `run` looks into all output of every test, and here is what usually goes wrong.

use crate::{
    database::{ACME, Database, PASSWORD},
    run::Partywall,
};

#[test]
fn connection_strings_that_are_wrong() {
    for url in [
        format!("postgresql://app:{PASSWORD}@localhost:1/shop"),
        format!("postgresql://app:{PASSWORD}@[::1]:1/shop"),
        format!("postgresql://app:{PASSWORD}@no-such-host.invalid/shop"),
        format!("postgresql://app:{PASSWORD}@localhost:port/shop"),
        format!("postgresql://app:x?{PASSWORD}@localhost/shop"),
        format!("postgresql://app:x&{PASSWORD}=1?y@localhost/shop"),
        format!("postgresql://app:x@localhost/shop?{PASSWORD}=1"),
        format!("postgresql://app:{PASSWORD}@localhost:1/shop?schema=public"),
        format!("postgresql://app:{PASSWORD}@localhost:1/shop?sslmode=nonsense"),
        format!(
            "postgresql://app:{PASSWORD}@localhost:1/shop?sslmode=require&sslrootcert=/nowhere"
        ),
        format!("host=localhost port=1 user=app password={PASSWORD}"),
        format!("host=localhost port=1 user=app password='{PASSWORD}"),
        format!("mysql://app:{PASSWORD}@localhost/shop"),
        PASSWORD.to_owned(),
    ] {
        let given: &[&[&str]] = &[
            &["check"],
            &["doctor"],
            &["prove"],
            &["plan"],
            &["each", "--sql", "SELECT 1"],
        ];
        for arguments in given {
            let ended = Partywall::alone().with("DATABASE_URL", &url).run(arguments);
            assert!(matches!(ended.code, 1 | 3), "{ended:?}");
            assert!(ended.err.contains("error:"), "{ended:?}");
            let ended = Partywall::alone().run(&[*arguments, &["--database-url", &url]].concat());
            assert!(matches!(ended.code, 1 | 3), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn logins_that_are_refused() {
    let db = Database::shop("").await;
    let wrong = db.app_url().replace(PASSWORD, &format!("{PASSWORD}-wrong"));
    let missing = db.app_url().replace(&db.name(), "no_such_database");
    for url in [wrong, missing] {
        Partywall::alone()
            .with("DATABASE_URL", &url)
            .run(&["check"])
            .code(1)
            .says(&["cannot connect to database", "try:"]);
        let partywall = Partywall::at(&db).with("APP_DATABASE_URL", &url);
        partywall.run(&["prove"]).code(1);
        partywall
            .run(&["shell", "--tenant", ACME, "--", "true"])
            .code(1);
        partywall.run(&["each", "--sql", "SELECT 1"]).code(1);
    }
}

#[test]
fn help_does_not_show_what_the_environment_holds() {
    let url = format!("postgresql://app:{PASSWORD}@localhost/shop");
    let partywall = Partywall::alone()
        .with("DATABASE_URL", &url)
        .with("APP_DATABASE_URL", &url);
    for arguments in [
        &["--help"][..],
        &["prove", "--help"],
        &["shell", "--help"],
        &["check", "--nonsense"],
        &["man", "shell"],
        &["completions", "bash"],
    ] {
        partywall.run(arguments);
    }
}

#[tokio::test]
async fn a_command_gets_the_password_by_its_environment_alone() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db).with("APP_DATABASE_URL", &db.app_url());
    let script = "tr '\\0' ' ' < /proc/$$/cmdline; test \"$PGPASSWORD\" = \"$WANTED\" && echo has it; env | grep -c DATABASE_URL";
    let ended = partywall
        .with("WANTED", PASSWORD)
        .run(&["shell", "--tenant", ACME, "--", "sh", "-c", script]);
    assert!(
        ended.out.contains("has it") && ended.out.trim_end().ends_with('0'),
        "{ended:?}"
    );
}
