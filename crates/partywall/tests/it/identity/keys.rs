//! Keys of programs.

use chrono::{TimeDelta, Utc};
use partywall::identity::{ApiKey, Error, ErrorKind, NewKey, RequestAccount, TenantSelector};
use uuid::Uuid;

use super::world::{World, id};

fn new(name: &str, permissions: &[&str]) -> NewKey {
    NewKey {
        name: name.to_owned(),
        permissions: permissions.iter().map(|&name| name.to_owned()).collect(),
        ..NewKey::default()
    }
}

async fn open(world: &World, key: &ApiKey, tenant: Uuid) -> Result<RequestAccount, ErrorKind> {
    let selector = TenantSelector::Id(tenant);
    let found = world.identity.authenticate_key(key, selector, None).await;
    found
        .and_then(|found| found.account())
        .map_err(|error| match error.kind() {
            ErrorKind::Failed => panic!("{error:?}"),
            kind => kind,
        })
}

#[tokio::test]
async fn i71_a_key_opens_its_own_tenant_and_does_what_it_was_made_for() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let (model, key) = ann
        .key_create(new(" nightly ", &["note.read", "member.read"]))
        .await
        .unwrap();
    assert_eq!(
        (model.name.as_str(), model.account_id),
        ("nightly", ann.id())
    );
    assert!(key.expose().starts_with(&model.hint) && key.expose().starts_with("pwk_"));
    let account = open(&world, &key, world.a).await.unwrap();
    assert!(account.has("note.read") && !account.has("note.write") && !account.has("key.write"));
    account.write().await.unwrap().commit().await.unwrap();
    // Ann may read in B, and her key of A may not: B is not there.
    for tenant in [world.b, Uuid::now_v7()] {
        assert_eq!(
            open(&world, &key, tenant).await.unwrap_err(),
            ErrorKind::NotFound
        );
    }
    // Shown once: what is kept is a hash.
    let secret = key.expose().trim_start_matches("pwk_").to_owned();
    let kept = format!(
        "SELECT count(*) FROM identity.api_key WHERE key_hash = '{secret}' OR hint LIKE '%{secret}%'"
    );
    assert_eq!(world.count(&kept).await, 0);
    let used = "SELECT count(*) FROM identity.api_key WHERE last_used_at IS NOT NULL";
    assert_eq!(world.count(used).await, 1);
    assert_eq!(world.actions(world.a).await, ["key.created"]);
}

#[tokio::test]
async fn i71_a_persons_key_dies_with_their_account_and_a_service_key_does_not() {
    let world = World::new().await;
    let promote = format!(
        "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{}'",
        id("a admin"),
        id("bob in a")
    );
    world.sql(&promote).await;
    let bob = world.account("bob", world.a).await;
    let (_, own) = bob.key_create(new("own", &["note.write"])).await.unwrap();
    let service = NewKey {
        is_service: true,
        ..new("service", &["note.write"])
    };
    let (model, service) = bob.key_create(service).await.unwrap();
    assert_eq!(model.account_id, None);
    let account = id("bob in a");
    for (what, damage, mend) in [
        (
            "deactivated",
            format!("UPDATE identity.account SET deactivated_at = now() WHERE id = '{account}'"),
            format!("UPDATE identity.account SET deactivated_at = NULL WHERE id = '{account}'"),
        ),
        (
            "cannot sign in",
            format!(
                "UPDATE identity.\"user\" SET deactivated_at = now() WHERE id = '{}'",
                id("bob")
            ),
            format!(
                "UPDATE identity.\"user\" SET deactivated_at = NULL WHERE id = '{}'",
                id("bob")
            ),
        ),
        (
            "removed",
            format!(
                "UPDATE identity.account SET user_id = NULL, removed_at = now() WHERE id = '{account}'"
            ),
            format!(
                "UPDATE identity.account SET user_id = '{}', removed_at = NULL WHERE id = '{account}'",
                id("bob")
            ),
        ),
    ] {
        assert!(
            open(&world, &own, world.a).await.unwrap().has("note.write"),
            "before: {what}"
        );
        world.sql(&damage).await;
        assert_eq!(
            open(&world, &own, world.a).await.unwrap_err(),
            ErrorKind::Anonymous,
            "{what}"
        );
        assert!(
            open(&world, &service, world.a)
                .await
                .unwrap()
                .has("note.write"),
            "{what}"
        );
        world.sql(&mend).await;
    }
    // It does what the account may do today; the tenant's own does not follow it.
    world
        .sql(&format!(
            "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{account}'",
            id("a viewer")
        ))
        .await;
    assert!(!open(&world, &own, world.a).await.unwrap().has("note.write"));
    assert!(
        open(&world, &service, world.a)
            .await
            .unwrap()
            .has("note.write")
    );
    // The same when it is done as it is done.
    let ann = world.account("ann", world.a).await;
    ann.member_remove(account).await.unwrap();
    assert_eq!(
        open(&world, &own, world.a).await.unwrap_err(),
        ErrorKind::Anonymous
    );
    assert!(
        open(&world, &service, world.a)
            .await
            .unwrap()
            .has("note.write")
    );
    // Suspended and deleted tenants are closed to keys as well.
    world
        .sql("UPDATE identity.tenant SET suspended_at = now() WHERE slug = 'a'")
        .await;
    assert_eq!(
        open(&world, &service, world.a).await.unwrap_err(),
        ErrorKind::Denied
    );
    world
        .sql(
            "UPDATE identity.tenant SET suspended_at = NULL, delete_after = now() WHERE slug = 'a'",
        )
        .await;
    assert_eq!(
        open(&world, &service, world.a).await.unwrap_err(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_key_is_made_by_those_who_may_with_what_they_hold() {
    let world = World::new().await;
    let promote = format!(
        "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{}'",
        id("a admin"),
        id("bob in a")
    );
    let member = world.account("bob", world.a).await;
    let error = member
        .key_create(new("mine", &["note.read"]))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    world.sql(&promote).await;
    let bob = world.account("bob", world.a).await;
    let past = NewKey {
        expires_at: Some(Utc::now()),
        ..new("past", &["note.read"])
    };
    for (key, field) in [
        (new(" ", &["note.read"]), "name"),
        (new("a\nb", &["note.read"]), "name"),
        (new("key", &[]), "permissions"),
        (new("key", &["note.fly"]), "permissions"),
        (past, "expires_at"),
    ] {
        match bob.key_create(key).await.unwrap_err() {
            Error::Invalid { field: wrong, .. } => assert_eq!(wrong, field),
            other => panic!("{other:?}"),
        }
    }
    for is_service in [true, false] {
        let more = NewKey {
            is_service,
            ..new("more", &["note.read", "tenant.delete"])
        };
        let error = bob.key_create(more).await.unwrap_err();
        assert!(
            matches!(&error, Error::GrantsMore(name) if name == "tenant.delete"),
            "{error:?}"
        );
    }
    // No key makes a key, nor takes one back.
    for is_service in [true, false] {
        let all = NewKey {
            is_service,
            ..new(
                "all",
                &["key.write", "key.read", "note.read", "invitation.write"],
            )
        };
        let (model, key) = bob.key_create(all).await.unwrap();
        let account = open(&world, &key, world.a).await.unwrap();
        let error = account
            .key_create(new("child", &["note.read"]))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
        let error = account.key_revoke(model.id).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
        // What the tenant's own key invites nobody would answer for.
        let address = partywall::identity::EmailAddress::parse("dee@example.com").unwrap();
        let invited = account.invite(&address, "viewer").await;
        assert!(invited.is_err(), "{invited:?}");
        assert_eq!(
            account.key_list().await.unwrap().len(),
            if is_service { 1 } else { 2 }
        );
    }
    // What was taken away since the request began is not given.
    world
        .sql(&format!(
            "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{}'",
            id("a viewer"),
            id("bob in a")
        ))
        .await;
    let error = bob
        .key_create(new("late", &["note.write"]))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::GrantsMore(_)), "{error:?}");
}

#[tokio::test]
async fn keys_are_listed_and_end() {
    let world = World::new().await;
    let (ann, bob, eve) = (
        world.account("ann", world.a).await,
        world.account("bob", world.a).await,
        world.account("eve", world.b).await,
    );
    let (first, key) = ann.key_create(new("first", &["note.read"])).await.unwrap();
    let soon = NewKey {
        expires_at: Some(Utc::now() + TimeDelta::hours(1)),
        ..new("soon", &["note.read"])
    };
    let (soon, brief) = ann.key_create(soon).await.unwrap();
    assert_eq!(ann.key_list().await.unwrap().len(), 2);
    // A member sees their own; another tenant sees none of them.
    assert_eq!(bob.key_list().await.unwrap().len(), 0);
    assert_eq!(eve.key_list().await.unwrap().len(), 0);
    world
        .sql(&format!(
            "UPDATE identity.api_key SET account_id = '{}' WHERE id = '{}'",
            id("bob in a"),
            soon.id
        ))
        .await;
    assert_eq!(bob.key_list().await.unwrap().len(), 1);
    for account in [&bob, &eve] {
        for id in [first.id, Uuid::now_v7()] {
            let error = account.key_revoke(id).await.unwrap_err();
            assert!(matches!(error, Error::NotFound), "{error:?}");
        }
    }
    open(&world, &key, world.a).await.unwrap();
    ann.key_revoke(first.id).await.unwrap();
    assert_eq!(
        open(&world, &key, world.a).await.unwrap_err(),
        ErrorKind::Anonymous
    );
    assert!(matches!(
        ann.key_revoke(first.id).await,
        Err(Error::NotFound)
    ));
    open(&world, &brief, world.a).await.unwrap();
    world
        .sql(&format!(
            "UPDATE identity.api_key SET expires_at = now() WHERE id = '{}'",
            soon.id
        ))
        .await;
    assert_eq!(
        open(&world, &brief, world.a).await.unwrap_err(),
        ErrorKind::Anonymous
    );
    bob.key_revoke(soon.id).await.unwrap();
    assert_eq!(
        world.actions(world.a).await,
        ["key.created", "key.created", "key.revoked", "key.revoked"]
    );
}
