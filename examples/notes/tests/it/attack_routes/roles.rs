//! Roles and groups.

use partywall::testing::Case;
use serde_json::json;

use super::{attacked::Attacked, form};

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    let made = |what: &str| attacked.made(what, &json!({ "name": attacked.name("made") }));
    let named = || json!({ "name": attacked.name("named") });
    Some(match endpoint {
        "role.list" | "page.role.list" | "group.list" => Case::new(),
        "role.create" | "group.create" => Case::new().json(&named()),
        "page.role.create" => form(&[
            ("name", &attacked.name("named")),
            ("permission", "note.read"),
        ]),
        "role.update" => Case::new()
            .parameter("role", made("roles"))
            .json(&json!({ "permissions": ["note.read"] })),
        "role.delete" | "page.role.delete" => Case::new().parameter("role", made("roles")),
        "group.update" => Case::new()
            .parameter("group", made("groups"))
            .json(&named()),
        "group.delete" => Case::new().parameter("group", made("groups")),
        _ => return None,
    })
}
