//! What is inferred of a database, and what is not.

use partywall_audit::{AuditError, Inferred, Options, check};

use crate::{database::Database, fault};

async fn inferred(db: &Database) -> Inferred {
    fault::report(db, &Options::default()).await.inferred
}

fn values(taken: &[partywall_audit::Taken]) -> Vec<&str> {
    taken.iter().map(|it| it.value.as_str()).collect()
}

async fn refused(db: &Database, options: &Options) -> String {
    match check(&mut db.superuser().await, options).await {
        Err(error @ AuditError::Unknown { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everything_is_inferred_with_a_reason() {
    let db = Database::with(&fault::read("base.sql")).await;
    let inferred = inferred(&db).await;
    assert_eq!(inferred.root.as_ref().unwrap().value, "public.tenants");
    assert_eq!(values(&inferred.tenant_columns), ["tenant_id"]);
    assert_eq!(values(&inferred.app_roles), [db.role("app")]);
    assert_eq!(values(&inferred.contexts), ["app.tenant_id"]);
    assert_eq!(values(&inferred.globals), ["public.countries"]);
    assert!(inferred.undecided.is_empty(), "{inferred:#?}");
    let taken = [
        &inferred.tenant_columns,
        &inferred.app_roles,
        &inferred.contexts,
        &inferred.globals,
    ];
    for it in taken.into_iter().flatten().chain(&inferred.root) {
        assert!(it.because.len() > 10, "{it:?}");
    }
}

#[tokio::test]
async fn what_is_given_is_taken() {
    let db = Database::with(&fault::read("base.sql")).await;
    let mut options = Options::default();
    options.app_roles = vec![db.role("app")];
    options.tenant_columns = vec!["tenant_id".to_owned()];
    options.contexts = vec!["App.Tenant_Id".to_owned()];
    for name in ["countries", "public.countries"] {
        options.globals = vec![name.to_owned()];
        let inferred = fault::report(&db, &options).await.inferred;
        for it in [
            &inferred.tenant_columns,
            &inferred.app_roles,
            &inferred.contexts,
            &inferred.globals,
        ] {
            assert_eq!(it.len(), 1);
            assert_eq!(it[0].because, "given");
        }
        assert_eq!(inferred.globals[0].value, "public.countries");
    }
}

#[tokio::test]
async fn an_option_that_names_nothing_is_refused_with_what_is_near() {
    let db = Database::with(&fault::read("base.sql")).await;
    db.run("CREATE SCHEMA other; CREATE TABLE other.countries (code text)")
        .await;
    let mut wrong = Options::default();
    wrong.tenant_columns = vec!["tenant".to_owned()];
    let said = refused(&db, &wrong).await;
    assert_eq!(
        said,
        "the database has no column `tenant`: did you mean `tenant_id`?"
    );

    let mut wrong = Options::default();
    wrong.app_roles = vec![db.role("ap")];
    let said = refused(&db, &wrong).await;
    assert!(
        said.starts_with(&format!("the database has no role `{}`", db.role("ap"))),
        "{said}"
    );
    assert!(said.contains(&format!("`{}`", db.role("app"))), "{said}");

    let mut wrong = Options::default();
    wrong.globals = vec!["contries".to_owned()];
    let said = refused(&db, &wrong).await;
    assert!(said.contains("`public.countries`"), "{said}");
    wrong.globals = vec!["countries".to_owned()];
    let said = refused(&db, &wrong).await;
    assert!(
        said.contains("`other.countries`") && said.contains("`public.countries`"),
        "{said}"
    );

    let mut wrong = Options::default();
    wrong.contexts = vec!["app.tennant_id".to_owned()];
    let said = refused(&db, &wrong).await;
    assert!(said.contains("did you mean `app.tenant_id`?"), "{said}");

    let mut wrong = Options::default();
    wrong.schemas = vec!["publik".to_owned()];
    let said = refused(&db, &wrong).await;
    assert!(said.contains("did you mean `public`?"), "{said}");
}

/// Logins and roles beside the application's in `base.sql`, and whom the application is taken to be.
async fn apps(sql: &str) -> (Database, Vec<String>) {
    let db = Database::with(&fault::read("base.sql")).await;
    db.run(sql).await;
    let roles = inferred(&db).await.app_roles;
    let names = roles.into_iter().map(|taken| taken.value).collect();
    (db, names)
}

#[tokio::test]
async fn who_opens_everything_is_an_administrator_unless_nobody_else_writes() {
    let (db, found) = apps(
        "CREATE ROLE {admin} LOGIN; GRANT USAGE ON SCHEMA public TO {admin};
         GRANT SELECT, UPDATE ON customers, invoices TO {admin};
         CREATE POLICY admins ON customers TO {admin} USING (true);
         CREATE POLICY admins ON invoices TO {admin} USING (true);",
    )
    .await;
    assert_eq!(found, [db.role("app")]);

    // The application itself, by mistake: a report's login that only reads is not the application.
    let (db, found) = apps(
        "CREATE ROLE {report} LOGIN; GRANT USAGE ON SCHEMA public TO {report};
         GRANT SELECT ON invoices TO {report};
         CREATE POLICY all_rows ON tenants TO {app} USING (true);
         CREATE POLICY all_rows ON customers TO {app} USING (true);
         CREATE POLICY all_rows ON invoices TO {app} USING (true);",
    )
    .await;
    assert_eq!(found, [db.role("app"), db.role("report")]);
}

#[tokio::test]
async fn an_owner_that_logs_in_is_the_application_where_nobody_else_writes() {
    let (db, found) = apps(
        "ALTER ROLE {owner} LOGIN;
         REVOKE INSERT, UPDATE, DELETE ON customers, invoices FROM {app};",
    )
    .await;
    assert_eq!(found, [db.role("app"), db.role("owner")]);
    // With a login of its own that writes, the application is that.
    let (db, found) = apps("ALTER ROLE {owner} LOGIN;").await;
    assert_eq!(found, [db.role("app")]);
    // A superuser that is granted rights, and nobody else.
    let (db, found) = apps("ALTER ROLE {app} SUPERUSER").await;
    assert_eq!(found, [db.role("app")]);
    db.run("ALTER ROLE {app} NOSUPERUSER").await;
    let (db, found) = apps("ALTER ROLE {app} BYPASSRLS").await;
    assert_eq!(found, [db.role("app")]);
}

#[tokio::test]
async fn a_column_is_a_tenants_by_its_policy_its_key_or_its_name() {
    let db = Database::with(&fault::read("base.sql")).await;
    db.run(
        "CREATE TABLE by_key (id uuid PRIMARY KEY, belongs_to uuid NOT NULL REFERENCES tenants (id));
         CREATE TABLE by_name (\"tenantId\" uuid NOT NULL, id uuid);
         CREATE TABLE child (id uuid, tenant uuid, customer uuid, FOREIGN KEY (tenant, customer) REFERENCES customers (tenant_id, id));
         CREATE TABLE grandchild (id uuid PRIMARY KEY, of uuid NOT NULL REFERENCES by_key (id));
         CREATE TABLE two (sender uuid REFERENCES tenants (id), receiver uuid REFERENCES tenants (id));
         CREATE TABLE authored (code text PRIMARY KEY, created_by uuid REFERENCES by_key (id));
         CREATE TABLE numbered (tenant_id int, note text);
         CREATE TABLE schema_migrations (version text);
         CREATE TABLE scratch (id uuid, note text);
         GRANT SELECT, INSERT ON by_key, by_name, child, grandchild, two, authored, numbered, schema_migrations, scratch TO {app};",
    )
    .await;
    let mut options = fault::options(&db);
    options.strict = true;
    let report = fault::report(&db, &options).await;
    let open: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.id.id(), "RLS_OFF" | "CHILD_UNSCOPED"))
        .map(|finding| finding.object.as_str())
        .collect();
    assert_eq!(
        open,
        [
            "public.by_key",
            "public.by_name",
            "public.child",
            "public.grandchild"
        ],
        "{:#?}",
        report.inferred
    );
    let undecided: Vec<&str> = report
        .inferred
        .undecided
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        undecided,
        [
            "public.authored",
            "public.numbered",
            "public.scratch",
            "public.two"
        ],
        "{:#?}",
        report.inferred
    );
    assert!(report.inferred.undecided["public.two"].contains("`sender`, `receiver`"));
    let globals = values(&report.inferred.globals);
    assert!(globals.contains(&"public.schema_migrations"), "{globals:?}");
}

#[tokio::test]
async fn who_brings_migrations_is_not_the_application() {
    // What it may, it may as a member of the owner.
    let (db, found) = apps("CREATE ROLE {migrator} LOGIN; GRANT {owner} TO {migrator};").await;
    assert_eq!(found, [db.role("app")]);
    // Unless nobody else writes.
    let (db, found) = apps(
        "CREATE ROLE {web} LOGIN; GRANT {owner} TO {web};
         REVOKE INSERT, UPDATE, DELETE ON customers, invoices FROM {app};",
    )
    .await;
    assert_eq!(found, [db.role("app"), db.role("web")]);
    // Or it was given rights of its own.
    let (db, found) = apps(
        "CREATE ROLE {web} LOGIN; GRANT {owner} TO {web}; GRANT USAGE ON SCHEMA public TO {web};
         GRANT SELECT ON invoices TO {web};",
    )
    .await;
    assert_eq!(found, [db.role("app"), db.role("web")]);
}

#[tokio::test]
async fn a_worker_of_all_tenants_is_not_the_application_unless_it_is_bound_elsewhere() {
    let worker = "CREATE ROLE {worker} LOGIN; GRANT USAGE ON SCHEMA public TO {worker};
         GRANT SELECT, UPDATE ON invoices TO {worker};
         CREATE POLICY drafts ON invoices TO {worker} USING (status = 'draft');";
    let (db, found) = apps(worker).await;
    assert_eq!(found, [db.role("app")]);
    let more = "GRANT SELECT, UPDATE ON customers, tenants TO {worker};";
    let (db, found) = apps(&format!("{worker} {more}")).await;
    assert_eq!(found, [db.role("app"), db.role("worker")]);
    // It is then told of by its name.
    let report = fault::report(&db, &Options::default()).await;
    let widens = report
        .findings
        .iter()
        .find(|it| it.id.id() == "POLICY_WIDENS");
    let why = &widens.unwrap().why;
    assert!(why.contains(&db.role("worker")), "{why}");
}
