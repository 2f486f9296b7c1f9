//! The statements.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::world::{NOTES_PER_TENANT, TENANTS, note, tenant};

/// Which read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// One row by its id.
    Point,
    /// The tenant's first fifty rows in the order of their ids.
    List,
}

pub(crate) const PAGE: u64 = 50;

/// Filtered by hand, for those without a wall. `$1` is the tenant.
pub(crate) const POINT_BY_HAND: &str =
    "SELECT id, tenant_id, title, body, created_at FROM note WHERE tenant_id = $1 AND id = $2";
pub(crate) const LIST_BY_HAND: &str = "SELECT id, tenant_id, title, body, created_at FROM note WHERE tenant_id = $1 ORDER BY id LIMIT 50";

/// Not filtered at all.
pub(crate) const POINT: &str =
    "SELECT id, tenant_id, title, body, created_at FROM note WHERE id = $1";
pub(crate) const LIST: &str =
    "SELECT id, tenant_id, title, body, created_at FROM note ORDER BY id LIMIT 50";

/// A row of each answer, in the order of its columns.
pub(crate) type Row = (Uuid, Uuid, String, String, DateTime<Utc>);

pub(crate) fn all() -> [Query; 2] {
    [Query::Point, Query::List]
}

/// A tenant and one of its notes, by chance.
pub(crate) fn draw() -> (Uuid, Uuid) {
    let owner = fastrand::u64(..TENANTS);
    (
        tenant(owner),
        note(owner, fastrand::u64(..NOTES_PER_TENANT)),
    )
}

impl Query {
    /// How many rows the answer has.
    pub(crate) fn rows(self) -> u64 {
        match self {
            Self::Point => 1,
            Self::List => PAGE,
        }
    }
}
