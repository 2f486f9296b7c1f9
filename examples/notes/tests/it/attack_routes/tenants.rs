//! Tenants themselves, and what is written down of them.

use partywall::testing::Case;
use serde_json::json;

use super::attacked::Attacked;

/// A tenant to be lost: ann owns it, pia may do nothing in it, and eve is not in it.
pub(super) fn tenant(attacked: &Attacked) -> String {
    let slug = attacked.name("tenant-");
    let new = json!({ "name": slug, "slug": slug });
    attacked.ann.post("/api/tenants", &new).is(201);
    attacked.account("pia", &slug, None);
    slug
}

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    Some(match endpoint {
        "tenant.list" | "tenant.retrieve" | "tenant.export" | "audit.list" | "page.audit.list" => {
            Case::new()
        }
        "tenant.create" => {
            let slug = attacked.name("made-");
            Case::new().json(&json!({ "name": slug, "slug": slug }))
        }
        "tenant.update" => Case::new().json(&json!({ "name": "Acme, renamed" })),
        "tenant.delete" => Case::new().parameter("tenant", tenant(attacked)),
        "tenant.restore" => {
            let slug = tenant(attacked);
            let id = attacked.world.tenant(&slug);
            let deleted = attacked.ann.delete(&format!("/api/tenants/{id}"));
            deleted.is(204);
            Case::new()
                .parameter("tenant", id)
                .json(&json!({ "slug": attacked.name("restored-") }))
        }
        "tenant.transfer" => {
            let slug = tenant(attacked);
            let heir = attacked.world.account("pia", &slug);
            Case::new()
                .parameter("tenant", slug)
                .json(&json!({ "account": heir }))
        }
        _ => return None,
    })
}
