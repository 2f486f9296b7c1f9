//! The ways without Partywall, as their documentation shows them.

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use sqlx::PgPool;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::query::{LIST_BY_HAND, POINT_BY_HAND, Query, Row};
use crate::outcome::Outcome;

/// A pool that hands a connection to one user at a time, keeps prepared statements, and sends
/// nothing of its own: deadpool-postgres with its fastest setting.
pub(crate) fn pool(url: &str, connections: usize) -> Outcome<Pool> {
    let config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = Manager::from_config(url.parse()?, NoTls, config);
    Ok(Pool::builder(manager).max_size(connections).build()?)
}

pub(super) async fn tokio_postgres(
    pool: &Pool,
    query: Query,
    tenant: Uuid,
    id: Uuid,
) -> Outcome<Vec<Row>> {
    let client = pool.get().await?;
    let rows = match query {
        Query::Point => {
            let statement = client.prepare_cached(POINT_BY_HAND).await?;
            client.query(&statement, &[&tenant, &id]).await?
        }
        Query::List => {
            let statement = client.prepare_cached(LIST_BY_HAND).await?;
            client.query(&statement, &[&tenant]).await?
        }
    };
    let read = |row: &tokio_postgres::Row| -> Result<Row, tokio_postgres::Error> {
        Ok((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
            row.try_get(4)?,
        ))
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

pub(super) async fn sqlx(pool: &PgPool, query: Query, tenant: Uuid, id: Uuid) -> Outcome<Vec<Row>> {
    Ok(match query {
        Query::Point => {
            sqlx::query_as(POINT_BY_HAND)
                .bind(tenant)
                .bind(id)
                .fetch_all(pool)
                .await?
        }
        Query::List => {
            sqlx::query_as(LIST_BY_HAND)
                .bind(tenant)
                .fetch_all(pool)
                .await?
        }
    })
}

/// What the others do, filtered by hand as well, for the planner: four round trips.
pub(super) async fn set_config(
    pool: &PgPool,
    query: Query,
    tenant: Uuid,
    id: Uuid,
) -> Outcome<Vec<Row>> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT set_config('peer.tenant', $1, true)")
        .bind(tenant.to_string())
        .execute(&mut *tx)
        .await?;
    let rows = match query {
        Query::Point => {
            sqlx::query_as(POINT_BY_HAND)
                .bind(tenant)
                .bind(id)
                .fetch_all(&mut *tx)
                .await?
        }
        Query::List => {
            sqlx::query_as(LIST_BY_HAND)
                .bind(tenant)
                .fetch_all(&mut *tx)
                .await?
        }
    };
    tx.commit().await?;
    Ok(rows)
}
