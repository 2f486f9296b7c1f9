//! What somebody does for themselves: signing up and in, their sessions, and links that were mailed.

use axum::http::HeaderMap;
use partywall::testing::Case;
use serde_json::json;

use super::{
    attacked::{Attacked, cookie},
    form,
};
use crate::browser::Browser;

const PASSWORD: &str = "correct horse battery";

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    let password = attacked.world.password.as_str();
    Some(match endpoint {
        "session.retrieve"
        | "session.list"
        | "account.list"
        | "page.start"
        | "page.session.list"
        | "page.account.list"
        | "page.session.new"
        | "page.user.new"
        | "page.password.forgotten" => Case::new(),
        "page.user.confirm" | "page.password.new" => Case::new().query("token=none"),
        // With ann's cookie, her session would be the one that this takes the place of.
        "session.create" => {
            nobody(Case::new().json(&json!({ "email": "ann@example.com", "password": password })))
        }
        "page.session.create" => nobody(form(&[
            ("email", "ann@example.com"),
            ("password", password),
        ])),
        "session.delete" | "page.session.delete" | "page.session.revoke_others" => {
            somebody(attacked, Case::new())
        }
        "session.switch" => {
            let account = attacked.world.account("ann", "acme");
            Case::new().json(&json!({ "account": account }))
        }
        "page.session.switch" => form(&[("account", &attacked.world.account("ann", "acme"))]),
        "session.revoke" | "page.session.revoke" => {
            let (name, browser) = attacked.stranger();
            let id = attacked.world.one(&format!(
                "SELECT s.id FROM identity.session s JOIN identity.\"user\" u ON u.id = s.user_id \
                 WHERE u.email = '{name}@example.com'"
            ));
            by(&browser, Case::new().parameter("session", id))
        }
        "user.create" => nobody(Case::new().json(&new(&address(attacked)))),
        "page.user.create" => {
            let email = address(attacked);
            let fields = [
                ("email", email.as_str()),
                ("name", "New"),
                ("password", PASSWORD),
            ];
            nobody(form(&fields))
        }
        "user.verify" => nobody(Case::new().json(&json!({ "token": signed_up(attacked) }))),
        "page.user.verify" => nobody(form(&[("token", &signed_up(attacked))])),
        "user.reset" => nobody(Case::new().json(&json!({ "email": address(attacked) }))),
        "page.password.ask" => nobody(form(&[("email", &address(attacked))])),
        "user.reset_confirm" => {
            nobody(Case::new().json(&json!({ "token": forgotten(attacked), "password": PASSWORD })))
        }
        "page.password.reset" => nobody(form(&[
            ("token", &forgotten(attacked)),
            ("password", PASSWORD),
        ])),
        "user.password" => somebody(
            attacked,
            Case::new().json(&json!({ "old": password, "new": PASSWORD })),
        ),
        "page.password.update" => somebody(attacked, form(&[("old", password), ("new", PASSWORD)])),
        "user.deactivate" => somebody(attacked, Case::new().json(&json!({ "password": password }))),
        "page.user.deactivate" => somebody(attacked, form(&[("password", password)])),
        "invitation.accept" => {
            let (token, browser) = invited(attacked);
            by(&browser, Case::new().json(&json!({ "token": token })))
        }
        "page.invitation.accept" => {
            let (token, browser) = invited(attacked);
            by(&browser, form(&[("token", &token)]))
        }
        "page.invitation.retrieve" => {
            let (token, browser) = invited(attacked);
            by(&browser, Case::new().query(format!("token={token}")))
        }
        _ => return None,
    })
}

fn nobody(case: Case) -> Case {
    case.sent_by(HeaderMap::new())
}

fn by(browser: &Browser, case: Case) -> Case {
    case.sent_by(cookie(browser))
}

/// By somebody who is not needed any more.
fn somebody(attacked: &Attacked, case: Case) -> Case {
    by(&attacked.stranger().1, case)
}

fn address(attacked: &Attacked) -> String {
    format!("{}@example.com", attacked.name("new"))
}

fn new(email: &str) -> serde_json::Value {
    json!({ "email": email, "name": "New", "password": PASSWORD })
}

/// The token of a sign-up.
fn signed_up(attacked: &Attacked) -> String {
    let email = address(attacked);
    let anonymous = attacked.world.anonymous();
    anonymous.post("/api/users", &new(&email)).is(202);
    attacked.mailed(&email)
}

/// The token of somebody who has forgotten their password.
fn forgotten(attacked: &Attacked) -> String {
    let email = format!("{}@example.com", attacked.stranger().0);
    let anonymous = attacked.world.anonymous();
    let asked = anonymous.post("/api/users/reset", &json!({ "email": email }));
    asked.is(202);
    attacked.mailed(&email)
}

/// The token of an invitation to acme, and whom it is for.
fn invited(attacked: &Attacked) -> (String, Browser) {
    let (name, browser) = attacked.stranger();
    let email = format!("{name}@example.com");
    attacked.made("invitations", &json!({ "email": email, "role": "viewer" }));
    (attacked.mailed(&email), browser)
}
