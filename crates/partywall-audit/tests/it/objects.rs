//! Objects that step around row-level security: where the rules branch.

use crate::{
    database::versions,
    fault::case_on,
    named::{expect, table},
};

const MINE: &str = "NULLIF(current_setting('app.tenant_id', true), '')::uuid";

#[tokio::test]
async fn the_view_to_blame_is_the_nearest_to_the_table() {
    expect(&[
        (
            "a bound owner's view over the superuser's",
            "CREATE VIEW inner_list AS SELECT * FROM invoices;
             GRANT SELECT ON inner_list TO {owner};
             SET ROLE {owner};
             CREATE VIEW outer_list AS SELECT number FROM inner_list;
             GRANT SELECT ON outer_list TO {app};
             RESET ROLE;",
            &["VIEW_DEFINER public.inner_list"],
        ),
        (
            "one that reads as whoever asks, inside of the superuser's",
            "CREATE VIEW inner_list WITH (security_invoker = true) AS SELECT * FROM invoices;
             CREATE VIEW outer_list AS SELECT number FROM inner_list;
             GRANT SELECT ON outer_list, inner_list TO {app};",
            &[],
        ),
        (
            "both are the superuser's and the application's",
            "CREATE VIEW inner_list AS SELECT * FROM invoices;
             CREATE VIEW outer_list AS SELECT number FROM inner_list;
             GRANT SELECT ON outer_list, inner_list TO {app};",
            &["VIEW_DEFINER public.inner_list"],
        ),
        (
            "over a materialized view",
            "CREATE MATERIALIZED VIEW kept AS SELECT * FROM invoices;
             CREATE VIEW list AS SELECT number FROM kept;
             GRANT SELECT ON list TO {app};",
            &["VIEW_DEFINER public.list"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_view_counts_by_what_may_be_done_with_it() {
    expect(&[
        (
            "one column of it",
            "CREATE VIEW list AS SELECT * FROM invoices; GRANT SELECT (number) ON list TO {app};",
            &["VIEW_DEFINER public.list"],
        ),
        (
            "only written",
            "CREATE VIEW list AS SELECT * FROM invoices; GRANT DELETE ON list TO {app};",
            &["VIEW_DEFINER public.list"],
        ),
        (
            "in a schema that is closed",
            "CREATE SCHEMA closed; CREATE VIEW closed.list AS SELECT * FROM invoices; GRANT SELECT ON closed.list TO {app};",
            &[],
        ),
        (
            "by a role that the application can become",
            "CREATE ROLE {reader}; ALTER ROLE {app} NOINHERIT; GRANT {reader} TO {app}; GRANT USAGE ON SCHEMA public TO {reader};
             CREATE VIEW list AS SELECT * FROM invoices; GRANT SELECT ON list TO {reader};",
            &["VIEW_DEFINER public.list"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_view_may_choose_the_rows_itself() {
    let barrier = |query: &str| {
        format!(
            "CREATE VIEW list WITH (security_barrier = true) AS {};
             GRANT SELECT ON list TO {{app}};",
            query.replace("MINE", MINE)
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "through a join",
            barrier("SELECT c.email, i.number FROM invoices i JOIN customers c USING (tenant_id) WHERE i.tenant_id = MINE"),
            &[],
        ),
        (
            "through a join by keys",
            barrier(
                "SELECT c.email, i.number FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE i.tenant_id = MINE",
            ),
            &[],
        ),
        (
            "joined by what is no key",
            barrier("SELECT o.number FROM invoices i JOIN invoices o ON o.status = i.status WHERE i.tenant_id = MINE"),
            &["VIEW_DEFINER public.list"],
        ),
        (
            "an outer join keeps the others",
            barrier("SELECT i.number FROM invoices i LEFT JOIN customers c ON i.tenant_id = MINE AND c.tenant_id = i.tenant_id"),
            &["VIEW_DEFINER public.list"],
        ),
        (
            "OR opens it",
            barrier("SELECT number FROM invoices WHERE tenant_id = MINE OR status = 'published'"),
            &["VIEW_DEFINER public.list"],
        ),
        (
            "one arm of a UNION is open",
            barrier("SELECT number FROM invoices WHERE tenant_id = MINE UNION ALL SELECT number FROM invoices"),
            &["VIEW_DEFINER public.list"],
        ),
        (
            "both arms choose",
            barrier(
                "SELECT number FROM invoices WHERE tenant_id = MINE
                 UNION ALL SELECT length(email) FROM customers WHERE MINE = tenant_id",
            ),
            &[],
        ),
        (
            "a sub-select chooses, a WITH query as well",
            barrier(
                "WITH mine AS (SELECT * FROM invoices WHERE tenant_id = MINE)
                 SELECT m.number, (SELECT count(*) FROM invoices o WHERE o.tenant_id = m.tenant_id)
                 FROM mine m JOIN (SELECT * FROM customers WHERE tenant_id = MINE) c ON c.id = m.customer_id",
            ),
            &[],
        ),
        (
            "another tenant's rows in the list",
            barrier("SELECT number, (SELECT count(*) FROM customers) FROM invoices WHERE tenant_id = MINE"),
            &["VIEW_DEFINER public.list"],
        ),
        (
            "not the context but what a row says",
            barrier("SELECT number FROM invoices WHERE tenant_id = coalesce(MINE, tenant_id)"),
            &["VIEW_DEFINER public.list"],
        ),
        (
            "CASE",
            barrier("SELECT number FROM invoices WHERE CASE WHEN status = 'draft' THEN tenant_id = MINE ELSE true END"),
            &["VIEW_DEFINER public.list"],
        ),
        (
            "NOT",
            barrier("SELECT number FROM invoices WHERE NOT tenant_id = MINE"),
            &["VIEW_DEFINER public.list"],
        ),
    ];
    expect(&cases).await;
}

fn function(name: &str, rest: &str) -> String {
    format!(
        "CREATE FUNCTION {name} SECURITY DEFINER SET search_path = public AS $f$ {} $f$;",
        rest.replace("MINE", MINE)
    )
    .replace("AS $f$ BEGIN ATOMIC", "BEGIN ATOMIC")
    .replace("END ATOMIC $f$", "END")
}

#[tokio::test]
async fn a_function_is_read() {
    let plpgsql =
        |name: &str, body: &str| function(&format!("{name} RETURNS bigint LANGUAGE plpgsql"), body);
    let sql =
        |name: &str, body: &str| function(&format!("{name} RETURNS bigint LANGUAGE sql"), body);
    let members = table("members", "user_name text NOT NULL,");
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "a statement that is made while it runs",
            plpgsql("f(t text)", "DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %I', t) INTO n; RETURN n; END"),
            &["SECDEF_FN public.f(t text)"],
        ),
        (
            "a statement that reaches no rows",
            plpgsql("f()", "BEGIN EXECUTE format('LISTEN %I', 'x'); RETURN 1; END"),
            &[],
        ),
        (
            "the one that it calls",
            format!(
                "CREATE FUNCTION below() RETURNS bigint LANGUAGE sql SET search_path = public AS 'SELECT count(*) FROM invoices';{}",
                sql("f()", "SELECT below()")
            ),
            &["SECDEF_FN public.f()"],
        ),
        (
            "one of two of the same name",
            format!("{}{}", sql("f(a integer)", "SELECT 1::bigint"), sql("f(a text)", "SELECT count(*) FROM invoices WHERE note = a")),
            &["SECDEF_FN public.f(a text)"],
        ),
        (
            "a tenant that the caller names",
            sql("f(wanted uuid)", "SELECT count(*) FROM invoices WHERE tenant_id = wanted"),
            &["SECDEF_FN public.f(wanted uuid)"],
        ),
        (
            "a tenant that the caller names, of which the context's user is a member",
            format!(
                "{members}{}",
                sql(
                    "f(o uuid)",
                    "SELECT count(*) FROM members m WHERE m.tenant_id = o AND EXISTS
                       (SELECT 1 FROM members me WHERE me.tenant_id = o AND me.user_name = current_setting('app.tenant_id', true))",
                )
            ),
            &[],
        ),
        (
            "a tenant that the caller names, of which somebody is a member",
            format!(
                "{members}{}",
                sql(
                    "f(o uuid)",
                    "SELECT count(*) FROM members m WHERE m.tenant_id = o AND EXISTS
                       (SELECT 1 FROM members me WHERE me.tenant_id = o AND me.user_name = 'ann')",
                )
            ),
            &["SECDEF_FN public.f(o uuid)"],
        ),
        (
            "one tenant that is asked for, and another that is read",
            format!(
                "{members}{}",
                sql(
                    "f(o uuid, p uuid)",
                    "SELECT count(*) FROM members m WHERE m.tenant_id = p AND EXISTS
                       (SELECT 1 FROM members me WHERE me.tenant_id = o AND me.user_name = current_setting('app.tenant_id', true))",
                )
            ),
            &["SECDEF_FN public.f(o uuid, p uuid)"],
        ),
        (
            "a tenant that is asked for, or something else",
            format!(
                "{members}{}",
                sql(
                    "f(o uuid)",
                    "SELECT count(*) FROM members m WHERE m.tenant_id = o AND (m.user_name = 'x' OR EXISTS
                       (SELECT 1 FROM members me WHERE me.tenant_id = o AND me.user_name = current_setting('app.tenant_id', true)))",
                )
            ),
            &["SECDEF_FN public.f(o uuid)"],
        ),
        (
            "a tenant that the caller names, held against the context",
            plpgsql(
                "f(wanted uuid)",
                "BEGIN IF wanted IS DISTINCT FROM MINE THEN RAISE EXCEPTION 'no'; END IF;
                 RETURN (SELECT count(*) FROM invoices WHERE tenant_id = wanted); END",
            ),
            &[],
        ),
        (
            "with an operator that is not true without a context",
            plpgsql(
                "f(wanted uuid)",
                "BEGIN IF wanted <> MINE THEN RAISE EXCEPTION 'no'; END IF;
                 RETURN (SELECT count(*) FROM invoices WHERE tenant_id = wanted); END",
            ),
            &["SECDEF_FN public.f(wanted uuid)"],
        ),
        (
            "only a warning",
            plpgsql(
                "f(wanted uuid)",
                "BEGIN IF wanted IS DISTINCT FROM MINE THEN RAISE NOTICE 'no'; END IF;
                 RETURN (SELECT count(*) FROM invoices WHERE tenant_id = wanted); END",
            ),
            &["SECDEF_FN public.f(wanted uuid)"],
        ),
        (
            "a membership that is looked up first",
            format!(
                "{members}{}",
                plpgsql(
                    "f(wanted uuid)",
                    "BEGIN
                       IF NOT EXISTS (SELECT 1 FROM members m WHERE m.tenant_id = wanted AND m.tenant_id = MINE) THEN
                         RAISE EXCEPTION 'no';
                       END IF;
                       RETURN (SELECT count(*) FROM invoices WHERE tenant_id = wanted);
                     END",
                )
            ),
            &[],
        ),
        (
            "a function that looks it up",
            format!(
                "{members}
                 CREATE FUNCTION is_mine(team uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
                 AS $f$ SELECT EXISTS (SELECT FROM members WHERE tenant_id = team AND tenant_id = {MINE}) $f$;{}",
                plpgsql(
                    "f(wanted uuid)",
                    "BEGIN
                       IF NOT is_mine(wanted) THEN RAISE EXCEPTION 'no'; END IF;
                       RETURN (SELECT count(*) FROM invoices i WHERE i.tenant_id = wanted);
                     END",
                )
            ),
            &[],
        ),
        (
            "a new tenant",
            plpgsql(
                "f(title text)",
                "DECLARE made uuid; BEGIN
                   INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), title) RETURNING id INTO made;
                   INSERT INTO customers (tenant_id, email) VALUES (made, 'first');
                   RETURN 1;
                 END",
            ),
            &[],
        ),
        (
            "a row for a tenant that the caller names",
            plpgsql("f(t uuid)", "BEGIN INSERT INTO customers (tenant_id, email) VALUES (t, 'x'); RETURN 1; END"),
            &["SECDEF_FN public.f(t uuid)"],
        ),
        (
            "a row for a tenant that the caller names, from rows of the context's",
            plpgsql(
                "f(t uuid)",
                "BEGIN INSERT INTO customers (tenant_id, email) SELECT t, email FROM customers WHERE tenant_id = MINE; RETURN 1; END",
            ),
            &["SECDEF_FN public.f(t uuid)"],
        ),
        (
            "a loop, a comment and a string with what looks like SQL",
            plpgsql(
                "f()",
                "DECLARE r record; n bigint := 0; me uuid := MINE;
                 BEGIN
                   -- SELECT * FROM invoices; with all
                   FOR r IN SELECT * FROM invoices i WHERE i.tenant_id = me LOOP
                     n := n + r.number + length('; SELECT * FROM invoices');
                     UPDATE customers SET email = email WHERE tenant_id = r.tenant_id;
                   END LOOP;
                   RETURN n;
                 END",
            ),
            &[],
        ),
        (
            "a loop over all",
            plpgsql("f()", "DECLARE r record; n bigint := 0; BEGIN FOR r IN SELECT * FROM invoices LOOP n := n + 1; END LOOP; RETURN n; END"),
            &["SECDEF_FN public.f()"],
        ),
        (
            "an expression with a query in it",
            plpgsql("f()", "DECLARE n bigint; BEGIN n := count(*) FROM invoices; RETURN n; END"),
            &["SECDEF_FN public.f()"],
        ),
        (
            "a variable that is set twice",
            plpgsql(
                "f(t uuid)",
                "DECLARE me uuid := MINE; BEGIN me := t; RETURN (SELECT count(*) FROM invoices WHERE tenant_id = me); END",
            ),
            &["SECDEF_FN public.f(t uuid)"],
        ),
        (
            "writing the context's rows",
            plpgsql(
                "f()",
                "BEGIN
                   UPDATE invoices i SET note = c.email FROM customers c WHERE c.tenant_id = i.tenant_id AND i.tenant_id = MINE;
                   DELETE FROM invoices USING customers c WHERE invoices.tenant_id = MINE AND c.tenant_id = invoices.tenant_id;
                   RETURN 1;
                 END",
            ),
            &[],
        ),
        (
            "all rows, without WHERE",
            plpgsql("f()", "BEGIN UPDATE invoices SET note = ''; RETURN 1; END"),
            &["SECDEF_FN public.f()"],
        ),
        (
            "a secret's hash",
            format!(
                "{}{}",
                table("keys", "hash bytea NOT NULL,"),
                sql("f(secret text)", "SELECT count(*) FROM keys WHERE hash = sha256(convert_to(secret, 'UTF8'))")
            ),
            &[],
        ),
        (
            "a view over the table",
            format!("CREATE VIEW every_invoice AS SELECT * FROM invoices;{}", sql("f()", "SELECT count(*) FROM every_invoice")),
            &["SECDEF_FN public.f()"],
        ),
        (
            "a procedure",
            "CREATE PROCEDURE p(t text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
             AS 'BEGIN UPDATE invoices SET note = t; END'"
                .to_owned(),
            &["SECDEF_FN public.p(IN t text)"],
        ),
        (
            "a body that was parsed, open and not",
            format!(
                "CREATE FUNCTION opened() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM invoices; END;
                 CREATE FUNCTION returned() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN (SELECT count(*) FROM invoices);
                 CREATE FUNCTION kept() RETURNS bigint LANGUAGE sql SECURITY DEFINER
                 BEGIN ATOMIC SELECT count(*) FROM invoices WHERE tenant_id = {MINE}; END;"
            ),
            &["SECDEF_FN public.opened()", "SECDEF_FN public.returned()"],
        ),
        (
            "the owner of a table on whom nothing is forced",
            format!(
                "ALTER TABLE customers NO FORCE ROW LEVEL SECURITY; GRANT CREATE ON SCHEMA public TO {{owner}}; SET ROLE {{owner}};
                 {}{} RESET ROLE;",
                sql("f()", "SELECT count(*) FROM customers"),
                sql("g()", "SELECT count(*) FROM invoices"),
            ),
            &["SECDEF_FN public.f()"],
        ),
    ];
    expect(&cases).await;
}

/// The owner is let through by a policy of its own: who may call its functions is then the only gate.
#[tokio::test]
async fn what_reaches_more_on_purpose_is_not_everybodys() {
    let made = |grant: &str| {
        format!(
            "CREATE POLICY due ON invoices FOR SELECT TO {{owner}} USING (true);
             SET ROLE {{owner}};
             CREATE FUNCTION due() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
             AS $f$ SELECT tenant_id FROM invoices WHERE status = 'due' $f$;
             {grant}
             RESET ROLE;"
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "granted to one",
            made(
                "REVOKE EXECUTE ON FUNCTION due() FROM PUBLIC; GRANT EXECUTE ON FUNCTION due() TO {app};",
            ),
            &[],
        ),
        (
            "granted to everybody",
            made(""),
            &["SECDEF_FN public.due()"],
        ),
        (
            "a view has no such gate",
            made(
                "REVOKE EXECUTE ON FUNCTION due() FROM PUBLIC;
                 CREATE VIEW list AS SELECT * FROM invoices; GRANT SELECT ON list TO {app};",
            ),
            &["VIEW_DEFINER public.list"],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn a_trigger_is_read_with_its_rows() {
    let made = |body: &str, trigger: &str| {
        format!(
            "{}
             CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
             AS $f$ BEGIN {body}; RETURN NULL; END $f$;
             CREATE TRIGGER act {trigger} EXECUTE FUNCTION act();",
            table("log", "what text NOT NULL,")
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "all rows of a statement, kept for their tenants",
            made(
                "INSERT INTO log (tenant_id, what) SELECT n.tenant_id, n.note FROM new_rows n",
                "AFTER INSERT ON invoices REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
            ),
            &[],
        ),
        (
            "and joined",
            made(
                "UPDATE customers c SET email = lower(email) FROM new_rows n WHERE n.tenant_id = c.tenant_id",
                "AFTER INSERT ON invoices REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
            ),
            &[],
        ),
        (
            "another column of the row",
            made("UPDATE customers SET email = 'x' WHERE id = NEW.customer_id", "AFTER INSERT ON invoices FOR EACH ROW"),
            &["SECDEF_TRIGGER public.act()"],
        ),
        (
            "on a table that the application does not write",
            made("UPDATE customers SET email = 'x'", "AFTER INSERT ON tenants FOR EACH ROW"),
            &[],
        ),
        (
            "switched off",
            made(
                "UPDATE customers SET email = 'x'",
                "AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION act(); ALTER TABLE invoices DISABLE TRIGGER act;
                 CREATE TRIGGER other AFTER INSERT ON tenants",
            ),
            &[],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn functions_that_call_themselves_end() {
    let deep = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "in a query",
            "CREATE FUNCTION again(a integer) RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = public
             AS 'SELECT false';
             CREATE OR REPLACE FUNCTION again(a integer) RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = public
             AS $f$ SELECT EXISTS (SELECT FROM customers c WHERE again(a) AND again(1) AND c.tenant_id = (SELECT mine())) $f$;"
                .replace("mine()", MINE),
            &[],
        ),
        (
            "and by turns, without the tenant",
            "SET check_function_bodies = off;
             CREATE FUNCTION ping() RETURNS uuid LANGUAGE sql SECURITY DEFINER SET search_path = public
             AS 'SELECT id FROM invoices WHERE tenant_id = pong()';
             CREATE FUNCTION pong() RETURNS uuid LANGUAGE sql SET search_path = public AS 'SELECT ping()';"
                .to_owned(),
            &["SECDEF_FN public.ping()"],
        ),
        (
            "what is deeper than anybody writes is not read",
            format!(
                "SET check_function_bodies = off;
                 CREATE FUNCTION deep() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN {deep}; END';"
            ),
            &["SECDEF_FN public.deep()"],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn a_list_of_the_users_tenants_is_the_context() {
    let members = table(
        "members",
        "user_name text NOT NULL, UNIQUE (tenant_id, user_name),",
    );
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "from a function",
            format!(
                "{members}
                 CREATE FUNCTION my_tenants() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
                 AS $f$ SELECT tenant_id FROM members WHERE tenant_id = {MINE} $f$;
                 CREATE FUNCTION f() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
                 AS 'SELECT count(*) FROM invoices WHERE tenant_id IN (SELECT my_tenants())';"
            ),
            &[],
        ),
        (
            "of all users",
            format!(
                "{members}
                 CREATE FUNCTION all_tenants() RETURNS SETOF uuid LANGUAGE sql STABLE SET search_path = public
                 AS 'SELECT tenant_id FROM members';
                 CREATE FUNCTION f() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
                 AS 'SELECT count(*) FROM invoices WHERE tenant_id IN (SELECT all_tenants())';"
            ),
            &["SECDEF_FN public.f()"],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn rows_of_a_view_are_no_rows_that_a_policy_saw() {
    let made = |act: &str| {
        format!(
            "CREATE VIEW entry AS SELECT NULL::uuid AS tenant_id, NULL::text AS email WHERE false;
             GRANT SELECT, INSERT ON entry TO {{app}};
             {act}"
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "a rule",
            made(
                "CREATE RULE act AS ON INSERT TO entry DO INSTEAD
                   INSERT INTO customers (tenant_id, email) VALUES (NEW.tenant_id, NEW.email);",
            ),
            &["RULE_DEFINER rule act on public.entry"],
        ),
        (
            "a trigger",
            made(
                "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
                 AS 'BEGIN INSERT INTO customers (tenant_id, email) VALUES (NEW.tenant_id, NEW.email); RETURN NEW; END';
                 CREATE TRIGGER act INSTEAD OF INSERT ON entry FOR EACH ROW EXECUTE FUNCTION act();",
            ),
            &["SECDEF_TRIGGER public.act()"],
        ),
        (
            "a trigger for the context's tenant",
            made(&format!(
                "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
                 AS $f$ BEGIN INSERT INTO customers (tenant_id, email) VALUES ({MINE}, NEW.email); RETURN NEW; END $f$;
                 CREATE TRIGGER act INSTEAD OF INSERT ON entry FOR EACH ROW EXECUTE FUNCTION act();"
            )),
            &[],
        ),
    ];
    expect(&cases).await;
}

/// What hangs on the version of PostgreSQL.
#[tokio::test]
async fn the_cases_hold_on_every_version() {
    let ids = [
        "VIEW_DEFINER",
        "SECDEF_FN",
        "PUBLICATION",
        "FK_CROSS_TENANT",
        "PERF_LEAKY_OP",
    ];
    for major in versions() {
        for id in ids {
            case_on(Some(major), id).await;
        }
    }
}
