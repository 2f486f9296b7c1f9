//! Rights, and what is told to everybody: where the rules branch.

use crate::named::{base, expect, found, names};

#[tokio::test]
async fn who_may_make_a_schema_answers_for_names() {
    let db = base("DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {app}', current_database()); END $$;").await;
    let report = found(&db).await;
    let found_names = names(&report.findings);
    assert_eq!(found_names.len(), 1, "{found_names:?}");
    assert!(
        found_names[0].starts_with(&db.fill("SCHEMA_CREATE role {app} in database ")),
        "{found_names:?}"
    );
    expect(&[
        (
            "a role that the application is not",
            "CREATE ROLE {migrator};
             DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {migrator}', current_database()); END $$;",
            &[],
        ),
    ])
    .await;
    let admin = db.superuser().await;
    admin.batch_execute(&report.findings[0].fix).await.unwrap();
    assert!(found(&db).await.is_clean());
}

#[tokio::test]
async fn a_trigger_on_a_view_sees_what_others_write() {
    expect(&[
        (
            "that is written",
            "CREATE VIEW list WITH (security_invoker = true) AS SELECT * FROM invoices;
             GRANT SELECT, INSERT, TRIGGER ON list TO {app};",
            &["PRIV_TRIGGER role {app}"],
        ),
        (
            "beside one on the table",
            "CREATE VIEW list WITH (security_invoker = true) AS SELECT * FROM invoices;
             GRANT ALL ON list TO {app}; GRANT TRIGGER ON invoices TO {app};",
            &["PRIV_TRIGGER role {app}"],
        ),
        (
            "that is read alone",
            "CREATE VIEW list WITH (security_invoker = true) AS SELECT * FROM invoices;
             GRANT SELECT, TRIGGER ON list TO {app};",
            &[],
        ),
        (
            "of what is nobody's",
            "CREATE VIEW list WITH (security_invoker = true) AS SELECT * FROM countries;
             GRANT SELECT, INSERT, TRIGGER ON list TO {app};",
            &[],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_notification_tells_of_no_row() {
    let made = |body: &str, when: &str| {
        format!(
            "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $f$ DECLARE e text; BEGIN {body} RETURN NULL; END $f$;
             CREATE TRIGGER tell {when} EXECUTE FUNCTION tell();"
        )
    };
    let rows = "AFTER INSERT ON invoices REFERENCING NEW TABLE AS added FOR EACH STATEMENT";
    let each = "AFTER UPDATE ON invoices FOR EACH ROW";
    let told: &[&str] = &["NOTIFY_PAYLOAD function public.tell()"];
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "all rows of a statement",
            made(
                "PERFORM pg_notify('ch', json_agg(x)::text) FROM added x;",
                rows,
            ),
            told,
        ),
        (
            "the keys of all rows of a statement",
            made(
                "PERFORM pg_notify('ch', json_agg(x.id)::text) FROM added x;",
                rows,
            ),
            &[],
        ),
        (
            "another table's row",
            made(
                "SELECT c.email INTO e FROM public.customers c WHERE c.id = NEW.customer_id; PERFORM pg_notify('ch', e);",
                each,
            ),
            told,
        ),
        (
            "what a row of nobody says",
            made(
                "SELECT c.name INTO e FROM countries c WHERE c.code = 'de'; PERFORM pg_notify('ch', e);",
                each,
            ),
            &[],
        ),
        (
            "that something changed",
            made(
                "PERFORM pg_notify('ch', json_build_object('id', NEW.id, 'changed', NEW.note IS DISTINCT FROM OLD.note)::text);",
                each,
            ),
            &[],
        ),
        (
            "by a statement that is made",
            made(
                "EXECUTE 'SELECT ($1).note' INTO e USING NEW; PERFORM pg_notify('ch', e);",
                each,
            ),
            told,
        ),
    ];
    expect(&cases).await;
}
