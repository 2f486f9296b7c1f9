use axum::{Json, http::StatusCode};
use partywall::identity::RequestAccount;
use serde::Deserialize;

use crate::{
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
    account: RequestAccount,
    part: Part,
) -> Result<Json<Items<NoteView>>, Problem> {
    account.require("note.read")?;
    Ok(Json(note_list(&account, &part.read()?).await?))
}

pub(super) async fn add(
    account: RequestAccount,
    body: Body<NewNote>,
) -> Result<(StatusCode, Json<NoteView>), Problem> {
    account.require("note.create")?;
    let new = body.read()?;
    let draft = Draft::new(&new.title, &new.body, &new.tags)?;
    let tx = account.write().await?;
    let note = note_add(&tx, &account, draft).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(note)))
}

pub(super) async fn show(
    account: RequestAccount,
    NoteId(note): NoteId,
) -> Result<Json<NoteView>, Problem> {
    let note = note_find(&account.read(), note).await?;
    account.require("note.read")?;
    Ok(Json(note))
}

pub(super) async fn change(
    account: RequestAccount,
    NoteId(note): NoteId,
    body: Body<NoteChange>,
) -> Result<Json<NoteView>, Problem> {
    let tx = account.write().await?;
    note_find(&tx, note).await?;
    account.require("note.update")?;
    let new = body.read()?;
    let change = Change::new(
        new.title.as_deref(),
        new.body.as_deref(),
        new.tags.as_deref(),
    )?;
    let note = note_change(&tx, &account, note, change).await?;
    tx.commit().await?;
    Ok(Json(note))
}

pub(super) async fn remove(
    account: RequestAccount,
    NoteId(note): NoteId,
) -> Result<StatusCode, Problem> {
    let tx = account.write().await?;
    note_find(&tx, note).await?;
    account.require("note.delete")?;
    note_remove(&tx, note).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
