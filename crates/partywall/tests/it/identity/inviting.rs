//! Who invites whom, and what they are told.

use std::time::Duration;

use futures_util::future::join_all;
use partywall::{
    Sql,
    identity::{EmailAddress, Error},
};
use uuid::Uuid;

use super::world::{World, id};

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

#[tokio::test]
async fn i52_nobody_invites_to_more_than_they_hold() {
    let world = World::new().await;
    world
        .sql(&format!(
            "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{}'",
            id("a admin"),
            id("bob in a")
        ))
        .await;
    let bob = world.account("bob", world.a).await;
    let error = bob
        .invite(&email("dee@example.com"), "owner")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::GrantsMore(_)), "{error:?}");
    for role in ["nobody", "", "\0", &id("b viewer").to_string()] {
        let error = bob
            .invite(&email("dee@example.com"), role)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Invalid { field: "role", .. }),
            "{role:?} {error:?}"
        );
    }
    assert_eq!(world.mailed("dee@example.com").await.len(), 0);
    bob.invite(&email("dee@example.com"), &id("a admin").to_string())
        .await
        .unwrap();
    assert_eq!(world.mailed("dee@example.com").await.len(), 1);
    // A viewer neither invites nor sees who is invited.
    let viewer = world.account("ann", world.b).await;
    let error = viewer
        .invite(&email("dee@example.com"), "viewer")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    let list = viewer.invitation_list().await.unwrap_err();
    assert!(matches!(list, Error::Forbidden(_)), "{list:?}");
}

#[tokio::test]
async fn i67_the_inviter_is_not_told_who_is_known_and_cannot_flood() {
    let world = World::new().await;
    world.newcomer("cem").await;
    let ann = world.account("ann", world.a).await;
    // Unknown, known, and a member: one answer, one mail, one line in the list.
    for name in ["nobody", "cem", "bob"] {
        let address = email(&format!("{name}@example.com"));
        let id = ann.invite(&address, "viewer").await.unwrap();
        let list = ann.invitation_list().await.unwrap();
        let line = list.iter().find(|line| line.id == id).unwrap();
        assert_eq!(
            (line.email.as_str(), line.inviter.as_deref()),
            (address.as_typed(), Some("ann"))
        );
        assert_eq!(world.mailed(address.key()).await.len(), 1);
    }
    let list = ann.invitation_list().await.unwrap();
    let cem = list
        .iter()
        .find(|line| line.email.starts_with("cem"))
        .unwrap()
        .id;
    let first = world.mailed("cem@example.com").await.pop().unwrap();
    ann.invitation_resend(cem).await.unwrap();
    let second = world.mailed("cem@example.com").await.pop().unwrap();
    assert!(matches!(
        world.identity.invitation_show(&first).await,
        Err(Error::BadLink)
    ));
    world.identity.invitation_show(&second).await.unwrap();
    // Within the minute, by whatever way.
    for error in [
        ann.invitation_resend(cem).await.unwrap_err(),
        ann.invite(&email("CEM@example.com"), "viewer")
            .await
            .unwrap_err(),
    ] {
        match error {
            Error::Throttled(wait) => assert!(wait <= Duration::from_secs(60), "{wait:?}"),
            other => panic!("{other:?}"),
        }
    }
    let later = "UPDATE identity.invitation SET sent_at = sent_at - interval '61 seconds'";
    for _ in 0..3 {
        world.sql(later).await;
        ann.invitation_resend(cem).await.unwrap();
    }
    // Five in all, also if it is taken back and made anew.
    world.sql(later).await;
    let error = ann.invitation_resend(cem).await.unwrap_err();
    assert!(matches!(error, Error::Throttled(_)), "{error:?}");
    ann.invitation_revoke(cem).await.unwrap();
    let error = ann
        .invite(&email("cem@example.com"), "viewer")
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Throttled(wait) if wait > Duration::from_secs(3_600)),
        "{error:?}"
    );
    assert_eq!(world.mailed("cem@example.com").await.len(), 5);
    // The control: another address, and the next day.
    ann.invite(&email("dee@example.com"), "viewer")
        .await
        .unwrap();
    world
        .sql("UPDATE identity.invitation SET sent_at = sent_at - interval '1 day'")
        .await;
    ann.invite(&email("cem@example.com"), "viewer")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_invite_one_address_at_once_make_one_invitation() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    for n in 0..100 {
        let address = email(&format!("guest{n}@example.com"));
        let invites = join_all((0..2).map(|_| ann.invite(&address, "viewer"))).await;
        let ids: Vec<Uuid> = invites.into_iter().map(Result::unwrap).collect();
        assert_eq!(ids[0], ids[1], "{n}");
        let links = world.mailed(address.key()).await;
        assert_eq!(links.len(), 2);
        let shown = join_all(
            links
                .iter()
                .map(|link| world.identity.invitation_show(link)),
        )
        .await;
        assert_eq!(shown.iter().filter(|shown| shown.is_ok()).count(), 1);
    }
}

#[tokio::test]
async fn i72_what_was_done_about_invitations_is_audited() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    world.newcomer("cem").await;
    let id = ann
        .invite(&email("cem@example.com"), "viewer")
        .await
        .unwrap();
    ann.invitation_resend(id).await.unwrap();
    ann.invitation_revoke(id).await.unwrap();
    let link = world.invited(&ann, "cem@example.com", "viewer").await;
    let cem = world.user("cem").await;
    world.identity.invitation_accept(&cem, &link).await.unwrap();
    let sent = "invitation.sent";
    let actions = world.actions(world.a).await;
    assert_eq!(
        actions,
        [
            sent,
            sent,
            "invitation.revoked",
            sent,
            "invitation.accepted"
        ]
    );
    let secrets = "SELECT count(*) FROM identity.audit WHERE detail::text ~ '[0-9a-f]{64}'";
    assert_eq!(world.count(secrets).await, 0);
    // A tenant reads its own.
    let query = partywall::identity::AuditQuery::default();
    let mine = ann.audit_find(&query).await.unwrap();
    assert_eq!(mine.len(), 5);
    assert_eq!(mine[0].actor_user, Some(cem.id));
    assert!(mine.iter().all(|entry| entry.tenant_id == world.a));
    let eve = world.account("eve", world.b).await;
    assert_eq!(eve.audit_find(&query).await.unwrap().len(), 0);
    let member = world.account("bob", world.a).await;
    assert!(matches!(
        member.audit_find(&query).await,
        Err(Error::Forbidden(_))
    ));
    // What and who.
    let by = |action: Option<&str>, user: Option<Uuid>| partywall::identity::AuditQuery {
        action: action.map(str::to_owned),
        user,
        ..query.clone()
    };
    assert_eq!(
        ann.audit_find(&by(Some(sent), None)).await.unwrap().len(),
        3
    );
    assert_eq!(
        ann.audit_find(&by(None, Some(cem.id))).await.unwrap().len(),
        1
    );
    let oldest = partywall::identity::AuditQuery {
        before: Some(mine[3].id),
        ..query
    };
    assert_eq!(ann.audit_find(&oldest).await.unwrap().len(), 1);
    // The application's login reads none of it.
    let scope = ann.scope();
    let read = world
        .test
        .db()
        .scoped(scope)
        .rows("SELECT * FROM identity.invitation", [])
        .await;
    assert_eq!(read.unwrap_err().kind(), partywall::db::ErrorKind::Denied);
}
