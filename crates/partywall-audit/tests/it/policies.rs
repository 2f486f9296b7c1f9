//! What policies mean, in the shapes that they are written in.

use partywall_audit::check;

use crate::{
    database::Database,
    fault::{options, read},
};

const T: &str = "NULLIF(current_setting('app.tenant_id', true), '')::uuid";

/// What is found in the base of all cases when this is made of it.
async fn found(sql: &str) -> Vec<(&'static str, String, String)> {
    let db = Database::with(&read("base.sql")).await;
    db.run(&sql.replace("TENANT", T)).await;
    findings(&db).await
}

async fn findings(db: &Database) -> Vec<(&'static str, String, String)> {
    let report = check(&mut db.superuser().await, &options(db))
        .await
        .unwrap();
    report
        .findings
        .into_iter()
        .map(|finding| (finding.id.id(), finding.object, finding.fix))
        .collect()
}

async fn ids(sql: &str) -> Vec<&'static str> {
    let mut ids: Vec<&str> = found(sql).await.into_iter().map(|(id, ..)| id).collect();
    ids.dedup();
    ids
}

/// Puts a policy in the place of the invoices' own.
fn invoices(using: &str) -> String {
    format!("DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING ({using});")
}

macro_rules! shapes {
    ($($name:ident: $sql:expr => [$($id:literal),*];)*) => {
        $(#[tokio::test]
        async fn $name() {
            let expected: Vec<&str> = vec![$($id),*];
            assert_eq!(ids(AsRef::<str>::as_ref(&$sql)).await, expected);
        })*
    };
}

const TRIED: &str = "CREATE FUNCTION can_see(t uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE found boolean := false; one text;
BEGIN
  FOR one IN SELECT unnest(string_to_array(current_setting('app.tenant_id', true), ',')) LOOP
    found := found OR (one <> '' AND t = one::uuid);
  END LOOP;
  RETURN found;
END $$;";

shapes! {
    // What a tree does not tell, trying does.
    a_loop_that_compares: format!("{TRIED} {}", invoices("can_see(tenant_id)")) => [];
    a_loop_that_opens_without_context: format!(
        "{} {}",
        TRIED.replace("found boolean := false", "found boolean := current_setting('app.tenant_id', true) IS NULL"),
        invoices("can_see(tenant_id)")
    ) => ["FAIL_OPEN_UNSET"];
    a_loop_that_opens_with_an_empty_context: format!(
        "{} {}",
        TRIED.replace("found boolean := false", "found boolean := coalesce(current_setting('app.tenant_id', true), 'x') = ''"),
        invoices("can_see(tenant_id)")
    ) => ["FAIL_OPEN_EMPTY"];
    a_loop_that_opens_always: format!(
        "{} {}",
        TRIED.replace("found boolean := false", "found boolean := current_setting('app.tenant_id', true) <> ''"),
        invoices("can_see(tenant_id)")
    ) => ["POLICY_TRUE"];
    a_loop_with_a_flag: format!(
        "{} {}",
        TRIED.replace("found boolean := false", "found boolean := current_setting('app.admin', true) = 'on'"),
        invoices("can_see(tenant_id)")
    ) => ["GUC_ADMIN_FLAG"];
    // What cannot be run harmlessly is not run, and is no finding.
    a_function_that_changes_the_session: format!(
        "{} {}",
        TRIED.replace("RETURN found", "EXECUTE 'RESET ROLE'; RETURN found"),
        invoices("can_see(tenant_id)")
    ) => [];

    a_body_is_read: format!("CREATE FUNCTION mine(t uuid) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT t = TENANT $$; {}", invoices("mine(tenant_id)")) => [];
    a_parsed_body_is_read: format!("CREATE FUNCTION mine(t uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN t = TENANT OR status_open(); END $$;
        CREATE FUNCTION status_open() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT true $$; {}", invoices("mine(tenant_id)")) => ["POLICY_TRUE"];
    the_tenant_is_in_one_arm_alone: invoices("tenant_id = TENANT OR status = 'published'") => ["POLICY_WIDENS"];
    the_tenant_is_in_all_arms: invoices("(tenant_id = TENANT AND status = 'draft') OR (status = 'published' AND TENANT = tenant_id)") => [];
    a_list_of_tenants: invoices("tenant_id = ANY (string_to_array(NULLIF(current_setting('app.tenant_id', true), ''), ',')::uuid[])") => [];
    claims: invoices("tenant_id = (NULLIF(current_setting('request.jwt.claims', true), '')::json -> 'app' ->> 'tenant')::uuid") => ["GUC_INCONSISTENT"];
    a_case_with_a_flag: invoices("CASE WHEN current_setting('app.is_admin', true) = 'true' THEN true ELSE tenant_id = TENANT END") => ["GUC_ADMIN_FLAG"];
    without_a_context_all: invoices("tenant_id = COALESCE(TENANT, tenant_id)") => ["FAIL_OPEN_UNSET"];
    null_is_not_true: invoices("COALESCE(tenant_id = TENANT, false)") => [];
    null_is_true: invoices("(tenant_id = TENANT) IS NOT FALSE") => ["FAIL_OPEN_UNSET"];
    another_role_by_name: invoices("tenant_id = TENANT OR current_user = 'nobody_of_the_kind'") => [];
    another_role_by_membership: "CREATE ROLE {support} NOLOGIN; DROP POLICY own ON invoices;
        CREATE POLICY own ON invoices USING (tenant_id = TENANT OR pg_has_role(current_user, '{support}', 'member'));".to_owned() => [];
    its_own_role_by_membership: "DROP POLICY own ON invoices;
        CREATE POLICY own ON invoices USING (tenant_id = TENANT OR pg_has_role(current_user, '{app}', 'member'));".to_owned() => ["POLICY_TRUE"];
    not_the_tenant: invoices("NOT (tenant_id <> TENANT)") => [];
    anything_but_the_tenant: invoices("tenant_id <> TENANT") => ["POLICY_WIDENS"];
    a_row_of_anybody: invoices("EXISTS (SELECT FROM customers c WHERE c.id = customer_id)") => ["POLICY_WIDENS"];
    a_row_of_the_tenant: invoices("EXISTS (SELECT FROM customers c WHERE c.id = customer_id AND c.tenant_id = invoices.tenant_id)") => [];
    a_count_is_an_exists: invoices("(SELECT count(*) FROM customers c WHERE c.tenant_id = invoices.tenant_id AND c.tenant_id = TENANT) > 0") => [];
    a_count_of_none: invoices("(SELECT count(*) FROM customers c WHERE c.tenant_id = invoices.tenant_id AND c.tenant_id = TENANT) >= 0") => ["POLICY_TRUE"];
    a_written_tenant_stands_in: invoices("tenant_id = COALESCE(TENANT, 'aaaaaaaa-0000-0000-0000-000000000000')") => ["GUC_DEFAULT"];
    a_written_tenant_stands_in_by_case: invoices("tenant_id = CASE WHEN TENANT IS NULL THEN 'aaaaaaaa-0000-0000-0000-000000000000' ELSE TENANT END") => ["GUC_DEFAULT"];
    a_written_number_stands_in_before_a_cast: invoices("tenant_id = TENANT AND hashtext(status) >= COALESCE(NULLIF(current_setting('app.least', true), ''), '1')::int") => [];
    a_function_answers_a_written_tenant: format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT COALESCE(TENANT, 'aaaaaaaa-0000-0000-0000-000000000000') $$; {}", invoices("tenant_id = ctx()")) => ["GUC_DEFAULT"];
    a_parsed_function_answers_a_written_tenant: format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN COALESCE(TENANT, 'aaaaaaaa-0000-0000-0000-000000000000'); END $$; {}", invoices("tenant_id = (SELECT ctx())")) => ["GUC_DEFAULT"];
    a_handler_answers_a_written_tenant: format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_setting('app.tenant_id')::uuid; EXCEPTION WHEN undefined_object OR invalid_text_representation THEN RETURN 'aaaaaaaa-0000-0000-0000-000000000000'; END $$; {}", invoices("tenant_id = ctx()")) => ["GUC_DEFAULT"];
    a_handler_answers_nobody: format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_setting('app.tenant_id')::uuid; EXCEPTION WHEN OTHERS THEN RETURN '00000000-0000-0000-0000-000000000000'; END $$; {}", invoices("tenant_id = ctx()")) => [];
    a_function_that_answers_nobody: format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT COALESCE(TENANT, '00000000-0000-0000-0000-000000000000') $$; {}", invoices("tenant_id = ctx()")) => [];
    a_function_that_stands_for_all: format!("CREATE FUNCTION ctx() RETURNS text LANGUAGE sql STABLE AS $$ SELECT COALESCE(NULLIF(current_setting('app.tenant_id', true), ''), '%') $$; {}", invoices("ctx() = '%' OR tenant_id = TENANT")) => ["FAIL_OPEN_UNSET", "GUC_ADMIN_FLAG"];
    the_nil_tenant_stands_in: invoices("tenant_id = COALESCE(TENANT, '00000000-0000-0000-0000-000000000000')") => [];

    // By command.
    a_check_of_its_own: "DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING (tenant_id = TENANT) WITH CHECK (true);".to_owned() => ["CHECK_OPEN_INSERT"];
    a_check_that_is_not_granted: "DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING (tenant_id = TENANT) WITH CHECK (true);
        REVOKE INSERT, UPDATE ON invoices FROM {app};".to_owned() => [];
    a_blind_delete: "DROP POLICY own ON invoices; CREATE POLICY own ON invoices FOR SELECT USING (tenant_id = TENANT); CREATE POLICY del ON invoices FOR DELETE USING (true);
        REVOKE INSERT, UPDATE ON invoices FROM {app};".to_owned() => ["POLICY_TRUE"];
    a_policy_for_another_role: "CREATE ROLE {staff} NOLOGIN; CREATE POLICY staff ON invoices TO {staff} USING (true);".to_owned() => [];
    a_restrictive_policy_of_another_role: "CREATE ROLE {staff} NOLOGIN; DROP POLICY own ON invoices; CREATE POLICY rows ON invoices USING (true);
        CREATE POLICY own ON invoices AS RESTRICTIVE TO {staff} USING (tenant_id = TENANT);".to_owned() => ["POLICY_TRUE"];
    a_restrictive_policy_of_other_columns: "DROP POLICY own ON invoices; CREATE POLICY rows ON invoices USING (true);
        CREATE POLICY status ON invoices AS RESTRICTIVE USING (status <> 'secret');".to_owned() => ["POLICY_WIDENS"];
    for_all_readers_and_no_writer: "DROP POLICY own ON invoices; ALTER TABLE invoices NO FORCE ROW LEVEL SECURITY;
        CREATE POLICY rows ON invoices USING (true); CREATE POLICY floor ON invoices AS RESTRICTIVE FOR SELECT USING (tenant_id = TENANT);
        CREATE POLICY floor_insert ON invoices AS RESTRICTIVE FOR INSERT WITH CHECK (tenant_id = TENANT);
        CREATE POLICY floor_update ON invoices AS RESTRICTIVE FOR UPDATE USING (tenant_id = TENANT);
        CREATE POLICY floor_delete ON invoices AS RESTRICTIVE FOR DELETE USING (tenant_id = TENANT);".to_owned() => [];
    one_command_has_no_floor: "DROP POLICY own ON invoices; CREATE POLICY rows ON invoices USING (true);
        CREATE POLICY floor ON invoices AS RESTRICTIVE FOR SELECT USING (tenant_id = TENANT);
        CREATE POLICY floor_insert ON invoices AS RESTRICTIVE FOR INSERT WITH CHECK (tenant_id = TENANT);
        CREATE POLICY floor_update ON invoices AS RESTRICTIVE FOR UPDATE USING (tenant_id = TENANT);".to_owned() => ["RESTRICTIVE_PARTIAL"];

    // Functions.
    another_setting_instead: invoices("tenant_id = COALESCE(NULLIF(current_setting('app.tenant_id', true), ''), NULLIF(current_setting('app.org', true), ''))::uuid") => ["GUC_INCONSISTENT"];
    another_setting_instead_in_a_function: format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT COALESCE(NULLIF(current_setting('app.tenant_id', true), ''), NULLIF(current_setting('app.org', true), ''))::uuid $$; {}", invoices("tenant_id = (SELECT ctx())")) => ["GUC_INCONSISTENT"];
    a_setting_that_is_the_role: "CREATE POLICY staff ON invoices FOR SELECT USING (current_setting('role') = 'staff' OR current_setting('is_superuser') = 'on' OR current_setting('session_authorization', true) = 'staff');".to_owned() => [];
    a_setting_that_is_no_role: "CREATE POLICY staff ON invoices FOR SELECT USING (current_setting('role') = 'none');".to_owned() => ["POLICY_TRUE"];
    a_setting_of_no_superuser: "CREATE POLICY staff ON invoices FOR SELECT USING (current_setting('is_superuser') = 'off');".to_owned() => ["POLICY_TRUE"];
    a_hash_of_the_tenant: invoices("hashtext(tenant_id::text) = hashtext(NULLIF(current_setting('app.tenant_id', true), ''))") => ["POLICY_WIDENS"];
    a_remainder_of_the_tenant: invoices("hashtext(tenant_id::text) % 16 = NULLIF(current_setting('app.shard', true), '')::int") => ["POLICY_WIDENS"];
    a_part_of_the_tenant: invoices("left(tenant_id::text, 8) = left(NULLIF(current_setting('app.tenant_id', true), ''), 8)") => ["TENANT_PATTERN_MATCH"];
    a_hash_beside_the_tenant: invoices("tenant_id = TENANT AND hashtext(tenant_id::text) = hashtext(NULLIF(current_setting('app.tenant_id', true), ''))") => [];
    a_part_of_the_context: invoices("tenant_id = substr(current_setting('app.tenant_id', true), 1, 36)::uuid") => [];
    a_view_that_anybody_writes: "CREATE TABLE logins (login text PRIMARY KEY, acct uuid NOT NULL); CREATE VIEW active AS SELECT * FROM logins;
        GRANT SELECT, INSERT ON logins TO {app}; GRANT SELECT ON active TO {app}; ALTER TABLE logins OWNER TO {owner}; ALTER VIEW active OWNER TO {owner};
        DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING (tenant_id IN (SELECT acct FROM active WHERE login = NULLIF(current_setting('app.login', true), '')));".to_owned() => ["POLICY_SUBSELECT_OPEN"];
    a_view_of_everything: "CREATE VIEW all_of_them AS SELECT id FROM tenants; GRANT SELECT ON all_of_them TO {app};
        DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING (tenant_id IN (SELECT id FROM all_of_them));".to_owned() => ["POLICY_WIDENS", "VIEW_DEFINER"];
    a_view_of_the_tenants: "CREATE VIEW own_tenants AS SELECT id AS mine FROM tenants WHERE id = TENANT; ALTER VIEW own_tenants OWNER TO {owner}; GRANT SELECT ON own_tenants TO {app};
        DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING (tenant_id IN (SELECT mine FROM own_tenants));".to_owned() => [];
    a_statement_that_is_put_together: "CREATE FUNCTION known(c uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ DECLARE ok boolean; BEGIN EXECUTE 'SELECT true FROM customers WHERE id = $1' INTO ok USING c; RETURN coalesce(ok, false); END $$;
        CREATE POLICY known ON invoices AS RESTRICTIVE USING (known(customer_id));".to_owned() => ["POLICY_FN_SEARCH_PATH"];
    a_statement_that_names_the_schema: "CREATE FUNCTION known(c uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ DECLARE ok boolean; BEGIN EXECUTE 'SELECT true FROM public.customers WHERE id = $1' INTO ok USING c; RETURN coalesce(ok, false); END $$;
        CREATE POLICY known ON invoices AS RESTRICTIVE USING (known(customer_id));".to_owned() => [];
    what_is_slow_is_told_after_what_is_open: invoices("tenant_id::text = COALESCE(NULLIF(current_setting('app.tenant_id', true), ''), tenant_id::text)") => ["FAIL_OPEN_UNSET"];
    a_path_without_temporary_tables: "CREATE FUNCTION known(c uuid) RETURNS boolean LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$ SELECT EXISTS (SELECT FROM customers WHERE id = c) $$;
        CREATE POLICY known ON invoices AS RESTRICTIVE USING (known(customer_id));".to_owned() => [];
    a_path_that_forgets_temporary_tables: "CREATE FUNCTION known(c uuid) RETURNS boolean LANGUAGE sql STABLE SET search_path = public AS $$ SELECT EXISTS (SELECT FROM customers WHERE id = c) $$;
        CREATE POLICY known ON invoices AS RESTRICTIVE USING (known(customer_id));".to_owned() => ["POLICY_FN_SEARCH_PATH"];
    no_temporary_tables_to_plant: "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$;
        CREATE FUNCTION known(c uuid) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM customers WHERE id = c) $$;
        CREATE POLICY known ON invoices AS RESTRICTIVE USING (known(customer_id));".to_owned() => [];
    immutable_and_true_to_it: "CREATE FUNCTION plain(s text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT s <> 'secret' $$;
        CREATE POLICY plain ON invoices AS RESTRICTIVE USING (plain(status));".to_owned() => [];
    immutable_by_another: "CREATE FUNCTION tenant() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT TENANT $$;
        CREATE FUNCTION mine(t uuid) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT t = public.tenant() $$;
        DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING (mine(tenant_id));".to_owned() => ["POLICY_FN_IMMUTABLE"];
}

/// The fixes run, and nothing is left after them.
#[tokio::test]
async fn fixes_of_every_shape_mend() {
    for sql in [
        invoices("tenant_id = TENANT OR status = 'published'"),
        invoices("tenant_id = COALESCE(TENANT, tenant_id)"),
        "CREATE POLICY all_of_it ON invoices USING (true);".to_owned(),
        "DROP POLICY own ON invoices; CREATE POLICY rows ON invoices USING (true);".to_owned(),
        "DROP POLICY own ON invoices; CREATE POLICY own ON invoices USING (tenant_id = TENANT) WITH CHECK (true);".to_owned(),
        "CREATE POLICY more ON invoices FOR INSERT WITH CHECK (status = 'draft');".to_owned(),
        invoices("tenant_id = COALESCE(NULLIF(current_setting('app.tenant_id', true), ''), NULLIF(current_setting('app.org', true), ''))::uuid"),
        format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT COALESCE(NULLIF(current_setting('app.tenant_id', true), ''), NULLIF(current_setting('app.org', true), ''))::uuid $$;
            ALTER POLICY own ON customers USING (tenant_id = ctx()); ALTER POLICY own ON tenants USING (id = ctx()); {}", invoices("tenant_id = ctx()")),
        // The membership is at fault, and not what was made for the members.
        "CREATE ROLE {staff} NOLOGIN; GRANT {staff} TO {app};
            CREATE POLICY staff ON invoices FOR SELECT USING (pg_has_role(current_user, '{staff}', 'member'));".to_owned(),
        format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE sql STABLE SET app.tenant_id = 'aaaaaaaa-0000-0000-0000-000000000000' AS $$ SELECT TENANT $$; {}", invoices("tenant_id = ctx()")),
        // The function that the policies ask is at fault, so that they are not to ask it.
        format!("CREATE FUNCTION ctx() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT COALESCE(TENANT, 'aaaaaaaa-0000-0000-0000-000000000000') $$;
            ALTER POLICY own ON customers USING (tenant_id = ctx()); ALTER POLICY own ON tenants USING (id = ctx()); {}", invoices("tenant_id = ctx()")),
    ] {
        let db = Database::with(&read("base.sql")).await;
        db.run(&sql.replace("TENANT", T)).await;
        let before = findings(&db).await;
        assert!(!before.is_empty(), "{sql}");
        let admin = db.superuser().await;
        for (_, _, fix) in &before {
            admin.batch_execute(fix).await.unwrap_or_else(|error| panic!("{fix}: {error:?}"));
        }
        assert_eq!(findings(&db).await, Vec::new(), "{sql}\n{before:?}");
        let own = db.login("app").await;
        own.batch_execute("SET app.tenant_id = 'aaaaaaaa-0000-0000-0000-000000000000'").await.unwrap();
        let seen: i64 = own.query_one("SELECT count(*) FROM invoices", &[]).await.unwrap().get(0);
        assert_eq!(seen, 1, "{sql}\n{before:?}");
    }
}

/// What trying it did not tell either is said, and is no finding.
#[tokio::test]
async fn what_cannot_be_told_is_said() {
    let db = Database::with(&read("base.sql")).await;
    let sql = format!(
        "{} {}",
        TRIED.replace("RETURN found", "EXECUTE 'RESET ROLE'; RETURN found"),
        invoices("can_see(tenant_id)")
    );
    db.run(&sql).await;
    let report = check(&mut db.superuser().await, &options(&db))
        .await
        .unwrap();
    assert!(report.is_clean());
    let undecided: Vec<&str> = report
        .inferred
        .undecided
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(undecided, ["policy own on public.invoices"]);
}

/// The shape that Partywall itself makes: one permissive policy, a floor below it, and a context that is sealed,
/// read by a function that runs as the owner.
#[tokio::test]
async fn a_sealed_context_is_a_context() {
    let function = "CREATE SCHEMA partywall; GRANT USAGE ON SCHEMA partywall TO {app};
        CREATE TABLE partywall.seal_key (id text PRIMARY KEY, inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);
        CREATE FUNCTION partywall.tenant() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS $$
        DECLARE
          raw pg_catalog.text := pg_catalog.current_setting('partywall.context', true);
          scope pg_catalog.json;
          message pg_catalog.text := pg_catalog.substr(raw, 66);
          key_id pg_catalog.text := pg_catalog.split_part(message, '.', 1);
          seal_key partywall.seal_key;
          answer pg_catalog.text;
        BEGIN
          IF raw IS NULL OR raw OPERATOR(pg_catalog.=) '' THEN
            RETURN NULL;
          END IF;
          SELECT * INTO seal_key FROM partywall.seal_key k WHERE k.id OPERATOR(pg_catalog.=) key_id;
          IF seal_key.id IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'PW002', MESSAGE = 'the context is not valid';
          END IF;
          scope := message::pg_catalog.json;
          answer := scope OPERATOR(pg_catalog.->>) 'tenant';
          RETURN answer::pg_catalog.uuid;
        END
        $$;";
    let policies = "DROP POLICY own ON invoices; DROP POLICY own ON customers; DROP POLICY own ON tenants;
        CREATE ROLE {list} NOLOGIN; CREATE ROLE {across} NOLOGIN;
        CREATE POLICY partywall_rows ON invoices TO {app}, {list}, {across} USING (true) WITH CHECK (true);
        CREATE POLICY partywall_app ON invoices AS RESTRICTIVE TO {app}
          USING (tenant_id OPERATOR(pg_catalog.=) (SELECT partywall.tenant()))
          WITH CHECK (tenant_id OPERATOR(pg_catalog.=) (SELECT partywall.tenant()));
        CREATE POLICY own ON customers USING (tenant_id = partywall.tenant());
        CREATE POLICY own ON tenants USING (id = (SELECT partywall.tenant()));";
    assert_eq!(
        ids(&format!("{function} {policies}")).await,
        Vec::<&str>::new()
    );
    // And what if somebody takes the floor away.
    let without = format!("{function} {policies} DROP POLICY partywall_app ON invoices;");
    assert_eq!(ids(&without).await, ["POLICY_TRUE"]);
}

const ADMINS: &str = "CREATE TABLE admins (user_id uuid PRIMARY KEY, note text);
ALTER TABLE admins ENABLE ROW LEVEL SECURITY; ALTER TABLE admins FORCE ROW LEVEL SECURITY;
CREATE POLICY me ON admins USING (user_id = NULLIF(current_setting('app.user_id', true), '')::uuid);
CREATE POLICY support ON invoices FOR SELECT USING (EXISTS (
  SELECT FROM admins a WHERE a.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));
GRANT SELECT, DELETE ON admins TO {app};";

#[tokio::test]
async fn who_can_put_itself_on_the_list_of_administrators_is_one() {
    assert_eq!(ids(ADMINS).await, Vec::<&str>::new());
    for grant in ["INSERT", "UPDATE (user_id)"] {
        let open = format!("{ADMINS} GRANT {grant} ON admins TO {{app}};");
        assert_eq!(ids(&open).await, ["MEMBERSHIP_SELF_GRANT"], "{grant}");
    }
    let harmless = format!("{ADMINS} GRANT UPDATE (note) ON admins TO {{app}};");
    assert_eq!(ids(&harmless).await, Vec::<&str>::new());
}

/// Run as whoever calls it, a function that the policies of what it reads ask would ask them for ever.
#[tokio::test]
async fn a_function_that_its_tables_policies_ask_stays_definer() {
    let db = Database::with(&read("base.sql")).await;
    db.run(&"CREATE FUNCTION seen() RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT id FROM public.customers'; END $$;
        ALTER FUNCTION seen() OWNER TO {owner}; ALTER TABLE customers NO FORCE ROW LEVEL SECURITY;
        ALTER POLICY own ON customers USING (tenant_id = TENANT AND id IN (SELECT seen()));"
        .replace("TENANT", T))
        .await;
    let found = findings(&db).await;
    let fix = found
        .iter()
        .find_map(|(id, _, fix)| (*id == "SECDEF_FN").then_some(fix))
        .unwrap();
    assert!(fix.starts_with("-- "), "{fix}");
}

/// Customers that people are given, in a list.
fn given(list: &str, on: &str) -> String {
    format!(
        "CREATE TABLE acl (tenant_id uuid NOT NULL, customer_id uuid NOT NULL, user_id uuid NOT NULL,
           PRIMARY KEY (tenant_id, customer_id, user_id),
           FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id) ON DELETE CASCADE);
         CREATE INDEX ON acl (tenant_id, customer_id);
         ALTER TABLE acl ENABLE ROW LEVEL SECURITY; ALTER TABLE acl FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON acl USING ({list});
         GRANT SELECT, INSERT, DELETE ON acl TO {{app}};
         DROP POLICY own ON customers;
         CREATE POLICY given ON customers FOR SELECT USING (EXISTS (SELECT FROM acl a WHERE {on}
            AND a.customer_id = customers.id
            AND a.user_id = NULLIF(current_setting('app.user_id', true), '')::uuid));"
    )
}

#[tokio::test]
async fn a_list_of_people_grants_no_more_than_its_rows_can_name() {
    let grants = async |sql: &str| ids(sql).await.contains(&"MEMBERSHIP_SELF_GRANT");
    let own = "tenant_id = TENANT";
    let same = "a.tenant_id = customers.tenant_id";
    let me = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid";
    assert_eq!(ids(&given(own, same)).await, Vec::<&str>::new());
    // Whoever writes itself in, writes itself into another tenant's.
    assert!(grants(&given(me, same)).await);
    // Its rows are the tenant's, and the key of a customer is not.
    assert!(grants(&given(own, "true")).await);
    let walled = "CREATE POLICY wall ON customers AS RESTRICTIVE USING (tenant_id = TENANT);";
    assert!(!grants(&(given(own, "true") + walled)).await);
    assert!(!grants(&(given(me, "true") + walled)).await);
}

#[tokio::test]
async fn a_key_that_is_the_sessions_user_tells_of_no_other() {
    let notes = |check: &str| {
        format!(
            "CREATE TABLE people (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid PRIMARY KEY);
             CREATE INDEX ON people (tenant_id);
             ALTER TABLE people ENABLE ROW LEVEL SECURITY; ALTER TABLE people FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON people USING (tenant_id = TENANT);
             CREATE TABLE notes (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid DEFAULT gen_random_uuid(),
               user_id uuid REFERENCES people (id), PRIMARY KEY (tenant_id, id));
             ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON notes USING (tenant_id = TENANT) WITH CHECK (tenant_id = TENANT AND {check});
             GRANT SELECT ON people TO {{app}}; GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {{app}};"
        )
    };
    let me = "NULLIF(current_setting('app.user_id', true), '')::uuid";
    let none: [&str; 0] = [];
    assert_eq!(ids(&notes(&format!("user_id = {me}"))).await, none);
    assert_eq!(
        ids(&notes(&format!("(user_id IS NULL OR user_id = {me})"))).await,
        none
    );
    assert_eq!(ids(&notes("true")).await, ["FK_CROSS_TENANT"]);
    assert_eq!(
        ids(&notes(&format!("{me} IS NOT NULL"))).await,
        ["FK_CROSS_TENANT"]
    );
}

#[tokio::test]
async fn tenants_that_are_below_each_other_by_their_paths_are_kept_apart() {
    let paths = |context: &str, operator: &str| {
        format!(
            "CREATE EXTENSION ltree SCHEMA public; CREATE ROLE {{app}} LOGIN; GRANT USAGE ON SCHEMA public TO {{app}};
             CREATE TABLE orgs (path ltree PRIMARY KEY);
             CREATE TABLE items (org_path ltree NOT NULL REFERENCES orgs, id uuid DEFAULT gen_random_uuid(),
               PRIMARY KEY (org_path, id));
             ALTER TABLE orgs ENABLE ROW LEVEL SECURITY; ALTER TABLE orgs FORCE ROW LEVEL SECURITY;
             ALTER TABLE items ENABLE ROW LEVEL SECURITY; ALTER TABLE items FORCE ROW LEVEL SECURITY;
             CREATE POLICY below ON orgs FOR SELECT USING (path {operator} {context}::ltree);
             CREATE POLICY below ON items USING (org_path {operator} {context}::ltree);
             GRANT SELECT ON orgs TO {{app}}; GRANT SELECT, INSERT, UPDATE, DELETE ON items TO {{app}};
             INSERT INTO orgs VALUES ('acme'), ('acme.eu'), ('globex');"
        )
    };
    let context = "NULLIF(current_setting('app.org', true), '')";
    let below = Database::with(&paths(context, "<@")).await;
    assert_eq!(findings(&below).await, []);
    let above = Database::with(&paths(context, "@>")).await;
    let found = findings(&above).await;
    assert!(
        !found.is_empty() && found.iter().all(|it| it.0 == "TENANT_PATTERN_MATCH"),
        "{found:?}"
    );
    // Everything is below the empty path.
    let empty = Database::with(&paths("current_setting('app.org', true)", "<@")).await;
    let [(id, _, fix)] = findings(&empty).await.try_into().unwrap();
    assert_eq!(id, "FAIL_OPEN_EMPTY");
    assert!(fix.contains("org_path OPERATOR(public.<@) "), "{fix}");
    empty.run(&fix).await;
    assert_eq!(findings(&empty).await, []);
}

/// A database whose policies look the tenant up, or take it out of a list or a document, and what a new table gets.
#[tokio::test]
async fn a_table_without_policies_gets_the_condition_of_the_others() {
    let member = "NULLIF(current_setting('app.user_id', true), '')::int";
    let list = "string_to_array(NULLIF(current_setting('app.orgs', true), ''), ',')::int[]";
    let claims = "NULLIF(current_setting('request.jwt.claims', true), '')::json";
    for (condition, expected) in [
        (
            format!("COLUMN IN (SELECT m.org_id FROM members m WHERE m.user_id = {member})"),
            "members",
        ),
        (
            format!(
                "EXISTS (SELECT FROM members m WHERE m.org_id = TABLE.COLUMN AND m.user_id = {member})"
            ),
            "(m.org_id = b.org_id)",
        ),
        (format!("COLUMN = ANY ({list})"), "string_to_array"),
        (format!("COLUMN = ({claims} ->> 'org')::int"), "->> 'org'"),
    ] {
        let of =
            |table: &str, column: &str| condition.replace("TABLE", table).replace("COLUMN", column);
        let db = Database::with(&format!(
            "CREATE ROLE {{app}} LOGIN; GRANT USAGE ON SCHEMA public TO {{app}};
             CREATE TABLE orgs (id int PRIMARY KEY); CREATE TABLE users (id int PRIMARY KEY);
             CREATE TABLE members (org_id int REFERENCES orgs, user_id int REFERENCES users, PRIMARY KEY (org_id, user_id));
             CREATE INDEX ON members (user_id);
             CREATE TABLE a (org_id int REFERENCES orgs, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (org_id, id));
             CREATE TABLE b (org_id int REFERENCES orgs, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (org_id, id));
             CREATE TABLE c (b_org int NOT NULL, b_id uuid NOT NULL, id uuid PRIMARY KEY, FOREIGN KEY (b_org, b_id) REFERENCES b);
             CREATE INDEX ON c (b_org, b_id);
             ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY;
             ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE members FORCE ROW LEVEL SECURITY;
             ALTER TABLE orgs ENABLE ROW LEVEL SECURITY; ALTER TABLE orgs FORCE ROW LEVEL SECURITY;
             ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a FORCE ROW LEVEL SECURITY;
             CREATE POLICY me ON users USING (id = {member}); CREATE POLICY me ON members FOR SELECT USING (user_id = {member});
             CREATE POLICY own ON orgs FOR SELECT USING ({}); CREATE POLICY own ON a USING ({});
             GRANT SELECT ON users, members, orgs TO {{app}}; GRANT SELECT, INSERT, UPDATE, DELETE ON a, b TO {{app}};
             GRANT SELECT ON c TO {{app}};",
            of("orgs", "id"),
            of("a", "org_id"),
        ))
        .await;
        let found = findings(&db).await;
        let what: Vec<&str> = found.iter().map(|it| it.0).collect();
        assert_eq!(what, ["RLS_OFF", "CHILD_UNSCOPED"], "{found:?}");
        let fix = &found[0].2;
        assert!(fix.contains(expected), "{fix}");
        db.run(fix).await;
        db.run(&found[1].2).await;
        assert_eq!(findings(&db).await, [], "{fix}");
    }
}

#[tokio::test]
async fn a_row_of_two_parties_is_made_in_ones_own_name() {
    let parties = |command: &str| {
        format!(
            "CREATE TABLE offers (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid DEFAULT gen_random_uuid(),
               given_to uuid NOT NULL REFERENCES tenants (id), PRIMARY KEY (tenant_id, id));
             CREATE INDEX ON offers (given_to);
             ALTER TABLE offers ENABLE ROW LEVEL SECURITY; ALTER TABLE offers FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON offers USING (tenant_id = TENANT);
             CREATE POLICY received ON offers {command} (given_to = TENANT);
             GRANT SELECT, INSERT, UPDATE, DELETE ON offers TO {{app}};"
        )
    };
    let none: [&str; 0] = [];
    assert_eq!(ids(&parties("FOR SELECT USING")).await, none);
    assert_eq!(
        ids(&parties("FOR INSERT WITH CHECK")).await,
        ["CHECK_OPEN_INSERT"]
    );
    assert_eq!(ids(&parties("USING")).await, ["CHECK_OPEN_INSERT"]);
}

/// Who wrote a row is not whose it is: a member of one tenant writes in its own name into another.
#[tokio::test]
async fn an_author_is_no_tenant() {
    let votes = |check: &str| {
        format!(
            "CREATE TABLE members (tenant_id uuid NOT NULL REFERENCES tenants (id), user_id uuid NOT NULL, PRIMARY KEY (tenant_id, user_id));
             CREATE INDEX ON members (user_id);
             CREATE TABLE votes (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid DEFAULT gen_random_uuid(), author uuid NOT NULL,
               PRIMARY KEY (tenant_id, id));
             ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE members FORCE ROW LEVEL SECURITY;
             ALTER TABLE votes ENABLE ROW LEVEL SECURITY; ALTER TABLE votes FORCE ROW LEVEL SECURITY;
             CREATE POLICY me ON members FOR SELECT USING (user_id = {ME});
             CREATE POLICY ours ON votes FOR SELECT USING (tenant_id IN (SELECT tenant_id FROM members WHERE user_id = {ME}));
             CREATE POLICY own ON votes FOR INSERT WITH CHECK ({check});
             GRANT SELECT ON members TO {{app}}; GRANT SELECT, INSERT ON votes TO {{app}};"
        )
    };
    const ME: &str = "NULLIF(current_setting('app.user_id', true), '')::uuid";
    assert_eq!(
        ids(&votes(&format!("author = {ME}"))).await,
        ["CHECK_OPEN_INSERT"]
    );
    let none: [&str; 0] = [];
    let member = format!(
        "author = {ME} AND tenant_id IN (SELECT tenant_id FROM members WHERE user_id = {ME})"
    );
    assert_eq!(ids(&votes(&member)).await, none);
}
