//! Comments on the page of their note. Programs have the [resource](super::api).

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use partywall::{
    identity::RequestAccount,
    web::{Endpoint, Found, Writing},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Problem,
    fields::{Fields, Part},
    pages::notes::to_note,
    shape::form,
};
use crate::{
    app::App,
    models::{comment, note},
    notes::{CommentDraft, comment_add, comment_list, comment_remove},
    policies::Policies,
};

#[derive(Deserialize, ToSchema)]
struct CommentForm {
    body: String,
}

pub(super) fn endpoints(policies: &Policies) -> [Endpoint<App>; 2] {
    let policy = || policies.comment.clone();
    [
        Endpoint::post("/t/{tenant}/notes/{note}/comments", create)
            .named("page.comment.create")
            .policy(policy())
            .in_transaction()
            .summary("Comments on a note")
            .input(form::<CommentForm>())
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

async fn create(
    account: RequestAccount,
    tx: Writing,
    Found(note): Found<note::Model>,
    Part(query): Part,
    Fields(new): Fields<CommentForm>,
) -> Result<Response, Problem> {
    let draft = CommentDraft::new(&new.body)?;
    let comment = comment_add(&tx, &account, note.id, draft).await?;
    tx.commit().await?;
    // Where the comments take more than one page, the one that shows this.
    let from = match comment_list(&account, note.id, &query).await?.next {
        Some(_) => format!("?after={}", Uuid::from_u128(comment.id.as_u128() - 1)),
        None => String::new(),
    };
    Ok(to_note(&account, note.id, &format!("{from}#commented")).into_response())
}

async fn delete(
    account: RequestAccount,
    tx: Writing,
    Found(comment): Found<comment::Model>,
) -> Result<Response, Problem> {
    comment_remove(&tx, comment.id).await?;
    tx.commit().await?;
    Ok(to_note(&account, comment.note_id, "#deleted").into_response())
}
