//! What no rollback undoes is not run, by whichever road a statement gets there.

use partywall_audit::{Outcome, ProveOptions};

use crate::{
    database::Database,
    fault::{options, read},
    prove::{lines, proof},
    prove_safely::{cell, fingerprint, why},
};

/// A trigger's function that takes a number, in a table that has nothing to do with it.
const TAKES: &str = "CREATE SEQUENCE spent; GRANT USAGE ON SEQUENCE spent TO {app};
CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
  AS $$ BEGIN PERFORM nextval('spent'); RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION taken() RETURNS boolean LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = public
  AS $$ SELECT nextval('spent') > 0 $$;";

/// How a sequence is reached, and the cell that says so.
#[rustfmt::skip]
const ROADS: &[(&str, &str, &str, &str)] = &[
    ("a table that a foreign key changes", "public.invoices", "delete",
     "CREATE TABLE notes (tenant_id uuid NOT NULL REFERENCES tenants, invoice uuid, PRIMARY KEY (tenant_id, invoice),
        FOREIGN KEY (tenant_id, invoice) REFERENCES invoices (tenant_id, id) ON DELETE CASCADE);
      INSERT INTO notes SELECT tenant_id, id FROM invoices;
      CREATE TRIGGER d BEFORE DELETE ON notes FOR EACH ROW EXECUTE FUNCTION take();"),
    ("a shared table", "public.invoices", "cascade",
     "CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1);
      ALTER TABLE invoices ADD u int REFERENCES users ON DELETE CASCADE; UPDATE invoices SET u = 1;
      GRANT SELECT, DELETE ON users TO {app};
      CREATE TRIGGER d BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION take();"),
    ("a partition", "public.ev", "update",
     "CREATE TABLE ev (tenant_id uuid NOT NULL REFERENCES tenants, id uuid NOT NULL DEFAULT gen_random_uuid(), n int,
        PRIMARY KEY (tenant_id, id)) PARTITION BY HASH (tenant_id);
      CREATE TABLE ev0 PARTITION OF ev FOR VALUES WITH (MODULUS 1, REMAINDER 0);
      ALTER TABLE ev ENABLE ROW LEVEL SECURITY; ALTER TABLE ev FORCE ROW LEVEL SECURITY;
      CREATE POLICY own ON ev USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, UPDATE, DELETE ON ev TO {app}; INSERT INTO ev (tenant_id) SELECT id FROM tenants;
      CREATE TRIGGER d BEFORE INSERT OR UPDATE OR DELETE ON ev0 FOR EACH ROW EXECUTE FUNCTION take();"),
    ("a function and another table's trigger", "public.invoices", "function",
     "CREATE TABLE lg (x uuid); GRANT INSERT ON lg TO {app};
      CREATE TRIGGER d BEFORE INSERT ON lg FOR EACH ROW EXECUTE FUNCTION take();
      CREATE FUNCTION f(p uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
        AS $$ BEGIN INSERT INTO public.lg VALUES (p); RETURN (SELECT count(*) FROM public.invoices WHERE id = p); END $$;"),
    ("a function and a view over numbers", "public.invoices", "function",
     "CREATE TABLE lg (n bigserial, x uuid); CREATE VIEW vlg AS SELECT x FROM lg;
      CREATE FUNCTION f(p uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
        AS $$ BEGIN INSERT INTO public.vlg VALUES (p); RETURN (SELECT count(*) FROM public.invoices WHERE id = p); END $$;"),
    ("a function and a view that takes one", "public.invoices", "function",
     "CREATE VIEW v AS SELECT nextval('spent') AS k, id FROM invoices;
      CREATE FUNCTION f(p uuid) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
        AS 'SELECT count(*) FROM v WHERE id = p';"),
    ("a view", "public.invoices", "view",
     "CREATE VIEW v AS SELECT nextval('spent') AS k, status FROM invoices; GRANT SELECT ON v TO {app};"),
    ("a domain", "public.invoices", "read",
     "CREATE DOMAIN checked AS text CHECK (taken()); ALTER TABLE invoices ADD c checked;"),
    ("a policy", "public.invoices", "read", "CREATE POLICY more ON invoices FOR SELECT USING (NOT taken());"),
    ("a constraint", "public.invoices", "insert", "ALTER TABLE invoices ADD CHECK (taken());"),
    ("a default that is left to the table", "public.jobs", "insert",
     "CREATE TABLE jobs (tenant_id uuid NOT NULL REFERENCES tenants, id bigserial, name text, PRIMARY KEY (tenant_id, id));
      ALTER TABLE jobs ENABLE ROW LEVEL SECURITY; ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
      CREATE POLICY own ON jobs USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
      INSERT INTO jobs (tenant_id, name) SELECT id, 'a' FROM tenants;
      GRANT SELECT, INSERT (tenant_id, name) ON jobs TO {app}; GRANT USAGE ON SEQUENCE jobs_id_seq TO {app};"),
    ("a statement that is put together", "public.invoices", "update",
     "CREATE TABLE invoices_log (n bigserial, at timestamptz);
      CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
        AS $$ BEGIN EXECUTE format('INSERT INTO %I (at) VALUES (now())', TG_TABLE_NAME || '_log'); RETURN NEW; END $$;
      CREATE TRIGGER audit AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION audit();"),
    ("a statement from elsewhere", "public.invoices", "function",
     "CREATE FUNCTION f(p uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
        DECLARE said text; found bigint; BEGIN
        SELECT status INTO said FROM invoices WHERE id = p; EXECUTE said INTO found; RETURN found; END $$;"),
    ("an operator", "public.invoices", "read",
     "CREATE FUNCTION same(a text, b text) RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('spent') > 0 $$;
      CREATE OPERATOR === (FUNCTION = same, LEFTARG = text, RIGHTARG = text);
      CREATE POLICY more ON invoices FOR SELECT USING (status === 'never');"),
    ("an event trigger", "public.customers", "peek",
     "CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('spent'); END $$;
      CREATE VIEW v AS SELECT * FROM customers WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid;
      GRANT SELECT ON v TO {app}; REVOKE ALL ON customers FROM {app};
      CREATE EVENT TRIGGER ddl ON ddl_command_end EXECUTE FUNCTION ddl();"),
    ("a trigger that fires for replicas too", "public.jobs", "read",
     "CREATE TABLE jobs (tenant_id uuid NOT NULL REFERENCES tenants, id uuid, PRIMARY KEY (tenant_id, id));
      ALTER TABLE jobs ENABLE ROW LEVEL SECURITY; ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
      CREATE POLICY own ON jobs USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT ON jobs TO {app};
      CREATE TRIGGER d BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION take();
      ALTER TABLE jobs ENABLE ALWAYS TRIGGER d;"),
];

#[tokio::test]
async fn what_stays_is_not_run() {
    let mut wrong = Vec::new();
    for (road, table, attack, sql) in ROADS {
        let db = Database::with(&(read("base.sql") + TAKES + sql)).await;
        let before = fingerprint(&db).await;
        let mut how = ProveOptions::default();
        for intrusive in [false, true] {
            how.intrusive = intrusive;
            let found = proof(&db, &options(&db), &how).await;
            let cell = cell(&found, table, attack);
            if !matches!(&cell.outcome, Outcome::NotRun { .. }) {
                wrong.push(format!("{road}: {cell:?}\n{}", lines(&db, &found)));
            } else if std::env::var("SHOW").is_ok() {
                println!("{road}: {}", why(cell));
            }
            if fingerprint(&db).await != before {
                wrong.push(format!("{road}: something stayed\n{}", lines(&db, &found)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What only reads, and what only writes where it is rolled back, is run.
#[tokio::test]
async fn what_is_harmless_is_run() {
    let db = Database::with(
        &(read("base.sql")
            + "CREATE TABLE trail (tenant_id uuid, at timestamptz, said text);
               CREATE FUNCTION trail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
                 BEGIN INSERT INTO trail VALUES (NEW.tenant_id, now(), pg_advisory_xact_lock(1)::text); RETURN NEW; END $$;
               CREATE TRIGGER trail AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION trail();
               CREATE FUNCTION f(p uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
                 DECLARE found bigint; BEGIN
                 EXECUTE 'SELECT count(*) FROM invoices WHERE id = $1' INTO found USING p; RETURN found; END $$;
               GRANT EXECUTE ON FUNCTION f(uuid) TO {app};"),
    )
    .await;
    let before = fingerprint(&db).await;
    let found = proof(&db, &options(&db), &ProveOptions::default()).await;
    let text = lines(&db, &found);
    for attack in ["insert", "update", "move"] {
        let outcome = &cell(&found, "public.invoices", attack).outcome;
        assert_eq!(*outcome, Outcome::Held, "{attack}\n{text}");
    }
    let function = cell(&found, "public.invoices", "function");
    assert!(matches!(function.outcome, Outcome::Breach { .. }), "{text}");
    assert_eq!(fingerprint(&db).await, before);
}
