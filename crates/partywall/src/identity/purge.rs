use uuid::Uuid;

use super::{Error, Event, Identity};
use crate::{
    db::{Across, Sql as _},
    schema::{TenantTable, TenantTables},
};

/// How far the removal of deleted tenants is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The tenant.
    pub tenant: Uuid,
    /// The table that is being emptied of its rows: `public.note`.
    pub table: String,
    /// How many of the tenant's rows were removed from it so far.
    pub rows: u64,
}

/// What came of removing deleted tenants.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Purged {
    /// The tenants that are gone.
    pub gone: Vec<Uuid>,
    /// Those that are still there in part, and why. The next time goes on where this one stopped.
    pub failed: Vec<(Uuid, Error)>,
}

/// Rows that one statement removes, at most: a long transaction keeps everybody's old row versions.
const BATCH: u32 = 1_000;

impl Identity {
    /// Removes all that deleted tenants have, the application's tables and the audit log included,
    /// once their time of grace is over. For the service itself, now and then.
    ///
    /// Each batch is a transaction of its own, and the tenant's own row goes last: whatever stops
    /// this, the next time goes on. A tenant that cannot be removed does not keep the others.
    ///
    /// # Errors
    ///
    /// What keeps the list of tenants from being read. What keeps one tenant from being removed is in
    /// [`Purged::failed`].
    pub async fn tenants_purge(&self, mut progress: impl FnMut(Progress)) -> Result<Purged, Error> {
        let db = self.db().across("deleted tenants are removed").await?;
        let due: Vec<Uuid> = db
            .scalar(
                "SELECT ARRAY(SELECT id FROM identity.tenant WHERE delete_after <= now() \
                 ORDER BY delete_after)",
                [],
            )
            .await?;
        let tables = self.db().schema().tenant_tables();
        let mut purged = Purged::default();
        for tenant in due {
            match tenant_purge(&db, &tables, tenant, &mut progress).await {
                Ok(()) => {
                    purged.gone.push(tenant);
                    self.emit(Event::TenantGone { tenant });
                }
                Err(error) => purged.failed.push((tenant, error)),
            }
        }
        Ok(purged)
    }
}

/// Removes one tenant's rows, children before parents.
pub(super) async fn tenant_purge(
    db: &Across,
    tables: &[TenantTables],
    tenant: Uuid,
    progress: &mut impl FnMut(Progress),
) -> Result<(), Error> {
    for group in tables.iter().rev() {
        match group.tables.as_slice() {
            [table] if !group.is_circle => {
                let mut rows = 0;
                loop {
                    let removed = db
                        .execute_sql(&batch_sql(table), [tenant.into(), i64::from(BATCH).into()])
                        .await?;
                    rows += removed;
                    if removed > 0 {
                        progress(Progress {
                            tenant,
                            table: label(table),
                            rows,
                        });
                    }
                    if removed < u64::from(BATCH) {
                        break;
                    }
                }
            }
            circle => {
                let removed: Vec<i64> = db.scalar(&circle_sql(circle), [tenant.into()]).await?;
                for (table, removed) in circle.iter().zip(removed) {
                    if let Ok(rows @ 1..) = u64::try_from(removed) {
                        progress(Progress {
                            tenant,
                            table: label(table),
                            rows,
                        });
                    }
                }
            }
        }
    }
    Ok(())
}

/// The second condition picks rows by where they lie, which for a partitioned table may be the place
/// of another row as well; the first says whose they are.
fn batch_sql(table: &TenantTable) -> String {
    let (name, is_owned) = (table.name.sql(), &table.is_owned);
    format!(
        "DELETE FROM {name} AS t WHERE {is_owned} AND t.ctid = ANY (ARRAY(\
           SELECT t.ctid FROM {name} AS t WHERE {is_owned} LIMIT $2))"
    )
}

/// Rows that refer to one another go in one statement: keys are checked at its end.
fn circle_sql(circle: &[TenantTable]) -> String {
    let mut parts = Vec::new();
    let mut counts = Vec::new();
    for (n, table) in circle.iter().enumerate() {
        parts.push(format!(
            "gone{n} AS (DELETE FROM {} AS t WHERE {} RETURNING 1)",
            table.name.sql(),
            table.is_owned
        ));
        counts.push(format!("(SELECT count(*) FROM gone{n})"));
    }
    format!(
        "WITH {} SELECT ARRAY[{}]",
        parts.join(", "),
        counts.join(", ")
    )
}

pub(super) fn label(table: &TenantTable) -> String {
    format!("{}.{}", table.name.schema, table.name.table)
}
