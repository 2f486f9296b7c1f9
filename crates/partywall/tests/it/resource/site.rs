//! An application of these resources, and who asks it.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::FromRef,
    http::{HeaderMap, Request, StatusCode, header},
};
use partywall::{
    Roles, Schema, Seal, SealKey,
    identity::{BuiltIn, Identity, Permissions, Settings as IdentitySettings},
    policy::{Actions as Acts, Policy, Principal, Rule},
    testing::TestDb,
    web::{
        Routes,
        resource::{Actions, CursorKey, ResourceEndpoints, Settings, idempotency},
    },
};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{
    models::{folder, note, reply},
    notes::{Folders, Notes, Replies},
};
use crate::identity::world::{World, id, token};

#[derive(Clone, Debug)]
pub struct App {
    identity: Identity,
}

impl FromRef<App> for Identity {
    fn from_ref(app: &App) -> Self {
        app.identity.clone()
    }
}

pub struct Site {
    pub world: World,
    router: Router,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// What a test changes of the application.
type Change = fn(ResourceEndpoints<Notes, App>) -> ResourceEndpoints<Notes, App>;

pub fn key() -> CursorKey {
    CursorKey::new(&[9; 32]).unwrap()
}

fn permissions() -> Permissions {
    Permissions::new()
        .declare("note.read", BuiltIn::Viewer)
        .and_then(|all| all.declare("note.write", BuiltIn::Member))
        .and_then(|all| all.declare("note.secret", BuiltIn::Admin))
        .unwrap()
}

/// Viewers see what is not private, members write, and the rest is for admins.
pub fn policy() -> Policy<note::Model> {
    let (read, write) = ("note.read", "note.write");
    Policy::<note::Model>::new("note")
        .allow_if(
            "shared",
            Principal::permission(read),
            Acts::read_only(),
            Rule::column(
                "private",
                note::Column::IsPrivate,
                false,
                |note: &note::Model| note.is_private,
            ),
        )
        .allow(
            "all",
            Principal::permission("note.secret"),
            Acts::read_only(),
        )
        .allow("write", Principal::permission(write), Acts::writes())
        .deny_if(
            "five stars",
            Principal::anyone(),
            Acts::named(["update", "delete"]),
            Rule::column(
                "five stars",
                note::Column::Stars,
                5,
                |note: &note::Model| note.stars,
            ),
        )
        .deny_if(
            "no secret of one's own",
            !Principal::permission("note.secret"),
            Acts::named(["create"]),
            Rule::column(
                "private",
                note::Column::IsPrivate,
                true,
                |note: &note::Model| note.is_private,
            ),
        )
        .hide_unless("secret", Principal::permission("note.secret"))
        .freeze_unless("stars", Principal::permission("note.secret"))
        .build()
        .unwrap()
}

pub fn routes(settings: Settings, change: Change) -> Routes<App> {
    let notes = Actions::new(Notes { settings }, key()).unwrap();
    let notes = ResourceEndpoints::new(notes, "/tenants/{tenant}/notes", Arc::new(policy()));
    let replies = Actions::new(Replies, key()).unwrap();
    let plain = || Arc::new(partywall::policy::require("note.write"));
    let path = "/tenants/{tenant}/notes/{note}/replies";
    let replies = ResourceEndpoints::new(replies, path, plain()).unwrap();
    let folders = Actions::new(Folders, key()).unwrap();
    let folders = ResourceEndpoints::new(folders, "/tenants/{tenant}/folders", plain()).unwrap();
    Routes::new()
        .merge(change(notes.unwrap().with_bulk()).routes())
        .merge(replies.with_bulk().routes())
        .merge(folders.routes())
}

pub fn schema() -> Schema {
    let key = SealKey::new(&[7; 32]).unwrap();
    let tables = Identity::tables(Schema::builder(Roles::named("people"), Seal::on(key)));
    idempotency::tables(tables)
        .model::<folder::Entity>()
        .model::<note::Entity>()
        .model::<reply::Entity>()
        .build()
        .unwrap()
}

impl Site {
    pub async fn new() -> Self {
        Self::with(Settings::default(), |notes| notes).await
    }

    /// Tenant A has seven notes and B three, some of the same titles; each has a folder.
    pub async fn with(settings: Settings, change: Change) -> Self {
        let mut world = World::on(TestDb::new(&schema()).await.unwrap(), permissions()).await;
        let mut identity = IdentitySettings::new("http://127.0.0.1:8080", "notes@example.com");
        identity.recheck = std::time::Duration::from_millis(50);
        world.identity = Identity::new(world.test.db().clone(), permissions(), identity);
        let mut sql = String::new();
        for tenant in ["a", "b"] {
            let (folder, owner) = (id(&format!("folder of {tenant}")), id(tenant));
            sql += &format!(
                "INSERT INTO folder (id, tenant_id, name) VALUES ('{folder}', '{owner}', 'folder of {tenant}');"
            );
            let count = if tenant == "a" { 7 } else { 3 };
            for n in 0..count {
                let body = if n % 3 == 0 {
                    "NULL".to_owned()
                } else {
                    format!("'body {} of {tenant}'", n % 2)
                };
                let price = if n % 2 == 0 {
                    "NULL".to_owned()
                } else {
                    format!("{n}.50")
                };
                let state = if n % 2 == 0 { "draft" } else { "published" };
                let folder = if n == 1 {
                    format!("'{folder}'")
                } else {
                    "NULL".to_owned()
                };
                sql += &format!(
                    "INSERT INTO note (id, tenant_id, title, body, stars, price, state, folder_id, is_private, secret, created_at) \
                     VALUES ('{}', '{owner}', 'note {n}', {body}, {}, {price}, '{state}', {folder}, {}, 'secret {n} of {tenant}', \
                     '2026-01-0{}T12:00:00.123456Z');",
                    id(&format!("note {n} of {tenant}")),
                    n % 4,
                    n == 6,
                    n % 3 + 1,
                );
            }
        }
        world.test.as_superuser(&sql).await.unwrap();
        let app = App {
            identity: world.identity.clone(),
        };
        let router = routes(settings, change)
            .router(app, &world.identity)
            .unwrap();
        Self { world, router }
    }

    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.ask(who, "GET", path, &[], "").await
    }

    pub async fn send(&self, who: &str, method: &str, path: &str, body: &Value) -> Answer {
        self.ask(who, method, path, &[], &body.to_string()).await
    }

    /// The answer before its body was read.
    pub async fn open(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        if who != "nobody" {
            let cookie = format!("__Host-session={}", token(who).expose());
            request = request.header(header::COOKIE, cookie);
        }
        let says_kind = headers.iter().any(|(name, _)| *name == "content-type");
        if !body.is_empty() && !says_kind {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.pass(request).await
    }

    pub async fn ask(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let answer = self.open(who, method, path, headers, body).await;
        let (mut parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let mut body = String::from_utf8(bytes.to_vec()).unwrap();
        let number = parts.headers.remove("x-request-id").unwrap();
        body = body.replace(number.to_str().unwrap(), "ID");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// A request as it is.
    pub async fn pass(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// What a superuser counts.
    pub async fn count(&self, what: &str) -> i64 {
        self.world
            .count(&format!("SELECT count(*) FROM {what}"))
            .await
    }
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The titles of a page.
    #[track_caller]
    pub fn titles(&self) -> Vec<String> {
        let items = self.json()["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| item["title"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Fields and codes of the errors, by field.
    #[track_caller]
    pub fn errors(&self) -> Vec<(String, String)> {
        let body = self.json();
        let errors = body["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{self:?}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut errors: Vec<_> = errors
            .iter()
            .map(|e| (text(&e["field"]), text(&e["code"])))
            .collect();
        errors.sort();
        errors
    }
}

pub fn item(tenant: &str, name: &str) -> String {
    format!("/tenants/{tenant}/notes/{}", id(name))
}
