use super::PASSWORD;
use crate::world::World;

/// Signing up, a forgotten password, sessions and leaving, without a script.
#[test]
fn the_pages_of_a_person() {
    let world = World::start(false);
    let mut zoe = world.anonymous();
    assert!(zoe.get("/sign-in").is(200).body.contains("/sign-up"));
    zoe.get("/sign-up").is(200);
    let fields = |password| {
        [
            ("email", "zoe@example.com"),
            ("name", "<i>Zoe</i>"),
            ("password", password),
        ]
    };
    let short = zoe.form("/sign-up", &fields("short")).is(422).body;
    assert!(
        short.contains("from 10 to 1024") && !short.contains("<i>"),
        "{short}"
    );
    let mailed = zoe.form("/sign-up", &fields(PASSWORD)).is(200).body;
    let known = zoe.form(
        "/sign-up",
        &[
            ("email", "ann@example.com"),
            ("name", "x"),
            ("password", PASSWORD),
        ],
    );
    assert_eq!(known.is(200).body, mailed);
    let link = world.link("zoe@example.com");
    let page = zoe.get(&format!("/verify?token={link}")).is(200).body;
    assert!(page.contains(&link));
    zoe.get("/verify").is(200);
    zoe.form("/verify", &[("token", &link)]).is(200);
    let again = zoe.form("/verify", &[("token", &link)]).is(422).body;
    assert!(again.contains("This link is not good"), "{again}");
    let credentials = |password| [("email", "zoe@example.com"), ("password", password)];
    let signed_in = zoe.form("/sign-in", &credentials(PASSWORD)).is(303);
    zoe.keep(&signed_in);
    assert_eq!(zoe.get("/").is(303).location.as_deref(), Some("/tenants"));

    let sessions = zoe.get("/sessions").is(200).body;
    assert!(
        sessions.contains("this one") && sessions.contains("127.0.0.1"),
        "{sessions}"
    );
    let wrong = zoe.form(
        "/password",
        &[("old", "a wrong password"), ("new", "another password")],
    );
    assert!(wrong.is(422).body.contains("The password is wrong"));
    let changed = zoe
        .form(
            "/password",
            &[("old", PASSWORD), ("new", "another password")],
        )
        .is(200);
    zoe.get("/sessions").is(303);
    zoe.keep(&changed);
    zoe.get("/sessions").is(200);

    zoe.get("/forgotten").is(200);
    let mailed = zoe
        .form("/forgotten", &[("email", "zoe@example.com")])
        .is(200)
        .body;
    let unknown = zoe.form("/forgotten", &[("email", "nobody@example.com")]);
    assert_eq!(unknown.is(200).body, mailed);
    zoe.form("/forgotten", &[("email", "zoe")]).is(422);
    let link = world.link("zoe@example.com");
    let page = zoe.get(&format!("/reset?token={link}")).is(200).body;
    assert!(page.contains(&link));
    let reset = |password| [("token", link.as_str()), ("password", password)];
    let short = zoe.form("/reset", &reset("short")).is(422).body;
    assert!(short.contains("from 10 to 1024") && short.contains(&link));
    zoe.form("/reset", &reset(PASSWORD)).is(200);
    zoe.get("/sessions").is(303);
    let signed_in = zoe.form("/sign-in", &credentials(PASSWORD)).is(303);
    zoe.keep(&signed_in);

    let other = world.sign_in("zoe@example.com", PASSWORD).is(200);
    let mut elsewhere = world.anonymous();
    elsewhere.keep(&other);
    zoe.form("/sessions/others", &[]).is(303);
    elsewhere.get("/sessions").is(303);
    elsewhere.keep(&world.sign_in("zoe@example.com", PASSWORD).is(200));
    let page = zoe.get("/sessions").is(200).body;
    let id = page
        .split("/sessions/")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    zoe.form(&format!("/sessions/{id}/revoke"), &[]).is(303);
    zoe.form("/deactivate", &[("password", "a wrong password")])
        .is(422);
    let left = zoe.form("/deactivate", &[("password", PASSWORD)]).is(200);
    assert!(left.set_cookie.unwrap().contains("Max-Age=0"));
    zoe.get("/sessions").is(303);
    zoe.form("/sign-in", &credentials(PASSWORD)).is(401);
}
