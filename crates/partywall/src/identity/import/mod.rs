//! Reading a tenant's file back, as a new tenant.

mod error;
mod file;
mod link;

pub use error::{ImportError, ImportErrorKind};

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_core::Stream;
use sea_orm::TransactionTrait as _;
use uuid::Uuid;

use self::file::{Line, Lines, header_read};
use super::{
    Error, Event, Identity,
    export::{Portable, PortableGroup, fingerprint, is_json, portable},
    purge::label,
    slug::Slug,
    tenant::{name_of, slug_taken},
};
use crate::{
    db::{self, Sql as _, Tx},
    schema::{ident, literal},
};

/// As what a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// What people say for it.
    pub name: String,
    /// What addresses say for it.
    pub slug: String,
    /// The address of a person who shall own it, beside whom the file names: without one, a tenant
    /// whose owners are unknown here belongs to nobody.
    pub owner: Option<String>,
}

/// What came of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The new tenant.
    pub tenant: Uuid,
    /// How many rows each table got.
    pub rows: BTreeMap<String, u64>,
    /// The accounts whose address somebody here has.
    pub linked: Vec<Uuid>,
    /// The addresses of the other accounts: their people can be invited.
    pub unlinked: Vec<String>,
    /// Whether somebody who can sign in owns the tenant.
    pub has_owner: bool,
}

/// Rows, and bytes, that one statement writes.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 << 20;

impl Identity {
    /// Reads a file that [`tenant_export`](super::RequestAccount::tenant_export) wrote, as a new tenant:
    /// all of it or nothing. For the service itself: whoever may call this gives accounts to people.
    ///
    /// Rows keep their ids, which are unique within a tenant. An account is given to whoever has its
    /// address here; nobody else can use it until they are invited. Tables whose keys PostgreSQL
    /// counts up, and which are read into another database, may number new rows like old ones until
    /// the count has passed them.
    ///
    /// # Errors
    ///
    /// [`ImportError`], with the number of the line.
    pub async fn tenant_import<S, E>(
        &self,
        file: S,
        new: NewTenant,
    ) -> Result<Imported, ImportError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let name = name_of("name", &new.name)?;
        let slug = Slug::parse(&new.slug)?;
        let mut lines = Lines::of(Box::pin(file));
        let header = header_read(&mut lines).await?;
        let db = self.db().across("a tenant is read from a file").await?;
        let tx = db.begin().await.map_err(Error::from)?;
        let groups = portable(&tx, self.db().schema().tenant_tables()).await?;
        if header.schema != fingerprint(&groups) {
            return Err(ImportError::Schema);
        }
        let tenant = Uuid::now_v7();
        tx.execute_sql(
            "INSERT INTO identity.tenant (id, slug, name, seats, created_at) \
             VALUES ($1, $2, $3, $4, now())",
            [
                tenant.into(),
                slug.as_str().into(),
                name.into(),
                header.tenant.seats.into(),
            ],
        )
        .await
        .map_err(slug_taken)?;
        let mut writer = Writer {
            tx: &tx,
            tenant,
            groups: &groups,
            waiting: BTreeMap::new(),
            bytes: 0,
            rows: BTreeMap::new(),
        };
        let counted = writer.read(&mut lines).await?;
        writer.check(&counted)?;
        let rows = std::mem::take(&mut writer.rows);
        link::require_roles(&tx, tenant).await?;
        let (linked, unlinked) = link::accounts_link(&tx, tenant).await?;
        if let Some(owner) = &new.owner {
            link::owner_add(&tx, tenant, owner).await?;
        }
        link::import_note(&tx, tenant, &header.tenant.id).await?;
        let has_owner = link::has_owner(&tx, tenant).await?;
        tx.commit().await.map_err(Error::from)?;
        self.emit(Event::TenantCreated { tenant });
        Ok(Imported {
            tenant,
            rows,
            linked,
            unlinked,
            has_owner,
        })
    }
}

/// Lines that wait to be written: which, and their text.
type Waiting = Vec<(u64, String)>;

struct Writer<'a> {
    tx: &'a Tx,
    tenant: Uuid,
    groups: &'a [PortableGroup],
    /// By table. There are several only where these refer to one another.
    waiting: BTreeMap<String, Waiting>,
    bytes: usize,
    rows: BTreeMap<String, u64>,
}

fn find<'a>(groups: &'a [PortableGroup], table: &str) -> Option<(&'a PortableGroup, &'a Portable)> {
    groups.iter().find_map(|group| {
        let tables = &group.tables;
        let found = tables.iter().find(|one| label(&one.table) == table)?;
        Some((group, found))
    })
}

impl Writer<'_> {
    /// Reads up to the last line. Tells what that counts.
    async fn read<S, E>(
        &mut self,
        lines: &mut Lines<S>,
    ) -> Result<BTreeMap<String, u64>, ImportError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut group: Option<&PortableGroup> = None;
        while let Some((number, text)) = lines.next().await? {
            match file::line(number, &text)? {
                Line::End(counts) => {
                    self.flush(group).await?;
                    return match lines.next().await? {
                        None => Ok(counts),
                        Some((number, _)) => Err(ImportError::Behind(number)),
                    };
                }
                Line::Row { table, columns } => {
                    let (of, portable) =
                        find(self.groups, &table).ok_or(ImportError::UnknownTable(number))?;
                    let mut known: Vec<&String> = portable.columns.iter().collect();
                    known.sort();
                    if !columns.iter().eq(known) {
                        return Err(ImportError::Columns(number));
                    }
                    let is_same = self.waiting.is_empty()
                        || (group.is_some_and(|group| group.is_circle && std::ptr::eq(group, of)))
                        || self.waiting.contains_key(&table);
                    let is_full = !of.is_circle
                        && (self.bytes > BATCH_BYTES
                            || self.waiting.values().map(Vec::len).sum::<usize>() >= BATCH);
                    if !is_same || is_full {
                        self.flush(group).await?;
                    }
                    group = Some(of);
                    self.bytes += text.len();
                    *self.rows.entry(table.clone()).or_default() += 1;
                    self.waiting.entry(table).or_default().push((number, text));
                }
            }
        }
        Err(ImportError::Cut)
    }

    /// Every table of this schema is counted, and as many rows of it came.
    fn check(&self, counted: &BTreeMap<String, u64>) -> Result<(), ImportError> {
        let tables = self.groups.iter().flat_map(|group| &group.tables);
        for table in tables.map(|portable| label(&portable.table)) {
            let came = self.rows.get(&table).copied().unwrap_or_default();
            if counted.get(&table) != Some(&came) {
                return Err(ImportError::Count { table });
            }
        }
        Ok(())
    }

    /// Writes what waits.
    async fn flush(&mut self, group: Option<&PortableGroup>) -> Result<(), ImportError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let Some(group) = group.filter(|_| !waiting.is_empty()) else {
            return Ok(());
        };
        let Err(error) = self.write(group, &waiting).await? else {
            return Ok(());
        };
        // One of these lines is at fault: which one shows when they come one by one.
        for (table, lines) in &waiting {
            for line in lines {
                let alone = BTreeMap::from([(table.clone(), vec![line.clone()])]);
                if let Err(source) = self.write(group, &alone).await? {
                    // Alone, a row of a circle lacks what came with it.
                    let lacks = |error: &db::Error| error.kind() == db::ErrorKind::ForeignKey;
                    if !(group.is_circle && source.as_ref().is_some_and(lacks)) {
                        return Err(ImportError::refused(line.0, source));
                    }
                }
            }
        }
        let first = waiting.values().flatten().map(|(number, _)| *number).min();
        Err(ImportError::refused(first.unwrap_or_default(), error))
    }

    /// Writes lines inside of a savepoint, so that an error leaves the transaction usable.
    async fn write(
        &self,
        group: &PortableGroup,
        waiting: &BTreeMap<String, Waiting>,
    ) -> Result<Result<(), Option<db::Error>>, ImportError> {
        let mut parts = Vec::new();
        let mut counts = Vec::new();
        let mut parameters = vec![self.tenant.into()];
        for portable in &group.tables {
            let Some(lines) = waiting.get(&label(&portable.table)) else {
                continue;
            };
            let texts: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
            parameters.push(format!("[{}]", texts.join(",")).into());
            let n = parameters.len();
            parts.push(format!("w{n} AS ({} RETURNING 1)", portable.insert_sql(n)));
            counts.push(format!("(SELECT count(*) FROM w{n}) = {}", lines.len()));
        }
        let sql = format!("WITH {} SELECT {}", parts.join(", "), counts.join(" AND "));
        let nested = self.tx.nested().map_err(Error::from)?;
        match nested.scalar::<bool, _>(&sql, parameters).await {
            Ok(true) => {
                nested.commit().await.map_err(Error::from)?;
                Ok(Ok(()))
            }
            Ok(false) => {
                nested.rollback().await.map_err(Error::from)?;
                Ok(Err(None))
            }
            Err(error) => {
                nested.rollback().await.map_err(Error::from)?;
                if matches!(
                    error.kind(),
                    db::ErrorKind::Unavailable | db::ErrorKind::Timeout
                ) {
                    return Err(error.into());
                }
                Ok(Err(Some(error)))
            }
        }
    }
}

impl Portable {
    /// Writes the lines in the parameter `n` as rows of the tenant `$1`. A row that hangs on its parent
    /// is left out where that is another tenant's, as the policy would: it was counted.
    fn insert_sql(&self, n: usize) -> String {
        let name = self.table.name.sql();
        let mut into: Vec<String> = self.columns.iter().map(|name| ident(name)).collect();
        let mut values: Vec<String> = self
            .columns
            .iter()
            .zip(&self.types)
            .map(|(column, of)| {
                if is_json(of) {
                    format!("(e.line -> 'row' ->> {})::{of}", literal(column))
                } else {
                    format!("t.{}", ident(column))
                }
            })
            .collect();
        let mut only = String::new();
        match &self.table.column {
            Some(column) => {
                into.push(ident(column));
                values.push("$1::uuid".to_owned());
            }
            None => only = format!(" WHERE {}", self.table.is_owned),
        }
        format!(
            "INSERT INTO {name} ({}) OVERRIDING SYSTEM VALUE SELECT {} \
             FROM json_array_elements(${n}::text::json) AS e (line), \
             LATERAL json_populate_record(NULL::{name}, e.line -> 'row') AS t{only}",
            into.join(", "),
            values.join(", "),
        )
    }
}
