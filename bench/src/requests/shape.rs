//! What goes in and out, the same for all: JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{comment_copy, draft, note};

/// A note, and a draft of one.
#[derive(Debug, Serialize)]
pub(super) struct NoteView {
    pub(super) id: Uuid,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) created_at: DateTime<Utc>,
}

/// What a draft is made of.
#[derive(Debug, Deserialize)]
pub(super) struct NewNote {
    pub(super) title: String,
    pub(super) body: String,
}

/// A comment.
#[derive(Debug, Serialize)]
pub(super) struct CommentView {
    id: Uuid,
    body: String,
}

/// What a comment becomes.
#[derive(Debug, Deserialize)]
pub(super) struct NewComment {
    pub(super) body: String,
}

impl From<note::Model> for NoteView {
    fn from(note: note::Model) -> Self {
        Self {
            id: note.id,
            title: note.title,
            body: note.body,
            created_at: note.created_at,
        }
    }
}

impl From<draft::Model> for NoteView {
    fn from(draft: draft::Model) -> Self {
        Self {
            id: draft.id,
            title: draft.title,
            body: draft.body,
            created_at: draft.created_at,
        }
    }
}

impl From<comment_copy::Model> for CommentView {
    fn from(comment: comment_copy::Model) -> Self {
        Self {
            id: comment.id,
            body: comment.body,
        }
    }
}
