//! The bare handler on sqlx as it comes: its pool pings before each use of a connection.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    bare::{CREATE, LIST},
    call::{DRAFTS, NOTES},
    failed::Failed,
    shape::{NewNote, NoteView},
};

type Row = (Uuid, String, String, DateTime<Utc>);

pub(super) fn router(pool: PgPool) -> Router {
    Router::new()
        .route(NOTES, get(list))
        .route(DRAFTS, post(create))
        .with_state(pool)
}

async fn list(
    State(pool): State<PgPool>,
    Path(tenant): Path<Uuid>,
) -> Result<Json<Vec<NoteView>>, Failed> {
    let rows: Vec<Row> = sqlx::query_as(LIST).bind(tenant).fetch_all(&pool).await?;
    Ok(Json(rows.into_iter().map(view).collect()))
}

async fn create(
    State(pool): State<PgPool>,
    Path(tenant): Path<Uuid>,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<NoteView>), Failed> {
    let row: Row = sqlx::query_as(CREATE)
        .bind(Uuid::now_v7())
        .bind(tenant)
        .bind(new.title)
        .bind(new.body)
        .bind(Utc::now())
        .fetch_one(&pool)
        .await?;
    Ok((StatusCode::CREATED, Json(view(row))))
}

fn view((id, title, body, created_at): Row) -> NoteView {
    NoteView {
        id,
        title,
        body,
        created_at,
    }
}
