//! Roads to others' rows that are not the table itself.

use partywall_audit::{Outcome, ProveOptions};

use crate::{
    database::Database,
    fault::{options, read},
    prove::{lines, proof},
    prove_safely::cell,
};

const CONTEXT: &str = "NULLIF(current_setting('app.tenant_id', true), '')::uuid";

/// What is made, and which attack on the invoices reaches them by it.
fn roads() -> Vec<(&'static str, &'static str, String)> {
    let todo = |trigger: &str| {
        format!(
            "CREATE TABLE todo (tenant_id uuid NOT NULL REFERENCES tenants, id int, said text, PRIMARY KEY (tenant_id, id));
             INSERT INTO todo SELECT id, 1 FROM tenants;
             ALTER TABLE todo ENABLE ROW LEVEL SECURITY; ALTER TABLE todo FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON todo USING (tenant_id = {CONTEXT}); GRANT SELECT, INSERT, UPDATE, DELETE ON todo TO {{app}};
             CREATE FUNCTION inner_z() RETURNS void LANGUAGE sql AS $$ UPDATE public.invoices SET status = 'z' $$;
             CREATE FUNCTION z() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
               AS $$ BEGIN UPDATE public.invoices SET status = 'z'; RETURN coalesce(NEW, OLD); END $$;
             CREATE FUNCTION far_z() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
               AS $$ BEGIN PERFORM public.inner_z(); RETURN coalesce(NEW, OLD); END $$; {trigger}"
        )
    };
    let filtered = format!(
        "CREATE VIEW v WITH (security_barrier) AS SELECT * FROM invoices WHERE tenant_id = {CONTEXT};"
    );
    vec![
        ("public.todo", "side-effect", todo("CREATE TRIGGER z AFTER DELETE ON todo FOR EACH ROW EXECUTE FUNCTION z();")),
        ("public.todo", "side-effect", todo("CREATE TRIGGER z AFTER UPDATE ON todo EXECUTE FUNCTION z();")),
        ("public.todo", "side-effect", todo("CREATE RULE z AS ON UPDATE TO todo DO ALSO UPDATE invoices SET status = 'z';")),
        ("public.todo", "side-effect", todo("CREATE TRIGGER z AFTER INSERT ON todo FOR EACH ROW EXECUTE FUNCTION far_z();")),
        ("public.invoices", "side-effect",
         "CREATE VIEW v AS SELECT ''::text AS note; GRANT INSERT ON v TO {app};
          CREATE RULE r AS ON INSERT TO v DO INSTEAD UPDATE invoices SET note = NEW.note;".to_owned()),
        ("public.invoices", "side-effect",
         "CREATE TABLE pings (id int PRIMARY KEY, said text); GRANT INSERT ON pings TO {app};
          CREATE FUNCTION z() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
            AS $$ BEGIN UPDATE public.invoices SET status = 'z'; RETURN NEW; END $$;
          CREATE TRIGGER z AFTER INSERT ON pings FOR EACH ROW EXECUTE FUNCTION z();".to_owned()),
        ("public.invoices", "view", "CREATE VIEW v AS SELECT * FROM invoices; GRANT DELETE ON v TO {app};".to_owned()),
        ("public.invoices", "view", "CREATE VIEW v AS SELECT * FROM invoices; GRANT UPDATE (note) ON v TO {app};".to_owned()),
        ("public.invoices", "view", filtered.clone() + "GRANT SELECT, INSERT ON v TO {app};"),
        ("public.invoices", "view", filtered.clone() + "GRANT SELECT, UPDATE ON v TO {app};"),
        ("public.invoices", "view", format!(
            "CREATE VIEW v WITH (security_barrier) AS SELECT note FROM invoices WHERE tenant_id = coalesce({CONTEXT}, tenant_id);
             GRANT SELECT ON v TO {{app}};")),
        ("public.invoices", "peek", format!(
            "CREATE VIEW v AS SELECT id, note FROM invoices WHERE tenant_id = {CONTEXT}; GRANT SELECT ON v TO {{app}};")),
        ("public.invoices", "peek",
         "CREATE FUNCTION matches(a text) RETURNS bool LANGUAGE plpgsql LEAKPROOF COST 0.0001
            AS $$ BEGIN RAISE NOTICE 'saw %', a; RETURN false; END $$; GRANT EXECUTE ON FUNCTION matches(text) TO {app};".to_owned()),
        ("public.invoices", "cascade",
         "CREATE TABLE tags (name text PRIMARY KEY); INSERT INTO tags VALUES ('red'), ('blue'); GRANT SELECT, UPDATE ON tags TO {app};
          ALTER TABLE invoices ADD tag text REFERENCES tags ON UPDATE CASCADE;
          UPDATE invoices SET tag = CASE WHEN left(tenant_id::text, 1) = 'a' THEN 'red' ELSE 'blue' END;".to_owned()),
        ("public.invoices", "collide",
         "ALTER TABLE invoices ALTER note SET DEFAULT gen_random_uuid()::text; UPDATE invoices SET note = 'of ' || id;
          CREATE UNIQUE INDEX ON invoices (lower(note)); ALTER TABLE invoices ADD UNIQUE (tenant_id, note);".to_owned()),
        ("public.invoices", "collide",
         "ALTER TABLE invoices ADD mail text; UPDATE invoices SET mail = id::text || '@x';
          ALTER TABLE invoices ADD folded text GENERATED ALWAYS AS (lower(mail)) STORED UNIQUE;".to_owned()),
        ("public.ev", "truncate",
         format!("CREATE TABLE ev (tenant_id uuid NOT NULL REFERENCES tenants, id uuid NOT NULL DEFAULT gen_random_uuid(), PRIMARY KEY (tenant_id, id)) PARTITION BY HASH (tenant_id);
          CREATE TABLE ev0 PARTITION OF ev FOR VALUES WITH (MODULUS 1, REMAINDER 0); ALTER TABLE ev ENABLE ROW LEVEL SECURITY; ALTER TABLE ev FORCE ROW LEVEL SECURITY;
          CREATE POLICY own ON ev USING (tenant_id = {CONTEXT}); GRANT SELECT, INSERT ON ev TO {{app}}; INSERT INTO ev (tenant_id) SELECT id FROM tenants; GRANT TRUNCATE ON ev0 TO {{app}};")),
        ("public.invoices", "view",
         "CREATE MATERIALIZED VIEW m AS SELECT note FROM invoices; CREATE VIEW v AS SELECT * FROM m; GRANT SELECT ON v TO {app};".to_owned()),
        ("public.invoices", "function",
         "CREATE PROCEDURE f(p uuid) LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
            AS $$ BEGIN UPDATE public.invoices SET status = 'z' WHERE id = p; END $$; GRANT EXECUTE ON PROCEDURE f(uuid) TO {app};".to_owned()),
        ("public.invoices", "function",
         "CREATE FUNCTION f(VARIADIC p uuid[]) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
            AS 'SELECT note FROM public.invoices WHERE id = ANY (p)'; GRANT EXECUTE ON FUNCTION f(uuid[]) TO {app};".to_owned()),
        ("public.invoices", "function",
         "CREATE FUNCTION f(p text) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
            AS 'SELECT status FROM public.invoices WHERE id = p::uuid'; GRANT EXECUTE ON FUNCTION f(text) TO {app};".to_owned()),
        ("public.invoices", "function",
         "CREATE FUNCTION g() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT note FROM public.invoices';
          CREATE FUNCTION f() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
            AS 'SELECT * FROM public.g()'; GRANT EXECUTE ON FUNCTION f() TO {app};".to_owned()),
    ]
}

#[tokio::test]
async fn each_road_is_gone() {
    let mut wrong = Vec::new();
    for (table, attack, sql) in roads() {
        let db = Database::with(&(read("base.sql") + &sql)).await;
        let found = proof(&db, &options(&db), &ProveOptions::default()).await;
        let cell = cell(&found, table, attack);
        if !matches!(cell.outcome, Outcome::Breach { .. }) {
            wrong.push(format!("{sql}\n{cell:?}"));
            if std::env::var("SHOW").is_ok() {
                println!("{}", lines(&db, &found));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Views that check what is written through them, and triggers that write their own tenant's rows.
#[tokio::test]
async fn a_closed_road_is_not_taken() {
    let db = Database::with(
        &(read("base.sql")
            + &format!(
                "CREATE VIEW v WITH (security_barrier) AS SELECT * FROM invoices WHERE tenant_id = {CONTEXT}
                   WITH CASCADED CHECK OPTION; GRANT SELECT, INSERT, UPDATE, DELETE ON v TO {{app}};
                 CREATE FUNCTION z() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
                   BEGIN UPDATE public.customers SET email = email WHERE tenant_id = OLD.tenant_id; RETURN OLD; END $$;
                 CREATE TRIGGER z AFTER UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION z();"
            )),
    )
    .await;
    let found = proof(&db, &options(&db), &ProveOptions::default()).await;
    let text = lines(&db, &found);
    for attack in ["view", "side-effect", "update"] {
        let outcome = &cell(&found, "public.invoices", attack).outcome;
        assert_eq!(*outcome, Outcome::Held, "{attack}\n{text}");
    }
}
