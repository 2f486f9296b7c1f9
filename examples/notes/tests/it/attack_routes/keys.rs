//! The keys of programs.

use partywall::testing::Case;
use serde_json::json;

use super::{attacked::Attacked, form};

/// Which keys a member is shown and may take back is asked for each of them, and looked at by the tests
/// of keys.
const OWN: &str = "a member has keys of their own, whatever else they may do";

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    Some(match endpoint {
        "key.list" | "page.key.list" => Case::new().any_member(OWN),
        "key.create" => {
            let new = json!({ "name": attacked.name("key"), "permissions": ["note.read"] });
            Case::new().json(&new)
        }
        "page.key.create" => form(&[("name", &attacked.name("key")), ("permission", "note.read")]),
        "key.delete" | "page.key.delete" => {
            let new = json!({ "name": attacked.name("key"), "permissions": ["note.read"] });
            let key = attacked.made("api-keys", &new);
            Case::new().parameter("key", key).any_member(OWN)
        }
        _ => return None,
    })
}
