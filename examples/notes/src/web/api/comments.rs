use axum::{Json, http::StatusCode};
use partywall::identity::RequestAccount;
use serde::Deserialize;

use crate::{
    notes::{CommentDraft, CommentView, Items, comment_add, comment_list, note_find},
    web::{
        Problem,
        fields::{Body, NoteId, Part},
    },
};

#[derive(Deserialize)]
pub(super) struct NewComment {
    body: String,
}

pub(super) async fn list(
    account: RequestAccount,
    NoteId(note): NoteId,
    part: Part,
) -> Result<Json<Items<CommentView>>, Problem> {
    note_find(&account.read(), note).await?;
    account.require("comment.read")?;
    Ok(Json(comment_list(&account, note, &part.read()?).await?))
}

pub(super) async fn add(
    account: RequestAccount,
    NoteId(note): NoteId,
    body: Body<NewComment>,
) -> Result<(StatusCode, Json<CommentView>), Problem> {
    let tx = account.write().await?;
    note_find(&tx, note).await?;
    account.require("comment.create")?;
    let draft = CommentDraft::new(&body.read()?.body)?;
    let comment = comment_add(&tx, account.actor().name(), note, draft).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(comment)))
}
