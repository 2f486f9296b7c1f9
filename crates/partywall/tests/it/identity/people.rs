//! Signing up and signing in.

use partywall::{
    Sql,
    identity::{Error, Event, SessionToken},
};

use super::{
    desk::{Desk, PASSWORD, home},
    world::{id, token},
};

/// 100 characters of many scripts, and more bytes.
fn unicode() -> String {
    "pässwörd ключ 密码 🔑 ".chars().cycle().take(100).collect()
}

#[tokio::test]
async fn i1_a_new_address_and_a_long_password_sign_up() {
    let desk = Desk::new().await;
    let mut events = desk.identity.events();
    let password = unicode();
    let sign_up = desk
        .identity
        .sign_up("Zoë@Example.com", " Zoë ", &password, home());
    sign_up.await.unwrap();
    // Nobody is there before the address was shown to be theirs.
    let early = desk.sign_in("zoë@example.com", &password).await;
    assert!(matches!(early, Err(Error::WrongCredentials)));
    assert_eq!(desk.count("identity.credential").await, 0);
    let link = desk.link("zo\u{eb}@example.com").await;
    assert_eq!(
        desk.count(&format!("identity.sign_up WHERE token_hash = '{link}'"))
            .await,
        0
    );
    let user = desk.identity.sign_up_confirm(&link).await.unwrap();
    assert_eq!(events.recv().await.unwrap(), Event::UserCreated { user });
    let stored = desk
        .text("SELECT password_hash FROM identity.credential")
        .await
        .unwrap();
    let (head, _) = stored.split_at("$argon2id$v=19$m=19456,t=2,p=1$".len());
    assert_eq!(head, "$argon2id$v=19$m=19456,t=2,p=1$");
    assert!(!stored.contains(&password));
    let token = desk
        .sign_in("zoe\u{308}@EXAMPLE.COM", &password)
        .await
        .unwrap();
    let zoe = desk.user(&token).await;
    assert_eq!(
        (zoe.id, zoe.name.as_str(), zoe.email.as_str()),
        (user, "Zoë", "Zoë@Example.com")
    );
    assert_eq!(desk.count("identity.sign_up").await, 0);
    // The link is used up.
    let again = desk.identity.sign_up_confirm(&link).await;
    assert!(matches!(again, Err(Error::BadLink)));
}

#[tokio::test]
async fn i1_what_cannot_sign_up_is_told_which_field() {
    let desk = Desk::new().await;
    for (email, name, password, wrong) in [
        ("zoe", "Zoe", PASSWORD, "email"),
        ("zoe@example.com", " ", PASSWORD, "name"),
        ("zoe@example.com", "Zoe\nBcc: x", PASSWORD, "name"),
        ("zoe@example.com", "Zoe", "123456789", "password"),
        ("zoe@example.com", "Zoe", &"x".repeat(1_025), "password"),
    ] {
        match desk.identity.sign_up(email, name, password, home()).await {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, wrong),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(desk.count("identity.outbox").await, 0);
    let good = desk
        .identity
        .sign_up("zoe@example.com", "Zoe", "1234567890", home());
    good.await.unwrap();
    assert_eq!(desk.count("identity.outbox").await, 1);
}

#[tokio::test]
async fn i2_a_registered_address_answers_as_an_unknown_one() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    for email in [
        "ann@example.com",
        "ANN@Example.COM",
        "\u{ff41}nn@example.com",
    ] {
        let known = desk
            .identity
            .sign_up(email, "Ann", "another password", home());
        known.await.unwrap();
        let known = desk.identity.reset_request(email, home());
        known.await.unwrap();
    }
    let unknown = desk
        .identity
        .sign_up("zoe@example.com", "Zoe", "another password", home());
    unknown.await.unwrap();
    let unknown = desk.identity.reset_request("zoe@example.com", home());
    unknown.await.unwrap();
    // Only who reads the mail learns more. Of the known address nothing is pending.
    let subjects = async |key: &str| -> Vec<String> {
        let mail = desk.mail(key).await;
        mail.into_iter().map(|(subject, _)| subject).collect()
    };
    let to_ann = ["You already have an account", "Choose a new password"].repeat(3);
    assert_eq!(subjects("ann@example.com").await, to_ann);
    let to_zoe = ["Confirm your e-mail address", "No account has this address"];
    assert_eq!(subjects("zoe@example.com").await, to_zoe);
    assert_eq!(desk.count("identity.sign_up").await, 1);
    desk.sign_in("ann@example.com", PASSWORD).await.unwrap();
    let wrong = desk.sign_in("ann@example.com", "another password").await;
    assert!(matches!(wrong, Err(Error::WrongCredentials)));
    assert_eq!(desk.count("identity.\"user\"").await, 4);
}

#[tokio::test]
async fn i2_a_link_is_good_for_a_while_and_for_one_person() {
    let desk = Desk::new().await;
    let sign_up = async |name: &str| {
        let sign_up = desk
            .identity
            .sign_up("zoe@example.com", name, PASSWORD, home());
        sign_up.await.unwrap();
        desk.link("zoe@example.com").await
    };
    let (first, second) = (sign_up("Zoe").await, sign_up("Another").await);
    assert_ne!(first, second);
    let late = "UPDATE identity.sign_up SET expires_at = now() - interval '1 second'";
    desk.execute(late, &[]).await;
    let expired = desk.identity.sign_up_confirm(&first).await;
    assert!(matches!(expired, Err(Error::BadLink)));
    desk.execute(
        "UPDATE identity.sign_up SET expires_at = now() + interval '1 hour'",
        &[],
    )
    .await;
    for bad in ["", "x", &"0".repeat(64), &first.to_uppercase()] {
        let refused = desk.identity.sign_up_confirm(bad).await;
        assert!(matches!(refused, Err(Error::BadLink)), "{bad}");
    }
    desk.identity.sign_up_confirm(&first).await.unwrap();
    let other = desk.identity.sign_up_confirm(&second).await;
    assert!(matches!(other, Err(Error::BadLink)));
}

#[tokio::test]
async fn i2_of_many_confirmations_at_once_one_makes_a_person() {
    let desk = Desk::with(|settings| settings.attempts = 1_000).await;
    for round in 0..60 {
        let email = format!("zoe{round}@example.com");
        let mut links = Vec::new();
        for _ in 0..2 {
            let sign_up = desk.identity.sign_up(&email, "Zoe", PASSWORD, home());
            sign_up.await.unwrap();
            links.push(desk.link(&email).await);
        }
        let confirmed = futures_util::future::join_all(
            links
                .iter()
                .cycle()
                .take(6)
                .map(|link| desk.identity.sign_up_confirm(link)),
        )
        .await;
        let made = confirmed.iter().filter(|made| made.is_ok()).count();
        assert_eq!(made, 1, "{confirmed:?}");
        let is_expected = |made: &Result<_, Error>| matches!(made, Ok(_) | Err(Error::BadLink));
        assert!(confirmed.iter().all(is_expected), "{confirmed:?}");
    }
    assert_eq!(desk.count("identity.\"user\"").await, 4 + 60);
    assert_eq!(desk.count("identity.credential").await, 60);
}

#[tokio::test]
async fn i5_a_planted_token_is_not_taken_over() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    let planted = SessionToken::parse(&"5".repeat(64)).unwrap();
    let signed_in =
        desk.identity
            .sign_in("ann@example.com", PASSWORD, home(), None, Some(&planted));
    let (token, found) = signed_in.await.unwrap();
    assert_ne!(token, planted);
    assert!(!desk.is_live(&planted).await);
    assert_eq!(found.user.unwrap().id, id("ann"));
    assert!(desk.is_live(&token).await);
    // I15: the database holds a hash of the token and nothing else of it.
    let held = format!(
        "identity.session s WHERE s::text LIKE '%{}%'",
        token.expose()
    );
    assert_eq!(desk.count(&held).await, 0);
    let held = format!(
        "identity.session WHERE token_hash = '{}'",
        Desk::hash(&token)
    );
    assert_eq!(desk.count(&held).await, 1);
}

#[tokio::test]
async fn i6_signing_in_over_a_session_ends_it() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    // Hers, and then somebody else's, as on a shared computer.
    for previous in ["ann", "bob"] {
        let previous = token(previous);
        let over = |password| {
            let (email, address) = ("ann@example.com", home());
            desk.identity
                .sign_in(email, password, address, None, Some(&previous))
        };
        over("a wrong password").await.unwrap_err();
        assert!(desk.is_live(&previous).await);
        let (token, _) = over(PASSWORD).await.unwrap();
        assert!(!desk.is_live(&previous).await);
        assert!(desk.is_live(&token).await);
    }
    assert!(desk.is_live(&token("eve")).await);
}

/// The application's own login sees none of it.
#[tokio::test]
async fn i15_the_application_reads_no_hash() {
    let desk = Desk::new().await;
    desk.register("ann").await;
    for table in ["credential", "session", "sign_up", "outbox"] {
        let read = desk
            .application()
            .rows(&format!("SELECT 1 FROM identity.{table}"), [])
            .await;
        let kind = read.unwrap_err().kind();
        assert_eq!(kind, partywall::db::ErrorKind::Denied, "{table}");
    }
    assert_eq!(desk.count("identity.credential").await, 1);
}
