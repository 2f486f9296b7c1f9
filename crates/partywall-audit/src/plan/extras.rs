use std::collections::BTreeMap;

use tokio_postgres::Client;

use crate::{AuditError, catalogue::Oid};

/// What else a plan must know of the catalogues.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) keys: BTreeMap<Oid, Key>,
    /// How to write each type in a cast so that it never cuts a value off: without a length.
    pub(super) casts: BTreeMap<Oid, String>,
    /// How the definition of each unique index begins, up to its first column.
    pub(super) heads: BTreeMap<Oid, String>,
    /// Who asks.
    pub(super) user: String,
    pub(super) superuser: bool,
}

/// What else there is to a constraint.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Key {
    pub(super) deferrable: bool,
    pub(super) deferred: bool,
    /// MATCH FULL.
    pub(super) full: bool,
    /// Whether a view stands on it (GROUP BY a primary key).
    pub(super) pinned: bool,
}

impl Key {
    /// As `ADD CONSTRAINT` wants it at its end.
    pub(super) fn timing(self) -> &'static str {
        match (self.deferrable, self.deferred) {
            (true, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE",
            (false, _) => "",
        }
    }
}

impl Extras {
    pub(super) async fn load(client: &Client) -> Result<Self, AuditError> {
        let doing = || AuditError::doing("read the catalogues");
        let mut extras = Self::default();
        for row in client.query(KEYS, &[]).await.map_err(doing())? {
            let key = Key {
                deferrable: row.try_get(1).map_err(doing())?,
                deferred: row.try_get(2).map_err(doing())?,
                full: row.try_get(3).map_err(doing())?,
                pinned: row.try_get(4).map_err(doing())?,
            };
            extras.keys.insert(row.try_get(0).map_err(doing())?, key);
        }
        for row in client.query(CASTS, &[]).await.map_err(doing())? {
            let (oid, text) = (
                row.try_get(0).map_err(doing())?,
                row.try_get(1).map_err(doing())?,
            );
            extras.casts.insert(oid, text);
        }
        for row in client.query(HEADS, &[]).await.map_err(doing())? {
            let (oid, text) = (
                row.try_get(0).map_err(doing())?,
                row.try_get(1).map_err(doing())?,
            );
            extras.heads.insert(oid, text);
        }
        let who = "SELECT rolname::text, rolsuper FROM pg_roles WHERE rolname = current_user";
        if let Some(row) = client.query_opt(who, &[]).await.map_err(doing())? {
            extras.user = row.try_get(0).map_err(doing())?;
            extras.superuser = row.try_get(1).map_err(doing())?;
        }
        Ok(extras)
    }

    pub(super) fn key(&self, constraint: Oid) -> Key {
        self.keys.get(&constraint).copied().unwrap_or_default()
    }
}

const KEYS: &str = "\
SELECT k.oid, k.condeferrable, k.condeferred, k.confmatchtype = 'f',
       EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid
                  AND d.classid = 'pg_rewrite'::regclass)
  FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'f') AND k.conrelid <> 0";

const CASTS: &str = "\
SELECT DISTINCT t.oid, format_type(t.oid, -1)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const HEADS: &str = "\
SELECT c.oid, format('CREATE UNIQUE INDEX %I ON %s%I.%I USING %I (', c.relname,
                     CASE c.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END, n.nspname, t.relname, m.amname)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_am m ON m.oid = c.relam
 WHERE i.indisunique AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
