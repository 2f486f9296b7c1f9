//! What is kept or carried beside the tables: materialized views, large objects, publications, foreign servers.

use crate::named::expect;

#[tokio::test]
async fn whole_databases_are_published() {
    expect(&[
        (
            "all tables",
            "CREATE PUBLICATION everything FOR ALL TABLES;",
            &["PUBLICATION publication everything"],
        ),
        (
            "a partitioned table",
            "CREATE TABLE events (tenant_id uuid NOT NULL REFERENCES tenants (id), at date NOT NULL, PRIMARY KEY (tenant_id, at))
               PARTITION BY RANGE (at);
             CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
             ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events FORCE ROW LEVEL SECURITY;
             CREATE PUBLICATION \"some\" FOR TABLE events, countries;",
            &["PUBLICATION publication \"some\""],
        ),
        (
            "a name that is none",
            "CREATE PUBLICATION \"a\"\"; DROP TABLE invoices; --\" FOR TABLE invoices;",
            &["PUBLICATION publication \"a\"\"; DROP TABLE invoices; --\""],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_filter_of_a_publication_says_whose_the_rows_are() {
    let published = |filter: &str| {
        format!(
            "ALTER TABLE invoices REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR TABLE invoices WHERE ({filter});"
        )
    };
    let open: &[&str] = &["PUBLICATION publication p"];
    let acme = "'aaaaaaaa-0000-0000-0000-000000000000'";
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("everybody's", published("tenant_id IS NOT NULL"), open),
        ("by what they say", published("number > 0"), open),
        (
            "one tenant's",
            published(&format!("tenant_id = {acme}")),
            &[],
        ),
        (
            "all but one tenant's",
            published(&format!("tenant_id <> {acme}")),
            open,
        ),
        (
            "all but one tenant's, said otherwise",
            published(&format!("NOT (tenant_id = {acme})")),
            open,
        ),
        (
            "one tenant's, of some",
            published(&format!("{acme}::uuid = tenant_id AND number > 0")),
            &[],
        ),
        (
            "several tenants'",
            published(&format!(
                "tenant_id IN ({acme}, 'cccccccc-0000-0000-0000-000000000000')"
            )),
            &[],
        ),
        (
            "one tenant's and some of all",
            published(&format!("tenant_id = {acme} OR number > 0")),
            open,
        ),
        ("each tenant's own", published("tenant_id = id"), open),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn numbers_over_all_tenants_are_kept_as_well() {
    expect(&[
        (
            "without the tenant",
            "CREATE MATERIALIZED VIEW totals AS SELECT status, count(*) AS n FROM invoices GROUP BY status;
             GRANT SELECT ON totals TO {app};",
            &["MATVIEW public.totals"],
        ),
        (
            "from what a function reads",
            "CREATE FUNCTION all_numbers() RETURNS SETOF bigint LANGUAGE sql STABLE AS 'SELECT number FROM public.invoices';
             CREATE MATERIALIZED VIEW numbers AS SELECT n FROM all_numbers() n;
             GRANT SELECT ON numbers TO {app};",
            &["MATVIEW public.numbers"],
        ),
        (
            "from a function that reads what is nobody's",
            "CREATE FUNCTION names() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT name FROM public.countries';
             CREATE MATERIALIZED VIEW listed AS SELECT n FROM names() n;
             GRANT SELECT ON listed TO {app};",
            &[],
        ),
        (
            "one made from another, and a view over it",
            "CREATE MATERIALIZED VIEW kept AS SELECT * FROM invoices;
             CREATE MATERIALIZED VIEW totals AS SELECT status, count(*) AS n FROM kept GROUP BY status;
             CREATE VIEW list AS SELECT * FROM totals;
             GRANT SELECT ON list TO {app};",
            &["VIEW_DEFINER public.list"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_foreign_server_is_asked_as_whoever_is_mapped() {
    let server = |more: &str| {
        format!(
            "CREATE EXTENSION postgres_fdw;
             CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'elsewhere');
             CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'all', password 'x');
             {more}"
        )
    };
    let usage = "GRANT USAGE ON FOREIGN SERVER elsewhere TO {app};";
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "by a table of the application's own",
            server("CREATE SCHEMA own; GRANT USAGE, CREATE ON SCHEMA own TO {app};") + usage,
            &["FOREIGN_TABLE server elsewhere", "SCHEMA_CREATE role {app}"],
        ),
        (
            "without a table",
            server("CREATE EXTENSION dblink;") + usage,
            &["FOREIGN_TABLE server elsewhere"],
        ),
        ("by nobody who can", server("") + usage, &[]),
        ("by nobody who may", server("CREATE EXTENSION dblink;"), &[]),
        (
            "by somebody else",
            server("CREATE EXTENSION dblink; DROP USER MAPPING FOR PUBLIC SERVER elsewhere;
                    CREATE USER MAPPING FOR {owner} SERVER elsewhere OPTIONS (user 'all', password 'x');") + usage,
            &[],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn large_objects_are_read_by_whom_the_server_lets() {
    let column = |kind: &str| {
        format!(
            "ALTER TABLE invoices ADD COLUMN document {kind};
             UPDATE invoices SET document = lo_from_bytea(0, 'of a tenant');"
        )
    };
    let unchecked = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET lo_compat_privileges = on', current_database());
      END $$;";
    let granted = "DO $$ DECLARE it oid; BEGIN
        FOR it IN SELECT oid FROM pg_largeobject_metadata LOOP
          EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO {app}', it);
        END LOOP;
      END $$;";
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("by nobody", column("oid"), &[]),
        (
            "by everybody",
            column("oid") + unchecked,
            &["LARGE_OBJECT public.invoices.document"],
        ),
        (
            "by everybody but the application",
            column("oid") + unchecked + "ALTER ROLE {app} SET lo_compat_privileges = off;",
            &[],
        ),
        (
            "under a domain",
            "CREATE DOMAIN file AS oid; CREATE DOMAIN image AS file;".to_owned()
                + &column("image")
                + granted,
            &["LARGE_OBJECT public.invoices.document"],
        ),
    ];
    expect(&cases).await;
}
