//! The attack that is made of the routes: it holds where they do, and finds what does not.

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use partywall::testing::{Attack, Caller, Case, Side, Target, fingerprint};
use serde_json::json;
use tower::ServiceExt as _;

use super::project::{Site, routes};
use crate::identity::world::{id, token};

/// What is made worse on purpose.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Whoever is foreign is let in.
    NoMembership,
    /// A foreign row is told from a missing one.
    Telling,
    /// Something is written all the same.
    Writes,
    /// The rows that are said to be the other tenant's are not there.
    NoRows,
    /// What the other tenant's rows are is not said.
    Unsaid,
    /// An endpoint is left out.
    LeftOut,
    /// An endpoint is left out that there is not.
    Stale,
    /// The rightful use does not work.
    Broken,
}

struct Attacked {
    site: Site,
    fault: Fault,
}

impl Attacked {
    async fn new(fault: Fault) -> Self {
        let site = Site::new().await;
        site.world.joins("pia", "viewer").await;
        // pia may do nothing, and zoe is an owner of a suspended tenant.
        let sql = format!(
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
        site.world.test.as_superuser(&sql).await.unwrap();
        Self { site, fault }
    }
}

#[async_trait]
impl Target for Attacked {
    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let is_foreign = request.uri().path().contains(&id("b1").to_string());
        let is_write = request.method() == "PUT";
        let request = request.map(Body::from);
        let answer = self.site.router.clone().oneshot(request).await.unwrap();
        let (mut parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        match self.fault {
            Fault::Telling if is_foreign => {
                parts
                    .headers
                    .insert("x-hint", HeaderValue::from_static("it exists"));
            }
            Fault::Writes if is_foreign && is_write => {
                let sql = format!(
                    "UPDATE project SET name = name || '!' WHERE id = '{}'",
                    id("b1")
                );
                self.site.world.test.as_superuser(&sql).await.unwrap();
            }
            _ => {}
        }
        Response::from_parts(parts, body)
    }

    fn credentials(&self, caller: Caller) -> HeaderMap {
        let who = match caller {
            Caller::Anonymous => return HeaderMap::new(),
            Caller::Other if self.fault == Fault::NoMembership => "ann",
            Caller::Other => "eve",
            Caller::Powerless => "pia",
            Caller::Suspended => "sue",
            _ => "ann",
        };
        let cookie = format!("__Host-session={}", token(who).expose());
        HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
    }

    async fn value(&self, side: Side, parameter: &str) -> Option<String> {
        let (tenant, project, remark) = match side {
            Side::Own => ("a", "a1", "0"),
            Side::Foreign => ("b", "b1", "2"),
            _ => ("c", "c1", "9"),
        };
        match parameter {
            "task" if self.fault == Fault::Unsaid && side == Side::Foreign => None,
            "project" if self.fault == Fault::NoRows && side == Side::Foreign => {
                Some(id("nothing").to_string())
            }
            "tenant" => Some(tenant.to_owned()),
            "project" => Some(id(project).to_string()),
            "task" => Some(id(&format!("task of {project}")).to_string()),
            "remark" => Some(remark.to_owned()),
            "label" if side == Side::Own => Some("x".to_owned()),
            "session" if side == Side::Own => Some(id("anything").to_string()),
            _ => None,
        }
    }

    async fn case(&self, endpoint: &str) -> Option<Case> {
        match endpoint {
            "project.rename" if self.fault == Fault::Broken => Some(Case::new().json(&json!({}))),
            "project.rename" => Some(Case::new().json(&json!("new"))),
            "label.show" if self.fault == Fault::LeftOut => None,
            _ => Some(Case::new()),
        }
    }

    async fn rows(&self) -> String {
        let url = self.site.world.test.superuser_url();
        fingerprint(&url, &["identity.session.seen_at"])
            .await
            .unwrap()
    }
}

async fn wrong(fault: Fault) -> Vec<String> {
    let attacked = Attacked::new(fault).await;
    let routes = routes();
    let attack = Attack::new(&routes).without("project.forget", "it fails on purpose");
    let attack = match fault {
        Fault::Stale => attack.without("project.gone", "it is no more"),
        _ => attack,
    };
    let report = attack.run(&attacked).await;
    assert!(
        report
            .to_string()
            .contains("| project.rename | 204, 404 | 404, 405 | 401 | 403 | 403 |")
            || fault != Fault::None,
        "{report}"
    );
    report.wrong()
}

#[tokio::test]
async fn good_routes_hold() {
    assert_eq!(wrong(Fault::None).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_does_not_hold_is_found() {
    for (fault, what) in [
        (
            Fault::NoMembership,
            "as other tenant: another tenant's address: wanted 404",
        ),
        (Fault::Telling, "it differs from the answer for nothing"),
        (Fault::Writes, "rows have changed"),
        (Fault::NoRows, "the other tenant has no such rows"),
        (Fault::Unsaid, "there is no foreign value for `{task}`"),
        (Fault::Stale, "there is no such endpoint"),
        (Fault::LeftOut, "was left out"),
        (Fault::Broken, "the rightful use failed"),
    ] {
        let wrong = wrong(fault).await;
        assert!(
            wrong.iter().any(|wrong| wrong.contains(what)),
            "{what}: {wrong:?}"
        );
    }
}
