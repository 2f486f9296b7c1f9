use super::{database, finds, is_clean, seen};
use partywall_audit::Options;

use crate::{
    database::{Database, versions},
    fault::{options, read, report},
};

#[tokio::test]
async fn who_owns_the_tables() {
    // All of them, some forced and some not: one finding.
    finds(
        "ALTER TABLE invoices OWNER TO {app}; ALTER TABLE customers OWNER TO {app}; ALTER TABLE tenants OWNER TO {app};
         ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY;",
        &[("OWNER_NOT_FORCED", "role {app}")],
    )
    .await;
    // Without row-level security there is more to do than to own less.
    finds(
        "ALTER TABLE invoices OWNER TO {app}; ALTER TABLE invoices DISABLE ROW LEVEL SECURITY; DROP POLICY own ON invoices;",
        &[("OWNER_DDL", "role {app}"), ("RLS_OFF", "public.invoices")],
    )
    .await;
    // Partitions and sequences go along.
    finds(
        "CREATE TABLE events (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid, at date, PRIMARY KEY (tenant_id, id, at)) PARTITION BY RANGE (at);
         CREATE TABLE events_1 PARTITION OF events DEFAULT;
         ALTER TABLE events ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON events USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
         ALTER TABLE events OWNER TO {app}; ALTER TABLE events_1 OWNER TO {app};",
        &[("OWNER_NOT_FORCED", "role {app}")],
    )
    .await;
}

#[tokio::test]
async fn after_the_owner_changed_the_application_works() {
    let db = database("ALTER TABLE invoices OWNER TO {app}; ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY; ALTER TABLE customers OWNER TO {app};").await;
    assert_eq!(seen(&db, "invoices").await, (2, 2));
    let found = report(&db, &options(&db)).await;
    // The owner that is there already.
    assert!(
        found.findings[0]
            .fix
            .contains(&db.fill("OWNER TO {owner};")),
        "{found:#?}"
    );
    db.run(&found.findings[0].fix).await;
    assert_eq!(seen(&db, "invoices").await, (1, 0));
    let app = db.login("app").await;
    app.batch_execute(
        "SET app.tenant_id = 'aaaaaaaa-0000-0000-0000-000000000000';
         INSERT INTO customers (tenant_id, email) VALUES ('aaaaaaaa-0000-0000-0000-000000000000', 'new@acme.test');
         INSERT INTO invoices (tenant_id, customer_id, number) SELECT tenant_id, id, 9 FROM customers WHERE email = 'new@acme.test';",
    )
    .await
    .unwrap();
}

/// Everything is the application's, as it is where nobody thought of roles.
#[tokio::test]
async fn an_owner_is_made_where_there_is_none() {
    let db = Database::with(
        "CREATE ROLE {app} LOGIN PASSWORD 'secret';
         CREATE ROLE \"{app} o'wner_owner\" LOGIN;
         CREATE SCHEMA shop AUTHORIZATION {app}; SET ROLE {app};
         CREATE TABLE shop.tenants (id uuid PRIMARY KEY);
         CREATE TABLE shop.orders (tenant_id uuid NOT NULL REFERENCES shop.tenants (id), number bigserial, PRIMARY KEY (tenant_id, number));
         CREATE TABLE shop.lines (tenant_id uuid NOT NULL, number bigint NOT NULL, at int, PRIMARY KEY (tenant_id, number, at),
           FOREIGN KEY (tenant_id, number) REFERENCES shop.orders (tenant_id, number));
         RESET ROLE; REVOKE ALL ON SCHEMA public FROM PUBLIC;
         INSERT INTO shop.tenants VALUES ('aaaaaaaa-0000-0000-0000-000000000000');",
    )
    .await;
    let before = report(&db, &options(&db)).await;
    let ids: Vec<&str> = before.findings.iter().map(|it| it.id.id()).collect();
    assert!(
        ids.contains(&"RLS_OFF") && ids.contains(&"OWNER_DDL") && ids.contains(&"SCHEMA_CREATE"),
        "{ids:?}"
    );
    for finding in &before.findings {
        db.run(&finding.fix).await;
    }
    // What only shows behind a wall: one sequence for all.
    for finding in &report(&db, &options(&db)).await.findings {
        assert_eq!(finding.id.id(), "SEQ_SHARED");
        db.run(&finding.fix).await;
    }
    let after = report(&db, &options(&db)).await;
    assert!(after.is_clean(), "{after:#?}");
    let app = db.login("app").await;
    app.batch_execute(
        "SET app.tenant_id = 'aaaaaaaa-0000-0000-0000-000000000000';
         WITH it AS (INSERT INTO shop.orders (tenant_id) VALUES ('aaaaaaaa-0000-0000-0000-000000000000') RETURNING *)
         SELECT * FROM it;
         INSERT INTO shop.lines SELECT tenant_id, number, 1 FROM shop.orders;
         DELETE FROM shop.lines",
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn members_of_the_owner() {
    // In two steps, forced: it takes DDL.
    finds(
        "CREATE ROLE {migrator}; GRANT {owner} TO {migrator}; GRANT {migrator} TO {app};",
        &[("OWNER_DDL", "role {app} as a member of {owner}")],
    )
    .await;
    // Without inheriting: the same, whether forced or not.
    finds(
        "ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY; ALTER ROLE {app} NOINHERIT; GRANT {owner} TO {app};",
        &[("OWNER_DDL", "role {app} as a member of {owner}")],
    )
    .await;
}

/// Who lived by the membership alone gets rights of its own.
#[tokio::test]
async fn leaving_the_owner_leaves_the_rights() {
    let db = database(
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {app}; REVOKE ALL ON SCHEMA public FROM {app};
         GRANT {owner} TO {app}; ALTER TABLE customers NO FORCE ROW LEVEL SECURITY;",
    )
    .await;
    assert_eq!(seen(&db, "customers").await, (2, 2));
    let found = report(&db, &options(&db)).await;
    assert_eq!(found.findings.len(), 1, "{found:#?}");
    db.run(&found.findings[0].fix).await;
    assert!(report(&db, &options(&db)).await.is_clean());
    assert_eq!(seen(&db, "customers").await, (1, 0));
    assert_eq!(seen(&db, "countries").await, (2, 2));
}

#[tokio::test]
async fn one_cause_is_named_once() {
    // With everything that the superuser, or the owner, has besides.
    finds(
        "ALTER ROLE {app} SUPERUSER REPLICATION CREATEROLE BYPASSRLS; GRANT {owner} TO {app}; GRANT pg_monitor TO {owner};
         ALTER ROLE {app} NOREPLICATION NOCREATEROLE; REVOKE {owner} FROM {app}",
        &[("ROLE_SUPERUSER", "role {app}")],
    )
    .await;
    finds(
        "CREATE ROLE {support} BYPASSRLS REPLICATION CREATEROLE; GRANT {support} TO {app}; GRANT pg_monitor TO {support};
         GRANT TRUNCATE ON invoices TO {support}; GRANT CREATE ON SCHEMA public TO {support};",
        &[("ROLE_SETROLE_BYPASS", "role {app}")],
    )
    .await;
    // The owner may create in its schema: no second fault of the member.
    finds(
        "GRANT TRUNCATE, TRIGGER ON invoices TO {owner}; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {owner}; GRANT {owner} TO {app}",
        &[("OWNER_DDL", "role {app} as a member of {owner}")],
    )
    .await;
}

#[tokio::test]
async fn the_superuser_itself() {
    let db = database("").await;
    let mut options = options(&db);
    options.app_roles = vec!["postgres".to_owned()];
    let superuser = db.superuser().await;
    let name: String = superuser
        .query_one("SELECT rolname::text FROM pg_roles WHERE oid = 10", &[])
        .await
        .unwrap()
        .get(0);
    options.app_roles = vec![name];
    let found = report(&db, &options).await;
    assert_eq!(found.findings.len(), 1, "{found:#?}");
    let fix = &found.findings[0].fix;
    assert!(fix.contains("CREATE ROLE tenant_app"), "{fix}");
    superuser
        .batch_execute(&format!("BEGIN; {fix}; ROLLBACK"))
        .await
        .unwrap();
}

#[tokio::test]
async fn ways_to_a_role_that_bypasses() {
    // The group gives the rights: it stays, and leaves the other.
    finds(
        "CREATE ROLE {apps}; CREATE ROLE {support} BYPASSRLS; GRANT {support} TO {apps}; GRANT {apps} TO {app};
         REVOKE ALL ON invoices, customers FROM {app}; GRANT SELECT, INSERT, UPDATE, DELETE ON invoices, customers TO {apps};",
        &[("ROLE_SETROLE_BYPASS", "role {app}")],
    )
    .await;
    // Two ways, and a superuser.
    finds(
        "CREATE ROLE {a}; CREATE ROLE {b}; CREATE ROLE {root} SUPERUSER; GRANT {root} TO {a}, {b}; GRANT {a}, {b} TO {app};",
        &[("ROLE_SETROLE_BYPASS", "role {app}")],
    )
    .await;
}

/// Before PostgreSQL 16 the attribute is a way to every role but superusers; since then it takes ADMIN.
#[tokio::test]
async fn createrole() {
    for major in versions() {
        let db = Database::empty_on(Some(major)).await;
        db.run(&read("base.sql")).await;
        db.run("ALTER ROLE {app} CREATEROLE").await;
        let found = report(&db, &options(&db)).await;
        let ids: Vec<&str> = found.findings.iter().map(|it| it.id.id()).collect();
        if major < 16 {
            assert_eq!(ids, ["ROLE_SETROLE_BYPASS"], "{major}: {found:#?}");
            db.run(&found.findings[0].fix).await;
            assert!(report(&db, &options(&db)).await.is_clean());
        } else {
            assert!(found.is_clean(), "{major}: {found:#?}");
        }
    }
}

/// What a membership gives is its own from PostgreSQL 16 on.
#[tokio::test]
async fn options_of_memberships() {
    for major in versions().into_iter().filter(|major| *major >= 16) {
        let find = async |sql: &str| {
            let db = Database::empty_on(Some(major)).await;
            db.run(&read("base.sql")).await;
            db.run(sql).await;
            let found = report(&db, &options(&db)).await;
            for finding in &found.findings {
                db.run(&finding.fix).await;
            }
            let mended = report(&db, &options(&db)).await;
            assert!(
                mended.is_clean(),
                "PostgreSQL {major}: {sql}: {found:#?} {mended:#?}"
            );
            let ids: Vec<&str> = found.findings.iter().map(|it| it.id.id()).collect();
            ids.join(" ")
        };
        let support = "CREATE ROLE {support} BYPASSRLS;";
        // It cannot become the other, whose attribute it does not inherit.
        let inherits =
            format!("{support} GRANT {{support}} TO {{app}} WITH SET FALSE, INHERIT TRUE");
        assert_eq!(find(&inherits).await, "");
        let sets = format!("{support} GRANT {{support}} TO {{app}} WITH SET TRUE, INHERIT FALSE");
        assert_eq!(find(&sets).await, "ROLE_SETROLE_BYPASS");
        // It can give itself the rest.
        let admin = format!(
            "{support} GRANT {{support}} TO {{app}} WITH ADMIN TRUE, SET FALSE, INHERIT FALSE"
        );
        assert_eq!(find(&admin).await, "ROLE_SETROLE_BYPASS");
        // Granted by somebody else, in whose name it is taken back; and granted on.
        let other = format!(
            "{support} CREATE ROLE {{boss}}; CREATE ROLE {{next}}; GRANT {{support}} TO {{boss}} WITH ADMIN TRUE;
             SET ROLE {{boss}}; GRANT {{support}} TO {{app}} WITH ADMIN TRUE; SET ROLE {{app}}; GRANT {{support}} TO {{next}}; RESET ROLE;"
        );
        assert_eq!(find(&other).await, "ROLE_SETROLE_BYPASS");
        let owner = "ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY; GRANT {owner} TO {app}";
        assert_eq!(
            find(&format!("{owner} WITH INHERIT FALSE, SET FALSE")).await,
            ""
        );
        assert_eq!(
            find(&format!("{owner} WITH INHERIT TRUE, SET FALSE")).await,
            "OWNER_MEMBER"
        );
        assert_eq!(
            find(&format!("{owner} WITH INHERIT FALSE, SET TRUE")).await,
            "OWNER_DDL"
        );
    }
}

#[tokio::test]
async fn policies_of_other_roles() {
    // By SET ROLE.
    finds(
        "CREATE ROLE {reporting}; CREATE POLICY reports ON invoices FOR SELECT TO {reporting} USING (true);
         GRANT SELECT ON invoices TO {reporting}; GRANT USAGE ON SCHEMA public TO {reporting};
         ALTER ROLE {app} NOINHERIT; GRANT {reporting} TO {app};",
        &[("POLICY_ROLE_INHERITED", "role {app} as a member of {reporting}")],
    )
    .await;
    // The group that the application's own policies are for.
    is_clean(
        "CREATE ROLE {apps}; GRANT {apps} TO {app}; ALTER POLICY own ON invoices TO {apps};
         ALTER POLICY own ON customers TO {apps}; ALTER POLICY own ON tenants TO {apps};",
    )
    .await;
    // Two tables, two steps.
    finds(
        "CREATE ROLE {staff}; CREATE ROLE {reporting}; GRANT {reporting} TO {staff}; GRANT {staff} TO {app};
         CREATE POLICY reports ON invoices FOR SELECT TO {reporting} USING (true);
         CREATE POLICY reports ON customers FOR SELECT TO {reporting} USING (true);",
        &[("POLICY_ROLE_INHERITED", "role {app} as a member of {reporting}")],
    )
    .await;
}

#[tokio::test]
async fn replication_of_another() {
    finds(
        "CREATE ROLE {replica} REPLICATION; GRANT {replica} TO {app};",
        &[("ROLE_REPLICATION", "role {app}")],
    )
    .await;
}

#[tokio::test]
async fn roles_of_postgresql() {
    finds(
        "GRANT pg_execute_server_program, pg_write_server_files TO {app}; CREATE ROLE {g}; GRANT {g} TO {app}; GRANT pg_read_all_stats TO {g};",
        &[("ROLE_SERVER_ACCESS", "role {app}"), ("PREDEFINED_READ", "role {app}")],
    )
    .await;
    // Of PostgreSQL 14 and newer, on a table that was not granted.
    finds(
        "CREATE TABLE payments (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid, PRIMARY KEY (tenant_id, id));
         GRANT pg_read_all_data TO {app};",
        &[("PREDEFINED_READ", "role {app}")],
    )
    .await;
}

#[tokio::test]
async fn functions_that_read_files() {
    finds(
        "GRANT EXECUTE ON FUNCTION pg_read_file(text), pg_read_binary_file(text) TO {app};
         CREATE ROLE {g}; GRANT {g} TO {app}; GRANT EXECUTE ON FUNCTION lo_import(text) TO {g};
         CREATE ROLE {other}; GRANT EXECUTE ON FUNCTION lo_export(oid, text) TO {other};",
        &[("ROLE_SERVER_ACCESS", "role {app}")],
    )
    .await;
    is_clean(
        "CREATE ROLE {other}; GRANT EXECUTE ON FUNCTION lo_export(oid, text) TO {other}; GRANT {app} TO {other}",
    )
    .await;
}

/// Where everything is the superuser's and the application's login is it, there is everything to be done.
#[tokio::test]
async fn a_database_that_knows_no_roles() {
    let db = Database::with(
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;
         CREATE TABLE tenants (id uuid PRIMARY KEY);
         CREATE TABLE orders (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid, PRIMARY KEY (tenant_id, id));
         CREATE TABLE lines (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, order_id uuid,
           FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id));
         CREATE INDEX ON lines (tenant_id);",
    )
    .await;
    let nothing_given = Options::default();
    let found = report(&db, &nothing_given).await;
    let ids: Vec<(&str, &str)> = found
        .findings
        .iter()
        .map(|it| (it.id.id(), it.object.as_str()))
        .filter(|(id, _)| !id.starts_with("PERF"))
        .collect();
    assert_eq!(
        ids,
        [
            ("RLS_OFF", "public.lines"),
            ("RLS_OFF", "public.orders"),
            ("ROLE_SUPERUSER", "role postgres"),
        ],
        "{found:#?}"
    );
    for finding in &found.findings {
        db.run(&finding.fix).await;
    }
    let mended = report(&db, &nothing_given).await;
    assert!(mended.is_clean(), "{mended:#?}");
    assert_eq!(mended.inferred.app_roles[0].value, "tenant_app");
    db.run("DROP OWNED BY tenant_app; DROP ROLE tenant_app")
        .await;
}

/// Names can be anything.
#[tokio::test]
async fn hostile_names() {
    let db = database("").await;
    let odd = format!("x$partywall$'; DROP TABLE invoices; --\"{}", db.role("app"));
    let quoted = odd.replace('"', "\"\"");
    db.run(&format!(
        "CREATE ROLE \"{quoted}\" LOGIN; GRANT USAGE ON SCHEMA public TO \"{quoted}\";
         ALTER TABLE invoices OWNER TO \"{quoted}\"; GRANT \"{quoted}\" TO {{app}}; REVOKE \"{quoted}\" FROM {{app}};
         GRANT TRUNCATE ON customers TO \"{quoted}\"; GRANT pg_monitor TO \"{quoted}\";
         ALTER TABLE customers OWNER TO postgres; ALTER TABLE tenants OWNER TO postgres; ALTER TABLE countries OWNER TO postgres;
         REVOKE ALL ON SCHEMA public FROM {{owner}};"
    ).replace("OWNER TO postgres", "OWNER TO CURRENT_USER"))
    .await;
    let mut options = options(&db);
    options.app_roles = vec![odd];
    let found = report(&db, &options).await;
    let ids: Vec<&str> = found.findings.iter().map(|it| it.id.id()).collect();
    assert_eq!(
        ids,
        ["OWNER_DDL", "PRIV_TRUNCATE", "PREDEFINED_READ"],
        "{found:#?}"
    );
    let admin = db.superuser().await;
    for finding in &found.findings {
        admin.batch_execute(&finding.fix).await.unwrap();
    }
    let mended = report(&db, &options).await;
    assert!(mended.is_clean(), "{mended:#?}");
}

/// A group that carries the policies is not left: what it should not be is taken from it.
#[tokio::test]
async fn the_group_that_the_policies_are_for() {
    let group = "CREATE ROLE {rw} NOLOGIN; GRANT {rw} TO {app}; GRANT USAGE ON SCHEMA public TO {rw};
        REVOKE ALL ON tenants, customers, invoices FROM {app}; REVOKE ALL ON SCHEMA public FROM {app};
        GRANT SELECT ON tenants, countries TO {rw}; GRANT SELECT, INSERT, UPDATE, DELETE ON customers, invoices TO {rw};
        ALTER POLICY own ON tenants TO {rw}; ALTER POLICY own ON customers TO {rw}; ALTER POLICY own ON invoices TO {rw};";
    for (attribute, id, object) in [
        ("BYPASSRLS", "ROLE_SETROLE_BYPASS", "role {app}"),
        ("SUPERUSER", "ROLE_SETROLE_BYPASS", "role {app}"),
        ("REPLICATION", "ROLE_REPLICATION", "role {app}"),
    ] {
        let sql = format!("{group} ALTER ROLE {{rw}} {attribute};");
        finds(&sql, &[(id, object)]).await;
        let db = database(&sql).await;
        for finding in &report(&db, &options(&db)).await.findings {
            db.run(&finding.fix).await;
        }
        assert_eq!(seen(&db, "invoices").await, (1, 0), "{attribute}");
    }
}

/// `RESET ROLE` leads back to the login that becomes the application's role: what it may, any statement may.
#[tokio::test]
async fn the_login_behind_set_role() {
    let login =
        "ALTER ROLE {app} NOLOGIN; CREATE ROLE {auth} LOGIN NOINHERIT; GRANT {app} TO {auth};";
    for (more, expected) in [
        (
            "GRANT {owner} TO {auth};",
            ("OWNER_DDL", "role {auth} as a member of {owner}"),
        ),
        (
            "ALTER ROLE {auth} REPLICATION;",
            ("ROLE_REPLICATION", "role {auth}"),
        ),
        (
            "GRANT pg_write_server_files TO {auth};",
            ("ROLE_SERVER_ACCESS", "role {auth}"),
        ),
        (
            "GRANT pg_write_all_data TO {auth};",
            ("PREDEFINED_READ", "role {auth}"),
        ),
    ] {
        finds(&format!("{login} {more}"), &[expected]).await;
    }
    // As Supabase does; of the role itself, which says it once; and administrators who may try the role out.
    is_clean(&format!(
        "{login} CREATE ROLE {{service}} NOLOGIN BYPASSRLS; GRANT {{service}} TO {{auth}};"
    ))
    .await;
    finds(
        &format!("{login} GRANT pg_read_server_files TO {{app}};"),
        &[("ROLE_SERVER_ACCESS", "role {app}")],
    )
    .await;
    is_clean(
        "ALTER ROLE {app} NOLOGIN; CREATE ROLE {admin} LOGIN; GRANT {app} TO {admin} WITH ADMIN OPTION; GRANT {owner}, pg_monitor TO {admin};",
    )
    .await;
}

/// Who owns the database is a member of its owner, whatever is revoked.
#[tokio::test]
async fn the_owner_of_the_database() {
    finds(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), '{app}'); END $$;
         ALTER TABLE invoices OWNER TO pg_database_owner; ALTER SCHEMA public OWNER TO {owner}; GRANT USAGE ON SCHEMA public TO {app};",
        &[("OWNER_DDL", "role {app} as a member of pg_database_owner")],
    )
    .await;
}
