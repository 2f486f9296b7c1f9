//! The functions that answer to a secret, and nothing else that does.

use partywall::{
    Scope, Sql, TENANT,
    identity::{ErrorKind, TenantSelector, USER},
};
use uuid::Uuid;

use super::world::{World, id, token};

#[tokio::test]
async fn a_session_opens_the_tenants_of_its_person() {
    let World {
        test: _test,
        identity,
        a,
        b,
    } = World::new().await;
    for (name, tenant, has) in [
        ("ann", a, Some("tenant.delete")),
        ("ann", b, Some("note.read")),
        ("bob", a, Some("note.write")),
        ("bob", b, None),
        ("eve", b, Some("tenant.delete")),
        ("eve", a, None),
        ("sue", a, None),
    ] {
        let found = identity
            .authenticate(&token(name), TenantSelector::Id(tenant), None)
            .await
            .unwrap();
        assert_eq!(found.user.as_ref().unwrap().id, id(name));
        match has {
            Some(permission) => {
                let account = found.account().unwrap();
                assert_eq!(account.tenant().id, tenant);
                assert!(account.has(permission), "{name} {permission}");
            }
            None => assert_eq!(found.account().unwrap_err().kind(), ErrorKind::NotFound),
        }
    }
    let ann = identity
        .authenticate(&token("ann"), TenantSelector::Slug("b"), None)
        .await
        .unwrap();
    let account = ann.account().unwrap();
    assert_eq!(account.tenant().id, b);
    assert!(!account.has("note.write") && !account.has("tenant.delete"));
    let nobody = identity
        .authenticate(&token("nobody"), TenantSelector::Id(a), None)
        .await;
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::Anonymous);
}

/// A statement of the application's has the application login, whatever it says.
#[tokio::test]
async fn the_application_reads_and_changes_nothing_of_it() {
    let World { test, a, .. } = World::new().await;
    let scope = Scope::trusted([TENANT.is(a), USER.is(id("ann"))]);
    let db = test.db().scoped(&scope);
    for table in [
        "user",
        "session",
        "credential",
        "role",
        "api_key",
        "domain",
        "invitation",
        "outbox",
    ] {
        let read = db
            .rows(&format!("SELECT * FROM identity.\"{table}\""), [])
            .await;
        let error = read.unwrap_err();
        assert_eq!(
            error.kind(),
            partywall::db::ErrorKind::Denied,
            "{table}: {error}"
        );
    }
    for sql in [
        "UPDATE identity.account SET deactivated_at = NULL",
        "DELETE FROM identity.audit",
        "UPDATE identity.tenant SET suspended_at = NULL",
        "SELECT * FROM partywall.identity_session('x', 1, NULL, NULL, NULL)",
        "SELECT * FROM partywall.identity_rights(NULL, NULL)",
        "SELECT * FROM partywall.identity_reset('x')",
    ] {
        let error = db.rows(sql, []).await.unwrap_err();
        assert_eq!(
            error.kind(),
            partywall::db::ErrorKind::Denied,
            "{sql}: {error}"
        );
    }
    // The control: what it may see, of its own tenant.
    let names: Vec<String> = db
        .rows("SELECT name FROM identity.account ORDER BY name", [])
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();
    assert_eq!(names, ["ann", "bob"]);
    let held: bool = db
        .scalar(
            "SELECT partywall.identity_hold($1)",
            [id("bob in a").into()],
        )
        .await
        .unwrap();
    assert!(held);
    // Of another tenant, or of none: the two are one.
    for nobody in [id("eve in b"), Uuid::now_v7()] {
        let foreign = db
            .scalar::<bool, _>("SELECT partywall.identity_hold($1)", [nobody.into()])
            .await
            .unwrap_err();
        assert_eq!(foreign.kind(), partywall::db::ErrorKind::Gone, "{foreign}");
        assert_eq!(foreign.to_string(), "the account is gone (SQLSTATE PW003)");
    }
}

#[tokio::test]
async fn reading_cannot_write() {
    let World {
        identity,
        test: _test,
        a,
        ..
    } = World::new().await;
    let found = identity
        .authenticate(&token("bob"), TenantSelector::Id(a), None)
        .await
        .unwrap();
    let account = found.account().unwrap();
    let insert = "INSERT INTO identity.audit (id, at, action, actor_name, detail) \
                  VALUES (gen_random_uuid(), now(), 'x', 'x', '{}')";
    let error = account.read().execute_sql(insert, []).await.unwrap_err();
    assert_eq!(error.database().unwrap().code(), "25006");
    let tx = account.write().await.unwrap();
    assert_eq!(tx.execute_sql(insert, []).await.unwrap(), 1);
    tx.commit().await.unwrap();
}
