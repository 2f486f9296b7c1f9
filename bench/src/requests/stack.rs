//! All of Partywall: who asks, what they may do, the path's rows, the scope.

use std::sync::Arc;

use axum::{Json, Router, http::StatusCode};
use chrono::Utc;
use partywall::{
    Config, Db,
    identity::{Identity, RequestAccount},
    policy::{Actions, Decide, Policy, Principal, Rows, Rule},
    web::{Endpoint, Found, Parameter, Permitted, Problem, Routes, Writing},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{
    call::{COMMENT, DRAFTS, NOTES, PAGE},
    shape::{CommentView, NewComment, NewNote, NoteView},
    site::permissions,
};
use crate::{
    model::{comment_copy, draft, note, topic},
    outcome::Outcome,
    people::town,
};

/// The application with policies that ask for a permission.
pub(super) async fn router(config: Config) -> Outcome<Router> {
    let routes = Routes::new()
        .parameter(Parameter::row::<topic::Entity>("topic"))
        .parameter(Parameter::row_under::<comment_copy::Entity>(
            "comment",
            "topic",
            comment_copy::Column::TopicId,
        ))
        .extend([
            Endpoint::get(NOTES, list)
                .named("note.list")
                .require("note.read"),
            Endpoint::post(DRAFTS, create)
                .named("draft.create")
                .require("note.write")
                .in_transaction(),
            Endpoint::get(COMMENT, show)
                .named("comment.show")
                .require("note.read"),
            Endpoint::put(COMMENT, change)
                .named("comment.change")
                .require("note.write")
                .in_transaction(),
        ]);
    let identity = identity(config).await?;
    Ok(routes.router(identity.clone(), &identity)?)
}

/// The application with policies that look at the rows: a list is filtered by them, and what was
/// created is looked at before it stays.
pub(super) async fn router_by_rows(config: Config) -> Outcome<Router> {
    let notes = Policy::<note::Model>::new("note")
        .allow(
            "readers",
            Principal::permission("note.read"),
            Actions::read_only(),
        )
        .deny_if(
            "secret",
            Principal::anyone(),
            Actions::any(),
            Rule::column(
                "is secret",
                note::Column::Title,
                secret(),
                |note: &note::Model| note.title.clone(),
            ),
        )
        .build()?;
    let drafts = Policy::<draft::Model>::new("draft")
        .allow(
            "writers",
            Principal::permission("note.write"),
            Actions::writes(),
        )
        .deny_if(
            "secret",
            Principal::anyone(),
            Actions::any(),
            Rule::column(
                "is secret",
                draft::Column::Title,
                secret(),
                |draft: &draft::Model| draft.title.clone(),
            ),
        )
        .build()?;
    let (notes, drafts): (Arc<dyn Decide>, Arc<dyn Decide>) = (Arc::new(notes), Arc::new(drafts));
    let routes = Routes::new().extend([
        Endpoint::get(NOTES, list_permitted)
            .named("note.list")
            .policy(notes)
            .asks_again(),
        Endpoint::post(DRAFTS, create_permitted)
            .named("draft.create")
            .policy(drafts)
            .asks_again()
            .in_transaction(),
    ]);
    let identity = identity(config).await?;
    Ok(routes.router(identity.clone(), &identity)?)
}

/// Connects.
pub(crate) async fn identity(config: Config) -> Outcome<Identity> {
    let db = Db::connect(config).await?;
    Ok(Identity::new(db, permissions()?, town::settings()))
}

/// A title that nothing has.
fn secret() -> String {
    "secret".to_owned()
}

async fn list(account: RequestAccount) -> Result<Json<Vec<NoteView>>, Problem> {
    let notes = note::Entity::find()
        .order_by_asc(note::Column::Id)
        .limit(PAGE)
        .all(&account.read())
        .await?;
    Ok(Json(notes.into_iter().map(NoteView::from).collect()))
}

async fn list_permitted(
    account: RequestAccount,
    permitted: Permitted,
) -> Result<Json<Vec<NoteView>>, Problem> {
    let notes = note::Entity::find()
        .order_by_asc(note::Column::Id)
        .limit(PAGE);
    let notes = match permitted.rows() {
        Rows::All => notes,
        Rows::Where(condition) => notes.filter(condition),
        Rows::None => return Err(Problem::forbidden()),
    };
    let notes = notes.all(&account.read()).await?;
    Ok(Json(notes.into_iter().map(NoteView::from).collect()))
}

async fn create(
    tx: Writing,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<NoteView>), Problem> {
    let draft = row(new).insert(&tx.committing()).await?;
    Ok((StatusCode::CREATED, Json(draft.into())))
}

async fn create_permitted(
    tx: Writing,
    permitted: Permitted,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<NoteView>), Problem> {
    let draft = row(new).insert(&*tx).await?;
    permitted.check(&draft)?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(draft.into())))
}

async fn show(Found(comment): Found<comment_copy::Model>) -> Json<CommentView> {
    Json(comment.into())
}

async fn change(
    tx: Writing,
    Found(comment): Found<comment_copy::Model>,
    Json(new): Json<NewComment>,
) -> Result<Json<CommentView>, Problem> {
    let mut comment: comment_copy::ActiveModel = comment.into();
    comment.body = Set(new.body);
    let comment = comment.update(&tx.committing()).await?;
    Ok(Json(comment.into()))
}

/// Its tenant is the scope's.
fn row(new: NewNote) -> draft::ActiveModel {
    draft::ActiveModel {
        id: Set(Uuid::now_v7()),
        title: Set(new.title),
        body: Set(new.body),
        created_at: Set(Utc::now()),
        ..Default::default()
    }
}
