use super::{database, finds, is_clean, seen};
use crate::{
    database::Database,
    fault::{options, report},
};

const PAYMENTS: &str = "
SET ROLE {owner};
CREATE TABLE payments (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  cents bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
RESET ROLE;
INSERT INTO payments (tenant_id, cents) VALUES
  ('aaaaaaaa-0000-0000-0000-000000000000', 100), ('bbbbbbbb-0000-0000-0000-000000000000', 200);";

#[tokio::test]
async fn a_table_is_open_by_whatever_grant() {
    for grant in [
        "GRANT SELECT ON payments TO PUBLIC",
        "GRANT SELECT (cents) ON payments TO {app}",
        "GRANT UPDATE (cents) ON payments TO {app}",
        "GRANT INSERT ON payments TO {app}",
        "GRANT DELETE ON payments TO {app}",
        "CREATE ROLE {g}; CREATE ROLE {h}; GRANT {g} TO {h}; GRANT {h} TO {app}; GRANT SELECT ON payments TO {g}",
        // By SET ROLE alone.
        "ALTER ROLE {app} NOINHERIT; GRANT USAGE ON SCHEMA public TO PUBLIC; CREATE ROLE {g}; GRANT {g} TO {app}; GRANT SELECT ON payments TO {g}",
    ] {
        finds(
            &format!("{PAYMENTS}{grant}"),
            &[("RLS_OFF", "public.payments")],
        )
        .await;
    }
}

#[tokio::test]
async fn without_a_grant_it_is_closed() {
    is_clean(PAYMENTS).await;
    is_clean(&format!(
        "{PAYMENTS}GRANT REFERENCES ON payments TO {{app}}"
    ))
    .await;
    is_clean(&format!(
        "{PAYMENTS}CREATE ROLE {{g}}; GRANT {{app}} TO {{g}}; GRANT SELECT ON payments TO {{g}}"
    ))
    .await;
}

#[tokio::test]
async fn the_fix_of_an_open_table_lets_tenants_work() {
    let db = database(&format!(
        "{PAYMENTS}GRANT SELECT, INSERT ON payments TO {{app}}"
    ))
    .await;
    assert_eq!(seen(&db, "payments").await, (2, 2));
    let found = report(&db, &options(&db)).await;
    db.run(&found.findings[0].fix).await;
    assert_eq!(seen(&db, "payments").await, (1, 0));
}

#[tokio::test]
async fn kinds_of_tables() {
    // Unlogged, typed, and with odd names.
    finds(
        &format!("{PAYMENTS}ALTER TABLE payments RENAME TO \"Pay\"\"ments; --\"; ALTER TABLE \"Pay\"\"ments; --\" SET UNLOGGED; GRANT SELECT ON \"Pay\"\"ments; --\" TO {{app}}"),
        &[("RLS_OFF", "public.\"Pay\"\"ments; --\"")],
    )
    .await;
    finds(
        "CREATE TYPE payment AS (tenant_id uuid, id uuid, cents bigint);
         SET ROLE {owner};
         RESET ROLE; GRANT USAGE ON TYPE payment TO {owner}; SET ROLE {owner};
         CREATE TABLE payments OF payment (PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id) REFERENCES tenants (id));
         GRANT SELECT ON payments TO {app}; RESET ROLE;",
        &[("RLS_OFF", "public.payments")],
    )
    .await;
}

#[tokio::test]
async fn the_policy_of_the_fix_is_as_the_others_are() {
    // Through a function, by text.
    let sql = "
    SET ROLE {owner};
    CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
      RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;
    ALTER POLICY own ON tenants USING (id = current_tenant());
    ALTER POLICY own ON customers USING (tenant_id = current_tenant());
    ALTER POLICY own ON invoices USING (tenant_id = current_tenant());
    RESET ROLE;";
    let db = database(&format!(
        "{sql}{PAYMENTS}GRANT SELECT ON payments TO {{app}}"
    ))
    .await;
    let found = report(&db, &options(&db)).await;
    let fix = &found.findings[0].fix;
    assert!(
        fix.contains("USING (tenant_id = public.current_tenant());"),
        "{fix}"
    );
    db.run(fix).await;
    assert!(report(&db, &options(&db)).await.is_clean());

    // By a setting, as text with a length: a cast to it would cut, and one tenant's name could become another's.
    let db = Database::with(
        "CREATE ROLE {app}; CREATE TABLE tenants (id varchar(20) PRIMARY KEY); REVOKE ALL ON SCHEMA public FROM PUBLIC;
         CREATE TABLE shops (tenant_id varchar(20) REFERENCES tenants (id), id int, PRIMARY KEY (tenant_id, id));
         CREATE TABLE goods (tenant_id varchar(20) REFERENCES tenants (id), id int, PRIMARY KEY (tenant_id, id));
         ALTER TABLE goods ENABLE ROW LEVEL SECURITY; ALTER TABLE goods FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON goods USING (tenant_id = NULLIF(current_setting('shop.current', true), ''));
         GRANT USAGE ON SCHEMA public TO {app}; GRANT SELECT ON shops, goods TO {app};",
    )
    .await;
    let found = report(&db, &options(&db)).await;
    let fix = &found.findings[0].fix;
    assert!(
        fix.ends_with(
            "USING (tenant_id = (SELECT NULLIF(current_setting('shop.current', true), '')));"
        ),
        "{fix}"
    );
    db.run(fix).await;
    assert!(report(&db, &options(&db)).await.is_clean());
}

#[tokio::test]
async fn without_any_policy_a_setting_is_made_up() {
    finds(
        "DROP POLICY own ON tenants; DROP POLICY own ON customers; DROP POLICY own ON invoices;
         ALTER TABLE tenants DISABLE ROW LEVEL SECURITY; ALTER TABLE customers DISABLE ROW LEVEL SECURITY;
         ALTER TABLE invoices DISABLE ROW LEVEL SECURITY;",
        &[
            ("RLS_OFF", "public.customers"),
            ("RLS_OFF", "public.invoices"),
        ],
    )
    .await;
}

/// Its rows may have to be read before it is known who asks; changing them is another matter.
#[tokio::test]
async fn the_table_of_the_tenants() {
    let off = "DROP POLICY own ON tenants; ALTER TABLE tenants DISABLE ROW LEVEL SECURITY;";
    is_clean(off).await;
    is_clean(&format!("{off} GRANT INSERT ON tenants TO {{app}}")).await;
    finds(
        &format!("{off} GRANT UPDATE (name) ON tenants TO {{app}}"),
        &[("RLS_OFF", "public.tenants")],
    )
    .await;
    // Owning it is the owner's fault, not the table's.
    finds(
        &format!("{off} ALTER TABLE tenants OWNER TO {{app}}"),
        &[("OWNER_DDL", "role {app}")],
    )
    .await;
    finds(
        &format!("{off} GRANT DELETE ON tenants TO {{app}}"),
        &[("RLS_OFF", "public.tenants")],
    )
    .await;
}

const EVENTS: &str = "
SET ROLE {owner};
CREATE TABLE events (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  at date NOT NULL,
  PRIMARY KEY (tenant_id, id, at)
) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
  PARTITION BY RANGE (at);
CREATE TABLE events_2026_01 PARTITION OF events_2026 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2026_02 PARTITION OF events_2026 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
RESET ROLE;";

const EVENTS_CLOSED: &str = "
SET ROLE {owner};
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON events USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON events TO {app};
RESET ROLE;";

#[tokio::test]
async fn partitions_of_partitions() {
    is_clean(&format!("{EVENTS}{EVENTS_CLOSED}")).await;
    finds(
        &format!("{EVENTS}{EVENTS_CLOSED} GRANT SELECT ON events_2026_01 TO {{app}}"),
        &[("PARTITION_DIRECT", "public.events_2026_01")],
    )
    .await;
    finds(
        &format!(
            "{EVENTS}{EVENTS_CLOSED} GRANT SELECT (id) ON events_2026, events_2026_02 TO PUBLIC"
        ),
        &[("PARTITION_DIRECT", "partitions of public.events")],
    )
    .await;
    // Nothing protects any: one fault, of the one at the top.
    finds(
        &format!("{EVENTS} GRANT SELECT ON events, events_2026, events_2026_01 TO {{app}}"),
        &[("RLS_OFF", "public.events")],
    )
    .await;
    // The one at the top was not granted.
    finds(
        &format!("{EVENTS} GRANT SELECT ON events_2026_01 TO {{app}}"),
        &[("RLS_OFF", "public.events_2026_01")],
    )
    .await;
}

/// Rows that were read by partition alone are read through the table above then.
#[tokio::test]
async fn the_rows_of_a_closed_partition_are_still_there() {
    let db = database(&format!(
        "{EVENTS}{EVENTS_CLOSED} REVOKE ALL ON events FROM {{app}}; GRANT SELECT ON events_2026_01 TO {{app}};
         INSERT INTO events (tenant_id, at) VALUES
           ('aaaaaaaa-0000-0000-0000-000000000000', '2026-01-02'), ('bbbbbbbb-0000-0000-0000-000000000000', '2026-01-02');"
    ))
    .await;
    assert_eq!(seen(&db, "events_2026_01").await, (2, 2));
    let found = report(&db, &options(&db)).await;
    assert_eq!(found.findings.len(), 1, "{found:#?}");
    db.run(&found.findings[0].fix).await;
    assert_eq!(seen(&db, "events").await, (1, 0));
}

#[tokio::test]
async fn a_partition_with_policies_of_its_own_is_no_way_around() {
    is_clean(&format!(
        "{EVENTS}{EVENTS_CLOSED} SET ROLE {{owner}};
         ALTER TABLE events_2026_01 ENABLE ROW LEVEL SECURITY; ALTER TABLE events_2026_01 FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON events_2026_01 USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
         GRANT SELECT ON events_2026_01 TO {{app}}; RESET ROLE;"
    ))
    .await;
}

#[tokio::test]
async fn a_table_that_inherits() {
    let heir = "SET ROLE {owner};
        CREATE TABLE old_invoices (PRIMARY KEY (tenant_id, id),
          FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)) INHERITS (invoices);
        RESET ROLE;";
    is_clean(heir).await;
    finds(
        &format!("{heir} GRANT SELECT ON old_invoices TO {{app}}"),
        &[("PARTITION_DIRECT", "public.old_invoices")],
    )
    .await;
}

const CHAIN: &str = "
SET ROLE {owner};
CREATE TABLE orders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL REFERENCES tenants (id)
);
CREATE INDEX ON orders (tenant_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE TABLE lines (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id uuid NOT NULL REFERENCES orders (id));
CREATE INDEX ON lines (order_id);
CREATE TABLE parent (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), line_id uuid NOT NULL REFERENCES lines (id));
CREATE INDEX ON parent (line_id);
GRANT SELECT, INSERT ON orders TO {app};
RESET ROLE;
INSERT INTO orders VALUES
  ('aaaaaaaa-0000-0000-0000-000000000021', 'aaaaaaaa-0000-0000-0000-000000000000'),
  ('bbbbbbbb-0000-0000-0000-000000000021', 'bbbbbbbb-0000-0000-0000-000000000000');
INSERT INTO lines VALUES
  ('aaaaaaaa-0000-0000-0000-000000000031', 'aaaaaaaa-0000-0000-0000-000000000021'),
  ('bbbbbbbb-0000-0000-0000-000000000031', 'bbbbbbbb-0000-0000-0000-000000000021');
INSERT INTO parent (line_id) VALUES
  ('aaaaaaaa-0000-0000-0000-000000000031'), ('bbbbbbbb-0000-0000-0000-000000000031');";

#[tokio::test]
async fn children_of_children() {
    finds(
        &format!("{CHAIN} GRANT SELECT, INSERT ON lines, parent TO {{app}}"),
        &[
            ("CHILD_UNSCOPED", "public.lines"),
            ("CHILD_UNSCOPED", "public.parent"),
        ],
    )
    .await;
    is_clean(CHAIN).await;
}

#[tokio::test]
async fn the_fix_of_a_grandchild_shows_a_tenant_its_own() {
    let db = database(&format!(
        "{CHAIN} GRANT SELECT, INSERT ON parent TO {{app}}"
    ))
    .await;
    assert_eq!(seen(&db, "parent").await, (2, 2));
    // The application could not read the one between: the policy needs it, and it needs a policy.
    let found = report(&db, &options(&db)).await;
    assert_eq!(found.findings.len(), 1, "{found:#?}");
    db.run(&found.findings[0].fix).await;
    assert!(report(&db, &options(&db)).await.is_clean());
    assert_eq!(seen(&db, "parent").await, (1, 0));
}

#[tokio::test]
async fn policies_that_sleep() {
    // Several of a table; and one that is restrictive only, which needs another once it wakes.
    finds(
        "ALTER TABLE invoices DISABLE ROW LEVEL SECURITY;
         ALTER TABLE customers DISABLE ROW LEVEL SECURITY;
         DROP POLICY own ON customers;
         CREATE POLICY own ON customers AS RESTRICTIVE USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);",
        &[
            ("POLICY_DORMANT", "public.customers"),
            ("POLICY_DORMANT", "public.invoices"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_table_without_policies_is_an_outage() {
    let closed = "SET ROLE {owner};
        CREATE TABLE notes (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid, PRIMARY KEY (tenant_id, id));
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY; RESET ROLE;";
    is_clean(closed).await;
    finds(
        &format!("{closed} GRANT SELECT ON notes TO {{app}}"),
        &[("RLS_NO_POLICY", "public.notes")],
    )
    .await;
    // For another role, and for a command that was not granted.
    finds(
        &format!(
            "{closed} GRANT SELECT ON notes TO {{app}}; CREATE ROLE {{admin}};
             CREATE POLICY admin ON notes TO {{admin}} USING (true);
             CREATE POLICY ins ON notes FOR INSERT WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);"
        ),
        &[("RLS_NO_POLICY", "public.notes")],
    )
    .await;
    // For a group that it is in.
    is_clean(&format!(
        "{closed} CREATE ROLE {{apps}}; GRANT {{apps}} TO {{app}}; GRANT SELECT ON notes TO {{app}};
         CREATE POLICY own ON notes TO {{apps}} USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);"
    ))
    .await;
}

/// What is open to one of the application's roles is closed to the other on purpose.
#[tokio::test]
async fn a_table_for_one_of_two_roles() {
    let db = database(
        "CREATE ROLE {anon} LOGIN; GRANT USAGE ON SCHEMA public TO {anon};
         ALTER POLICY own ON invoices TO {app}; GRANT SELECT ON invoices TO {anon};",
    )
    .await;
    let mut both = options(&db);
    both.app_roles.push(db.role("anon"));
    let found = report(&db, &both).await;
    assert!(found.is_clean(), "{found:#?}");
    let mut anon = options(&db);
    anon.app_roles = vec![db.role("anon")];
    let found = report(&db, &anon).await;
    assert_eq!(found.findings.len(), 1, "{found:#?}");
    assert_eq!(found.findings[0].id.id(), "RLS_NO_POLICY");
}
