//! A small application of nested routes, and who asks it.

use axum::{
    Json, Router,
    body::Body,
    extract::{FromRef, Path},
    http::{HeaderMap, Request, StatusCode, header},
};
use partywall::{
    Roles, Schema, Seal, SealKey,
    db::Sql as _,
    identity::{BuiltIn, Identity, Permissions, RequestAccount, RequestUser},
    testing::TestDb,
    web::{Endpoint, Found, Parameter, Problem, Routes, Writing},
};
use sea_orm::EntityTrait as _;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::models::{project, remark, task};
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

pub fn permissions() -> Permissions {
    Permissions::new()
        .declare("project.read", BuiltIn::Viewer)
        .and_then(|all| all.declare("project.write", BuiltIn::Member))
        .unwrap()
}

async fn list(account: RequestAccount) -> Result<Json<Vec<String>>, Problem> {
    let projects = project::Entity::find().all(&account.read()).await?;
    Ok(Json(
        projects.into_iter().map(|project| project.name).collect(),
    ))
}

async fn show(Found(project): Found<project::Model>) -> Json<String> {
    Json(project.name)
}

async fn rename(
    tx: Writing,
    Found(project): Found<project::Model>,
    Json(name): Json<String>,
) -> Result<StatusCode, Problem> {
    let sql = "UPDATE project SET name = $1 WHERE id = $2";
    tx.execute_sql(sql, [name.into(), project.id.into()])
        .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets to commit.
async fn forget(tx: Writing, Found(project): Found<project::Model>) -> Result<StatusCode, Problem> {
    let sql = "UPDATE project SET name = 'forgotten' WHERE id = $1";
    tx.execute_sql(sql, [project.id.into()]).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remark(
    Found(project): Found<project::Model>,
    Found(task): Found<task::Model>,
    Found(remark): Found<remark::Model>,
) -> Json<[String; 3]> {
    Json([project.name, task.title, remark.text])
}

async fn text(Path((_, label)): Path<(String, String)>) -> String {
    label
}

async fn session(Path(session): Path<Uuid>) -> String {
    session.to_string()
}

async fn me(user: RequestUser) -> String {
    user.name
}

pub fn routes() -> Routes<App> {
    let item = "/tenants/{tenant}/projects/{project}";
    Routes::new()
        .parameter(Parameter::row::<project::Entity>("project"))
        .parameter(Parameter::row_under::<task::Entity>(
            "task",
            "project",
            task::Column::ProjectId,
        ))
        .parameter(Parameter::row_under::<remark::Entity>(
            "remark",
            "task",
            remark::Column::TaskId,
        ))
        .parameter(Parameter::text("label"))
        .parameter(Parameter::id("session"))
        .route(
            Endpoint::get("/", async || "hello")
                .named("home")
                .public("the first page"),
        )
        .route(Endpoint::get("/me", me).named("me").signed_in())
        .route(
            Endpoint::get("/me/sessions/{session}", session)
                .named("session.show")
                .signed_in(),
        )
        .route(
            Endpoint::get("/tenants/{tenant}/projects", list)
                .named("project.list")
                .require("project.read"),
        )
        .route(
            Endpoint::get(item, show)
                .named("project.show")
                .require("project.read"),
        )
        .route(
            Endpoint::put(item, rename)
                .named("project.rename")
                .require("project.write")
                .in_transaction(),
        )
        .route(
            Endpoint::post(format!("{item}/forget"), forget)
                .named("project.forget")
                .require("project.write")
                .in_transaction(),
        )
        .route(
            Endpoint::get(format!("{item}/tasks/{{task}}/remarks/{{remark}}"), remark)
                .named("remark.show")
                .require("project.read"),
        )
        .route(
            Endpoint::get("/tenants/{tenant}/labels/{label}", text)
                .named("label.show")
                .require("project.read"),
        )
}

pub struct Site {
    pub world: World,
    pub router: Router,
}

/// An answer: its status, its headers without the request's id, its body without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Site {
    /// Two tenants with two projects each, of which each has a task with a remark.
    pub async fn new() -> Self {
        Self::with(routes()).await
    }

    pub async fn with(routes: Routes<App>) -> Self {
        let seal = Seal::on(SealKey::new(&[7; 32]).unwrap());
        let schema = Identity::tables(Schema::builder(Roles::named("projects"), seal))
            .model::<project::Entity>()
            .model::<task::Entity>()
            .model::<remark::Entity>()
            .build()
            .unwrap();
        let world = World::on(TestDb::new(&schema).await.unwrap(), permissions()).await;
        let mut sql = String::new();
        for (number, (tenant, name)) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2")]
            .into_iter()
            .enumerate()
        {
            let (project, task) = (id(name), id(&format!("task of {name}")));
            let tenant = id(tenant);
            sql += &format!(
                "INSERT INTO project (id, tenant_id, name) VALUES ('{project}', '{tenant}', '{name}');\
                 INSERT INTO task (id, tenant_id, project_id, title) VALUES ('{task}', '{tenant}', '{project}', 'task of {name}');\
                 INSERT INTO remark (id, tenant_id, task_id, text) VALUES ({number}, '{tenant}', '{task}', 'remark of {name}');"
            );
        }
        world.test.as_superuser(&sql).await.unwrap();
        let app = App {
            identity: world.identity.clone(),
        };
        let router = routes.router(app, &world.identity).unwrap();
        Self { world, router }
    }

    pub async fn send(&self, who: &str, method: &str, path: &str, body: &str) -> Answer {
        self.ask(who, method, path, &[], body).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, "GET", path, "").await
    }

    pub async fn ask(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if who != "nobody" {
            let cookie = format!("__Host-session={}", token(who).expose());
            request = request.header(header::COOKIE, cookie);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
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

    /// The name of a project, past the wall.
    pub async fn name(&self, project: Uuid) -> i64 {
        let sql = format!("SELECT count(*) FROM project WHERE id = '{project}' AND name LIKE '__'");
        self.world.count(&sql).await
    }
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}
