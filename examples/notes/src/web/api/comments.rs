use axum::{Json, http::StatusCode};
use serde::Deserialize;

use crate::{
    identity::InTenant,
    notes::{CommentDraft, CommentView, Items, comment_add, comment_list},
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
    tenant: InTenant,
    NoteId(note): NoteId,
    Part(query): Part,
) -> Result<Json<Items<CommentView>>, Problem> {
    Ok(Json(comment_list(&tenant, note, &query).await?))
}

pub(super) async fn add(
    tenant: InTenant,
    NoteId(note): NoteId,
    Body(new): Body<NewComment>,
) -> Result<(StatusCode, Json<CommentView>), Problem> {
    let draft = CommentDraft::new(&new.body)?;
    let comment = comment_add(&tenant.db, &tenant.person.name, note, draft).await?;
    Ok((StatusCode::CREATED, Json(comment)))
}
