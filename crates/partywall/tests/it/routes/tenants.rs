//! Which tenant is meant where the path does not say so.

use axum::Json;
use partywall::{
    identity::RequestAccount,
    web::{Endpoint, TenantSource},
};

use super::project::{Site, routes};
use crate::identity::world::id;

async fn slug(account: RequestAccount) -> Json<String> {
    Json(account.tenant().slug.clone())
}

/// Bob's and eve's sessions stand in the tenants that they are members of.
async fn site() -> Site {
    let routes = routes()
        .tenant_from(TenantSource::Subdomain("notes.example".to_owned()))
        .tenant_from(TenantSource::Header)
        .route(Endpoint::get("/slug", slug).require("project.read"))
        .route(
            Endpoint::get("/mine", slug)
                .require("project.read")
                .of_current_account(),
        );
    let site = Site::with(routes).await;
    for (who, tenant) in [("bob", "a"), ("eve", "b")] {
        let sql = format!(
            "UPDATE identity.session SET current_account = '{}', current_tenant = '{}' WHERE user_id = '{}'",
            id(&format!("{who} in {tenant}")),
            id(tenant),
            id(who)
        );
        site.world.test.as_superuser(&sql).await.unwrap();
    }
    site
}

#[tokio::test]
async fn the_current_account_is_taken_only_where_the_endpoint_says_so() {
    let site = site().await;
    let at = |host| [("host", host)];
    let get = async |host| site.ask("bob", "GET", "/slug", &at(host), "").await;
    assert_eq!(get("a.notes.example").await.is(200).body, "\"a\"");
    let unknown = get("zzz.notes.example").await.is(404);
    for host in [
        "b.notes.example",
        "notes.example",
        "x.a.notes.example",
        "a.notes.example.evil.example",
    ] {
        assert_eq!(get(host).await, unknown, "{host}");
        let answer = site.ask("bob", "PROPFIND", "/slug", &at(host), "").await;
        answer.is(404);
    }
    site.get("nobody", "/slug").await.is(401);
    assert_eq!(site.get("bob", "/mine").await.is(200).body, "\"a\"");
    assert_eq!(site.get("eve", "/mine").await.is(200).body, "\"b\"");
}

#[tokio::test]
async fn nobody_is_told_that_two_tenants_were_named() {
    let site = site().await;
    let both = [("host", "a.notes.example"), ("x-tenant", "a")];
    let nobody = site.ask("nobody", "GET", "/slug", &both, "").await.is(401);
    assert_eq!(nobody, site.get("nobody", "/slug").await);
    site.ask("bob", "GET", "/slug", &both, "").await.is(400);
}
