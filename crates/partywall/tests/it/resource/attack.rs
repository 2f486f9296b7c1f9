//! The attack that is made of the routes, on every endpoint of a resource.

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use partywall::{
    testing::{Attack, Caller, Case, Side, Target, fingerprint},
    web::resource::Settings,
};
use serde_json::json;
use uuid::Uuid;

use super::site::{Site, routes};
use crate::identity::world::{id, token};

struct Attacked(Site);

impl Attacked {
    async fn new() -> Self {
        let site = Site::new().await;
        site.world.joins("pia", "viewer").await;
        // pia may do nothing, and sue is an owner of a suspended tenant.
        let mut sql = format!(
            "DELETE FROM identity.account_role WHERE account_id = '{pia}';\
             DELETE FROM identity.account WHERE id = '{ann}';\
             INSERT INTO identity.tenant (id, slug, name, created_at, suspended_at) VALUES ('{c}', 'c', 'C', now(), now());\
             INSERT INTO identity.role (id, tenant_id, name, builtin, permissions) VALUES ('{role}', '{c}', 'owner', 'owner', '{{}}');\
             INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) VALUES ('{sue}', '{c}', '{user}', 'sue', 'sue@example.com', now());\
             INSERT INTO identity.account_role (account_id, role_id, tenant_id) VALUES ('{sue}', '{role}', '{c}');",
            pia = id("pia in a"),
            ann = id("ann in b"),
            c = id("c"),
            role = id("c owner"),
            sue = id("sue in c"),
            user = id("sue"),
        );
        for tenant in ["a", "b"] {
            sql += &format!(
                "INSERT INTO reply (id, tenant_id, note_id, text) VALUES ('{}', '{}', '{}', 'first');",
                id(&format!("reply of {tenant}")),
                id(tenant),
                id(&format!("note 0 of {tenant}")),
            );
        }
        site.world.test.as_superuser(&sql).await.unwrap();
        Self(site)
    }

    /// A row that is not used up yet.
    async fn fresh(&self, table: &str) -> Uuid {
        let new = Uuid::now_v7();
        let (a, note) = (id("a"), id("note 0 of a"));
        let sql = match table {
            "note" => format!(
                "INSERT INTO note (id, tenant_id, title, stars, state, is_private, created_at) \
                 VALUES ('{new}', '{a}', 'fresh {new}', 0, 'draft', false, now())"
            ),
            "reply" => format!(
                "INSERT INTO reply (id, tenant_id, note_id, text) VALUES ('{new}', '{a}', '{note}', 'fresh')"
            ),
            _ => {
                format!("INSERT INTO folder (id, tenant_id, name) VALUES ('{new}', '{a}', 'fresh')")
            }
        };
        self.0.world.test.as_superuser(&sql).await.unwrap();
        new
    }
}

#[async_trait]
impl Target for Attacked {
    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let answer = self.0.pass(request.map(Body::from)).await;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Response::from_parts(parts, body)
    }

    fn credentials(&self, caller: Caller) -> HeaderMap {
        let who = match caller {
            Caller::Anonymous => return HeaderMap::new(),
            Caller::Other => "eve",
            Caller::Powerless => "pia",
            Caller::Suspended => "sue",
            _ => "ann",
        };
        let cookie = format!("__Host-session={}", token(who).expose());
        HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
    }

    async fn value(&self, side: Side, parameter: &str) -> Option<String> {
        let tenant = match side {
            Side::Own => "a",
            Side::Foreign => "b",
            _ => "c",
        };
        match parameter {
            "tenant" => Some(tenant.to_owned()),
            "note" => Some(id(&format!("note 0 of {tenant}")).to_string()),
            "folder" => Some(id(&format!("folder of {tenant}")).to_string()),
            "reply" => Some(id(&format!("reply of {tenant}")).to_string()),
            _ => None,
        }
    }

    async fn case(&self, endpoint: &str) -> Option<Case> {
        let (name, act) = endpoint.split_once('.')?;
        let text = Uuid::now_v7();
        let one = match name {
            "note" => json!({"title": text}),
            "reply" => json!({"text": text}),
            _ => json!({"name": text}),
        };
        let case = Case::new();
        Some(match act {
            "list" | "retrieve" => case,
            "create" | "update" | "whole.update" => case.json(&one),
            "bulk.create" => case.json(&json!({"items": [one]})),
            "bulk.update" => {
                let mut one = one;
                one["id"] = json!(self.fresh(name).await);
                case.json(&json!({"items": [one]}))
            }
            "delete" => case.parameter(name, self.fresh(name).await.to_string()),
            "bulk.delete" => case.query(format!("ids={}", self.fresh(name).await)),
            _ => return None,
        })
    }

    async fn rows(&self) -> String {
        let url = self.0.world.test.superuser_url();
        fingerprint(&url, &["identity.session.seen_at"])
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn every_endpoint_holds() {
    let attacked = Attacked::new().await;
    let routes = routes(Settings::default(), |notes| notes);
    assert_eq!(routes.endpoints().count(), 24);
    let report = Attack::new(&routes).run(&attacked).await;
    assert_eq!(report.wrong(), Vec::<String>::new(), "{report}");
    // The control: each was used rightly, with success.
    for endpoint in routes.endpoints() {
        let name = endpoint.name().unwrap();
        let row = format!("| {name} | 20");
        assert!(report.to_string().contains(&row), "{name}: {report}");
    }
}
