//! What the support staff does. For everybody else there is nothing here.

use std::cell::LazyCell;

use partywall::testing::Case;
use serde_json::json;

use super::{
    attacked::{Attacked, cookie},
    tenants::tenant,
};
use crate::{browser::Browser, identity_invitations::text};

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    let sue = LazyCell::new(|| attacked.world.user("sue"));
    let reason = "ticket 7";
    let case = match endpoint {
        "staff_entry.list" => Case::new(),
        "staff_entry.create" => Case::new().json(&json!({ "tenant": "acme", "reason": reason })),
        "staff_entry.delete" => Case::new().parameter("entry", entered(&sue)),
        "impersonation.create" => {
            entered(&sue);
            Case::new().json(&as_bob(attacked))
        }
        "impersonation.delete" => {
            entered(&sue);
            let mut acting = attacked.world.anonymous();
            let begun = sue.post("/api/staff/impersonation", &as_bob(attacked));
            acting.keep(&begun.is(201));
            return Some(Case::new().sent_by(cookie(&acting)));
        }
        "tenant.suspend" => {
            let customer = attacked.world.tenant(&tenant(attacked));
            Case::new().parameter("customer", customer)
        }
        "tenant.resume" => {
            let customer = attacked.world.tenant(&tenant(attacked));
            let suspend = format!("/api/staff/tenants/{customer}/suspend");
            sue.send("POST", &suspend, None).is(200);
            Case::new().parameter("customer", customer)
        }
        _ => return None,
    };
    Some(case.sent_by(cookie(&sue)))
}

/// The id of a stay in acme.
fn entered(sue: &Browser) -> String {
    let body = json!({ "tenant": "acme", "reason": "ticket 7" });
    text(&sue.post("/api/staff/entries", &body).is(201).json()["id"])
}

fn as_bob(attacked: &Attacked) -> serde_json::Value {
    let bob = attacked.world.account("bob", "acme");
    json!({ "tenant": "acme", "account": bob, "reason": "ticket 7" })
}
