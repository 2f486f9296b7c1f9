use axum::{Json, http::StatusCode};
use serde::Deserialize;

use crate::{
    identity::InTenant,
    notes::{
        Change, Draft, Items, NoteView, note_add, note_change, note_find, note_list, note_remove,
    },
    web::{
        Problem,
        fields::{Body, NoteId, Part},
    },
};

#[derive(Deserialize)]
pub(super) struct NewNote {
    title: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct NoteChange {
    title: Option<String>,
    body: Option<String>,
    tags: Option<Vec<String>>,
}

pub(super) async fn list(
    tenant: InTenant,
    Part(query): Part,
) -> Result<Json<Items<NoteView>>, Problem> {
    Ok(Json(note_list(&tenant, &query).await?))
}

pub(super) async fn add(
    tenant: InTenant,
    Body(new): Body<NewNote>,
) -> Result<(StatusCode, Json<NoteView>), Problem> {
    let draft = Draft::new(&new.title, &new.body, &new.tags)?;
    Ok((StatusCode::CREATED, Json(note_add(&tenant, draft).await?)))
}

pub(super) async fn show(
    tenant: InTenant,
    NoteId(note): NoteId,
) -> Result<Json<NoteView>, Problem> {
    Ok(Json(note_find(&tenant.db, note).await?))
}

pub(super) async fn change(
    tenant: InTenant,
    NoteId(note): NoteId,
    Body(new): Body<NoteChange>,
) -> Result<Json<NoteView>, Problem> {
    let change = Change::new(
        new.title.as_deref(),
        new.body.as_deref(),
        new.tags.as_deref(),
    )?;
    Ok(Json(note_change(&tenant, note, change).await?))
}

pub(super) async fn remove(tenant: InTenant, NoteId(note): NoteId) -> Result<StatusCode, Problem> {
    note_remove(&tenant.db, note).await?;
    Ok(StatusCode::NO_CONTENT)
}
