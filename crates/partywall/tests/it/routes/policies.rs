//! What the policy of an endpoint looks at.

use std::sync::Arc;

use axum::{
    extract::Path,
    http::{StatusCode, header},
};
use partywall::{
    db::Sql as _,
    identity::RequestAccount,
    policy::{Actions, Policy, Principal, Rule},
    web::{Endpoint, Parameter, Problem, Writing},
};
use uuid::Uuid;

use super::{
    models::{project, task},
    project::{Site, routes},
};
use crate::identity::world::id;

#[tokio::test]
async fn the_object_is_what_the_path_ends_in_whoever_finds_it() {
    let policy = Policy::<project::Model>::new("first")
        .allow_if(
            "the first",
            Principal::anyone(),
            Actions::any(),
            Rule::object("first", |_, project: &project::Model| project.name == "a1"),
        )
        .build()
        .unwrap();
    let routes = routes()
        .parameter(Parameter::found(
            "member",
            async |_: RequestAccount, id: Uuid| Ok::<_, Problem>(id),
        ))
        .route(
            Endpoint::get(
                "/tenants/{tenant}/members/{member}/projects/{project}",
                async || "",
            )
            .policy(Arc::new(policy)),
        );
    let site = Site::with(routes).await;
    let member = id("bob in a");
    for (project, status) in [("a1", 200), ("a2", 403), ("b1", 404), ("nothing", 404)] {
        let path = format!("/tenants/a/members/{member}/projects/{}", id(project));
        site.get("bob", &path).await.is(status);
    }
}

#[tokio::test]
async fn what_cannot_be_decided_is_no_denial() {
    let policy = Policy::<task::Model>::new("task")
        .allow_if(
            "any",
            Principal::anyone(),
            Actions::any(),
            Rule::object("any", |_, _: &task::Model| true),
        )
        .build()
        .unwrap();
    // The path ends in a project, and the policy is one of tasks.
    let wrong = Endpoint::get("/tenants/{tenant}/wrong/{project}", async || "");
    let site = Site::with(routes().route(wrong.policy(Arc::new(policy)))).await;
    let path = |project| format!("/tenants/a/wrong/{}", id(project));
    for method in ["GET", "DELETE"] {
        site.send("bob", method, &path("a1"), "").await.is(500);
        site.send("bob", method, &path("b1"), "").await.is(404);
        site.send("nobody", method, &path("a1"), "").await.is(401);
    }
}

#[tokio::test]
async fn a_policy_reads_a_text_as_the_handler_does() {
    let policy = Policy::<()>::new("texts")
        .allow("all", Principal::anyone(), Actions::any())
        .deny_if(
            "secret",
            Principal::anyone(),
            Actions::any(),
            Rule::request("secret", |asked| asked.parameter("label") == Some("secret")),
        )
        .build()
        .unwrap();
    let show = async |Path((_, label)): Path<(String, String)>| label;
    let texts = Endpoint::get("/tenants/{tenant}/texts/{label}", show);
    let site = Site::with(routes().route(texts.policy(Arc::new(policy)))).await;
    let get = async |text: &str| site.get("bob", &format!("/tenants/a/texts/{text}")).await;
    assert_eq!(get("op%65n").await.is(200).body, "open");
    get("secret").await.is(403);
    get("%73ecret").await.is(403);
    get("s%65cre%74").await.is(403);
    // What nobody can read is nothing.
    let missing = site.get("bob", "/tenants/zzz/texts/open").await.is(404);
    assert_eq!(get("%ff").await, missing);
}

#[tokio::test]
async fn a_method_that_is_not_there_opens_no_closed_tenant() {
    let path = "/tenants/{tenant}/state";
    let routes = routes()
        .route(
            Endpoint::post(path, async || "back")
                .require("project.write")
                .of_closed_tenant(),
        )
        .route(Endpoint::get(path, async || "").require("project.read"));
    let site = Site::with(routes).await;
    let (closed, open) = ("/tenants/b/state", "/tenants/a/state");
    let sql = format!(
        "UPDATE identity.tenant SET suspended_at = now() WHERE id = '{}'",
        site.world.b
    );
    site.world.test.as_superuser(&sql).await.unwrap();
    site.send("eve", "POST", closed, "").await.is(200);
    for method in ["GET", "HEAD", "PROPFIND", "OPTIONS"] {
        site.send("eve", method, closed, "").await.is(403);
        site.send("bob", method, closed, "").await.is(404);
    }
    site.send("bob", "PROPFIND", open, "").await.is(405);
}

#[tokio::test]
async fn a_commit_that_failed_is_no_success() {
    let ignore = async |tx: Writing| {
        let _ = tx.execute_sql("SELECT 1 / 0", []).await;
        let _ = tx.commit().await;
        StatusCode::NO_CONTENT
    };
    let fine = async |tx: Writing| {
        let _ = tx.execute_sql("SELECT 1", []).await;
        let _ = tx.commit().await;
        StatusCode::NO_CONTENT
    };
    let post = |path: &str| format!("/tenants/{{tenant}}/{path}");
    let routes = routes()
        .route(
            Endpoint::post(post("ignore"), ignore)
                .require("project.write")
                .in_transaction(),
        )
        .route(
            Endpoint::post(post("fine"), fine)
                .require("project.write")
                .in_transaction(),
        );
    let site = Site::with(routes).await;
    site.send("bob", "POST", "/tenants/a/fine", "")
        .await
        .is(204);
    site.send("bob", "POST", "/tenants/a/ignore", "")
        .await
        .is(500);
}

#[tokio::test]
async fn answers_differ_by_who_asks_whatever_else_they_differ_by() {
    let varied = Endpoint::get("/varied", async || ([(header::VARY, "hx-request")], ""));
    let site = Site::with(routes().route(varied.signed_in())).await;
    let answer = site.get("bob", "/varied").await.is(200);
    let all: Vec<_> = answer.headers.get_all("vary").iter().collect();
    assert!(all.iter().any(|value| *value == "hx-request"), "{all:?}");
    assert!(
        all.iter().any(|value| *value == "cookie, authorization"),
        "{all:?}"
    );
}
