use std::{collections::VecDeque, fmt::Write as _};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use sea_orm::{AccessMode, FromQueryResult, IsolationLevel, TransactionTrait as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{AuditEntry, Error, Identity, RequestAccount, TenantInfo, purge::label};
use crate::{
    db::{Run, Sql as _, Tx},
    schema::{TenantTable, TenantTables, ident},
};

/// The name of the format, in the first line of each file.
pub(super) const FORMAT: &str = "partywall-tenant";

/// Its version.
pub(super) const VERSION: u64 = 1;

/// The tables of this room that are a tenant's own to take along. The others hold secrets, or are
/// the service's business: invitations, keys, visits of the staff. So are hosts: a copy that came with
/// one would compete for it with the original, and its proof was made for that one. The tenant's row is in the header.
const TAKEN_ALONG: [&str; 9] = [
    "account",
    "account_grant",
    "account_group",
    "account_role",
    "audit",
    "group_member",
    "group_role",
    "role",
    "role_inclusion",
];

/// Rows that are read at once.
const BATCH: u32 = 500;

/// A table in a file, and the columns that travel.
#[derive(Clone, Debug)]
pub(super) struct Portable {
    pub(super) table: TenantTable,
    /// Without those that PostgreSQL computes, the one that says the tenant, and whatever names a
    /// person of this service.
    pub(super) columns: Vec<String>,
    /// The types of these.
    pub(super) types: Vec<String>,
}

/// Tables that are written one after the other, or all at once where rows refer to one another.
#[derive(Clone, Debug)]
pub(super) struct PortableGroup {
    pub(super) tables: Vec<Portable>,
    pub(super) is_circle: bool,
}

/// What is taken along, parents before children.
pub(super) async fn portable(
    db: &(impl Run + ?Sized),
    groups: Vec<TenantTables>,
) -> Result<Vec<PortableGroup>, Error> {
    let mut all = Vec::new();
    for group in groups {
        let mut tables = Vec::new();
        for table in group.tables {
            let is_own = table.name.schema == "identity";
            if !table.is_application && !TAKEN_ALONG.contains(&table.name.table.as_str()) {
                continue;
            }
            let rows = db
                .rows(
                    "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute \
                     WHERE attrelid = $1::text::regclass AND attnum > 0 \
                     AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                    [table.name.sql().into()],
                )
                .await?;
            let (mut columns, mut types) = (Vec::new(), Vec::new());
            for row in rows {
                let column: String = row.try_get_by_index(0).map_err(crate::db::Error::Row)?;
                let is_person = is_own && !table.is_application && column == "user_id";
                if Some(&column) != table.column.as_ref() && !is_person {
                    columns.push(column);
                    types.push(row.try_get_by_index(1).map_err(crate::db::Error::Row)?);
                }
            }
            tables.push(Portable {
                table,
                columns,
                types,
            });
        }
        if !tables.is_empty() {
            all.push(PortableGroup {
                tables,
                is_circle: group.is_circle,
            });
        }
    }
    Ok(all)
}

/// Says which tables with which columns there are: a file is read by who has the same.
pub(super) fn fingerprint(groups: &[PortableGroup]) -> String {
    let mut text = String::new();
    let mut tables: Vec<&Portable> = groups.iter().flat_map(|group| &group.tables).collect();
    tables.sort_by_key(|portable| label(&portable.table));
    for portable in tables {
        let mut columns: Vec<_> = portable.columns.iter().zip(&portable.types).collect();
        columns.sort();
        let _ = writeln!(text, "{} {columns:?}", label(&portable.table));
    }
    Sha256::digest(text)
        .iter()
        .take(8)
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

impl RequestAccount {
    /// The tenant's whole data as a file: the application's rows and the tenant's accounts, roles,
    /// groups and audit log. [`tenant_import`](super::Identity::tenant_import) reads it.
    ///
    /// Lines of JSON. The first says what this is:
    /// `{"format":"partywall-tenant","version":1,"tenant":{…},"schema":"…","tables":[…]}`. Then comes
    /// one for each row, `{"table":"public.note","row":{…}}`, in an order in which they can be written.
    /// The last, `{"rows":{"public.note":12,…}}`, counts them, so that a file that was cut is seen to
    /// be: one ends early where the [right to it](Self::while_permitted) does. All rows are of one
    /// moment: one transaction reads them.
    ///
    /// No secret is in it: no session, no token, no key, no invitation, and no id of a person. Hosts of
    /// the tenant's own are not either: claim and verify them where the file is read.
    ///
    /// The rows are read by [`Db::across`](crate::Db::across), since a table may have owners beside the
    /// tenant that no scope of this tenant names; each statement asks for this tenant's rows alone.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `tenant.export`, and what the database reports, before the first
    /// line or in place of one.
    pub async fn tenant_export(
        &self,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        self.require("tenant.export")?;
        let tx = self.manage([]).await?;
        let tenant = self.tenant().id;
        let entry = AuditEntry::new("tenant.exported").on(tenant);
        self.audit(&tx.committing(), entry).await?;
        let file = self.identity().export(Which::Of(self.tenant())).await?;
        Ok(self.while_permitted("tenant.export", file))
    }
}

/// Which tenant is exported.
enum Which<'a> {
    Of(&'a TenantInfo),
    Named(&'a str),
}

#[derive(FromQueryResult)]
struct Found {
    id: Uuid,
    slug: String,
    name: String,
    seats: Option<i32>,
}

impl Identity {
    /// A tenant's whole data as a file, as [`RequestAccount::tenant_export`] writes it. For the service
    /// itself: no account is asked, and no log says so but that of the way across.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where no tenant has the slug, and what the database reports, before the
    /// first line or in place of one.
    pub async fn tenant_export(
        &self,
        slug: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        self.export(Which::Named(slug)).await
    }

    async fn export(
        &self,
        which: Which<'_>,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let db = self.db().across("a tenant's data is taken along").await?;
        let level = Some(IsolationLevel::RepeatableRead);
        let tx = db
            .begin_with_config(level, Some(AccessMode::ReadOnly))
            .await?;
        let (id, slug) = match which {
            Which::Of(tenant) => (Some(tenant.id), None),
            Which::Named(slug) => (None, Some(slug.to_owned())),
        };
        let found: Option<Found> = tx
            .optional(
                "SELECT id, slug, name, seats FROM identity.tenant WHERE id = $1 OR slug = $2",
                [id.into(), slug.into()],
            )
            .await?;
        let found = found.ok_or(Error::NotFound)?;
        let groups = portable(&tx, self.db().schema().tenant_tables()).await?;
        let header = header(&found, &groups);
        let tenant = found.id;
        let tables = groups.into_iter().flat_map(|group| group.tables).collect();
        let export = Export {
            tx,
            tenant,
            tables,
            open: None,
            counts: serde_json::Map::new(),
            header: Some(header),
            is_at_end: false,
        };
        Ok(stream::try_unfold(export, |mut export| async move {
            let chunk = export.next().await?;
            Ok(chunk.map(|chunk| (chunk, export)))
        }))
    }
}

fn header(tenant: &Found, groups: &[PortableGroup]) -> String {
    let tables: Vec<String> = groups
        .iter()
        .flat_map(|group| &group.tables)
        .map(|portable| label(&portable.table))
        .collect();
    let header = json!({
        "format": FORMAT,
        "version": VERSION,
        "tenant": {"id": tenant.id, "slug": tenant.slug, "name": tenant.name, "seats": tenant.seats},
        "schema": fingerprint(groups),
        "tables": tables,
    });
    format!("{header}\n")
}

/// A file that is being written.
struct Export {
    tx: Tx,
    tenant: Uuid,
    tables: VecDeque<Portable>,
    /// The table that a cursor is open on, and the rows that came so far.
    open: Option<(String, u64)>,
    counts: serde_json::Map<String, serde_json::Value>,
    header: Option<String>,
    is_at_end: bool,
}

impl Export {
    /// The next lines, as many as are at hand.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(header) = self.header.take() {
            return Ok(Some(header.into()));
        }
        loop {
            if let Some((table, rows)) = self.open.take() {
                let sql = format!("FETCH {BATCH} FROM partywall_export");
                let batch = self.tx.rows(&sql, []).await?;
                if batch.is_empty() {
                    self.tx.execute_sql("CLOSE partywall_export", []).await?;
                    self.counts.insert(table, rows.into());
                    continue;
                }
                let mut lines = String::new();
                let name = serde_json::Value::from(table.as_str());
                for row in &batch {
                    let row: String = row.try_get_by_index(0).map_err(crate::db::Error::Row)?;
                    // In an array of JSON a line break can stand between the tokens.
                    let row = row.replace(['\n', '\r'], " ");
                    let _ = writeln!(lines, "{{\"table\":{name},\"row\":{row}}}");
                }
                let rows = rows + u64::try_from(batch.len()).unwrap_or_default();
                self.open = Some((table, rows));
                return Ok(Some(lines.into()));
            }
            if let Some(portable) = self.tables.pop_front() {
                // A cursor, so that no statement lasts as long as whoever reads the file.
                self.tx
                    .execute_sql(&portable.cursor_sql(), [self.tenant.into()])
                    .await?;
                self.open = Some((label(&portable.table), 0));
                continue;
            }
            if std::mem::replace(&mut self.is_at_end, true) {
                return Ok(None);
            }
            let counts = std::mem::take(&mut self.counts);
            return Ok(Some(format!("{}\n", json!({"rows": counts})).into()));
        }
    }
}

impl Portable {
    fn cursor_sql(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .zip(&self.types)
            .map(|(column, of)| {
                let column = ident(column);
                if is_json(of) {
                    format!("t.{column}::text AS {column}")
                } else {
                    format!("t.{column}")
                }
            })
            .collect();
        let key: Vec<String> = self.table.key.iter().map(|name| ident(name)).collect();
        format!(
            "DECLARE partywall_export NO SCROLL CURSOR FOR SELECT row_to_json(r)::text AS line \
             FROM (SELECT {} FROM {} AS t WHERE {} ORDER BY t.{}) AS r",
            columns.join(", "),
            self.table.name.sql(),
            self.table.is_owned,
            key.join(", t."),
        )
    }
}

/// JSON travels as text: within JSON its `null` would be no value, and its spaces would be lost.
pub(super) fn is_json(type_name: &str) -> bool {
    matches!(type_name, "json" | "jsonb")
}
