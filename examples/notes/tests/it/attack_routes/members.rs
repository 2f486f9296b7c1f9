//! Who is in a tenant, and who is asked to come.

use partywall::testing::Case;
use serde_json::json;

use super::{
    attacked::{Attacked, cookie},
    form,
};

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    Some(match endpoint {
        "member.list"
        | "member.retrieve"
        | "page.member.list"
        | "invitation.list"
        | "page.invitation.list" => Case::new(),
        "member.who" => Case::new().query("permission=note.read"),
        "member.update" => member(attacked, Case::new().json(&json!({ "roles": ["member"] }))),
        "page.member.update" => {
            let role = attacked.acme(
                "SELECT id FROM identity.role WHERE tenant_id = {tenant} AND builtin = 'member'",
            );
            member(attacked, form(&[("role", &role), ("active", "on")]))
        }
        "member.delete" | "page.member.delete" => member(attacked, Case::new()),
        "member.leave" | "page.member.leave" => {
            let (_, browser) = attacked.joined();
            Case::new().sent_by(cookie(&browser))
        }
        "grant.create" => member(attacked, granted()),
        "grant.delete" => {
            let (account, _) = attacked.joined();
            let at = format!("/api/tenants/acme/members/{account}/grants/note.create");
            attacked.ann.send("PUT", &at, None).is(204);
            granted().parameter("member", account)
        }
        "invitation.create" => {
            let email = format!("{}@example.com", attacked.name("asked"));
            Case::new().json(&json!({ "email": email, "role": "viewer" }))
        }
        "page.invitation.create" => {
            let email = format!("{}@example.com", attacked.name("asked"));
            form(&[("email", &email), ("role", "viewer")])
        }
        "invitation.delete"
        | "invitation.resend"
        | "page.invitation.delete"
        | "page.invitation.resend" => {
            let email = format!("{}@example.com", attacked.name("asked"));
            let id = attacked.made("invitations", &json!({ "email": email, "role": "viewer" }));
            Case::new().parameter("invitation", id)
        }
        _ => return None,
    })
}

/// Done to somebody new.
fn member(attacked: &Attacked, case: Case) -> Case {
    let (account, _) = attacked.joined();
    case.parameter("member", account)
}

fn granted() -> Case {
    Case::new().parameter("permission", "note.create")
}
