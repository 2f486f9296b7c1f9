//! A bare axum handler on tokio-postgres: the tenant's filter by hand, nobody asked who they are.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use chrono::Utc;
use deadpool_postgres::Pool;
use uuid::Uuid;

use super::{
    call::{DRAFTS, NOTES},
    failed::Failed,
    shape::{NewNote, NoteView},
};

pub(super) const LIST: &str =
    "SELECT id, title, body, created_at FROM note WHERE tenant_id = $1 ORDER BY id LIMIT 50";
pub(super) const CREATE: &str = "INSERT INTO draft (id, tenant_id, title, body, created_at) VALUES ($1, $2, $3, $4, $5) \
     RETURNING id, title, body, created_at";

pub(super) fn router(pool: Pool) -> Router {
    Router::new()
        .route(NOTES, get(list))
        .route(DRAFTS, post(create))
        .with_state(pool)
}

async fn list(
    State(pool): State<Pool>,
    Path(tenant): Path<Uuid>,
) -> Result<Json<Vec<NoteView>>, Failed> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(LIST).await?;
    let rows = client.query(&statement, &[&tenant]).await?;
    let notes: Result<Vec<NoteView>, _> = rows.iter().map(view).collect();
    Ok(Json(notes?))
}

async fn create(
    State(pool): State<Pool>,
    Path(tenant): Path<Uuid>,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<NoteView>), Failed> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(CREATE).await?;
    let (id, now) = (Uuid::now_v7(), Utc::now());
    let row = client
        .query_one(&statement, &[&id, &tenant, &new.title, &new.body, &now])
        .await?;
    Ok((StatusCode::CREATED, Json(view(&row)?)))
}

fn view(row: &tokio_postgres::Row) -> Result<NoteView, tokio_postgres::Error> {
    Ok(NoteView {
        id: row.try_get(0)?,
        title: row.try_get(1)?,
        body: row.try_get(2)?,
        created_at: row.try_get(3)?,
    })
}
