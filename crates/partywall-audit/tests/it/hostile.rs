//! Names that are made to be executed: they are quoted everywhere, and nothing but the fixes happens.

use partywall_audit::{Options, Report, check};

use crate::database::Database;

/// Names of schemas, tables, columns, policies, functions, views, triggers and roles.
const NAMES: [&str; 16] = [
    "x\"; DROP TABLE public.canary; --",
    "'); DROP TABLE public.canary; --",
    "$$; DROP TABLE public.canary; $$",
    "*/ DROP TABLE public.canary; /*",
    "it's",
    "back\\slash\\' OR true; --",
    "line\nDROP TABLE public.canary;\nbreak",
    "{}{0}{:?}",
    "%I %L %s %n",
    "select",
    "Ünïcödé 表 🐘",
    "\u{202e}right to left",
    " ",
    "\"",
    "a.b.c",
    // As long as a name can be.
    "sixty_three_bytes_sixty_three_bytes_sixty_three_bytes_sixty_thr",
];

fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A role's name is the whole server's, and as long as it may be.
fn role(name: &str, db: &Database) -> String {
    let suffix = db.role("");
    let mut name = name.to_owned();
    while name.len() + suffix.len() > 63 {
        name.pop();
    }
    name + &suffix
}

/// A schema in which everything has one name, and much is wrong.
fn schema(name: &str, app: &str, at: usize) -> String {
    let (n, app) = (ident(name), ident(app));
    let setting = literal(&format!("app.{name}"));
    let tenant = "NULLIF(current_setting('app.tenant_id', true), '')::uuid";
    let policy = match at % 6 {
        0 => format!("current_setting({setting}, true) IS NULL OR tenant_id = {tenant}"),
        1 => format!("current_setting({setting}, true) = 'on' OR tenant_id = {tenant}"),
        2 => "true".to_owned(),
        3 => format!("{n} = 'published'"),
        4 => "tenant_id = current_setting('app.tenant_id')::uuid".to_owned(),
        _ => format!("tenant_id = NULLIF(current_setting({setting}, true), '')::uuid"),
    };
    format!(
        "CREATE SCHEMA {n}; GRANT USAGE, CREATE ON SCHEMA {n} TO {app};
         CREATE TABLE {n}.{n} (tenant_id uuid REFERENCES public.tenants (id), id bigserial PRIMARY KEY, {n} text UNIQUE);
         ALTER TABLE {n}.{n} ENABLE ROW LEVEL SECURITY;
         CREATE POLICY {n} ON {n}.{n} USING ({policy});
         CREATE TABLE {n}.off (tenant_id uuid NOT NULL, {n} bigint NOT NULL REFERENCES {n}.{n} (id));
         CREATE VIEW {n}.{view} AS SELECT * FROM {n}.{n};
         CREATE FUNCTION {n}.{n}() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
           $partywall$ BEGIN PERFORM set_config('app.tenant_id', {value}, false); RETURN (SELECT count(*) FROM {n}.{n}); END $partywall$;
         CREATE FUNCTION {n}.{trigger}() RETURNS trigger LANGUAGE plpgsql AS
           $partywall$ BEGIN PERFORM pg_notify({value}, row_to_json(NEW)::text); RETURN NEW; END $partywall$;
         CREATE TRIGGER {n} BEFORE INSERT ON {n}.{n} FOR EACH ROW EXECUTE FUNCTION {n}.{trigger}();
         CREATE MATERIALIZED VIEW {n}.counts AS SELECT tenant_id, count(*) AS {n} FROM {n}.{n} GROUP BY 1;
         GRANT ALL ON ALL TABLES IN SCHEMA {n} TO {app};
         GRANT ALL ON ALL SEQUENCES IN SCHEMA {n} TO {app};",
        view = ident(&format!("v{}", name.chars().skip(1).collect::<String>())),
        trigger = ident(&format!("t{}", name.chars().skip(1).collect::<String>())),
        value = literal(name),
    )
}

async fn database() -> (Database, Vec<String>) {
    let db = Database::with(
        "CREATE TABLE public.canary (id int); INSERT INTO public.canary VALUES (1), (2), (3);
         CREATE TABLE public.tenants (id uuid PRIMARY KEY);",
    )
    .await;
    let admin = db.superuser().await;
    let mut apps = Vec::new();
    for (at, name) in NAMES.iter().enumerate() {
        let app = role(name, &db);
        let sql = format!(
            "CREATE ROLE {} LOGIN; {}",
            ident(&app),
            schema(name, &app, at)
        );
        if let Err(error) = admin.batch_execute(&sql).await {
            panic!("{error:?}\n{sql}");
        }
        apps.push(app);
    }
    (db, apps)
}

async fn canary(db: &Database) -> (i64, i64, i64) {
    let row = db
        .superuser()
        .await
        .query_one(
            "SELECT (SELECT count(*) FROM public.canary),
                    (SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S')),
                    (SELECT count(*) FROM pg_roles)",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1), row.get(2))
}

async fn report(db: &Database, options: &Options) -> Report {
    check(&mut db.superuser().await, options).await.unwrap()
}

#[tokio::test]
async fn names_are_never_executed() {
    let (db, apps) = database().await;
    let (rows, relations, _) = canary(&db).await;
    assert_eq!(rows, 3);

    let mut options = Options::default();
    options.strict = true;
    options.app_roles = apps;
    let found = report(&db, &options).await;
    // Something of everything that is wrong, in every schema.
    assert!(
        found.findings.len() >= 2 * NAMES.len(),
        "{}",
        found.findings.len()
    );
    for name in NAMES {
        let quoted = if name == "sixty_three_bytes_sixty_three_bytes_sixty_three_bytes_sixty_thr" {
            name.to_owned()
        } else {
            ident(name)
        };
        assert!(
            found
                .findings
                .iter()
                .any(|finding| finding.object.contains(&quoted)
                    || finding.tables.iter().any(|table| table.contains(&quoted))),
            "{name:?}"
        );
    }
    assert_eq!(canary(&db).await.1, relations);

    // What an option says is a name as well.
    for name in NAMES {
        let mut options = Options::default();
        options.globals = vec![
            format!("{0}.{0}", ident(name)),
            format!("{}.off", ident(name)),
        ];
        options.schemas = vec![name.to_owned()];
        report(&db, &options).await;
    }

    // The fixes as they stand, round after round until they have nothing more to do.
    let admin = db.superuser().await;
    let mut left = found.findings;
    for _ in 0..6 {
        for finding in &left {
            if let Err(error) = admin.batch_execute(&finding.fix).await {
                panic!("{}: {error:?}\n{}", finding.id, finding.fix);
            }
        }
        left = report(&db, &options).await.findings;
        if left.is_empty() {
            break;
        }
    }
    let (rows, _, _) = canary(&db).await;
    assert_eq!(rows, 3, "the canary is gone");
    let ids: Vec<String> = left
        .iter()
        .map(|finding| format!("{}: {}", finding.id, finding.fix))
        .collect();
    assert!(left.is_empty(), "{ids:#?}");
}
