//! Support people: inside for a reason, and as somebody for a reason.

use partywall::identity::{
    AuditQuery, EmailAddress, Error, ErrorKind, NewKey, SessionToken, TenantSelector,
};
use uuid::Uuid;

use super::world::{World, id, token};

#[tokio::test]
async fn i57_staff_is_nobody_outside_and_watched_inside() {
    let world = World::new().await;
    let (sue, identity) = (world.user("sue").await, &world.identity);
    let own = token("sue");
    let at = |tenant| world.try_account(&own, tenant);
    assert_eq!(at_kind(&world, "sue", world.a).await, ErrorKind::NotFound);
    for reason in ["", " \n", &"x".repeat(501)] {
        let error = identity
            .staff_enter(&sue, TenantSelector::Slug("a"), reason)
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Invalid {
                    field: "reason",
                    ..
                }
            ),
            "{error:?}"
        );
    }
    for tenant in [
        TenantSelector::Slug("nowhere"),
        TenantSelector::Id(Uuid::now_v7()),
        TenantSelector::Current,
    ] {
        let error = identity
            .staff_enter(&sue, tenant, "ticket 7")
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotFound), "{error:?}");
    }
    // For everybody else there is no such thing.
    let eve = world.user("eve").await;
    for error in [
        identity
            .staff_enter(&eve, TenantSelector::Slug("a"), "ticket 7")
            .await
            .unwrap_err(),
        identity.staff_entries(&eve).await.unwrap_err(),
        identity
            .staff_leave(&eve, Uuid::now_v7())
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error, Error::NotFound), "{error:?}");
    }
    let entry = identity
        .staff_enter(&sue, TenantSelector::Slug("a"), " ticket 7 ")
        .await
        .unwrap();
    let inside = at(world.a).await.unwrap();
    assert!(inside.has("note.read") && !inside.has("note.write") && inside.id().is_none());
    // Here and nowhere else, and in this session only.
    assert_eq!(at_kind(&world, "sue", world.b).await, ErrorKind::NotFound);
    let open = identity.staff_entries(&sue).await.unwrap();
    assert_eq!(
        (open.len(), open[0].id, open[0].is_open),
        (1, entry.id, true)
    );
    assert_eq!(open[0].reason, "ticket 7");
    assert_eq!(world.actions(world.a).await, ["staff.entered"]);
    let query = AuditQuery {
        user: Some(sue.id),
        ..AuditQuery::default()
    };
    let log = world
        .account("ann", world.a)
        .await
        .audit_find(&query)
        .await
        .unwrap();
    assert_eq!(log[0].detail["reason"], "ticket 7");
    assert_eq!(log[0].actor_name, "sue");
    // Nobody else ends it; who ends it is outside.
    identity
        .staff_leave(&sue, Uuid::now_v7())
        .await
        .unwrap_err();
    identity.staff_leave(&sue, entry.id).await.unwrap();
    assert_eq!(at_kind(&world, "sue", world.a).await, ErrorKind::NotFound);
    assert!(matches!(
        identity.staff_leave(&sue, entry.id).await,
        Err(Error::NotFound)
    ));
    // It ends by itself.
    identity
        .staff_enter(&sue, TenantSelector::Slug("a"), "ticket 8")
        .await
        .unwrap();
    at(world.a).await.unwrap();
    world
        .sql("UPDATE identity.staff_entry SET expires_at = now()")
        .await;
    assert_eq!(at_kind(&world, "sue", world.a).await, ErrorKind::NotFound);
    // And with being staff.
    identity
        .staff_enter(&sue, TenantSelector::Slug("a"), "ticket 9")
        .await
        .unwrap();
    at(world.a).await.unwrap();
    world.sql("DELETE FROM identity.staff").await;
    assert_eq!(at_kind(&world, "sue", world.a).await, ErrorKind::NotFound);
}

async fn at_kind(world: &World, name: &str, tenant: Uuid) -> ErrorKind {
    world.try_account(&token(name), tenant).await.unwrap_err()
}

async fn as_bob(world: &World) -> SessionToken {
    let sue = world.user("sue").await;
    let a = TenantSelector::Slug("a");
    world
        .identity
        .staff_enter(&sue, a, "ticket 7")
        .await
        .unwrap();
    let acting = world
        .identity
        .impersonate(&sue, a, id("bob in a"), "to see what he sees")
        .await;
    acting.unwrap().token
}

async fn is_live(world: &World, token: &SessionToken) -> bool {
    let found = world
        .identity
        .authenticate(token, TenantSelector::Current, None)
        .await;
    match found {
        Ok(_) => true,
        Err(error) => {
            assert!(matches!(error, Error::Anonymous), "{error:?}");
            false
        }
    }
}

#[tokio::test]
async fn i58_acting_as_somebody_needs_a_reason_and_does_not_nest() {
    let world = World::new().await;
    let (sue, identity) = (world.user("sue").await, &world.identity);
    let a = TenantSelector::Slug("a");
    let bob = id("bob in a");
    // Not from outside.
    let error = identity
        .impersonate(&sue, a, bob, "why not")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
    identity.staff_enter(&sue, a, "ticket 7").await.unwrap();
    let error = identity.impersonate(&sue, a, bob, " ").await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Invalid {
                field: "reason",
                ..
            }
        ),
        "{error:?}"
    );
    for account in [id("eve in b"), Uuid::now_v7()] {
        let error = identity
            .impersonate(&sue, a, account, "ticket 7")
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotFound), "{error:?}");
    }
    let error = identity
        .impersonate(&sue, TenantSelector::Slug("b"), id("eve in b"), "ticket 7")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
    // For members there is no such thing.
    let ann = world.user("ann").await;
    let error = identity
        .impersonate(&ann, a, bob, "ticket 7")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");

    let acting = identity
        .impersonate(&sue, a, bob, "ticket 7")
        .await
        .unwrap();
    assert_eq!(acting.user, id("bob"));
    let user = world.user_by(&acting.token).await;
    assert_eq!((user.id, user.impersonator), (id("bob"), Some(id("sue"))));
    assert!(!user.is_staff);
    // A new id: her own opens nothing meanwhile.
    assert!(!is_live(&world, &token("sue")).await);
    let account = world.try_account(&acting.token, world.a).await.unwrap();
    assert!(account.has("note.write") && !account.has("member.write"));
    for error in [
        identity
            .impersonate(&user, a, id("ann in a"), "further")
            .await
            .unwrap_err(),
        identity.staff_enter(&user, a, "further").await.unwrap_err(),
        identity.staff_entries(&user).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Impersonating), "{error:?}");
    }
    // Bob himself goes on, and is told.
    assert!(is_live(&world, &token("bob")).await);
    let told = "SELECT count(*) FROM identity.outbox WHERE recipient = 'bob@example.com' AND body LIKE '%ticket 7%'";
    assert_eq!(world.count(told).await, 1);

    let back = identity.impersonation_stop(&user).await.unwrap().unwrap();
    assert!(!is_live(&world, &acting.token).await && !is_live(&world, &token("sue")).await);
    let user = world.user_by(&back).await;
    assert_eq!(
        (user.id, user.impersonator, user.is_staff),
        (id("sue"), None, true)
    );
    // Still inside.
    world.try_account(&back, world.a).await.unwrap();
    assert!(matches!(
        identity.impersonation_stop(&user).await,
        Err(Error::NotFound)
    ));
}

#[tokio::test]
async fn i58_it_reaches_one_tenant_and_nothing_that_outlasts_it() {
    let world = World::new().await;
    // Bob is at home in B as well.
    world.sql(&format!(
        "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) VALUES ('{acc}', '{b}', '{bob}', 'bob', 'bob@example.com', now()); \
         INSERT INTO identity.account_role (account_id, role_id, tenant_id) VALUES ('{acc}', '{role}', '{b}'); \
         UPDATE identity.account_role SET role_id = '{admin}' WHERE account_id = '{bob_a}';",
        acc = id("bob in b"), b = id("b"), bob = id("bob"), role = id("b member"),
        admin = id("a admin"), bob_a = id("bob in a"),
    )).await;
    world.account("bob", world.b).await;
    let acting = as_bob(&world).await;
    assert_eq!(
        world.try_account(&acting, world.b).await.unwrap_err(),
        ErrorKind::NotFound
    );
    let account = world.try_account(&acting, world.a).await.unwrap();
    assert!(account.has("key.write") && account.has("invitation.write"));
    let key = NewKey {
        name: "key".to_owned(),
        permissions: vec!["note.read".to_owned()],
        ..NewKey::default()
    };
    let error = account.key_create(key.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Impersonating), "{error:?}");
    let error = account
        .invite(&EmailAddress::parse("sue@example.com").unwrap(), "admin")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Impersonating), "{error:?}");
    let link = {
        let eve = world.account("eve", world.b).await;
        world.invited(&eve, "bob@example.com", "owner").await
    };
    let user = world.user_by(&acting).await;
    let error = world
        .identity
        .invitation_accept(&user, &link)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Impersonating), "{error:?}");
    // The control: bob himself.
    let bob = world.account("bob", world.a).await;
    bob.key_create(key).await.unwrap();
    // What is done names both.
    let tx = account.write().await.unwrap();
    let entry = partywall::identity::AuditEntry::new("note.published");
    account.audit(&tx, entry).await.unwrap();
    tx.commit().await.unwrap();
    let ann = world.account("ann", world.a).await;
    let log = ann
        .audit_find(&AuditQuery {
            user: Some(id("sue")),
            ..AuditQuery::default()
        })
        .await
        .unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        ["note.published", "impersonation.started", "staff.entered"]
    );
    assert_eq!(
        (log[0].actor_user, log[0].subject_user),
        (Some(id("sue")), Some(id("bob")))
    );
    assert_eq!(
        (log[1].actor_user, log[1].subject_user),
        (Some(id("sue")), Some(id("bob")))
    );
    assert_eq!(log[2].subject_user, None);
    world.identity.impersonation_stop(&user).await.unwrap();
    let log = ann.audit_find(&AuditQuery::default()).await.unwrap();
    assert_eq!(log[0].action, "impersonation.stopped");
    assert_eq!(
        (log[0].actor_name.as_str(), log[0].subject_user),
        ("sue", Some(id("bob")))
    );
    // Another tenant knows nothing of it.
    let eve = world.account("eve", world.b).await;
    let log = eve.audit_find(&AuditQuery::default()).await.unwrap();
    assert!(
        log.iter().all(|entry| entry.action == "invitation.sent"),
        "{log:?}"
    );
}

#[tokio::test]
async fn i58_it_ends_by_itself_and_with_what_it_hangs_on() {
    let sue = id("sue");
    let own = id("session of sue");
    for (what, change) in [
        (
            "its own time",
            "UPDATE identity.session SET expires_at = now() WHERE impersonator IS NOT NULL"
                .to_owned(),
        ),
        (
            "the stay's time",
            "UPDATE identity.staff_entry SET expires_at = now()".to_owned(),
        ),
        (
            "the stay was ended",
            "UPDATE identity.staff_entry SET ended_at = now()".to_owned(),
        ),
        ("no longer staff", "DELETE FROM identity.staff".to_owned()),
        (
            "staff deactivated",
            format!("UPDATE identity.\"user\" SET deactivated_at = now() WHERE id = '{sue}'"),
        ),
        (
            "the own session ended",
            format!("DELETE FROM identity.session WHERE id = '{own}'"),
        ),
        (
            "the subject deactivated",
            format!(
                "UPDATE identity.\"user\" SET deactivated_at = now() WHERE id = '{}'",
                id("bob")
            ),
        ),
    ] {
        let world = World::new().await;
        let acting = as_bob(&world).await;
        assert!(is_live(&world, &acting).await, "before: {what}");
        world.sql(&change).await;
        assert!(!is_live(&world, &acting).await, "{what}");
    }
    // No longer than the stay, which began before it.
    let world = World::new().await;
    let limit = world.identity.settings().staff;
    let (sue, a) = (world.user("sue").await, TenantSelector::Slug("a"));
    let entry = world
        .identity
        .staff_enter(&sue, a, "ticket 7")
        .await
        .unwrap();
    let acting = world
        .identity
        .impersonate(&sue, a, id("ann in a"), "an owner as well")
        .await
        .unwrap();
    assert_eq!(
        acting.expires_at.timestamp_millis(),
        entry.expires_at.timestamp_millis()
    );
    assert!((entry.expires_at - entry.began_at).to_std().unwrap() <= limit);
    // Her own session, ended meanwhile, is not brought back.
    let user = world.user_by(&acting.token).await;
    assert!(
        world
            .try_account(&acting.token, world.a)
            .await
            .unwrap()
            .has("tenant.delete")
    );
    world
        .sql(&format!("DELETE FROM identity.session WHERE id = '{own}'"))
        .await;
    assert_eq!(
        world.identity.impersonation_stop(&user).await.unwrap(),
        None
    );
    assert_eq!(
        world
            .count("SELECT count(*) FROM identity.session WHERE impersonator IS NOT NULL")
            .await,
        0
    );
}
