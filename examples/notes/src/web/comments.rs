//! Comments, which are under their note: for people on its page, and for programs.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use partywall::{
    identity::RequestAccount,
    web::{Endpoint, Found, Query, Writing},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Problem,
    fields::{Body, Input, ListQuery, Part},
    pages::notes::to_note,
    reader::Reader,
    shape::{form, json},
};
use crate::{
    app::App,
    models::{comment, note},
    notes::{
        CommentDraft, CommentView, Items, comment_add, comment_change, comment_list, comment_remove,
    },
    policies::Policies,
};

#[derive(Deserialize, ToSchema)]
struct NewComment {
    body: String,
}

pub(super) fn endpoints(policies: &Policies) -> Vec<Endpoint<App>> {
    let comments = "/api/tenants/{tenant}/notes/{note}/comments";
    let one = "/api/tenants/{tenant}/notes/{note}/comments/{comment}";
    let policy = || policies.comment.clone();
    vec![
        Endpoint::get(comments, list)
            .named("comment.list")
            .policy(policy())
            .summary("A page of a note's comments, the oldest first")
            .query(Query::of::<ListQuery>())
            .output(StatusCode::OK, json::<Items<CommentView>>()),
        Endpoint::post(comments, create)
            .named("comment.create")
            .policy(policy())
            .in_transaction()
            .summary("Comments on a note")
            .input(json::<NewComment>())
            .output(StatusCode::CREATED, json::<CommentView>()),
        Endpoint::get(one, show)
            .named("comment.retrieve")
            .policy(policy())
            .summary("One comment")
            .output(StatusCode::OK, json::<CommentView>()),
        Endpoint::patch(one, update)
            .named("comment.update")
            .policy(policy())
            .in_transaction()
            .summary("Changes one's own comment")
            .input(json::<NewComment>())
            .output(StatusCode::OK, json::<CommentView>()),
        Endpoint::delete(one, delete)
            .named("comment.delete")
            .policy(policy())
            .in_transaction()
            .summary("Removes a comment")
            .answers(StatusCode::NO_CONTENT),
        Endpoint::post("/t/{tenant}/notes/{note}/comments", create)
            .named("page.comment.create")
            .policy(policy())
            .in_transaction()
            .summary("Comments on a note")
            .input(form::<NewComment>())
            .answers(StatusCode::SEE_OTHER),
        Endpoint::post("/t/{tenant}/notes/{note}/comments/{comment}/delete", delete)
            .named("page.comment.delete")
            .policy(policy())
            .on_parent()
            .in_transaction()
            .summary("Removes a comment")
            .answers(StatusCode::SEE_OTHER),
    ]
}

async fn list(
    account: RequestAccount,
    Found(note): Found<note::Model>,
    Part(query): Part,
) -> Result<Json<Items<CommentView>>, Problem> {
    Ok(Json(comment_list(&account, note.id, &query).await?))
}

async fn create(
    account: RequestAccount,
    tx: Writing,
    reader: Reader,
    Found(note): Found<note::Model>,
    Part(query): Part,
    Input(new): Input<NewComment>,
) -> Result<Response, Problem> {
    let draft = CommentDraft::new(&new.body)?;
    let comment = comment_add(&tx, &account, note.id, draft).await?;
    tx.commit().await?;
    if reader == Reader::Program {
        return Ok((StatusCode::CREATED, Json(comment)).into_response());
    }
    // Where the comments take more than one page, the one that shows this.
    let from = match comment_list(&account, note.id, &query).await?.next {
        Some(_) => format!("?after={}", Uuid::from_u128(comment.id.as_u128() - 1)),
        None => String::new(),
    };
    Ok(to_note(&account, note.id, &format!("{from}#commented")).into_response())
}

async fn show(Found(comment): Found<comment::Model>) -> Json<CommentView> {
    Json(comment.into())
}

async fn update(
    tx: Writing,
    Found(comment): Found<comment::Model>,
    Body(new): Body<NewComment>,
) -> Result<Json<CommentView>, Problem> {
    let draft = CommentDraft::new(&new.body)?;
    let comment = comment_change(&tx, comment, draft).await?;
    tx.commit().await?;
    Ok(Json(comment))
}

async fn delete(
    account: RequestAccount,
    tx: Writing,
    reader: Reader,
    Found(comment): Found<comment::Model>,
) -> Result<Response, Problem> {
    comment_remove(&tx, comment.id).await?;
    tx.commit().await?;
    Ok(match reader {
        Reader::Program => StatusCode::NO_CONTENT.into_response(),
        Reader::Person => to_note(&account, comment.note_id, "#deleted").into_response(),
    })
}
