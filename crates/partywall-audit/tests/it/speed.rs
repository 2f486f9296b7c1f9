//! What is said of speed, held against EXPLAIN.

use tokio_postgres::Client;

use crate::named::{base, expect, found, names, table};

async fn plan(client: &Client, role: &str, sql: &str) -> String {
    let sql = format!(
        "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL ROLE {role};
         SET LOCAL app.tenant_id = 'aaaaaaaa-0000-0000-0000-000000000000'; EXPLAIN (COSTS off) {sql}; ROLLBACK;"
    );
    let messages = client
        .simple_query(&sql)
        .await
        .unwrap_or_else(|error| panic!("{error:?} in {sql}"));
    messages
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// For each type: whether an index on it is said to be of no use is what PostgreSQL does.
#[tokio::test]
async fn leaky_operators_are_those_that_no_index_is_used_for() {
    let columns = [
        ("smallint", "btree", "= 1"),
        ("integer", "btree", "> 1"),
        ("bigint", "btree", "BETWEEN 1 AND 2"),
        ("text", "btree", "= 'a'"),
        ("text", "btree", "> 'a'"),
        ("varchar(20)", "btree", "= 'a'"),
        ("char(3)", "btree", "= 'a'"),
        ("boolean", "btree", "= true"),
        ("date", "btree", "> '2026-01-01'"),
        ("timestamptz", "btree", "> '2026-01-01'"),
        ("timestamp", "btree", "> '2026-01-01'"),
        ("interval", "btree", "> '1 day'"),
        ("uuid", "btree", "= 'aaaaaaaa-0000-0000-0000-000000000000'"),
        ("bytea", "btree", "= 'a'"),
        ("inet", "btree", "= '10.0.0.1'"),
        ("double precision", "btree", "> 1"),
        ("money", "btree", "> '1'"),
        ("text", "hash", "= 'a'"),
        ("numeric", "btree", "> 1"),
        ("numeric", "hash", "= 1"),
        ("mood", "btree", "= 'good'"),
        ("text[]", "btree", "= '{a}'"),
        ("text[]", "gin", "@> '{a}'"),
        ("jsonb", "gin", "@> '{}'"),
        ("tsvector", "gin", "@@ to_tsquery('a')"),
        ("int4range", "gist", "&& '[1,2)'"),
        ("timestamptz", "brin", "> '2026-01-01'"),
        ("numeric", "brin", "> 1"),
    ];
    let mut sql = "CREATE TYPE mood AS ENUM ('good', 'bad');".to_owned();
    for (at, (name, method, _)) in columns.iter().enumerate() {
        sql.push_str(&table(&format!("t{at}"), &format!("v {name},")));
        // There is no other index that could be used instead.
        sql.push_str(&format!(
            "ALTER TABLE t{at} DROP CONSTRAINT t{at}_pkey; CREATE INDEX i{at} ON t{at} USING {method} (v);"
        ));
    }
    let db = base(&sql).await;
    let said = names(&found(&db).await.findings);
    assert!(
        said.iter().all(|name| name.starts_with("PERF_")),
        "{said:?}"
    );
    let admin = db.superuser().await;
    let app = db.role("app");
    for (at, (name, method, condition)) in columns.iter().enumerate() {
        let query = format!("SELECT v FROM t{at} WHERE v {condition}");
        let used = plan(&admin, &app, &query).await.contains(&format!("i{at}"));
        let control = plan(&admin, "postgres", &query).await;
        assert!(
            control.contains(&format!("i{at}")),
            "{name} {method}: {control}"
        );
        assert_eq!(
            used,
            !said.contains(&format!("PERF_LEAKY_OP index public.i{at}")),
            "{name} {method}: {}",
            plan(&admin, &app, &query).await
        );
    }
}

/// The same for what indexes are made of besides plain columns.
#[tokio::test]
async fn leaky_expressions_are_those_that_no_index_is_used_for() {
    let keys = [
        ("(lower(v))", "lower(v) = 'a'"),
        ("(v COLLATE \"C\")", "v COLLATE \"C\" = 'a'"),
        ("((v || 'x'))", "v || 'x' = 'ax'"),
        ("(coalesce(v, ''))", "coalesce(v, '') = 'a'"),
        ("((v IS NULL))", "v IS NULL"),
        ("((n::text))", "n::text = '1'"),
        ("((n + 1))", "n + 1 = 2"),
        ("((n::bigint))", "n::bigint = 2"),
        ("(v text_pattern_ops)", "v = 'a'"),
    ];
    let mut sql = String::new();
    for (at, (key, _)) in keys.iter().enumerate() {
        sql.push_str(&table(&format!("t{at}"), "v text, n integer,"));
        sql.push_str(&format!(
            "ALTER TABLE t{at} DROP CONSTRAINT t{at}_pkey; CREATE INDEX i{at} ON t{at} {key};"
        ));
    }
    let db = base(&sql).await;
    let said = names(&found(&db).await.findings);
    let admin = db.superuser().await;
    let app = db.role("app");
    for (at, (key, condition)) in keys.iter().enumerate() {
        let query = format!("SELECT id FROM t{at} WHERE {condition}");
        let control = plan(&admin, "postgres", &query).await;
        assert!(control.contains(&format!("i{at}")), "{key}: {control}");
        let used = plan(&admin, &app, &query).await;
        assert_eq!(
            used.contains(&format!("i{at}")),
            !said.contains(&format!("PERF_LEAKY_OP index public.i{at}")),
            "{key}: {used}"
        );
    }
}

/// The policies that are said to keep an index from being used do, and no others.
#[tokio::test]
async fn policies_without_an_index_condition_are_named() {
    let policies = [
        (
            "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid",
            None,
        ),
        (
            "tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid)",
            None,
        ),
        ("tenant_id = calm()", None),
        ("tenant_id = (SELECT wild())", None),
        ("tenant_id = wild()", Some("PERF_VOLATILE public.wild()")),
        (
            "tenant_id::text = current_setting('app.tenant_id', true)",
            Some("PERF_CAST policy own on public.customers"),
        ),
        (
            "current_setting('app.tenant_id', true) = tenant_id::varchar",
            Some("PERF_CAST policy own on public.customers"),
        ),
        (
            "tenant_id = ANY (string_to_array(NULLIF(current_setting('app.tenant_id', true), ''), ',')::uuid[])",
            None,
        ),
    ];
    for (policy, expected) in policies {
        let db = base(&format!(
            "CREATE FUNCTION calm() RETURNS uuid LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
               'BEGIN RETURN NULLIF(current_setting(''app.tenant_id'', true), '''')::uuid; END';
             CREATE FUNCTION wild() RETURNS uuid LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS
               'BEGIN RETURN NULLIF(current_setting(''app.tenant_id'', true), '''')::uuid; END';
             ALTER POLICY own ON customers USING ({policy});"
        ))
        .await;
        let first = found(&db).await;
        let said: Vec<String> = names(&first.findings)
            .into_iter()
            .filter(|name| name.starts_with("PERF_"))
            .collect();
        assert_eq!(
            said,
            expected.map(str::to_owned).into_iter().collect::<Vec<_>>(),
            "{policy}"
        );
        let admin = db.superuser().await;
        let uses = plan(&admin, &db.role("app"), "SELECT * FROM customers").await;
        assert_eq!(
            uses.contains("Index Cond"),
            expected.is_none(),
            "{policy}: {uses}"
        );
        for finding in &first.findings {
            admin.batch_execute(&finding.fix).await.unwrap();
        }
        let uses = plan(&admin, &db.role("app"), "SELECT * FROM customers").await;
        assert!(uses.contains("Index Cond"), "{policy}: {uses}");
    }
}

#[tokio::test]
async fn a_value_for_an_empty_tenant_keeps_the_index_from_use() {
    let mine = "NULLIF(current_setting('app.tenant_id', true), '')::uuid";
    let shared = "'00000000-0000-0000-0000-000000000000'";
    let policy =
        format!("ALTER POLICY own ON notes USING (coalesce(tenant_id, {shared}) = {mine});");
    let nullable =
        "ALTER TABLE notes DROP CONSTRAINT notes_pkey; CREATE INDEX ON notes (tenant_id);
                    ALTER TABLE notes ALTER COLUMN tenant_id DROP NOT NULL;";
    let cases: Vec<(&str, String, bool)> = vec![
        (
            "never empty",
            format!("{}{policy}", table("notes", "")),
            true,
        ),
        (
            "empty",
            format!("{}{policy}{nullable}", table("notes", "")),
            true,
        ),
        (
            "empty, with an index for it",
            format!(
                "{}{policy}{nullable}CREATE INDEX ON notes ((coalesce(tenant_id, {shared}::uuid)));",
                table("notes", "")
            ),
            false,
        ),
    ];
    for (what, sql, named) in cases {
        let db = base(&sql).await;
        let app = db.role("app");
        let admin = db.superuser().await;
        let has = |report: &partywall_audit::Report| {
            report
                .findings
                .iter()
                .find(|it| it.id.id() == "PERF_CAST")
                .cloned()
        };
        let first = has(&found(&db).await);
        assert_eq!(first.is_some(), named, "{what}: {first:#?}");
        if let Some(finding) = first {
            let before = plan(&admin, &app, "SELECT * FROM notes").await;
            assert!(!before.contains("Index Cond"), "{what}: {before}");
            admin.batch_execute(&finding.fix).await.unwrap();
        }
        let after = plan(&admin, &app, "SELECT * FROM notes").await;
        assert!(after.contains("Index Cond"), "{what}: {after}");
        assert!(has(&found(&db).await).is_none(), "{what}");
    }
}

#[tokio::test]
async fn indexes_are_kept_where_they_are_needed() {
    let events = |key: &str, more: &str| {
        format!(
            "SET ROLE {{owner}};
             CREATE TABLE events (
               tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid NOT NULL, PRIMARY KEY (id, tenant_id)
             ) PARTITION BY {key} (tenant_id);
             {more}
             ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON events USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
             GRANT SELECT, INSERT, UPDATE, DELETE ON events TO {{app}};
             RESET ROLE;"
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "partitions without one",
            events("HASH", "CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0);"),
            &["PERF_NO_INDEX public.events"],
        ),
        (
            "each partition has its own",
            events(
                "HASH",
                "CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0);
                 CREATE INDEX ON events_0 (tenant_id);",
            ),
            &[],
        ),
        (
            "each partition is one tenant's",
            events(
                "LIST",
                "CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('aaaaaaaa-0000-0000-0000-000000000000');",
            ),
            &[],
        ),
        (
            "the only one of the tenant's is of no other use",
            format!(
                "{}ALTER TABLE prices DROP CONSTRAINT prices_pkey, ADD PRIMARY KEY (id);
                 CREATE INDEX ON prices (tenant_id, cents, price);",
                table("prices", "cents bigint, price numeric,")
            ),
            &["PERF_LEAKY_OP index public.prices_tenant_id_cents_price_idx"],
        ),
    ];
    expect(&cases).await;
}
