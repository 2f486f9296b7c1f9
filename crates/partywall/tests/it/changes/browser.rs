//! What a browser gets: server-sent events, to the letter.

use std::time::Duration;

use axum::{Router, body::Body, extract::FromRef, routing::get};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use partywall::{
    Sql,
    identity::{Identity, RequestAccount, SessionToken},
    web::{EventStream, Problem},
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;
use uuid::Uuid;

use super::people::{elsewhere, retitle, world, write};
use crate::identity::{
    note,
    world::{World, id, permissions, token},
};

#[derive(Clone)]
struct App(Identity);

impl FromRef<App> for Identity {
    fn from_ref(app: &App) -> Self {
        app.0.clone()
    }
}

async fn ids(account: RequestAccount, headers: HeaderMap) -> Result<EventStream, Problem> {
    let events = account.events("note.read").of::<note::Entity>();
    events
        .of::<note::comment::Entity>()
        .after(&headers)
        .open()
        .await
}

async fn rows(account: RequestAccount) -> Result<EventStream, Problem> {
    account
        .events("note.read")
        .reading::<note::Entity, _, _, _, _>(|db, change| async move {
            let id = change.id::<Uuid>().unwrap_or_default();
            let note = note::Entity::find_by_id(id).one(&db).await?;
            if note.as_ref().is_some_and(|note| note.title == "break") {
                db.rows("SELECT * FROM nowhere", []).await?;
            }
            Ok::<_, partywall::identity::Error>(note.map(|note| json!({"title": note.title})))
        })
        .open()
        .await
}

async fn publishers(account: RequestAccount) -> Result<EventStream, Problem> {
    let events = account.events("note.publish").of::<note::Entity>();
    events.open().await
}

fn router(world: &World) -> Router {
    Router::new()
        .route("/tenants/{tenant}/ids", get(ids))
        .route("/tenants/{tenant}/rows", get(rows))
        .route("/tenants/{tenant}/publishers", get(publishers))
        .layer(CompressionLayer::new())
        .with_state(App(world.identity.clone()))
}

fn request(token: &SessionToken, path: &str) -> Request<Body> {
    Request::get(path)
        .header(header::COOKIE, format!("__Host-session={}", token.expose()))
        .header(header::ACCEPT_ENCODING, "gzip")
        .body(Body::empty())
        .unwrap()
}

async fn open(world: &World, who: &str, path: &str) -> Response<Body> {
    let request = request(&token(who), path);
    router(world).oneshot(request).await.unwrap()
}

/// The fields of the next event that is no comment.
async fn event(body: &mut Body) -> Vec<(String, String)> {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(20), body.frame())
            .await
            .expect("no event comes")
            .expect("the stream has ended")
            .unwrap();
        let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
        assert!(text.ends_with("\n\n"), "{text:?}");
        let fields: Vec<_> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with(':'))
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        if !fields.is_empty() {
            return fields;
        }
    }
}

fn field<'a>(event: &'a [(String, String)], name: &str) -> &'a str {
    let mut values = event.iter().filter(|(known, _)| known == name);
    let value = values
        .next()
        .unwrap_or_else(|| panic!("no {name}: {event:?}"));
    assert!(values.next().is_none(), "{name} twice: {event:?}");
    &value.1
}

fn data(event: &[(String, String)]) -> Value {
    serde_json::from_str(field(event, "data")).unwrap()
}

#[tokio::test]
async fn a_browser_is_told_what_was_changed_and_nothing_of_another_tenant() {
    let world = world(Duration::from_secs(5)).await;
    let response = open(&world, "bob", "/tenants/a/ids").await;
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    assert_eq!(headers[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    for absent in [
        header::CONTENT_ENCODING,
        header::SET_COOKIE,
        header::CONTENT_LENGTH,
    ] {
        assert!(!headers.contains_key(&absent), "{absent}");
    }
    let mut body = response.into_body();
    let first = event(&mut body).await;
    assert_eq!(
        (field(&first, "event"), field(&first, "id")),
        ("ready", "1")
    );
    let retry: u64 = field(&first, "retry").parse().unwrap();
    assert!((2_000..=6_100).contains(&retry), "{retry}");
    // B first: what is not told would have come before.
    write(&world, "eve", "b").await;
    let note = write(&world, "ann", "a").await;
    let told = event(&mut body).await;
    assert_eq!((field(&told, "event"), field(&told, "id")), ("note", "2"));
    assert_eq!(data(&told), json!({"op": "insert", "id": note}));
    retitle(&world, "ann", note, "another").await;
    assert_eq!(
        data(&event(&mut body).await),
        json!({"op": "update", "id": note})
    );
    let ann = world.account("ann", world.a).await;
    let tx = ann.write().await.unwrap();
    tx.execute_sql(
        "INSERT INTO comment (id, note_id, body) SELECT gen_random_uuid(), $1, 'x' FROM generate_series(1, 101)",
        [note.into()],
    )
    .await
    .unwrap();
    tx.execute_sql("DELETE FROM comment", []).await.unwrap();
    tx.execute_sql("DELETE FROM note WHERE id = $1", [note.into()])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // The same thing twice in one transaction is told once.
    let many = event(&mut body).await;
    assert_eq!(field(&many, "event"), "comment");
    assert_eq!(data(&many), json!({"op": "many"}));
    let gone = event(&mut body).await;
    assert_eq!(data(&gone), json!({"op": "delete", "id": note}));
    assert_eq!(field(&gone, "event"), "note");
}

#[tokio::test]
async fn whoever_comes_back_is_told_to_resync() {
    let world = world(Duration::from_secs(5)).await;
    let mut request = request(&token("bob"), "/tenants/a/ids");
    let last = header::HeaderName::from_static("last-event-id");
    request.headers_mut().insert(last, "17".parse().unwrap());
    let response = router(&world).oneshot(request).await.unwrap();
    let mut body = response.into_body();
    let first = event(&mut body).await;
    assert_eq!(
        (field(&first, "event"), field(&first, "data")),
        ("resync", "{}")
    );
    let note = write(&world, "ann", "a").await;
    assert_eq!(data(&event(&mut body).await)["id"], json!(note));
}

#[tokio::test]
async fn a_row_is_read_in_the_accounts_scope_where_it_is_asked_for() {
    let world = world(Duration::from_secs(5)).await;
    let mut body = open(&world, "bob", "/tenants/a/rows").await.into_body();
    event(&mut body).await;
    let note = write(&world, "ann", "a").await;
    let whole = json!({"op": "insert", "id": note, "row": {"title": "a note of ann's"}});
    assert_eq!(data(&event(&mut body).await), whole);
    // A line's end of whatever kind stays inside of its field.
    retitle(&world, "ann", note, "one\r\nevent: two\n\ndata: three\r").await;
    let told = event(&mut body).await;
    assert_eq!(
        data(&told)["row"]["title"],
        "one\r\nevent: two\n\ndata: three\r"
    );
    // Told of under B's name, a row is none; it is not read as anybody else.
    let foreign = write(&world, "eve", "b").await;
    let sql = format!(
        "SELECT pg_notify(name, jsonb_build_object('table', '\"public\".\"note\"', 'op', 'update', \
         'owner', jsonb_build_object('tenant', '{}'), 'keys', jsonb_build_array(jsonb_build_array('{foreign}')))::text) \
         FROM partywall.channel",
        world.a
    );
    world.test.as_superuser(&sql).await.unwrap();
    assert_eq!(
        data(&event(&mut body).await),
        json!({"op": "update", "id": foreign})
    );
    // What cannot be read is told by its id, and the stream goes on.
    retitle(&world, "ann", note, "break").await;
    assert_eq!(
        data(&event(&mut body).await),
        json!({"op": "update", "id": note})
    );
    retitle(&world, "ann", note, "mended").await;
    assert_eq!(data(&event(&mut body).await)["row"]["title"], "mended");
}

#[tokio::test]
async fn whoever_may_not_hear_is_answered_as_elsewhere() {
    let world = world(Duration::from_secs(5)).await;
    for (who, path, status) in [
        ("bob", "/tenants/b/ids", StatusCode::NOT_FOUND),
        ("bob", "/tenants/nowhere/ids", StatusCode::NOT_FOUND),
        ("bob", "/tenants/a/publishers", StatusCode::FORBIDDEN),
        ("ann", "/tenants/a/publishers", StatusCode::OK),
    ] {
        let response = open(&world, who, path).await;
        assert_eq!(response.status(), status, "{who} {path}");
    }
    let stranger = Request::get("/tenants/a/ids").body(Body::empty()).unwrap();
    let response = router(&world).oneshot(stranger).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    // None of them is left.
    assert_eq!(world.identity.streams_open(), 0);
}

#[tokio::test]
async fn i49_a_browsers_stream_ends_when_its_reader_is_removed() {
    const BOUND: Duration = Duration::from_secs(4);
    let world = world(BOUND).await;
    let mut of_bob = open(&world, "bob", "/tenants/a/ids").await.into_body();
    let mut of_ann = open(&world, "ann", "/tenants/a/ids").await.into_body();
    for body in [&mut of_bob, &mut of_ann] {
        event(body).await;
    }
    let there = elsewhere(&world);
    let ann = super::people::account(&there, &token("ann"), world.a).await;
    ann.member_remove(id("bob in a")).await.unwrap();
    let ended = async {
        while let Some(frame) = of_bob.frame().await {
            let text = frame.unwrap().into_data().unwrap();
            assert!(text.starts_with(b":"), "{text:?}");
        }
    };
    tokio::time::timeout(BOUND, ended).await.unwrap();
    let note = write(&world, "ann", "a").await;
    assert_eq!(data(&event(&mut of_ann).await)["id"], json!(note));
    // He does not get in again, and his place is free.
    let again = open(&world, "bob", "/tenants/a/ids").await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    drop(of_bob);
    assert_eq!(world.identity.streams_open(), 1);
}

#[tokio::test]
async fn nobody_has_all_streams() {
    let mut world = world(Duration::from_secs(5)).await;
    let mut settings = world.identity.settings().clone();
    (settings.streams_each, settings.streams) = (2, 3);
    world.identity = Identity::new(world.test.db().clone(), permissions(), settings);
    let first = open(&world, "bob", "/tenants/a/ids").await;
    let second = open(&world, "bob", "/tenants/a/ids").await;
    let third = open(&world, "bob", "/tenants/a/ids").await;
    assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
    let problem = third.extensions().get::<Problem>().unwrap();
    assert_eq!(problem.code(), "too_many_streams");
    // What is no stream is compressed, so that it is known why a stream is not.
    assert_eq!(third.headers()[header::CONTENT_ENCODING], "gzip");
    // Another's place is another's; the last of the process is the last.
    let third = open(&world, "ann", "/tenants/a/ids").await;
    assert_eq!(third.status(), StatusCode::OK);
    let fourth = open(&world, "ann", "/tenants/b/ids").await;
    assert_eq!(fourth.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop((first, third));
    let fourth = open(&world, "ann", "/tenants/b/ids").await;
    assert_eq!(fourth.status(), StatusCode::OK);
    assert_eq!(world.identity.streams_open(), 2);
    drop((second, fourth));
    assert_eq!(world.identity.streams_open(), 0);
}

#[tokio::test]
async fn all_streams_can_be_ended_for_a_shutdown() {
    let world = world(Duration::from_secs(5)).await;
    let mut body = open(&world, "bob", "/tenants/a/ids").await.into_body();
    event(&mut body).await;
    world.identity.streams_end();
    assert!(body.frame().await.is_none());
    // One that is opened later is not meant.
    let mut body = open(&world, "bob", "/tenants/a/ids").await.into_body();
    event(&mut body).await;
    let note = write(&world, "ann", "a").await;
    assert_eq!(data(&event(&mut body).await)["id"], json!(note));
}

#[tokio::test]
async fn a_head_request_opens_nothing() {
    let world = world(Duration::from_secs(5)).await;
    let mut request = request(&token("bob"), "/tenants/a/ids");
    *request.method_mut() = http::Method::HEAD;
    let response = router(&world).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    assert_eq!(world.identity.streams_open(), 0);
}
