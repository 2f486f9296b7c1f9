//! Invitations are accepted, or not.

use futures_util::future::join_all;
use partywall::identity::{EmailAddress, Error, ErrorKind, Event};
use uuid::Uuid;

use super::world::{World, id, token};

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn names(count: usize, what: &str) -> Vec<String> {
    (0..count).map(|n| format!("{what}{n}")).collect()
}

#[tokio::test]
async fn i59_looking_at_a_link_consumes_nothing() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    world.newcomer("cem").await;
    let link = world.invited(&ann, "cem@example.com", "member").await;
    for _ in 0..5 {
        let view = world.identity.invitation_show(&link).await.unwrap();
        assert_eq!(
            (view.tenant.as_str(), view.slug.as_str()),
            ("Tenant a", "a")
        );
        assert_eq!(view.inviter.as_deref(), Some("ann"));
        assert_eq!(view.role.as_deref(), Some("member"));
        assert_eq!(view.email, "cem@example.com");
    }
    assert_eq!(
        world.count("SELECT count(*) FROM identity.account").await,
        4
    );
    let cem = world.user("cem").await;
    let accepted = world.identity.invitation_accept(&cem, &link).await.unwrap();
    assert_eq!((accepted.tenant, accepted.user), (world.a, id("cem")));
    assert!(!accepted.was_member);
    let account = world.account("cem", world.a).await;
    assert_eq!(account.id(), Some(accepted.account));
    assert!(account.has("note.write") && !account.has("member.write"));
}

#[tokio::test]
async fn i60_the_wrong_person_is_refused_and_it_stays_open() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    world.newcomer("cem").await;
    let link = world.invited(&ann, "cem@example.com", "owner").await;
    let eve = world.user("eve").await;
    for _ in 0..2 {
        let error = world
            .identity
            .invitation_accept(&eve, &link)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::OtherAddress), "{error:?}");
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Denied, "other_address")
        );
    }
    let kept_out = world.try_account(&token("eve"), world.a).await.unwrap_err();
    assert_eq!(kept_out, ErrorKind::NotFound);
    assert_eq!(ann.invitation_list().await.unwrap().len(), 1);
    // The control.
    let cem = world.user("cem").await;
    world.identity.invitation_accept(&cem, &link).await.unwrap();
    assert!(world.account("cem", world.a).await.has("tenant.delete"));
    assert_eq!(ann.invitation_list().await.unwrap().len(), 0);
}

#[tokio::test]
async fn i61_a_new_person_signs_up_and_a_known_one_signs_in() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    world.newcomer("cem").await;
    let link = world.invited(&ann, "cem@example.com", "member").await;
    let sign_up = |link: String, name: &'static str, password: &'static str| {
        let identity = world.identity.clone();
        async move {
            identity
                .invitation_accept_new(&link, name, password, None)
                .await
        }
    };
    let error = sign_up(link.clone(), "Cem", "another password")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Anonymous, "sign_in_first")
    );
    let kept = "SELECT count(*) FROM identity.credential WHERE email_key = 'cem@example.com' AND password_hash = 'x'";
    assert_eq!(world.count(kept).await, 1);
    assert_eq!(ann.invitation_list().await.unwrap().len(), 1);

    let link = world.invited(&ann, "Dee@Example.com", "viewer").await;
    for (name, password, field) in [
        (" ", "a good password", "name"),
        ("Dee\nBcc: x", "a good password", "name"),
        ("Dee", "short", "password"),
    ] {
        match sign_up(link.clone(), name, password).await.unwrap_err() {
            Error::Invalid { field: wrong, .. } => assert_eq!(wrong, field),
            other => panic!("{other:?}"),
        }
    }
    let mut events = world.identity.events();
    let accepted = sign_up(link.clone(), "Dee", "a good password")
        .await
        .unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        Event::UserCreated {
            user: accepted.user
        }
    );
    let (tenant, account) = (world.a, accepted.account);
    assert_eq!(
        events.recv().await.unwrap(),
        Event::MemberAdded { tenant, account }
    );
    let made = "SELECT count(*) FROM identity.credential c JOIN identity.\"user\" u ON u.id = c.user_id \
                WHERE c.email_key = 'dee@example.com' AND u.email = 'Dee@Example.com' AND u.name = 'Dee' \
                AND c.password_hash LIKE '$argon2id$%'";
    assert_eq!(world.count(made).await, 1);
    // Once it was used, it is no longer good, and sets no password either.
    let error = sign_up(link, "Dee", "a third password").await.unwrap_err();
    assert!(matches!(error, Error::BadLink), "{error:?}");
}

#[tokio::test]
async fn i62_letter_case_makes_no_second_account() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let first = ann
        .invite(&email("dee@example.com"), "member")
        .await
        .unwrap();
    let second = ann
        .invite(&email("DEE@Example.COM"), "viewer")
        .await
        .unwrap();
    assert_eq!(first, second);
    let list = ann.invitation_list().await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].role.as_deref(), Some("viewer"));
    let links = world.mailed("dee@example.com").await;
    assert_eq!(links.len(), 2);
    let show = |link: String| {
        let identity = world.identity.clone();
        async move { identity.invitation_show(&link).await }
    };
    assert!(matches!(show(links[0].clone()).await, Err(Error::BadLink)));
    show(links[1].clone()).await.unwrap();
    let identity = &world.identity;
    let accepted = identity
        .invitation_accept_new(&links[1], "Dee", "a good password", None)
        .await
        .unwrap();
    // Known by another spelling, and a member already: as she was.
    world
        .sql(&format!(
            "INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at) \
             VALUES (gen_random_uuid(), '{}', '{}', now(), now(), now() + interval '1 hour')",
            accepted.user,
            super::world::hex(&<sha2::Sha256 as sha2::Digest>::digest(token("dee").expose())),
        ))
        .await;
    let link = world.invited(&ann, "DEE@example.com", "owner").await;
    let error = identity
        .invitation_accept_new(&link, "Dee", "another password", None)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::SignInFirst), "{error:?}");
    let dee = world.user("dee").await;
    let again = identity.invitation_accept(&dee, &link).await.unwrap();
    assert_eq!((again.was_member, again.account), (true, accepted.account));
    assert!(!world.account("dee", world.a).await.has("note.write"));
    assert_eq!(ann.invitation_list().await.unwrap().len(), 0);
    let people = "SELECT count(*) FROM identity.\"user\" WHERE lower(email) = 'dee@example.com'";
    assert_eq!(world.count(people).await, 1);
}

#[tokio::test]
async fn i63_links_that_are_not_good_give_one_answer() {
    let world = World::new().await;
    let (ann, eve) = (
        world.account("ann", world.a).await,
        world.account("eve", world.b).await,
    );
    let people = names(8, "guest");
    world.newcomers(&people).await;
    let mut links = Vec::new();
    for name in &people {
        links.push(
            world
                .invited(&ann, &format!("{name}@example.com"), "member")
                .await,
        );
    }
    let mut good = links.split_off(6);
    // In order: expired, taken back, replaced, replayed, unknown, malformed.
    world.sql("UPDATE identity.invitation SET expires_at = now() - interval '1 second' WHERE email_key = 'guest0@example.com'").await;
    let of = |list: &[partywall::identity::Invitation], name: &str| {
        list.iter().find(|i| i.email.starts_with(name)).unwrap().id
    };
    let list = ann.invitation_list().await.unwrap();
    ann.invitation_revoke(of(&list, "guest1")).await.unwrap();
    ann.invitation_resend(of(&list, "guest2")).await.unwrap();
    let guest = world.user("guest3").await;
    world
        .identity
        .invitation_accept(&guest, &links[3])
        .await
        .unwrap();
    links[4] = "0".repeat(64);
    links[5] = "' OR 1=1 --".to_owned();
    // Of tenants that are closed, and of another one.
    let frank = world.invited(&eve, "guest6@example.com", "member").await;
    world
        .sql("UPDATE identity.tenant SET suspended_at = now() WHERE slug = 'b'")
        .await;
    let mut seen = Vec::new();
    for (n, link) in links.iter().enumerate() {
        seen.push((world.user(&format!("guest{n}")).await, link.clone()));
    }
    seen.push((world.user("guest6").await, frank.clone()));
    for (guest, link) in &seen {
        let shown = world.identity.invitation_show(link).await.unwrap_err();
        let taken = world
            .identity
            .invitation_accept(guest, link)
            .await
            .unwrap_err();
        let made = world
            .identity
            .invitation_accept_new(link, "X", "a good password", None)
            .await
            .unwrap_err();
        for error in [shown, taken, made] {
            assert!(matches!(error, Error::BadLink), "{} {error:?}", guest.name);
        }
    }
    world.sql("UPDATE identity.tenant SET suspended_at = NULL, delete_after = now() + interval '1 day' WHERE slug = 'b'").await;
    let guest = world.user("guest6").await;
    let error = world
        .identity
        .invitation_accept(&guest, &frank)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::BadLink), "{error:?}");
    // What is another tenant's is not there: neither to mail again nor to take back.
    let foreign = of(&ann.invitation_list().await.unwrap(), "guest7");
    world
        .sql("UPDATE identity.tenant SET delete_after = NULL WHERE slug = 'b'")
        .await;
    for id in [foreign, Uuid::now_v7()] {
        for error in [
            eve.invitation_resend(id).await.unwrap_err(),
            eve.invitation_revoke(id).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::NotFound), "{error:?}");
        }
    }
    assert_eq!(eve.invitation_list().await.unwrap().len(), 1);
    // The controls.
    let guest = world.user("guest7").await;
    world
        .identity
        .invitation_accept(&guest, &good.pop().unwrap())
        .await
        .unwrap();
    let guest = world.user("guest6").await;
    world
        .identity
        .invitation_accept(&guest, &frank)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i64_two_accepts_at_once_make_one_account() {
    const ROUNDS: usize = 200;
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let people = names(ROUNDS, "guest");
    world.newcomers(&people[..ROUNDS - 20]).await;
    for (n, name) in people.iter().enumerate() {
        let link = world
            .invited(&ann, &format!("{name}@example.com"), "member")
            .await;
        let identity = &world.identity;
        // The last are new people, who accept and sign up twice at once.
        let outcomes = if n < ROUNDS - 20 {
            let user = world.user(name).await;
            join_all((0..2).map(|_| identity.invitation_accept(&user, &link))).await
        } else {
            join_all(
                (0..2)
                    .map(|_| identity.invitation_accept_new(&link, name, "a good password", None)),
            )
            .await
        };
        let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(good.len(), 1, "{name}: {bad:?}");
        let error = bad.into_iter().next().unwrap().unwrap_err();
        assert!(
            matches!(error, Error::BadLink | Error::SignInFirst),
            "{name}: {error:?}"
        );
    }
    let accounts = "SELECT count(*) FROM identity.account WHERE name LIKE 'guest%'";
    assert_eq!(world.count(accounts).await, 200);
    let people = "SELECT count(DISTINCT user_id) FROM identity.account WHERE name LIKE 'guest%'";
    assert_eq!(world.count(people).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i65_one_seat_is_taken_once() {
    const ROUNDS: usize = 60;
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let people = names(ROUNDS * 5, "guest");
    world.newcomers(&people).await;
    for (round, five) in people.chunks(5).enumerate() {
        let seats = 2 + round + 1;
        world
            .sql(&format!(
                "UPDATE identity.tenant SET seats = {seats} WHERE slug = 'a'"
            ))
            .await;
        let mut accepts = Vec::new();
        for name in five {
            let link = world
                .invited(&ann, &format!("{name}@example.com"), "viewer")
                .await;
            let (user, identity) = (world.user(name).await, world.identity.clone());
            accepts.push(async move { identity.invitation_accept(&user, &link).await });
        }
        let (good, bad): (Vec<_>, Vec<_>) =
            join_all(accepts).await.into_iter().partition(Result::is_ok);
        assert_eq!(good.len(), 1, "round {round}: {bad:?}");
        for error in bad {
            assert!(
                matches!(error, Err(Error::NoSeat)),
                "round {round}: {error:?}"
            );
        }
        let active = "SELECT count(*) FROM identity.account a JOIN identity.tenant t ON t.id = a.tenant_id \
                      WHERE t.slug = 'a' AND a.deactivated_at IS NULL";
        assert_eq!(world.count(active).await, i64::try_from(seats).unwrap());
    }
    // Who found no seat may still come when there is one.
    assert_eq!(ann.invitation_list().await.unwrap().len(), ROUNDS * 4);
}

#[tokio::test]
async fn i66_no_right_is_given_beyond_what_the_inviter_may_give_today() {
    let world = World::new().await;
    let (a, account) = (id("a"), id("bob in a"));
    let set_role = |role: &str| {
        format!(
            "DELETE FROM identity.account_role WHERE account_id = '{account}'; \
             INSERT INTO identity.account_role (account_id, role_id, tenant_id) VALUES ('{account}', '{}', '{a}');",
            id(&format!("a {role}"))
        )
    };
    let custom = id("a custom");
    let reset = format!(
        "UPDATE identity.\"user\" SET deactivated_at = NULL WHERE id = '{bob}'; \
         UPDATE identity.account SET deactivated_at = NULL, removed_at = NULL, user_id = '{bob}' WHERE id = '{account}'; \
         DELETE FROM identity.role WHERE id = '{custom}'; \
         INSERT INTO identity.role (id, tenant_id, name, permissions) VALUES ('{custom}', '{a}', 'custom', '{{note.write}}'); {}",
        set_role("admin"),
        bob = id("bob"),
    );
    let cases: [(&str, String, bool); 9] = [
        ("nothing", String::new(), true),
        (
            "the role shrank",
            format!("UPDATE identity.role SET permissions = '{{note.read}}' WHERE id = '{custom}'"),
            true,
        ),
        (
            "the role is gone",
            format!("DELETE FROM identity.role WHERE id = '{custom}'"),
            false,
        ),
        (
            "the role grew",
            format!(
                "UPDATE identity.role SET permissions = '{{note.write,tenant.delete}}' WHERE id = '{custom}'"
            ),
            false,
        ),
        (
            "the role includes more",
            format!(
                "INSERT INTO identity.role_inclusion (role_id, includes_id, tenant_id) VALUES ('{custom}', '{}', '{a}')",
                id("a owner")
            ),
            false,
        ),
        ("the inviter holds less", set_role("viewer"), false),
        ("the inviter may not invite", set_role("member"), false),
        (
            "the inviter is deactivated",
            format!("UPDATE identity.account SET deactivated_at = now() WHERE id = '{account}'"),
            false,
        ),
        (
            "the inviter cannot sign in",
            format!(
                "UPDATE identity.\"user\" SET deactivated_at = now() WHERE id = '{}'",
                id("bob")
            ),
            false,
        ),
    ];
    let people = names(cases.len() + 1, "guest");
    world.newcomers(&people).await;
    for ((what, change, has), name) in cases.iter().zip(&people) {
        world.sql(&reset).await;
        let bob = world.account("bob", world.a).await;
        let link = world
            .invited(&bob, &format!("{name}@example.com"), "custom")
            .await;
        if !change.is_empty() {
            world.sql(change).await;
        }
        let user = world.user(name).await;
        world
            .identity
            .invitation_accept(&user, &link)
            .await
            .unwrap();
        let joined = world.account(name, world.a).await;
        assert_eq!(
            joined.has("note.read") || joined.has("note.write"),
            *has,
            "{what}"
        );
        assert!(!joined.has("tenant.delete"), "{what}");
    }
    // An inviter who left is gone like one who was removed.
    world.sql(&reset).await;
    let bob = world.account("bob", world.a).await;
    let name = people.last().unwrap();
    let link = world
        .invited(&bob, &format!("{name}@example.com"), "custom")
        .await;
    let ann = world.account("ann", world.a).await;
    ann.member_remove(account).await.unwrap();
    let user = world.user(name).await;
    world
        .identity
        .invitation_accept(&user, &link)
        .await
        .unwrap();
    assert_eq!(
        world
            .account(name, world.a)
            .await
            .permissions()
            .iter()
            .count(),
        0
    );
}

#[tokio::test]
async fn i70_whoever_is_invited_again_has_the_new_role_only() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    world.newcomer("cem").await;
    let cem = world.user("cem").await;
    let link = world.invited(&ann, "cem@example.com", "owner").await;
    let first = world.identity.invitation_accept(&cem, &link).await.unwrap();
    assert!(world.account("cem", world.a).await.has("tenant.delete"));
    ann.member_remove(first.account).await.unwrap();
    let out = world.try_account(&token("cem"), world.a).await.unwrap_err();
    assert_eq!(out, ErrorKind::NotFound);
    let link = world.invited(&ann, "cem@example.com", "viewer").await;
    let second = world.identity.invitation_accept(&cem, &link).await.unwrap();
    assert_ne!(first.account, second.account);
    assert!(!second.was_member);
    let account = world.account("cem", world.a).await;
    assert!(account.has("note.read") && !account.has("note.write"));
}
