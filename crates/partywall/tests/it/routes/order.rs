//! Which answer comes first, and what it tells.

use super::project::{Answer, Site};
use crate::identity::world::id;

async fn all(site: &Site, who: &str, path: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for method in [
        "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW",
    ] {
        answers.push(site.send(who, method, path, "{ this is no JSON").await);
    }
    answers
}

#[tokio::test]
async fn i27_i28_i40_i43_each_answer_before_the_next_looks() {
    let site = Site::new().await;
    let path = |tenant: &str, project: &str| format!("/tenants/{tenant}/projects/{}", id(project));
    // Nobody: 401 for whatever it is.
    let unknown = all(&site, "nobody", &path("zzz", "nothing")).await;
    for (tenant, project) in [("a", "a1"), ("b", "b1"), ("a", "nothing")] {
        assert_eq!(all(&site, "nobody", &path(tenant, project)).await, unknown);
    }
    assert!(
        unknown.iter().all(|answer| answer.status == 401),
        "{unknown:?}"
    );
    // Somebody without a row: one and the same 404, with every method and whatever the body.
    let missing = all(&site, "bob", &path("zzz", "nothing")).await;
    assert!(
        missing.iter().all(|answer| answer.status == 404),
        "{missing:?}"
    );
    assert!(
        missing
            .iter()
            .all(|answer| !answer.headers.contains_key("allow"))
    );
    for (tenant, project) in [("b", "b1"), ("b", "a1"), ("a", "b1"), ("a", "nothing")] {
        let answers = all(&site, "bob", &path(tenant, project)).await;
        assert_eq!(answers, missing, "{tenant} {project}");
    }
    // Nothing of it was done.
    assert_eq!(site.name(id("b1")).await, 1);
    // The rightful owner is told more: 405 with what there is, and what is wrong with the body.
    let own = path("a", "a1");
    let answer = site.send("bob", "DELETE", &own, "").await.is(405);
    assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS, PUT");
    let answer = site.send("bob", "OPTIONS", &own, "").await.is(204);
    assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS, PUT");
    let answer = site.send("bob", "HEAD", &own, "").await.is(200);
    assert_eq!(
        (answer.body.as_str(), &answer.headers["content-length"]),
        ("", &"4".parse().unwrap())
    );
    let wrong = site
        .send("bob", "PUT", &own, "{ this is no JSON")
        .await
        .is(422);
    assert_eq!(wrong.headers["content-type"], "application/problem+json");
    assert!(!wrong.body.contains("expected"), "{}", wrong.body);
    site.send("bob", "PUT", &own, "\"new\"").await.is(204);
}

#[tokio::test]
async fn a_missing_permission_comes_after_the_row_and_before_the_method() {
    let site = Site::new().await;
    let path = |project: &str| format!("/tenants/b/projects/{}", id(project));
    // ann only looks at B.
    site.get("ann", &path("b1")).await.is(200);
    let denied = site
        .send("ann", "PUT", &path("b1"), "\"new\"")
        .await
        .is(403);
    assert!(denied.body.contains("forbidden"), "{}", denied.body);
    assert!(!denied.body.contains("project.write"), "{}", denied.body);
    site.send("ann", "PUT", &path("a1"), "\"new\"")
        .await
        .is(404);
    site.send("ann", "PUT", &path("nothing"), "no JSON")
        .await
        .is(404);
    // A path that she may use in one way has methods that it lacks; one that she may not use at all
    // has none for her.
    site.send("ann", "DELETE", &path("b1"), "").await.is(405);
    let forget = format!("{}/forget", path("b1"));
    site.send("ann", "DELETE", &forget, "").await.is(403);
    site.send("eve", "DELETE", &forget, "").await.is(405);
    assert_eq!(site.name(id("b1")).await, 1);
}

#[tokio::test]
async fn a_suspended_tenant_is_403_to_its_members_alone() {
    let site = Site::new().await;
    let sql = format!(
        "UPDATE identity.tenant SET suspended_at = now() WHERE id = '{}'",
        site.world.b
    );
    site.world.test.as_superuser(&sql).await.unwrap();
    site.get("eve", "/tenants/b/projects").await.is(403);
    let foreign = site.get("bob", "/tenants/b/projects").await.is(404);
    assert_eq!(foreign, site.get("bob", "/tenants/zzz/projects").await);
    site.get("ann", "/tenants/a/projects").await.is(200);
}

#[tokio::test]
async fn what_has_no_tenant_needs_no_account() {
    let site = Site::new().await;
    assert_eq!(site.get("nobody", "/").await.is(200).body, "hello");
    site.get("nobody", "/me").await.is(401);
    assert_eq!(site.get("sue", "/me").await.is(200).body, "sue");
    site.get("nobody", "/nowhere").await.is(404);
    let headers = [("authorization", "Bearer pw_nonsense")];
    site.ask("nobody", "GET", "/me", &headers, "").await.is(401);
    site.ask("bob", "GET", "/me", &headers, "").await.is(400);
}

#[tokio::test]
async fn an_id_that_nobody_looks_up_has_one_spelling() {
    let site = Site::new().await;
    let (path, id) = ("/me/sessions/", id("anything").to_string());
    let own = site.get("sue", &format!("{path}{id}")).await.is(200);
    assert_eq!(own.body, id);
    let missing = site.get("sue", &format!("{path}x")).await.is(404);
    for odd in [
        id.to_uppercase(),
        id.replace('-', ""),
        id.replacen(
            id.chars().next().unwrap(),
            &format!("%{:02x}", id.as_bytes()[0]),
            1,
        ),
        "%FF".to_owned(),
    ] {
        assert_eq!(site.get("sue", &format!("{path}{odd}")).await, missing);
        site.send("sue", "POST", &format!("{path}{odd}"), "")
            .await
            .is(404);
        site.get("nobody", &format!("{path}{odd}")).await.is(401);
    }
    site.send("sue", "POST", &format!("{path}{id}"), "")
        .await
        .is(405);
}

#[tokio::test]
async fn i24_one_tenant_is_named() {
    let site = Site::new().await;
    let a = site.world.a.to_string();
    for (headers, query, status) in [
        (&[("x-tenant", "a")][..], "", 200),
        (&[("x-tenant", a.as_str())], "?tenant=a", 200),
        (&[("x-tenant", "b")], "", 400),
        (&[("x-tenant", "a"), ("x-tenant", "b")], "", 400),
        (&[], "?tenant_id=b", 400),
        (&[], "?tenant=a&tenant=b", 400),
        (&[("x-http-method-override", "DELETE")], "", 200),
    ] {
        let path = format!("/tenants/a/projects{query}");
        site.ask("bob", "GET", &path, headers, "").await.is(status);
    }
}

#[tokio::test]
async fn answers_carry_an_id_and_say_how_to_keep_them() {
    let site = Site::new().await;
    let forged = [("x-request-id", "forged")];
    let answer = site
        .ask("bob", "GET", "/tenants/b/projects", &forged, "")
        .await
        .is(404);
    assert!(
        answer.body.contains(r#""request_id":"ID""#),
        "{}",
        answer.body
    );
    let answer = site.get("bob", "/tenants/a/projects").await.is(200);
    for (name, value) in [
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let origin = [("origin", "https://evil.example")];
    let answer = site
        .ask("bob", "GET", "/tenants/a/projects", &origin, "")
        .await
        .is(200);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let own = format!("/tenants/a/projects/{}", id("a1"));
    site.ask("bob", "PUT", &own, &origin, "\"new\"")
        .await
        .is(403);
}
