//! How sessions go on and end, and whose they are.

use std::{sync::Arc, time::Duration};

use partywall::{
    Sql as _,
    identity::{Error, Event, RequestUser, TenantSelector},
};
use tokio::task::JoinSet;

use super::{
    desk::{Desk, PASSWORD, home},
    world::{id, token},
};

#[tokio::test]
async fn i7_a_token_is_dead_after_signing_out() {
    let desk = Desk::new().await;
    let ann = desk.fixed("ann").await;
    assert!(desk.is_live(&token("ann")).await);
    desk.identity.sign_out(&ann).await.unwrap();
    assert!(!desk.is_live(&token("ann")).await);
    let list = desk.identity.sessions(&ann).await.unwrap();
    assert!(list.is_empty());
    // Twice is as good as once.
    desk.identity.sign_out(&ann).await.unwrap();
    assert!(desk.is_live(&token("bob")).await);
}

/// Requests are under way while the session ends: those write down that it was used, switch the
/// account or give it a new token. Whatever the order, none brings it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i8_no_late_request_brings_a_session_back() {
    // Every request writes down that the session was used.
    let desk = Desk::with(|settings| settings.idle = Duration::from_secs(3_600)).await;
    let desk = Arc::new(desk);
    let mut late = 0;
    for round in 0..300_u32 {
        let opened = open(&desk, "ann", round).await;
        let ann = desk.user(&opened).await;
        let mut tasks = JoinSet::new();
        for n in 0..4 {
            let (desk, ann, opened) = (desk.clone(), ann.clone(), opened.clone());
            tasks.spawn(async move {
                let account = id(if n % 2 == 0 { "ann in a" } else { "ann in b" }).to_string();
                let done = if n < 2 {
                    desk.find(&opened).await.map(drop)
                } else {
                    desk.identity.switch(&ann, &account).await.map(drop)
                };
                match done {
                    Ok(()) => 0,
                    Err(Error::Anonymous) => 1,
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let ending = {
            let (desk, ann) = (desk.clone(), ann.clone());
            tokio::spawn(async move {
                pause(round).await;
                desk.identity.sign_out(&ann).await.unwrap();
            })
        };
        while let Some(done) = tasks.join_next().await {
            late += done.unwrap();
        }
        ending.await.unwrap();
        assert!(!desk.is_live(&opened).await, "{round}");
        let row = format!("identity.session WHERE id = '{}'", ann.session_id);
        assert_eq!(desk.count(&row).await, 0, "{round}");
    }
    assert!(late > 0 && late < 1_200, "they never met: {late}");
}

/// Opens a session past the room, seen so long ago that the next request writes it down anew.
async fn open(desk: &Desk, name: &str, number: u32) -> partywall::identity::SessionToken {
    let opened = token(&format!("{name} number {number}"));
    let sql = "INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at) \
               VALUES (gen_random_uuid(), $1::text::uuid, $2, now(), now() - interval '10 minutes', \
                       now() + interval '1 hour')";
    desk.execute(sql, &[&id(name).to_string(), &Desk::hash(&opened)])
        .await;
    opened
}

async fn pause(round: u32) {
    tokio::time::sleep(Duration::from_micros(u64::from(round % 30) * 100)).await;
}

#[tokio::test]
async fn i9_a_session_that_rests_ends_and_reading_keeps_it() {
    let desk = Desk::with(|settings| settings.idle = Duration::from_secs(600)).await;
    let rest = async |name: &str, seconds: u32| {
        let sql = format!(
            "UPDATE identity.session SET seen_at = now() - interval '{seconds} s' WHERE token_hash = $1"
        );
        desk.execute(&sql, &[&Desk::hash(&token(name))]).await;
    };
    rest("bob", 601).await;
    assert!(!desk.is_live(&token("bob")).await);
    // Reading alone, again and again, for longer than the limit.
    for _ in 0..3 {
        rest("ann", 590).await;
        assert!(desk.is_live(&token("ann")).await);
        let fresh = "identity.session WHERE seen_at > now() - interval '5 s' AND token_hash = ";
        let fresh = format!("{fresh}'{}'", Desk::hash(&token("ann")));
        assert_eq!(desk.count(&fresh).await, 1);
    }
    // Not written down more often than a twentieth of the limit.
    rest("ann", 20).await;
    assert!(desk.is_live(&token("ann")).await);
    let old = "identity.session WHERE seen_at < now() - interval '15 s' AND token_hash = ";
    let old = format!("{old}'{}'", Desk::hash(&token("ann")));
    assert_eq!(desk.count(&old).await, 1);
}

#[tokio::test]
async fn i10_a_session_ends_in_spite_of_use() {
    let desk = Desk::with(|settings| settings.absolute = Duration::from_secs(2)).await;
    desk.register("ann").await;
    let opened = desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    let mut uses = 0;
    while desk.is_live(&opened).await {
        uses += 1;
        assert!(uses < 400, "it does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(uses > 10);
    assert!(desk.is_live(&token("ann")).await);
}

#[tokio::test]
async fn i11_sessions_are_listed_and_revoked() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    let agent = Some("Firefox\u{0} 128");
    let signed_in = desk
        .identity
        .sign_in("ann@example.com", PASSWORD, home(), agent, None);
    let (here, _) = signed_in.await.unwrap();
    let ann = desk.user(&here).await;
    let list = desk.identity.sessions(&ann).await.unwrap();
    assert_eq!(list.len(), 2);
    let mine = list.iter().find(|session| session.is_current).unwrap();
    assert_eq!(mine.id, ann.session_id);
    assert_eq!(mine.agent.as_deref(), Some("Firefox 128"));
    assert_eq!(mine.address.as_deref(), Some("192.0.2.1"));
    let other = list.iter().find(|session| !session.is_current).unwrap();
    assert_eq!(other.id, id("session of ann"));
    for foreign in [id("session of bob"), id("no session")] {
        let refused = desk.identity.session_revoke(&ann, foreign).await;
        assert!(matches!(refused, Err(Error::NotFound)));
    }
    assert!(desk.is_live(&token("bob")).await);
    desk.identity.session_revoke(&ann, other.id).await.unwrap();
    assert!(!desk.is_live(&token("ann")).await);
    assert!(desk.is_live(&here).await);
    // All others at once.
    for _ in 0..3 {
        desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    }
    assert_eq!(desk.identity.sessions_revoke_others(&ann).await.unwrap(), 3);
    assert!(desk.is_live(&here).await && desk.is_live(&token("bob")).await);
    // One that has ended by itself is not listed.
    let rest = "UPDATE identity.session SET seen_at = now() - interval '1 day' WHERE user_id <> $1::text::uuid";
    desk.execute(rest, &[&id("ann").to_string()]).await;
    assert!(
        desk.identity
            .sessions(&fake(&ann, "bob"))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(desk.identity.sessions(&ann).await.unwrap().len(), 1);
}

fn fake(user: &RequestUser, name: &str) -> RequestUser {
    let mut user = user.clone();
    user.id = id(name);
    user
}

#[tokio::test]
async fn i10_what_has_expired_is_removed() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    for email in ["zoe@example.com", "joe@example.com"] {
        desk.identity
            .sign_up(email, "Zoe", PASSWORD, home())
            .await
            .unwrap();
    }
    desk.identity
        .reset_request("ann@example.com", home())
        .await
        .unwrap();
    assert_eq!(desk.identity.sessions_expire().await.unwrap(), 0);
    assert_eq!(
        desk.count("identity.credential WHERE reset_hash IS NOT NULL")
            .await,
        1
    );
    for sql in [
        "UPDATE identity.session SET seen_at = now() - interval '31 minutes' WHERE user_id = (SELECT id FROM identity.\"user\" WHERE name = 'bob')",
        "UPDATE identity.session SET expires_at = now() WHERE user_id = (SELECT id FROM identity.\"user\" WHERE name = 'eve')",
        "UPDATE identity.sign_up SET expires_at = now() WHERE email = 'zoe@example.com'",
        "UPDATE identity.credential SET reset_expires_at = now()",
    ] {
        assert_eq!(desk.execute(sql, &[]).await, 1, "{sql}");
    }
    assert_eq!(desk.identity.sessions_expire().await.unwrap(), 3);
    assert_eq!(desk.count("identity.session").await, 2);
    assert_eq!(desk.count("identity.sign_up").await, 1);
    assert_eq!(
        desk.count("identity.credential WHERE reset_hash IS NOT NULL")
            .await,
        0
    );
    assert!(desk.is_live(&token("ann")).await);
    let crossings = "partywall.crossing WHERE reason = 'expired sessions are removed'";
    assert_eq!(desk.count(crossings).await, 2);
}

#[tokio::test]
async fn i13_a_deactivated_person_is_nobody_at_once() {
    let desk = Desk::new().await;
    for name in ["bob", "ann"] {
        desk.register(name).await;
    }
    let second = desk.sign_in("bob@example.com", PASSWORD).await.unwrap();
    let bob = desk.fixed("bob").await;
    let in_a = TenantSelector::Id(desk.world.a);
    let account = desk
        .identity
        .authenticate(&second, in_a, None)
        .await
        .unwrap();
    let account = account.account().unwrap();
    desk.identity
        .reset_request("bob@example.com", home())
        .await
        .unwrap();
    let link = desk.link("bob@example.com").await;
    let wrong = desk
        .identity
        .user_deactivate(&bob, "a wrong password")
        .await;
    assert!(matches!(wrong, Err(Error::WrongCredentials)));
    assert!(desk.is_live(&second).await);
    // The only owner of a tenant stays.
    let ann = desk.fixed("ann").await;
    let last = desk.identity.user_deactivate(&ann, PASSWORD).await;
    assert!(matches!(last, Err(Error::LastOwner)));
    assert!(desk.is_live(&token("ann")).await);
    let mut events = desk.identity.events();
    desk.identity.user_deactivate(&bob, PASSWORD).await.unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        Event::UserDeactivated { user: bob.id }
    );
    for ended in [&second, &token("bob")] {
        assert!(!desk.is_live(ended).await);
    }
    // Also what is under way: it holds an account that opens nothing now.
    let tx = account.write().await.unwrap();
    let refused = tx.execute_sql("DELETE FROM note", []).await.unwrap_err();
    assert!(matches!(refused.into(), Error::NotFound));
    let again = desk.sign_in("bob@example.com", PASSWORD).await;
    assert!(matches!(again, Err(Error::WrongCredentials)));
    let reset = desk.identity.reset_confirm(&link, "a new password").await;
    assert!(matches!(reset, Err(Error::BadLink)));
    desk.identity
        .reset_request("bob@example.com", home())
        .await
        .unwrap();
    let link = desk.link("bob@example.com").await;
    let reset = desk.identity.reset_confirm(&link, "a new password").await;
    assert!(matches!(reset, Err(Error::BadLink)));
    let audited =
        "identity.audit WHERE action = 'member.deactivated' AND actor_user = subject_user";
    assert_eq!(desk.count(audited).await, 0);
    let audited = format!(
        "identity.audit WHERE action = 'member.deactivated' AND actor_user = '{}' AND tenant_id = '{}'",
        bob.id, desk.world.a
    );
    assert_eq!(desk.count(&audited).await, 1);
}

#[tokio::test]
async fn i13_the_staff_deactivate_with_a_reason() {
    let desk = Desk::new().await;
    let (sue, ann) = (desk.fixed("sue").await, desk.fixed("ann").await);
    let bob = id("bob");
    let by_ann = desk
        .identity
        .user_deactivate_by_staff(&ann, bob, "spam")
        .await;
    assert!(matches!(by_ann, Err(Error::NotFound)));
    let silent = desk.identity.user_deactivate_by_staff(&sue, bob, " ").await;
    assert!(matches!(
        silent,
        Err(Error::Invalid {
            field: "reason",
            ..
        })
    ));
    let nobody = desk
        .identity
        .user_deactivate_by_staff(&sue, id("nobody"), "spam")
        .await;
    assert!(matches!(nobody, Err(Error::NotFound)));
    let owner = desk
        .identity
        .user_deactivate_by_staff(&sue, id("eve"), "spam")
        .await;
    assert!(matches!(owner, Err(Error::LastOwner)));
    assert!(desk.is_live(&token("bob")).await);
    desk.identity
        .user_deactivate_by_staff(&sue, bob, "spam")
        .await
        .unwrap();
    assert!(!desk.is_live(&token("bob")).await);
    let twice = desk
        .identity
        .user_deactivate_by_staff(&sue, bob, "spam")
        .await;
    assert!(matches!(twice, Err(Error::NotFound)));
    let audited = "identity.audit WHERE actor_name = 'sue' AND detail ->> 'reason' = 'spam'";
    assert_eq!(desk.count(audited).await, 1);
}

/// An account that was opened again is no owner while nobody can sign in with it.
#[tokio::test]
async fn i13_an_owner_who_is_nobody_is_no_other_owner() {
    let desk = Desk::new().await;
    let sue = desk.fixed("sue").await;
    make_owner(&desk).await;
    let deactivate = async |name: &str| {
        (desk
            .identity
            .user_deactivate_by_staff(&sue, id(name), "spam"))
        .await
    };
    deactivate("bob").await.unwrap();
    desk.execute("UPDATE identity.account SET deactivated_at = NULL", &[])
        .await;
    let last = deactivate("ann").await;
    assert!(matches!(last, Err(Error::LastOwner)));
    desk.execute("UPDATE identity.\"user\" SET deactivated_at = NULL", &[])
        .await;
    deactivate("ann").await.unwrap();
}

/// bob owns A as well.
async fn make_owner(desk: &Desk) {
    let owner = "INSERT INTO identity.account_role (account_id, role_id, tenant_id) \
                 VALUES ($1::text::uuid, $2::text::uuid, $3::text::uuid)";
    let ids = ["bob in a", "a owner", "a"].map(|name| id(name).to_string());
    desk.execute(owner, &[&ids[0], &ids[1], &ids[2]]).await;
}

/// Of two owners who go at once, one stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i13_of_two_owners_who_go_at_once_one_stays() {
    let desk = Arc::new(Desk::new().await);
    let sue = desk.fixed("sue").await;
    make_owner(&desk).await;
    for round in 0..100_u32 {
        let gone = ["ann", "bob"].map(|name| {
            let (desk, sue) = (desk.clone(), sue.clone());
            tokio::spawn(async move {
                pause(round % 4).await;
                desk.identity
                    .user_deactivate_by_staff(&sue, id(name), "spam")
                    .await
            })
        });
        let mut refused = 0;
        for one in gone {
            match one.await.unwrap() {
                Ok(()) => {}
                Err(Error::LastOwner) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(refused, 1, "{round}");
        let back = "UPDATE identity.account SET deactivated_at = NULL";
        desk.execute(back, &[]).await;
        desk.execute("UPDATE identity.\"user\" SET deactivated_at = NULL", &[])
            .await;
    }
}
