use super::{finds, is_clean};

#[tokio::test]
async fn rights_by_whom_they_were_granted() {
    // To everybody, to a group and to itself: each is taken away where it is.
    finds(
        "CREATE ROLE {g}; GRANT {g} TO {app}; GRANT TRUNCATE ON customers TO PUBLIC; GRANT TRUNCATE ON invoices TO {g};
         GRANT TRUNCATE ON invoices, customers TO {app};",
        &[
            ("PRIV_TRUNCATE", "PUBLIC"),
            ("PRIV_TRUNCATE", "role {app}"),
            ("PRIV_TRUNCATE", "role {g}"),
        ],
    )
    .await;
    finds(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {app};",
        &[
            ("PRIV_TRUNCATE", "role {app}"),
            ("PRIV_TRIGGER", "role {app}"),
        ],
    )
    .await;
    // Without the schema it is out of reach.
    is_clean(
        "CREATE SCHEMA hidden AUTHORIZATION {owner}; GRANT TRUNCATE ON invoices TO {app}; ALTER TABLE invoices SET SCHEMA hidden;",
    )
    .await;
}

#[tokio::test]
async fn rights_of_the_next_table() {
    finds(
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO PUBLIC;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {app};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT UPDATE ON TABLES TO {app};",
        &[("DEFAULT_PRIVS", "PUBLIC"), ("DEFAULT_PRIVS", "role {app}")],
    )
    .await;
    // What takes rights away, and what the maker has of its own tables.
    is_clean(
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE TRUNCATE ON TABLES FROM {owner};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT REFERENCES ON TABLES TO {app};",
    )
    .await;
}

/// What protects every table as it is made, so that none is ever open.
#[tokio::test]
async fn tables_that_are_protected_when_they_are_made() {
    let grant = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT ON TABLES TO {app};";
    let trigger = |what: &str| {
        format!(
            "{grant} CREATE SCHEMA ddl;
             CREATE FUNCTION ddl.protect() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $f$
               DECLARE it record;
               BEGIN
                 FOR it IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE command_tag = 'CREATE TABLE' LOOP
                   EXECUTE format('ALTER TABLE %s {what}', it.object_identity);
                 END LOOP;
               END $f$;
             CREATE EVENT TRIGGER protect ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION ddl.protect();"
        )
    };
    is_clean(&trigger("ENABLE ROW LEVEL SECURITY")).await;
    finds(
        &trigger("SET (fillfactor = 90)"),
        &[("DEFAULT_PRIVS", "role {app}")],
    )
    .await;
    finds(
        &format!(
            "{} ALTER EVENT TRIGGER protect DISABLE",
            trigger("ENABLE ROW LEVEL SECURITY")
        ),
        &[("DEFAULT_PRIVS", "role {app}")],
    )
    .await;
}

#[tokio::test]
async fn making_things_in_schemas() {
    finds(
        "CREATE SCHEMA reports; CREATE SCHEMA \"Odd\"; GRANT CREATE ON SCHEMA reports, \"Odd\" TO {app};",
        &[("SCHEMA_CREATE", "role {app}")],
    )
    .await;
    // As its owner, and as the owner of the database.
    finds(
        "CREATE SCHEMA reports AUTHORIZATION {app}",
        &[("SCHEMA_CREATE", "role {app} as owner")],
    )
    .await;
}

#[tokio::test]
async fn the_owner_of_the_database_owns_public() {
    let db = super::database("GRANT ALL ON SCHEMA public TO pg_database_owner; ALTER SCHEMA public OWNER TO pg_database_owner;").await;
    let database: String = db
        .superuser()
        .await
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    db.run(&format!("ALTER DATABASE {database} OWNER TO {{app}}"))
        .await;
    let found = crate::fault::report(&db, &crate::fault::options(&db)).await;
    assert_eq!(found.findings.len(), 1, "{found:#?}");
    assert_eq!(found.findings[0].id.id(), "SCHEMA_CREATE");
    db.run(&found.findings[0].fix).await;
    assert!(
        crate::fault::report(&db, &crate::fault::options(&db))
            .await
            .is_clean()
    );
}

/// A trigger's function on invoices with this body.
fn notifies(body: &str) -> String {
    format!(
        "SET ROLE {{owner}};
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ {body} $f$;
         CREATE TRIGGER t AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION f();
         RESET ROLE;"
    )
}

#[tokio::test]
async fn what_notifications_carry() {
    for body in [
        "BEGIN PERFORM pg_notify('c', to_jsonb(NEW)::text); RETURN NEW; END",
        "BEGIN PERFORM pg_catalog.pg_notify('c', NEW.note); RETURN NEW; END",
        "BEGIN PERFORM pg_notify('c', NEW::text); RETURN NEW; END",
        "BEGIN PERFORM pg_notify('c_' || NEW.tenant_id, concat_ws(',', NEW.id, OLD.status)); RETURN NEW; END",
        "DECLARE r record; BEGIN r := NEW; PERFORM pg_notify('c', r.note); RETURN NEW; END",
        "DECLARE p text := row_to_json(NEW)::text; BEGIN PERFORM pg_notify('c', p); RETURN NEW; END",
        "DECLARE p jsonb; q text; BEGIN p = to_jsonb(NEW); q := p::text; PERFORM pg_notify('c', q); RETURN NEW; END",
        "DECLARE p json; BEGIN SELECT row_to_json(x) INTO p FROM (SELECT NEW.id, NEW.note) x; PERFORM pg_notify('c', p::text); RETURN NEW; END",
        "DECLARE p text; BEGIN IF TG_OP = 'INSERT' THEN p := NEW.note; ELSE p := 'x'; END IF; PERFORM pg_notify('c', p); RETURN NEW; END",
        "DECLARE p text; BEGIN p := CASE WHEN TG_OP = 'INSERT' THEN row_to_json(NEW)::text ELSE '' END; PERFORM pg_notify('c', p); RETURN NEW; END",
        "DECLARE p text; BEGIN SELECT status INTO STRICT p FROM invoices i WHERE i.id = NEW.id; PERFORM pg_notify('c', p); RETURN NEW; END",
        "DECLARE p text; BEGIN SELECT json_agg(i.*) INTO p FROM public.invoices AS i WHERE i.id = NEW.id; PERFORM pg_notify('c', p); RETURN NEW; END",
        "BEGIN EXECUTE format('NOTIFY c, %L', row_to_json(NEW)); RETURN NEW; END",
        "BEGIN PERFORM pg_notify('c', (to_jsonb(NEW) - 'note')::text); RETURN NEW; END",
        "BEGIN PERFORM pg_notify('c', to_jsonb(NEW) ->> 'note'); RETURN NEW; END",
    ] {
        finds(
            &notifies(body),
            &[("NOTIFY_PAYLOAD", "function public.f()")],
        )
        .await;
    }
}

#[tokio::test]
async fn keys_are_no_secret() {
    for body in [
        "BEGIN PERFORM pg_notify('c', NEW.id::text); RETURN NEW; END",
        "BEGIN /* row_to_json(NEW) */ NOTIFY c, 'row_to_json(NEW)'; RETURN NEW; END",
        "BEGIN PERFORM pg_notify('c', json_build_object('op', TG_OP, 'table', TG_TABLE_NAME, 'id', COALESCE(NEW.id, OLD.id))::text); RETURN COALESCE(NEW, OLD); END",
        "BEGIN PERFORM pg_notify('c', to_jsonb(NEW) ->> 'id'); RETURN NEW; END",
        "DECLARE r invoices; BEGIN r := NEW; PERFORM pg_notify('c', r.customer_id::text); RETURN NEW; END",
        "DECLARE n int; BEGIN SELECT count(*) INTO n FROM invoices WHERE status = NEW.status; PERFORM pg_notify('c', n::text); RETURN NEW; END",
        "DECLARE p text; BEGIN SELECT i.id INTO p FROM invoices i WHERE i.note = NEW.note; PERFORM pg_notify('c', p); RETURN NEW; END",
        "BEGIN IF NEW.status IS DISTINCT FROM OLD.status THEN PERFORM pg_notify('c', NEW.id::text); END IF; NEW.note := row_to_json(NEW)::text; RETURN NEW; END",
        "DECLARE p jsonb := to_jsonb(NEW); BEGIN PERFORM pg_notify('c', p ->> 'id'); RETURN NEW; END",
    ] {
        is_clean(&notifies(body)).await;
    }
}

#[tokio::test]
async fn notifications_in_other_ways() {
    // By a function between, for a statement's rows, and switched off.
    finds(
        "SET ROLE {owner};
         CREATE FUNCTION tell(what jsonb) RETURNS void LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_notify('c', what::text); END $f$;
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM tell(to_jsonb(NEW)); RETURN NEW; END $f$;
         CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $f$
           DECLARE it record; BEGIN FOR it IN SELECT * FROM added LOOP PERFORM pg_notify('c', it.email); END LOOP; RETURN NULL; END $f$;
         CREATE FUNCTION h() RETURNS trigger LANGUAGE plpgsql AS $f$
           BEGIN PERFORM pg_notify('c', (SELECT json_agg(a)::text FROM added a)); RETURN NULL; END $f$;
         CREATE FUNCTION k() RETURNS trigger LANGUAGE plpgsql AS $f$
           BEGIN PERFORM pg_notify('c', (SELECT string_agg(a.id::text, ',') FROM added a)); RETURN NULL; END $f$;
         CREATE TRIGGER f AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION f();
         CREATE TRIGGER g AFTER INSERT ON customers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION g();
         CREATE TRIGGER h AFTER INSERT ON customers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION h();
         CREATE TRIGGER k AFTER INSERT ON customers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION k();
         RESET ROLE;",
        &[
            ("NOTIFY_PAYLOAD", "function public.f()"),
            ("NOTIFY_PAYLOAD", "function public.g()"),
            ("NOTIFY_PAYLOAD", "function public.h()"),
        ],
    )
    .await;
    let off = notifies("BEGIN PERFORM pg_notify('c', NEW.note); RETURN NEW; END");
    is_clean(&format!("{off} ALTER TABLE invoices DISABLE TRIGGER t")).await;
    is_clean(
        &off.replace("ON invoices", "ON countries")
            .replace("NEW.note", "NEW.name"),
    )
    .await;
}

/// A trigger of a partitioned table, which its partitions have copies of.
#[tokio::test]
async fn notifications_of_partitions() {
    finds(
        "SET ROLE {owner};
         CREATE TABLE events (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid, at date, what text, PRIMARY KEY (tenant_id, id, at)) PARTITION BY RANGE (at);
         CREATE TABLE events_1 PARTITION OF events DEFAULT;
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_notify('c', NEW.what); RETURN NEW; END $f$;
         CREATE TRIGGER t AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION f(); RESET ROLE;",
        &[("NOTIFY_PAYLOAD", "function public.f()")],
    )
    .await;
}

/// A stand-in for the table of `pg_cron`, with one job.
fn job(command: &str) -> String {
    format!(
        "CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigint, command text, username text DEFAULT current_user);
         CREATE FUNCTION nightly() RETURNS void LANGUAGE sql AS 'SELECT';
         CREATE VIEW all_invoices AS SELECT id FROM invoices; ALTER VIEW all_invoices OWNER TO {{owner}};
         INSERT INTO cron.job VALUES (7, $job${command}$job$);"
    )
}

#[tokio::test]
async fn what_jobs_touch() {
    for command in [
        "DELETE FROM invoices",
        "WITH x AS (SELECT * FROM public.customers) INSERT INTO countries SELECT * FROM x",
        "SELECT nightly()",
        "SELECT not_there(1)",
        "INSERT INTO countries (code, name) SELECT id::text, note FROM invoices",
        "CALL public.nightly()",
        "DO $$ BEGIN DELETE FROM nothing; END $$",
        "VACUUM; DELETE FROM \"invoices\" WHERE status = 'x;y'",
        "SELECT count(*) FROM all_invoices",
        "not even ' SQL",
    ] {
        finds(&job(command), &[("EXTENSION_JOBS", "job 7 of pg_cron")]).await;
    }
    for command in [
        "VACUUM (ANALYZE) invoices",
        "ANALYZE",
        "INSERT INTO countries (code, name) VALUES ('x', lower('y')) ON CONFLICT (code) DO NOTHING",
        "SELECT count(*), max(coalesce(name, '')) FROM countries WHERE code IN ('a', 'b')",
        "DELETE FROM countries WHERE name = 'invoices' -- invoices",
        "SELECT now(); REINDEX TABLE invoices",
        "DELETE FROM cron.job_run_details WHERE end_time < now() - interval '7 days'",
    ] {
        is_clean(&job(command)).await;
    }
}
