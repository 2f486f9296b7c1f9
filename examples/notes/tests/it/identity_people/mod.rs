//! People over HTTP: scenarios I1 to I26, but for those of `identity_current`.

mod current;
mod pages;
mod passwords;
mod sessions;

use serde_json::{Value, json};

use crate::{browser::Reply, world::World};

const PASSWORD: &str = "correct horse battery";

impl World {
    /// The secret in the last mail to an address.
    fn link(&self, address: &str) -> String {
        let mail = self.mail(address);
        let (_, body) = mail.last().expect("there is mail");
        let (_, rest) = body.split_once("?token=").expect("there is a link");
        rest.chars().take(64).collect()
    }

    /// All that says who is signed in where, and who may do what. Not when a session was used last.
    fn standing(&self) -> Vec<String> {
        [
            "(to_jsonb(t) - 'seen_at')::text, '' ORDER BY id) FROM identity.session t",
            "t::text, '' ORDER BY id) FROM identity.\"user\" t",
            "t::text, '' ORDER BY id) FROM identity.account t",
            "t::text, '' ORDER BY id) FROM identity.tenant t",
            "t::text, '' ORDER BY account_id) FROM identity.account_role t",
            "t::text, '' ORDER BY user_id) FROM identity.credential t",
            "t::text, '' ORDER BY token_hash) FROM identity.sign_up t",
            "t::text, '' ORDER BY id) FROM identity.audit t",
            "(t.id, t.recipient, t.subject)::text, '' ORDER BY id) FROM identity.outbox t",
        ]
        .iter()
        .map(|rest| self.one(&format!("SELECT string_agg({rest}")))
        .collect()
    }

    fn sign_in(&self, email: &str, password: &str) -> Reply {
        let body = json!({ "email": email, "password": password });
        self.anonymous().post("/api/session", &body)
    }
}

/// The tenant of the account that is current, by its slug.
#[track_caller]
fn current(session: &Reply) -> Value {
    session.json()["account"]["tenant"]["slug"].clone()
}
