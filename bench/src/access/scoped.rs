//! Partywall's ways.

use std::hint::black_box;

use chrono::{DateTime, Utc};
use partywall::{Db, Scope, Sql, TENANT, Within};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    query::{LIST, PAGE, POINT, Query},
    way::Read,
};
use crate::{model::note, outcome::Outcome};

/// A note, of raw SQL. Its fields are written, and never read.
#[derive(Debug, FromQueryResult)]
#[expect(dead_code, reason = "that they are decoded is what counts")]
struct Note {
    id: Uuid,
    tenant_id: Uuid,
    title: String,
    body: String,
    created_at: DateTime<Utc>,
}

/// Runs the read and tells how many rows came.
pub(super) async fn read(
    db: &Db,
    read: Read,
    query: Query,
    tenant: Uuid,
    id: Uuid,
) -> Outcome<usize> {
    // Nothing here filters by tenant: the wall does.
    let scope = Scope::trusted([TENANT.is(tenant)]);
    let scoped = db.scoped(&scope);
    let parameter = || (query == Query::Point).then(|| id.into());
    let sql = match query {
        Query::Point => POINT,
        Query::List => LIST,
    };
    Ok(match read {
        Read::Rows => black_box(scoped.rows(sql, parameter()).await?).len(),
        Read::Structs => black_box(scoped.all::<Note, _>(sql, parameter()).await?).len(),
        Read::Entity { within } => {
            let select = match query {
                Query::Point => note::Entity::find().filter(note::Column::Id.eq(id)),
                Query::List => note::Entity::find()
                    .order_by_asc(note::Column::Id)
                    .limit(PAGE),
            };
            let select = if within {
                select.within(&scope)
            } else {
                select
            };
            black_box(select.all(&scoped).await?).len()
        }
    })
}
