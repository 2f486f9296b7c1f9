//! Notes and what is said about them.

use partywall::testing::Case;
use serde_json::json;

use super::{attacked::Attacked, form};

pub(super) fn case(attacked: &Attacked, endpoint: &str) -> Option<Case> {
    let note = || attacked.made("notes", &json!({ "title": "one to lose" }));
    // By ann, under the note that stands for all.
    let comment = || {
        let (note, _) = attacked.world.comment("acme");
        attacked.made(
            &format!("notes/{note}/comments"),
            &json!({ "body": "by ann" }),
        )
    };
    Some(match endpoint {
        "note.list" | "note.retrieve" | "page.note.list" | "page.note.new"
        | "page.note.retrieve" | "page.note.edit" | "page.note.ask" | "page.events"
        | "comment.list" | "comment.retrieve" => Case::new(),
        "note.create" => Case::new().json(&json!({ "title": "new", "tags": ["new"] })),
        "note.update" => Case::new().json(&json!({ "body": "changed" })),
        "note.delete" | "page.note.delete" => Case::new().parameter("note", note()),
        "page.note.create" | "page.note.update" => {
            form(&[("title", "new"), ("body", "x"), ("tags", "new")])
        }
        "comment.create" => Case::new().json(&json!({ "body": "new" })),
        "comment.update" => Case::new()
            .parameter("comment", comment())
            .json(&json!({ "body": "changed" })),
        "comment.whole.update" => Case::new()
            .parameter("comment", comment())
            .json(&json!({ "body": "replaced" })),
        "comment.bulk.create" => Case::new().json(&json!({ "items": [{ "body": "new" }] })),
        "comment.bulk.update" => {
            let item = json!({ "id": comment(), "body": "changed" });
            Case::new().json(&json!({ "items": [item] }))
        }
        "comment.bulk.delete" => Case::new().query(format!("ids={}", comment())),
        "comment.delete" | "page.comment.delete" => Case::new().parameter("comment", comment()),
        "page.comment.create" => form(&[("body", "new")]),
        "sql.run" => Case::new().json(&json!({ "sql": "DELETE FROM note" })),
        "page.sql.new" => Case::new(),
        "page.sql.run" => form(&[("sql", "SELECT title FROM note")]),
        _ => return None,
    })
}
