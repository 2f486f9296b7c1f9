//! The current account of a session.

use std::{sync::Arc, time::Duration};

use partywall::identity::{Error, SessionToken, TenantSelector};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    desk::{Desk, PASSWORD},
    world::{id, token},
};

#[tokio::test]
async fn i16_a_session_begins_at_the_only_account_or_the_last() {
    let desk = Desk::new().await;
    for name in ["ann", "bob", "sue"] {
        desk.register(name).await;
    }
    let begins = async |name: &str| {
        let opened = desk
            .sign_in(&format!("{name}@example.com"), PASSWORD)
            .await
            .unwrap();
        let found = desk.find(&opened).await.unwrap();
        let current = found.user.as_ref().unwrap().current_account;
        assert_eq!(
            found.account().ok().and_then(|account| account.id()),
            current
        );
        current
    };
    // sue has none, bob one, ann two and was in neither.
    assert_eq!(begins("sue").await, None);
    assert_eq!(begins("bob").await, Some(id("bob in a")));
    assert_eq!(begins("ann").await, None);
    let ann = desk.fixed("ann").await;
    desk.identity
        .switch(&ann, &id("ann in b").to_string())
        .await
        .unwrap();
    assert_eq!(begins("ann").await, Some(id("ann in b")));
    // The last one is closed to her: the only one that is left.
    let close = "UPDATE identity.account SET deactivated_at = now() WHERE id = $1::text::uuid";
    desk.execute(close, &[&id("ann in b").to_string()]).await;
    assert_eq!(begins("ann").await, Some(id("ann in a")));
    desk.execute(
        "UPDATE identity.tenant SET delete_after = now() + interval '1 day' WHERE slug = 'a'",
        &[],
    )
    .await;
    assert_eq!(begins("ann").await, None);
}

#[tokio::test]
async fn i17_switching_changes_this_session_only() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    let other = desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    let current = async |token: &SessionToken| desk.user(token).await.current_account;
    for name in ["ann in a", "ann in b", "ann in a"] {
        let ann = desk.fixed("ann").await;
        let account = desk
            .identity
            .switch(&ann, &id(name).to_string())
            .await
            .unwrap();
        assert_eq!(account.id(), Some(id(name)));
        assert_eq!(current(&token("ann")).await, Some(id(name)));
        assert_eq!(
            desk.find(&token("ann"))
                .await
                .unwrap()
                .account()
                .unwrap()
                .id(),
            Some(id(name))
        );
        assert_eq!(current(&other).await, None);
    }
    // I72: each is written down in the tenant that was switched to.
    for (tenant, times) in [(desk.world.a, 2), (desk.world.b, 1)] {
        let audited = format!(
            "identity.audit WHERE action = 'account.switched' AND tenant_id = '{tenant}' AND actor_user = '{}'",
            id("ann")
        );
        assert_eq!(desk.count(&audited).await, times);
    }
    let mine = desk
        .identity
        .accounts(&desk.fixed("ann").await)
        .await
        .unwrap();
    let mine: Vec<_> = mine
        .iter()
        .map(|mine| (mine.slug.as_str(), mine.is_current))
        .collect();
    assert_eq!(mine, [("a", true), ("b", false)]);
    let mine = desk
        .identity
        .accounts(&desk.fixed("sue").await)
        .await
        .unwrap();
    assert!(mine.is_empty());
}

/// I18, I19, I20: what is refused, and that nothing is different afterwards.
#[tokio::test]
async fn i18_i19_i20_a_failed_switch_changes_nothing() {
    let desk = Desk::new().await;
    let ann = desk.fixed("ann").await;
    desk.identity
        .switch(&ann, &id("ann in a").to_string())
        .await
        .unwrap();
    let state = "SELECT string_agg(s::text, ';') || (SELECT string_agg(u::text, ';') FROM identity.\"user\" u) \
                 || (SELECT count(*) FROM identity.audit) FROM identity.session s";
    let before = desk.text(state).await;
    let refuse = async |account: &str| {
        let error = desk.identity.switch(&ann, account).await.unwrap_err();
        assert_eq!(desk.text(state).await, before, "{account}");
        error
    };
    let own = id("ann in b").to_string();
    for foreign in [
        id("bob in a").to_string(),
        id("eve in b").to_string(),
        id("a").to_string(),
        Uuid::now_v7().to_string(),
        String::new(),
        "a".to_owned(),
        "\0".to_owned(),
        "' OR true --".to_owned(),
        own.to_uppercase(),
        own.replace('-', ""),
        format!("{{{own}}}"),
        format!("urn:uuid:{own}"),
    ] {
        let error = refuse(&foreign).await;
        assert!(matches!(error, Error::NotFound), "{foreign} {error}");
    }
    let close = "UPDATE identity.account SET deactivated_at = $2::text::timestamptz WHERE id = $1::text::uuid";
    desk.execute(close, &[&own, &Some("2026-01-01")]).await;
    assert!(matches!(refuse(&own).await, Error::NotFound));
    desk.execute(close, &[&own, &None::<&str>]).await;
    desk.execute(
        "UPDATE identity.tenant SET suspended_at = now() WHERE slug = 'b'",
        &[],
    )
    .await;
    assert!(matches!(refuse(&own).await, Error::Suspended));
    // Suspended or not is the members' business only.
    assert!(matches!(
        refuse(&id("eve in b").to_string()).await,
        Error::NotFound
    ));
    desk.execute("UPDATE identity.tenant SET suspended_at = NULL", &[])
        .await;
    desk.execute(
        "UPDATE identity.tenant SET delete_after = now() + interval '1 day' WHERE slug = 'b'",
        &[],
    )
    .await;
    assert!(matches!(refuse(&own).await, Error::NotFound));
    desk.execute("UPDATE identity.tenant SET delete_after = NULL", &[])
        .await;
    // The control.
    desk.identity.switch(&ann, &own).await.unwrap();
    assert_ne!(desk.text(state).await, before);
    assert_eq!(
        desk.fixed("ann").await.current_account,
        Some(id("ann in b"))
    );
}

/// Whoever acts as somebody else stays where they may be, and does not move that person.
#[tokio::test]
async fn i58_who_acts_as_somebody_changes_no_credential() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    let own = id("session of sue").to_string();
    let (sue, a) = (id("sue").to_string(), id("a").to_string());
    let inside = "INSERT INTO identity.staff_entry (id, tenant_id, user_id, session_id, reason, created_at, expires_at) \
                  VALUES (gen_random_uuid(), $1::text::uuid, $2::text::uuid, $3::text::uuid, 'x', now(), now() + interval '1 hour')";
    desk.execute(inside, &[&a, &sue, &own]).await;
    let acting = "UPDATE identity.session SET impersonator = $1::text::uuid, confined_to = $2::text::uuid, \
                  parked = $4::text::uuid WHERE token_hash = $3";
    let hash = Desk::hash(&token("ann"));
    desk.execute(acting, &[&sue, &a, &hash, &own]).await;
    let other = desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    let acting = desk.fixed("ann").await;
    let other_id = desk.user(&other).await.session_id;
    let change = desk
        .identity
        .password_change(&acting, PASSWORD, "a new password")
        .await;
    assert!(matches!(change, Err(Error::Impersonating)));
    let deactivate = desk.identity.user_deactivate(&acting, PASSWORD).await;
    assert!(matches!(deactivate, Err(Error::Impersonating)));
    let revoke = desk.identity.session_revoke(&acting, other_id).await;
    assert!(matches!(revoke, Err(Error::Impersonating)));
    let revoke = desk.identity.sessions_revoke_others(&acting).await;
    assert!(matches!(revoke, Err(Error::Impersonating)));
    let listed = desk.identity.sessions(&acting).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].is_impersonation && listed[0].is_current);
    let out = desk
        .identity
        .switch(&acting, &id("ann in b").to_string())
        .await;
    assert!(matches!(out, Err(Error::NotFound)));
    desk.identity
        .switch(&acting, &id("ann in a").to_string())
        .await
        .unwrap();
    let moved = "identity.\"user\" WHERE last_account IS NOT NULL";
    assert_eq!(desk.count(moved).await, 0);
    // She herself can, and ends the other's session with it.
    let ann = desk.user(&other).await;
    let new = desk
        .identity
        .password_change(&ann, PASSWORD, "a new password")
        .await
        .unwrap();
    assert!(desk.is_live(&new).await);
    assert!(!desk.is_live(&token("ann")).await);
}

/// 20 requests of the session are under way, each writing down that it was used, and one switch.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i25_a_switch_survives_the_requests_beside_it() {
    let desk = Arc::new(Desk::new().await);
    let resting = "UPDATE identity.session SET seen_at = now() - interval '10 minutes'";
    for round in 0..200_u32 {
        let name = if round % 2 == 0 {
            "ann in a"
        } else {
            "ann in b"
        };
        desk.execute(resting, &[]).await;
        let ann = desk.fixed("ann").await;
        desk.execute(resting, &[]).await;
        let mut tasks = JoinSet::new();
        for n in 0..20_u32 {
            let desk = desk.clone();
            tasks.spawn(async move {
                tokio::time::sleep(Duration::from_micros(u64::from((n * 7 + round) % 40) * 50))
                    .await;
                let selector = match n % 3 {
                    0 => TenantSelector::Current,
                    1 => TenantSelector::Id(desk.world.a),
                    _ => TenantSelector::Slug("b"),
                };
                desk.identity
                    .authenticate(&token("ann"), selector, None)
                    .await
                    .unwrap();
            });
        }
        tasks.spawn({
            let desk = desk.clone();
            async move {
                tokio::time::sleep(Duration::from_micros(u64::from(round % 20) * 100)).await;
                desk.identity
                    .switch(&ann, &id(name).to_string())
                    .await
                    .unwrap();
            }
        });
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(
            desk.fixed("ann").await.current_account,
            Some(id(name)),
            "{round}"
        );
    }
}
