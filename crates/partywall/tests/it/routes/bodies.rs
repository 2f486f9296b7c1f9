//! A body that is long, or long in coming.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Request, header},
};
use futures_util::stream;
use partywall::web::Endpoint;
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt as _;

use super::project::{Site, routes};
use crate::identity::world::{id, token};

/// A request of bob's to rename a project, whose body is yet to come. It tells when that is waited for.
fn slow(project: &str) -> (Request<Body>, oneshot::Receiver<()>, mpsc::Sender<Bytes>) {
    let (asked, is_asked) = oneshot::channel();
    let (send, parts) = mpsc::channel::<Bytes>(1);
    let body = stream::unfold((Some(asked), parts), async |(asked, mut parts)| {
        if let Some(asked) = asked {
            asked.send(()).unwrap();
        }
        let part = parts.recv().await?;
        Some((Ok::<_, Infallible>(part), (None, parts)))
    });
    let request = Request::put(format!("/tenants/a/projects/{}", id(project)))
        .header(
            header::COOKIE,
            format!("__Host-session={}", token("bob").expose()),
        )
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from_stream(body))
        .unwrap();
    (request, is_asked, send)
}

#[tokio::test]
async fn who_sends_slowly_holds_no_lock() {
    let site = Site::new().await;
    let (request, is_asked, send) = slow("a1");
    let answer = tokio::spawn(site.router.clone().oneshot(request));
    is_asked.await.unwrap();
    // The body is waited for, and nobody has to wait with it.
    let lock = format!(
        "SELECT FROM project WHERE id = '{}' FOR UPDATE NOWAIT",
        id("a1")
    );
    site.world.test.as_superuser(&lock).await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND state = 'idle in transaction'";
    assert_eq!(site.world.count(open).await, 0);
    send.send(Bytes::from_static(b"\"sl")).await.unwrap();
    send.send(Bytes::from_static(b"ow\"")).await.unwrap();
    drop(send);
    assert_eq!(answer.await.unwrap().unwrap().status(), 204);
    let show = site
        .get("bob", &format!("/tenants/a/projects/{}", id("a1")))
        .await;
    assert_eq!(show.body, "\"slow\"");
}

#[tokio::test]
async fn a_right_that_is_gone_before_the_body_has_come_is_gone() {
    let site = Site::new().await;
    let (request, is_asked, send) = slow("a1");
    let answer = tokio::spawn(site.router.clone().oneshot(request));
    is_asked.await.unwrap();
    let sql = format!(
        "DELETE FROM identity.account_role WHERE account_id = '{}'",
        id("bob in a")
    );
    site.world.test.as_superuser(&sql).await.unwrap();
    tokio::time::sleep(site.world.identity.settings().recheck + Duration::from_millis(100)).await;
    send.send(Bytes::from_static(b"\"late\"")).await.unwrap();
    drop(send);
    assert_eq!(answer.await.unwrap().unwrap().status(), 403);
    assert_eq!(site.name(id("a1")).await, 1);
}

#[tokio::test]
async fn a_body_that_never_comes_is_waited_for_no_longer_than_told() {
    let slow = Endpoint::post("/tenants/{tenant}/slow", async |_: String| "done")
        .require("project.write")
        .in_transaction()
        .time_limit(Some(Duration::from_millis(300)));
    let site = Site::with(routes().route(slow)).await;
    let path = "/tenants/a/slow";
    site.send("bob", "POST", path, "x").await.is(200);
    let never = stream::pending::<Result<Bytes, Infallible>>();
    let request = Request::post(path)
        .header(
            header::COOKIE,
            format!("__Host-session={}", token("bob").expose()),
        )
        .body(Body::from_stream(never))
        .unwrap();
    let answer = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 503);
}

#[tokio::test]
async fn a_handler_that_reads_its_body_bare_has_the_limit_too() {
    let bare = async |body: Body| match axum::body::to_bytes(body, usize::MAX).await {
        Ok(read) => read.len().to_string(),
        Err(_) => "cut off".to_owned(),
    };
    let read = async |text: String| text.len().to_string();
    let routes = routes()
        .route(Endpoint::post("/bare", bare).signed_in().body_limit(8))
        .route(Endpoint::post("/read", read).signed_in().body_limit(8));
    let site = Site::with(routes).await;
    for (path, length, status, body) in [
        ("/bare", 8, 200, Some("8")),
        ("/bare", 9, 200, Some("cut off")),
        ("/read", 8, 200, Some("8")),
        ("/read", 9, 413, None),
    ] {
        let answer = site.send("bob", "POST", path, &"x".repeat(length)).await;
        let answer = answer.is(status);
        assert!(body.is_none_or(|body| answer.body == body), "{answer:?}");
    }
}
