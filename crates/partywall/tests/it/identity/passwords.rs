//! Passwords: how they are checked, changed and guessed at.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher as _};
use partywall::identity::{Error, ErrorKind, Event};

use super::{
    desk::{Desk, PASSWORD, home},
    world::{id, token},
};

#[tokio::test]
async fn i3_unknown_and_wrong_take_the_same_time() {
    let desk = Desk::with(|settings| settings.attempts = 10_000).await;
    desk.register("ann").await;
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for _ in 0..15 {
        for (email, password) in [
            ("ann@example.com", "a wrong password"),
            ("nobody@example.com", "a wrong password"),
            ("malformed", "a wrong password"),
        ] {
            let began = Instant::now();
            let error = desk.sign_in(email, password).await.unwrap_err();
            times.entry(email).or_default().push(began.elapsed());
            assert!(matches!(error, Error::WrongCredentials), "{error}");
            assert_eq!(
                error.to_string(),
                "the e-mail address or the password is wrong"
            );
        }
    }
    let median = |email: &str| {
        let mut times = times[email].clone();
        times.sort();
        times[times.len() / 2]
    };
    let wrong = median("ann@example.com");
    for email in ["nobody@example.com", "malformed"] {
        let unknown = median(email);
        let ratio = unknown.as_secs_f64() / wrong.as_secs_f64();
        assert!((0.6..1.6).contains(&ratio), "{email} {unknown:?} {wrong:?}");
    }
    assert!(wrong > Duration::from_millis(5), "{wrong:?}");
    desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn i4_a_weak_hash_is_rewritten_by_a_right_password_only() {
    let desk = Desk::new().await;
    let weak = Params::new(8_192, 1, 1, None).unwrap();
    let weak = Argon2::new(Algorithm::Argon2i, Version::default(), weak);
    let old = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    desk.credential("ann", &old).await;
    let stored = async || {
        desk.text("SELECT password_hash FROM identity.credential")
            .await
            .unwrap()
    };
    desk.sign_in("ann@example.com", "a wrong password")
        .await
        .unwrap_err();
    assert_eq!(stored().await, old);
    desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    let new = stored().await;
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
    // Once is enough, and the password is the same.
    desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    assert_eq!(stored().await, new);
}

#[tokio::test]
async fn i12_changing_the_password_ends_the_other_sessions() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    let (one, two) = (
        desk.sign_in("ann@example.com", PASSWORD).await.unwrap(),
        desk.sign_in("ann@example.com", PASSWORD).await.unwrap(),
    );
    desk.identity
        .reset_request("ann@example.com", home())
        .await
        .unwrap();
    let link = desk.link("ann@example.com").await;
    let ann = desk.user(&one).await;
    let wrong = desk
        .identity
        .password_change(&ann, "a wrong password", "a new password")
        .await;
    assert!(matches!(wrong, Err(Error::WrongCredentials)));
    let short = desk.identity.password_change(&ann, PASSWORD, "short").await;
    assert!(matches!(short, Err(Error::Invalid { field: "new", .. })));
    assert!(desk.is_live(&one).await && desk.is_live(&two).await);
    let mut events = desk.identity.events();
    let new = desk
        .identity
        .password_change(&ann, PASSWORD, "a new password")
        .await
        .unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        Event::PasswordChanged { user: ann.id }
    );
    assert_ne!(new, one);
    for ended in [&one, &two, &token("ann")] {
        assert!(!desk.is_live(ended).await);
    }
    assert_eq!(desk.user(&new).await.session_id, ann.session_id);
    assert!(desk.is_live(&token("bob")).await);
    desk.sign_in("ann@example.com", PASSWORD).await.unwrap_err();
    desk.sign_in("ann@example.com", "a new password")
        .await
        .unwrap();
    let void = desk
        .identity
        .reset_confirm(&link, "yet another password")
        .await;
    assert!(matches!(void, Err(Error::BadLink)));
    // With the token that it had, the session can do it no more.
    let late = desk
        .identity
        .password_change(&ann, "a new password", PASSWORD)
        .await;
    assert!(matches!(late, Err(Error::Anonymous)));
    desk.sign_in("ann@example.com", "a new password")
        .await
        .unwrap();
}

#[tokio::test]
async fn i12_a_mailed_link_sets_a_password_once() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    let session = desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    let request = async || {
        desk.identity
            .reset_request("Ann@example.com", home())
            .await
            .unwrap();
        desk.link("ann@example.com").await
    };
    let (first, second) = (request().await, request().await);
    let confirm =
        async |link: &str, password: &str| desk.identity.reset_confirm(link, password).await;
    for bad in [&first, "", &"0".repeat(64)] {
        let refused = confirm(bad, "a new password").await;
        assert!(matches!(refused, Err(Error::BadLink)));
    }
    let short = confirm(&second, "short").await;
    assert!(matches!(
        short,
        Err(Error::Invalid {
            field: "password",
            ..
        })
    ));
    let expire = "UPDATE identity.credential SET reset_expires_at = now() - interval '1 second'";
    desk.execute(expire, &[]).await;
    let late = confirm(&second, "a new password").await;
    assert!(matches!(late, Err(Error::BadLink)));
    assert!(desk.is_live(&session).await);
    desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    let third = request().await;
    confirm(&third, "a new password").await.unwrap();
    assert!(!desk.is_live(&session).await && !desk.is_live(&token("ann")).await);
    assert!(desk.is_live(&token("bob")).await);
    desk.sign_in("ann@example.com", PASSWORD).await.unwrap_err();
    desk.sign_in("ann@example.com", "a new password")
        .await
        .unwrap();
    let again = confirm(&third, "yet another password").await;
    assert!(matches!(again, Err(Error::BadLink)));
    let mail = desk.mail("ann@example.com").await;
    assert_eq!(mail.last().unwrap().0, "Your password was changed");
}

/// Somebody signs in with the old password while it is set anew: their session does not survive.
#[tokio::test]
async fn i12_no_session_of_the_old_password_outlives_it() {
    let desk = Desk::with(|settings| {
        settings.attempts = 10_000;
        settings.password_checks = 4;
    })
    .await;
    desk.register("ann").await;
    let mut password = PASSWORD.to_owned();
    let mut opened = 0;
    for round in 0..25 {
        desk.identity
            .reset_request("ann@example.com", home())
            .await
            .unwrap();
        let link = desk.link("ann@example.com").await;
        let next = format!("password number {round}");
        let (set, ..) = tokio::join!(
            desk.identity.reset_confirm(&link, &next),
            desk.sign_in("ann@example.com", &password),
            async {
                tokio::time::sleep(Duration::from_millis(round)).await;
                opened += u32::from(desk.sign_in("ann@example.com", &password).await.is_ok());
            }
        );
        set.unwrap();
        let held = format!("identity.session WHERE user_id = '{}'", id("ann"));
        assert_eq!(desk.count(&held).await, 0, "{round}");
        password = next;
    }
    assert!(opened > 0, "they never met");
    desk.sign_in("ann@example.com", &password).await.unwrap();
}

#[tokio::test]
async fn i14_wrong_passwords_are_throttled() {
    let desk = Desk::with(|settings| settings.attempts = 3).await;
    desk.register("ann").await;
    desk.register("bob").await;
    for email in ["ann@example.com", "nobody@example.com"] {
        for _ in 0..3 {
            let wrong = desk.sign_in(email, "a wrong password").await.unwrap_err();
            assert!(matches!(wrong, Error::WrongCredentials));
        }
        // The right one neither, and whatever the letters' case.
        for password in ["a wrong password", PASSWORD] {
            let email = email.to_uppercase();
            let error = desk.sign_in(&email, password).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Throttled);
            assert!(matches!(error, Error::Throttled(wait) if wait > Duration::from_secs(60)));
        }
    }
    // Others from there, and she from elsewhere.
    for _ in 0..5 {
        desk.sign_in("bob@example.com", PASSWORD).await.unwrap();
    }
    let elsewhere = Some("192.0.2.77".parse().unwrap());
    let signed_in = desk
        .identity
        .sign_in("ann@example.com", PASSWORD, elsewhere, None, None);
    signed_in.await.unwrap();
    // Who holds a session has no more guesses either.
    let ann = desk.fixed("ann").await;
    let guess = desk
        .identity
        .password_change(&ann, "a wrong password", "a new password")
        .await;
    assert!(matches!(guess, Err(Error::Throttled(_))));
    for _ in 0..3 {
        desk.identity
            .reset_request("ann@example.com", home())
            .await
            .unwrap();
    }
    let fourth = desk.identity.reset_request("ann@example.com", home()).await;
    assert!(matches!(fourth, Err(Error::Throttled(_))));
    let other = desk.identity.reset_request("bob@example.com", home()).await;
    other.unwrap();
}

/// What is checked at once is bounded, and the bound is let go of.
#[tokio::test]
async fn i14_a_crowd_is_served_one_by_one() {
    let desk = Desk::with(|settings| {
        settings.attempts = 1_000;
        settings.password_checks = 1;
    })
    .await;
    desk.register("ann").await;
    let crowd = (0..20).map(|_| desk.sign_in("ann@example.com", PASSWORD));
    // Half of them go away.
    let crowd = crowd.enumerate().map(|(n, sign_in)| async move {
        let patience = Duration::from_millis(if n % 2 == 0 { 1 } else { 60_000 });
        tokio::time::timeout(patience, sign_in).await
    });
    let served = futures_util::future::join_all(crowd).await;
    let served = served.into_iter().filter(|one| matches!(one, Ok(Ok(_))));
    assert_eq!(served.count(), 10);
}
