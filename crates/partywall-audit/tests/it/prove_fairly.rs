//! What is no breach: rows that are the attacker's own, and what others have by chance as well.

use partywall_audit::{Options, Outcome, Proof, ProveOptions, prove};

use crate::{
    database::Database,
    prove::{breached, lines, proof},
    prove_safely::cell,
};

/// Makes policies that keep tables to a condition, for everybody.
fn protect(tables: &[(&str, &str)]) -> String {
    tables
        .iter()
        .map(|(table, condition)| {
            format!(
                "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                 CREATE POLICY own ON {table} USING ({condition});
                 GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {{app}};\n"
            )
        })
        .collect()
}

const TENANT: &str = "nullif(current_setting('app.tenant_id', true), '')::int";
const USER: &str = "nullif(current_setting('app.user_id', true), '')::int";

async fn of(sql: &str) -> (Database, Options) {
    let db = Database::with(&format!("CREATE ROLE {{app}} LOGIN; {sql}")).await;
    let mut given = Options::default();
    given.app_roles = vec![db.role("app")];
    (db, given)
}

fn given(name: &str, attacker: &str, victim: &str) -> ProveOptions {
    let mut how = ProveOptions::default();
    how.attacker = vec![(name.to_owned(), attacker.to_owned())];
    how.victim = vec![(name.to_owned(), victim.to_owned())];
    how
}

/// Nobody is reached, and somebody's rows were.
fn holds(db: &Database, proof: &Proof, table: &str) {
    let text = format!(
        "A {:?}\nB {:?}\n{}",
        proof.attacker,
        proof.victim,
        lines(db, proof)
    );
    assert!(breached(proof).is_empty(), "{text}");
    for attack in ["read", "count", "update"] {
        let outcome = &cell(proof, table, attack).outcome;
        assert_eq!(*outcome, Outcome::Held, "{attack}\n{text}");
    }
}

/// Organizations, people, and who is a member of what.
fn members(rows: &str) -> String {
    let mine = format!("SELECT m.org_id FROM memberships m WHERE m.user_id = {USER}");
    format!(
        "CREATE TABLE orgs (id int PRIMARY KEY); CREATE TABLE users (id int PRIMARY KEY, name text);
         CREATE TABLE memberships (org_id int NOT NULL REFERENCES orgs, user_id int NOT NULL REFERENCES users, PRIMARY KEY (org_id, user_id));
         CREATE TABLE items (org_id int NOT NULL REFERENCES orgs, id uuid DEFAULT gen_random_uuid(), title text, PRIMARY KEY (org_id, id));
         {} GRANT SELECT ON users, memberships, orgs TO {{app}}; {rows}
         INSERT INTO items (org_id) SELECT id FROM orgs;",
        protect(&[
            ("users", &format!("id = {USER}")),
            ("memberships", &format!("user_id = {USER}")),
            ("orgs", &format!("id IN ({mine})")),
            ("items", &format!("org_id IN ({mine})")),
        ])
        .replace("GRANT SELECT, INSERT, UPDATE, DELETE ON memberships", "GRANT SELECT ON memberships"),
    )
}

#[tokio::test]
async fn a_user_is_no_tenant() {
    let rows = "INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (71), (72);
                INSERT INTO memberships VALUES (1, 71), (2, 72);";
    let (db, options) = of(&members(rows)).await;
    let found = proof(&db, &options, &ProveOptions::default()).await;
    holds(&db, &found, "public.items");
    let found = proof(&db, &options, &given("app.user_id", "71", "72")).await;
    holds(&db, &found, "public.items");
}

#[tokio::test]
async fn what_both_are_members_of_is_the_attackers_own() {
    let rows = "INSERT INTO orgs VALUES (1), (2), (3); INSERT INTO users VALUES (71), (72);
                INSERT INTO memberships VALUES (1, 71), (2, 71), (2, 72), (3, 72);";
    let (db, options) = of(&members(rows)).await;
    let found = proof(&db, &options, &given("app.user_id", "71", "72")).await;
    holds(&db, &found, "public.items");
    let found = proof(&db, &options, &ProveOptions::default()).await;
    holds(&db, &found, "public.items");
    db.run("DELETE FROM memberships WHERE org_id = 3").await;
    let mut admin = db.superuser().await;
    let how = given("app.user_id", "71", "72");
    let refused = prove(&mut admin, None, &options, &how, &mut |_| {}).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("member"), "{message}");
}

#[tokio::test]
async fn a_number_that_the_attacker_has_too_is_its_own() {
    let own = format!("tenant_id = {TENANT}");
    let (db, options) = of(&format!(
        "CREATE TABLE tenants (id int PRIMARY KEY);
         CREATE TABLE invoices (tenant_id int NOT NULL REFERENCES tenants, no int NOT NULL, PRIMARY KEY (tenant_id, no));
         CREATE TABLE lines (tenant_id int NOT NULL, invoice_no int NOT NULL, pos int NOT NULL, PRIMARY KEY (tenant_id, invoice_no, pos),
           FOREIGN KEY (tenant_id, invoice_no) REFERENCES invoices);
         {} INSERT INTO tenants VALUES (1), (2); INSERT INTO invoices VALUES (1, 1), (2, 1); INSERT INTO lines VALUES (1, 1, 1), (2, 1, 1);",
        protect(&[("invoices", &own), ("lines", &own)])
    ))
    .await;
    let found = proof(&db, &options, &ProveOptions::default()).await;
    let text = lines(&db, &found);
    assert!(breached(&found).is_empty(), "{text}");
    let reference = cell(&found, "public.lines", "reference");
    assert_eq!(reference.outcome, Outcome::Held, "{text}");
    // A key without the tenant is reached all the same.
    db.run("ALTER TABLE invoices ADD id int UNIQUE; UPDATE invoices SET id = tenant_id; ALTER TABLE lines ADD invoice int REFERENCES invoices (id)")
        .await;
    let found = proof(&db, &options, &ProveOptions::default()).await;
    assert!(
        breached(&found).contains("reference"),
        "{}",
        lines(&db, &found)
    );
}

#[tokio::test]
async fn a_setting_of_the_user_is_not_the_tenants() {
    let (tenant, user) = (format!("tenant_id = {TENANT}"), format!("user_id = {USER}"));
    let (db, options) = of(&format!(
        "CREATE TABLE tenants (id int PRIMARY KEY);
         CREATE TABLE docs (tenant_id int NOT NULL REFERENCES tenants, id uuid DEFAULT gen_random_uuid(), title text, PRIMARY KEY (tenant_id, id));
         CREATE TABLE drafts (user_id int NOT NULL, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (user_id, id));
         CREATE TABLE stars (user_id int NOT NULL, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (user_id, id));
         {} INSERT INTO tenants VALUES (1), (2); INSERT INTO docs (tenant_id) VALUES (1), (2); INSERT INTO drafts (user_id) VALUES (71), (72);",
        protect(&[("docs", &tenant), ("drafts", &user), ("stars", &format!("{user} AND length(id::text) > 0"))])
    ))
    .await;
    let found = proof(&db, &options, &ProveOptions::default()).await;
    holds(&db, &found, "public.docs");
}

#[tokio::test]
async fn who_is_below_the_attacker_is_no_victim_where_one_was_named() {
    let below = format!("SELECT c.descendant_id FROM org_closure c WHERE c.ancestor_id = {TENANT}");
    let (db, mut options) = of(&format!(
        "CREATE TABLE orgs (id int PRIMARY KEY, parent_id int REFERENCES orgs, name text);
         CREATE TABLE org_closure (ancestor_id int NOT NULL REFERENCES orgs, descendant_id int NOT NULL REFERENCES orgs, PRIMARY KEY (ancestor_id, descendant_id));
         CREATE TABLE tickets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id int NOT NULL REFERENCES orgs, subject text);
         {} INSERT INTO orgs VALUES (1, NULL, 'a'), (2, 1, 'a1'), (3, NULL, 'b');
         INSERT INTO org_closure SELECT id, id FROM orgs; INSERT INTO org_closure VALUES (1, 2); INSERT INTO tickets (org_id) SELECT id FROM orgs;",
        protect(&[("tickets", &format!("org_id IN ({below})"))])
            + &format!(
                "ALTER TABLE orgs ENABLE ROW LEVEL SECURITY; ALTER TABLE org_closure ENABLE ROW LEVEL SECURITY;
                 CREATE POLICY own ON orgs FOR SELECT USING (id IN ({below})); CREATE POLICY own ON org_closure FOR SELECT USING (ancestor_id = {TENANT});
                 GRANT SELECT ON orgs, org_closure TO {{app}};"
            ),
    ))
    .await;
    options.tenant_columns = vec!["org_id".to_owned()];
    let found = proof(&db, &options, &given("app.tenant_id", "1", "3")).await;
    holds(&db, &found, "public.tickets");
    db.run("CREATE POLICY open ON tickets FOR SELECT USING (true)")
        .await;
    let found = proof(&db, &options, &given("app.tenant_id", "1", "3")).await;
    assert!(breached(&found).contains("read"), "{}", lines(&db, &found));
}

/// What check takes for a key that the server makes up is one here as well.
#[tokio::test]
async fn a_number_that_was_made_up_tells_nothing() {
    let (db, options) = of(&format!(
        "CREATE TABLE tenants (id int PRIMARY KEY);
         CREATE TABLE history (n bigint PRIMARY KEY DEFAULT (('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint), tenant_id int NOT NULL REFERENCES tenants, said text);
         {} INSERT INTO tenants VALUES (1), (2); INSERT INTO history (tenant_id) SELECT id FROM tenants;",
        protect(&[("history", &format!("tenant_id = {TENANT}"))])
    ))
    .await;
    let found = proof(&db, &options, &ProveOptions::default()).await;
    holds(&db, &found, "public.history");
}

/// The numbers of the tenants say how many there are, and a directory of them is read before it is known who asks.
#[tokio::test]
async fn the_tenants_table_may_be_read() {
    let own = format!("tenant_id = {TENANT}");
    for protected in [false, true] {
        let root = match protected {
            true => protect(&[("tenants", &format!("id = {TENANT}"))]),
            false => "GRANT SELECT ON tenants TO {app};".to_owned(),
        };
        let (db, options) = of(&format!(
            "CREATE TABLE tenants (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
             CREATE TABLE notes (tenant_id int NOT NULL REFERENCES tenants, id uuid DEFAULT gen_random_uuid(), said text, PRIMARY KEY (tenant_id, id));
             {} {root} INSERT INTO tenants (name) VALUES ('a'), ('b'); INSERT INTO notes (tenant_id) VALUES (1), (2);",
            protect(&[("notes", &own)])
        ))
        .await;
        let found = proof(&db, &options, &ProveOptions::default()).await;
        holds(&db, &found, "public.notes");
        // Who may change it changes everybody's.
        if !protected {
            db.run("GRANT UPDATE ON tenants TO {app}").await;
            let found = proof(&db, &options, &ProveOptions::default()).await;
            assert!(
                breached(&found).contains("update"),
                "{}",
                lines(&db, &found)
            );
        }
    }
}

#[tokio::test]
async fn a_role_for_each_tenant_is_that_tenant() {
    let sql = "CREATE ROLE {globex} LOGIN; CREATE TABLE tenants (role_name name PRIMARY KEY, said text);
        CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_role name NOT NULL DEFAULT current_user REFERENCES tenants, said text);
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON tenants FOR SELECT USING (role_name = current_user); CREATE POLICY own ON orders USING (tenant_role = current_user);
        GRANT SELECT ON tenants TO {app}, {globex}; GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO {app}, {globex};
        INSERT INTO tenants VALUES ('{app}'), ('{globex}'); INSERT INTO orders (tenant_role, said) SELECT role_name, 'x' FROM tenants;";
    let (db, mut options) = of(sql).await;
    options.app_roles.push(db.role("globex"));
    options.tenant_columns = vec!["tenant_role".to_owned()];
    let found = proof(&db, &options, &ProveOptions::default()).await;
    holds(&db, &found, "public.orders");
    db.run("CREATE POLICY open ON orders FOR SELECT USING (true)")
        .await;
    let found = proof(&db, &options, &ProveOptions::default()).await;
    assert!(breached(&found).contains("read"), "{}", lines(&db, &found));
}

/// Operators of a type that an extension brought are in its schema.
#[tokio::test]
async fn tenants_may_be_of_an_extensions_type() {
    let own = "tenant = nullif(current_setting('app.tenant', true), '')::ltree";
    let (db, options) = of(&format!(
        "CREATE EXTENSION ltree; CREATE TABLE tenants (id ltree PRIMARY KEY);
         CREATE TABLE notes (tenant ltree NOT NULL REFERENCES tenants, id uuid DEFAULT gen_random_uuid(), said text, PRIMARY KEY (tenant, id));
         {} {} INSERT INTO tenants VALUES ('a'), ('b'); INSERT INTO notes (tenant) SELECT id FROM tenants;",
        protect(&[("notes", own)]),
        protect(&[("tenants", &own.replace("tenant =", "id ="))])
    ))
    .await;
    let found = proof(&db, &options, &ProveOptions::default()).await;
    holds(&db, &found, "public.notes");
}
