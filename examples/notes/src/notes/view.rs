//! Notes and comments as they go out, as JSON and into pages.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use partywall::policy::Fields;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{Array, ObjectBuilder, Schema},
    },
};
use uuid::Uuid;

use crate::models::{comment, note, tag};

/// One page of a list, and where the next one begins, if there is one.
#[derive(Debug, Serialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Note)]
pub(crate) struct NoteView {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) author: String,
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// Absent for whoever may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remark: Option<Option<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Comment)]
pub(crate) struct CommentView {
    pub(crate) id: Uuid,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    /// The account that wrote it, for moderators. `null` for a program of the tenant's own.
    pub(crate) author_id: Option<Uuid>,
}

impl NoteView {
    pub(super) fn new(note: note::Model, tags: Vec<tag::Model>, fields: &Fields) -> Self {
        let mut tags: Vec<_> = tags.into_iter().map(|tag| tag.label).collect();
        tags.sort();
        Self {
            id: note.id,
            title: note.title,
            body: note.body,
            author: note.author,
            tags,
            created_at: time(note.created_at),
            updated_at: time(note.updated_at),
            remark: (!fields.hides("remark")).then_some(note.remark),
        }
    }

    /// The first line or so, for a list.
    pub(crate) fn beginning(&self) -> String {
        let line = self.body.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some((end, _)) = line.char_indices().nth(140) else {
            return line;
        };
        let cut = line.get(..end).unwrap_or_default();
        // Between words, but for a text without any.
        format!("{}…", cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole))
    }

    pub(crate) fn was_changed(&self) -> bool {
        self.created_at != self.updated_at
    }
}

impl From<comment::Model> for CommentView {
    fn from(comment: comment::Model) -> Self {
        Self {
            id: comment.id,
            author: comment.author,
            body: comment.body,
            created_at: time(comment.created_at),
            author_id: comment.author_id,
        }
    }
}

impl<T: ToSchema> PartialSchema for Items<T> {
    fn schema() -> RefOr<Schema> {
        let items = Array::new(Ref::from_schema_name(T::name()));
        ObjectBuilder::new()
            .description(Some("A part of a list, and where the next one begins"))
            .property("items", items)
            .required("items")
            .property("next", Option::<String>::schema())
            .required("next")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Items<T> {
    /// By derivation all lists would have one name.
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Items<T> {
    /// Keeps `limit` rows of one more than that; the last one kept is where the next page begins.
    pub(super) fn page<R>(
        mut rows: Vec<R>,
        limit: u64,
        id: impl Fn(&R) -> Uuid,
    ) -> (Vec<R>, Option<String>) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| id(row).to_string());
        (rows, next)
    }
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
