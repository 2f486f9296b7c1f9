//! Notes with their tags and comments. Nothing here knows which tenant it works for.

mod comment;
mod draft;
mod note;
mod tag;
mod view;

pub(crate) use comment::{comment_add, comment_list, comment_new, comment_remove};
pub(crate) use draft::{Change, CommentDraft, Draft, MAX_TITLE, split_tags};
pub(crate) use note::{
    NoteQuery, note_add, note_add_many, note_change, note_list, note_remove, note_view,
};
pub(crate) use tag::tag_list;
pub(crate) use view::{CommentView, Items, NoteView, time};
