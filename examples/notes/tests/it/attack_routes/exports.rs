//! A tenant's notes as a file.

use partywall::testing::Case;

use super::attacked::Attacked;

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    Some(match endpoint {
        "page.export.create" => Case::new(),
        "page.export.retrieve" | "page.export.file" => {
            let page = attacked.ann.form("/t/acme/exports", &[]).is(303).location;
            attacked.rest();
            let page = page.unwrap();
            let (_, id) = page.rsplit_once('/').unwrap();
            Case::new().parameter("export", id)
        }
        _ => return None,
    })
}
