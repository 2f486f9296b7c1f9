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
