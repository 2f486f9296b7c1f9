//! Keys and constraints: where the rules branch.

use crate::named::{base, expect, found, names, table};

#[tokio::test]
async fn a_foreign_key_is_replaced_as_it_was() {
    let db = base(&format!(
        "{}ALTER TABLE invoices ADD UNIQUE (id);
         SET ROLE {{owner}};
         ALTER TABLE payments ADD COLUMN invoice_id uuid CONSTRAINT \"pays \"\"it\" REFERENCES invoices (id)
           ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;
         RESET ROLE;",
        table("payments", "")
    ))
    .await;
    let report = found(&db).await;
    assert_eq!(
        names(&report.findings),
        ["FK_CROSS_TENANT constraint \"pays \"\"it\" on public.payments"]
    );
    let admin = db.superuser().await;
    admin.batch_execute(&report.findings[0].fix).await.unwrap();
    let made: String = admin
        .query_one(
            "SELECT string_agg(pg_get_constraintdef(oid), '; ') FROM pg_constraint
             WHERE conrelid = 'payments'::regclass AND confrelid = 'invoices'::regclass",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(
        made,
        "FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices(tenant_id, id) ON UPDATE CASCADE \
         ON DELETE SET NULL (invoice_id) DEFERRABLE INITIALLY DEFERRED"
    );
    assert!(found(&db).await.is_clean());
}

#[tokio::test]
async fn a_foreign_key_may_leave_the_tenant_out() {
    let policy =
        |check: &str| format!("CREATE POLICY seen ON lines AS RESTRICTIVE WITH CHECK ({check});");
    let lines = |more: &str| {
        format!(
            "{}ALTER TABLE invoices ADD UNIQUE (id);
             SET ROLE {{owner}};
             CREATE TABLE lines (
               invoice_id uuid NOT NULL REFERENCES invoices (id),
               line integer NOT NULL,
               product_id uuid REFERENCES products (key),
               PRIMARY KEY (invoice_id, line)
             );
             ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
             ALTER TABLE lines FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON lines USING (EXISTS (SELECT FROM invoices i WHERE i.id = lines.invoice_id));
             GRANT SELECT, INSERT, UPDATE, DELETE ON lines TO {{app}};
             {more}
             RESET ROLE;",
            table("products", "key uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,")
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "the policy looks at one parent and not at the other",
            lines(""),
            &["FK_CROSS_TENANT constraint lines_product_id_fkey on public.lines"],
        ),
        (
            "another policy looks at the other",
            lines(&policy("product_id IS NULL OR EXISTS (SELECT FROM products p WHERE p.key = product_id)")),
            &[],
        ),
        (
            "with IN",
            lines(&policy("product_id IN (SELECT key FROM products)")),
            &[],
        ),
        (
            "it looks at the table, but not for this row",
            lines(&policy("EXISTS (SELECT FROM products p)")),
            &["FK_CROSS_TENANT constraint lines_product_id_fkey on public.lines"],
        ),
        (
            "to itself",
            format!(
                "{}ALTER TABLE tasks ADD FOREIGN KEY (parent) REFERENCES tasks (key);",
                table("tasks", "key uuid NOT NULL UNIQUE, parent uuid,")
            ),
            &["FK_CROSS_TENANT constraint tasks_parent_fkey on public.tasks"],
        ),
        (
            "in another schema",
            format!(
                "CREATE SCHEMA \"Other One\"; GRANT USAGE, CREATE ON SCHEMA \"Other One\" TO {{owner}};
                 GRANT USAGE ON SCHEMA \"Other One\" TO {{app}};
                 ALTER TABLE invoices ADD UNIQUE (id);{}",
                table("\"Other One\".\"Pay\"\"ments\"", "invoice_id uuid NOT NULL REFERENCES public.invoices (id),")
            ),
            &["FK_CROSS_TENANT constraint \"Pay\"\"ments_invoice_id_fkey\" on \"Other One\".\"Pay\"\"ments\""],
        ),
        (
            "the application only reads",
            format!(
                "ALTER TABLE invoices ADD UNIQUE (id);{}REVOKE INSERT, UPDATE ON payments FROM {{app}};",
                table("payments", "invoice_id uuid NOT NULL REFERENCES invoices (id),")
            ),
            &[],
        ),
        (
            "or writes other columns",
            format!(
                "ALTER TABLE invoices ADD UNIQUE (id);{}REVOKE INSERT, UPDATE ON payments FROM {{app}};
                 GRANT UPDATE (note) ON payments TO {{app}};",
                table("payments", "note text, invoice_id uuid NOT NULL REFERENCES invoices (id),")
            ),
            &[],
        ),
        (
            "to the tenants themselves",
            table("referrals", "referred uuid NOT NULL REFERENCES tenants (id),"),
            &[],
        ),
        (
            "beside one with the tenant",
            format!(
                "ALTER TABLE invoices ADD UNIQUE (id);{}
                 ALTER TABLE payments ADD FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id);",
                table("payments", "invoice_id uuid NOT NULL REFERENCES invoices (id),")
            ),
            &[],
        ),
        (
            "to rows that are everybody's",
            format!(
                "SET ROLE {{owner}};
                 CREATE TABLE templates (tenant_id uuid REFERENCES tenants (id), id uuid PRIMARY KEY, body text);
                 CREATE INDEX ON templates (tenant_id);
                 ALTER TABLE templates ENABLE ROW LEVEL SECURITY; ALTER TABLE templates FORCE ROW LEVEL SECURITY;
                 CREATE POLICY shown ON templates FOR SELECT
                   USING (tenant_id IS NULL OR tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
                 GRANT SELECT ON templates TO {{app}};
                 RESET ROLE;{}",
                table("letters", "template uuid REFERENCES templates (id),")
            ),
            &["FK_CROSS_TENANT constraint letters_template_fkey on public.letters"],
        ),
        (
            "partitions have copies of it",
            "ALTER TABLE invoices ADD UNIQUE (id);
             SET ROLE {owner};
             CREATE TABLE events (
               tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid NOT NULL,
               invoice_id uuid REFERENCES invoices (id), PRIMARY KEY (tenant_id, id)
             ) PARTITION BY HASH (tenant_id);
             CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
             ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON events USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
             GRANT SELECT, INSERT, UPDATE, DELETE ON events TO {app};
             RESET ROLE;"
                .to_owned(),
            &["FK_CROSS_TENANT constraint events_invoice_id_fkey on public.events"],
        ),
        (
            "to a partitioned table",
            format!(
                "SET ROLE {{owner}};
                 CREATE TABLE events (
                   tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid NOT NULL PRIMARY KEY
                 ) PARTITION BY HASH (id);
                 CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                 CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                 CREATE INDEX ON events (tenant_id);
                 ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events FORCE ROW LEVEL SECURITY;
                 CREATE POLICY own ON events USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
                 GRANT SELECT, INSERT, UPDATE, DELETE ON events TO {{app}};
                 RESET ROLE;{}",
                table("marks", "event uuid REFERENCES events (id),")
            ),
            &["FK_CROSS_TENANT constraint marks_event_fkey on public.marks"],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn a_unique_key_is_led_by_the_tenant() {
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "of some rows",
            format!(
                "{}CREATE UNIQUE INDEX \"by (mail\" ON contacts (email) INCLUDE (gone) WHERE NOT gone;",
                table(
                    "contacts",
                    "email text, gone boolean NOT NULL DEFAULT false,"
                )
            ),
            &["UNIQUE_GLOBAL index public.\"by (mail\""],
        ),
        (
            "of an expression",
            format!(
                "{}CREATE UNIQUE INDEX mail ON contacts (lower(email));",
                table("contacts", "email text,")
            ),
            &["UNIQUE_GLOBAL index public.mail"],
        ),
        (
            "of rows without a tenant",
            format!(
                "{}CREATE UNIQUE INDEX mail ON contacts (email) WHERE tenant_id IS NULL;",
                table("contacts", "email text,")
            ),
            &[],
        ),
        (
            "of an expression with the tenant",
            format!(
                "{}CREATE UNIQUE INDEX mail ON contacts ((tenant_id::text || ':' || email));",
                table("contacts", "email text,")
            ),
            &[],
        ),
        (
            "checked when the transaction ends",
            table(
                "contacts",
                "email text CONSTRAINT mail UNIQUE DEFERRABLE INITIALLY DEFERRED,",
            ),
            &["UNIQUE_GLOBAL constraint mail on public.contacts"],
        ),
        (
            "of one row for each row of a tenant",
            format!(
                "{}{}",
                table("profiles", "n bigint NOT NULL, UNIQUE (tenant_id, n),"),
                table(
                    "pictures",
                    "profile bigint UNIQUE, FOREIGN KEY (tenant_id, profile) REFERENCES profiles (tenant_id, n),"
                )
            ),
            &[],
        ),
        (
            "of one row for each row that is nobody's",
            table("homes", "country text UNIQUE REFERENCES countries (code),"),
            &["UNIQUE_GLOBAL constraint homes_country_key on public.homes"],
        ),
        (
            "secrets that machines made, and what was proven",
            format!(
                "{}CREATE UNIQUE INDEX ON hosts (host) WHERE verified_at IS NOT NULL;",
                table(
                    "hosts",
                    "token text NOT NULL UNIQUE, \"keyHash\" bytea UNIQUE, host text, verified_at timestamptz,"
                )
            ),
            &[],
        ),
        (
            "the hash of what people know, and a host that is set",
            format!(
                "{}CREATE UNIQUE INDEX of_host ON hosts (host) WHERE host IS NOT NULL;",
                table(
                    "hosts",
                    "email_hash text CONSTRAINT of_email UNIQUE, host text,"
                )
            ),
            &[
                "UNIQUE_GLOBAL constraint of_email on public.hosts",
                "UNIQUE_GLOBAL index public.of_host",
            ],
        ),
        (
            "a random text for a key",
            format!(
                "{}ALTER TABLE links DROP CONSTRAINT links_pkey, ADD PRIMARY KEY (code); CREATE INDEX ON links (tenant_id);",
                table("links", "code text NOT NULL DEFAULT md5(random()::text),")
            ),
            &[],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn a_natural_key_goes_with_what_refers_to_it() {
    let sql = format!(
        "{}
         ALTER TABLE documents DROP CONSTRAINT documents_pkey, ADD PRIMARY KEY (code);
         CREATE INDEX ON documents (tenant_id);
         {}
         INSERT INTO documents (tenant_id, code) SELECT id, name FROM tenants;
         INSERT INTO pages (tenant_id, document) SELECT tenant_id, code FROM documents;",
        table("documents", "code text NOT NULL, above text,"),
        table(
            "pages",
            "document text NOT NULL REFERENCES documents (code) ON DELETE CASCADE,"
        )
    );
    expect(&[(
        "a text for a primary key",
        &sql,
        &[
            "FK_CROSS_TENANT constraint pages_document_fkey on public.pages",
            "UNIQUE_GLOBAL constraint documents_pkey on public.documents",
        ],
    )])
    .await;
    // The second fix runs by itself as well, and keeps the reference.
    let db = base(&sql).await;
    let report = found(&db).await;
    let fix = &report
        .findings
        .iter()
        .find(|finding| finding.id.id() == "UNIQUE_GLOBAL")
        .unwrap()
        .fix;
    let admin = db.superuser().await;
    admin.batch_execute(fix).await.unwrap();
    assert!(found(&db).await.is_clean());
    let error = admin
        .batch_execute("INSERT INTO pages (tenant_id, document) SELECT id, 'acme' FROM tenants WHERE name = 'globex'")
        .await
        .unwrap_err();
    assert_eq!(error.code().unwrap().code(), "23503");
}

#[tokio::test]
async fn numbers_are_one_finding_and_no_other() {
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "bigserial keys, as web frameworks make them",
            "SET ROLE {owner};
             CREATE TABLE posts (
               id bigserial PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants (id), title text NOT NULL
             );
             CREATE INDEX ON posts (tenant_id);
             ALTER TABLE posts ENABLE ROW LEVEL SECURITY; ALTER TABLE posts FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON posts USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
             GRANT SELECT, INSERT, UPDATE, DELETE ON posts TO {app};
             GRANT USAGE, SELECT ON SEQUENCE posts_id_seq TO {app};
             RESET ROLE;"
                .to_owned(),
            &["SEQ_SHARED public.posts.id"],
        ),
        (
            "integers that the application makes",
            format!(
                "{}ALTER TABLE posts DROP CONSTRAINT posts_pkey, ADD PRIMARY KEY (n); CREATE INDEX ON posts (tenant_id);",
                table("posts", "n integer NOT NULL,")
            ),
            &[],
        ),
        (
            "a number in a text",
            format!(
                "CREATE SEQUENCE receipts; GRANT USAGE ON SEQUENCE receipts TO {{app}};{}",
                table("receipts_of", "number text NOT NULL DEFAULT 'R-' || nextval('receipts')::text, UNIQUE (tenant_id, number),")
            ),
            &["SEQ_SHARED public.receipts_of.number"],
        ),
        (
            "from a function",
            format!(
                "CREATE SEQUENCE numbers; GRANT USAGE ON SEQUENCE numbers TO {{app}};
                 CREATE FUNCTION next_number() RETURNS bigint LANGUAGE sql AS $f$ SELECT nextval('public.numbers') $f$;{}",
                table("posts", "n bigint NOT NULL DEFAULT next_number(), UNIQUE (tenant_id, n),")
            ),
            &["SEQ_SHARED public.posts.n"],
        ),
        (
            "from a function, beside a clock",
            format!(
                "CREATE SEQUENCE numbers; GRANT USAGE ON SEQUENCE numbers TO {{app}};
                 CREATE FUNCTION next_id() RETURNS bigint LANGUAGE sql
                 AS $f$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint * 1024 + nextval('public.numbers') % 1024 $f$;{}",
                table("posts", "n bigint NOT NULL DEFAULT next_id(), UNIQUE (tenant_id, n),")
            ),
            &[],
        ),
        (
            "from a trigger",
            format!(
                "CREATE SEQUENCE numbers; GRANT USAGE ON SEQUENCE numbers TO {{app}};
                 CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql
                 AS $f$ BEGIN IF NEW.n IS NULL THEN NEW.n := nextval('numbers'); END IF; RETURN NEW; END $f$;
                 {}CREATE TRIGGER number BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION number();",
                table("posts", "n bigint NOT NULL, UNIQUE (tenant_id, n),")
            ),
            &["SEQ_SHARED public.posts.n"],
        ),
        (
            "from a trigger, of a sequence of each tenant's own",
            format!(
                "CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql
                 AS $f$ BEGIN NEW.n := nextval('numbers_' || NEW.tenant_id); RETURN NEW; END $f$;
                 {}CREATE TRIGGER number BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION number();",
                table("posts", "n bigint NOT NULL, UNIQUE (tenant_id, n),")
            ),
            &[],
        ),
        (
            "a number that the application does not see",
            format!(
                "{}REVOKE SELECT ON posts FROM {{app}}; GRANT SELECT (id, tenant_id) ON posts TO {{app}};",
                table("posts", "n bigint GENERATED ALWAYS AS IDENTITY,")
            ),
            &[],
        ),
        (
            "a view and a generated column on it stand in the way of nothing",
            format!(
                "{}INSERT INTO posts (tenant_id) SELECT id FROM tenants;",
                table("posts", "n bigint GENERATED ALWAYS AS IDENTITY, twice bigint GENERATED ALWAYS AS (n * 2) STORED,")
            ),
            &["SEQ_SHARED public.posts.n"],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn a_row_of_nobody_may_be_changed_by_some() {
    let rates = |more: &str| {
        format!(
            "SET ROLE {{owner}};
             CREATE TABLE rates (code text PRIMARY KEY, percent integer NOT NULL);
             ALTER TABLE invoices ADD COLUMN rate text REFERENCES rates (code) ON DELETE CASCADE ON UPDATE CASCADE;
             GRANT SELECT ON rates TO {{app}};
             {more}
             RESET ROLE;"
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "by changing the key",
            rates("GRANT UPDATE (code) ON rates TO {app};"),
            &["FK_ACTION_CROSSES public.rates"],
        ),
        (
            "by changing the rest",
            rates("GRANT UPDATE (percent) ON rates TO {app};"),
            &[],
        ),
        (
            "a policy keeps it from them",
            rates(
                "GRANT DELETE ON rates TO {app}; ALTER TABLE rates ENABLE ROW LEVEL SECURITY;
                 CREATE POLICY shown ON rates FOR SELECT USING (true);",
            ),
            &[],
        ),
        (
            "everybody may",
            rates("GRANT DELETE ON rates TO PUBLIC;"),
            &["FK_ACTION_CROSSES public.rates"],
        ),
        (
            "by way of rows between",
            rates(
                "CREATE TABLE regions (id integer PRIMARY KEY);
                 ALTER TABLE rates ADD region integer REFERENCES regions ON DELETE CASCADE;
                 GRANT DELETE ON regions TO {app};",
            ),
            &["FK_ACTION_CROSSES public.regions"],
        ),
        (
            "by way of rows between, of which another column is changed",
            rates(
                "CREATE TABLE regions (id integer PRIMARY KEY);
                 ALTER TABLE rates ADD region integer REFERENCES regions ON DELETE SET NULL;
                 GRANT DELETE ON regions TO {app};",
            ),
            &[],
        ),
        (
            "by way of rows between that are in the way",
            rates(
                "CREATE TABLE regions (id integer PRIMARY KEY);
                 ALTER TABLE rates ADD region integer REFERENCES regions ON DELETE RESTRICT;
                 GRANT DELETE ON regions TO {app};",
            ),
            &[],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn a_sequence_is_its_tables() {
    let numbered = |more: &str| {
        format!(
            "CREATE SEQUENCE \"Numbers\";
             CREATE TABLE parcels (id bigint PRIMARY KEY DEFAULT nextval('\"Numbers\"'));
             GRANT SELECT, INSERT ON parcels TO {{app}};
             {more}"
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "and the application's",
            numbered("ALTER SEQUENCE \"Numbers\" OWNER TO {app};"),
            &["SEQ_WRITABLE public.\"Numbers\""],
        ),
        (
            "and the application's, which others may write as well",
            numbered(
                "ALTER SEQUENCE \"Numbers\" OWNER TO {app}; CREATE ROLE {other}; GRANT {other} TO {app};
                 GRANT ALL ON SEQUENCE \"Numbers\" TO {other};",
            ),
            &["SEQ_WRITABLE public.\"Numbers\""],
        ),
        (
            "and next to one of the application's own",
            numbered(
                "GRANT USAGE ON SEQUENCE \"Numbers\" TO {app};
                 CREATE SEQUENCE own; ALTER SEQUENCE own OWNER TO {app};",
            ),
            &[],
        ),
    ];
    expect(&cases).await;
}

#[tokio::test]
async fn exclusions_are_led_by_the_tenant() {
    let gist = |columns: &str, constraint: &str| {
        format!(
            "CREATE EXTENSION btree_gist;{}",
            table(
                "bookings",
                &format!("{columns} EXCLUDE USING gist ({constraint}),")
            )
        )
    };
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "a room that nobody guesses",
            gist(
                "room uuid NOT NULL, during tstzrange NOT NULL,",
                "room WITH =, during WITH &&",
            ),
            &[],
        ),
        (
            "of some rows, checked when the transaction ends",
            gist(
                "during tstzrange NOT NULL, off boolean,",
                "during WITH &&) WHERE (NOT off",
            )
            .replace("off),", "off) DEFERRABLE,"),
            &["EXCLUDE_GLOBAL constraint bookings_during_excl on public.bookings"],
        ),
        (
            "that a room is one tenant's alone",
            gist("room text NOT NULL,", "room WITH =, tenant_id WITH <>"),
            &["EXCLUDE_GLOBAL constraint bookings_room_tenant_id_excl on public.bookings"],
        ),
        (
            "led by an expression of the tenant",
            gist(
                "during tstzrange NOT NULL,",
                "(tenant_id::text) WITH =, during WITH &&",
            ),
            &[],
        ),
        (
            "that nothing but one room is taken at a time",
            gist(
                "room uuid NOT NULL, during tstzrange NOT NULL,",
                "room WITH <>, during WITH &&",
            ),
            &["EXCLUDE_GLOBAL constraint bookings_room_during_excl on public.bookings"],
        ),
    ];
    expect(&cases).await;
}
