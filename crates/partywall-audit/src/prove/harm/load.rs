//! What the catalogue leaves out, since nothing else asks for it.

use std::collections::BTreeMap;

use tokio_postgres::Transaction;

use super::{super::tenants::ask, Harm};
use crate::{
    AuditError,
    catalogue::{Catalogue, Oid},
};

#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// The constraints of domains, by the types that have such a domain in them.
    pub(super) checks: BTreeMap<Oid, Vec<String>>,
    pub(super) defaults: BTreeMap<Oid, Vec<String>>,
    /// The functions of operators and casts.
    pub(super) unnamed: Vec<Oid>,
    /// Whether all could be read.
    pub(super) is_whole: bool,
    /// The functions of each aggregate.
    pub(super) aggregates: BTreeMap<Oid, Vec<Oid>>,
}

const TYPES: &str = "WITH RECURSIVE part (whole, oid) AS (
  SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.typnamespace <> 'pg_catalog'::regnamespace
  UNION
  SELECT p.whole, n.oid FROM part p JOIN pg_catalog.pg_type t ON t.oid = p.oid CROSS JOIN LATERAL (
    SELECT t.typbasetype WHERE t.typtype = 'd'
    UNION ALL SELECT t.typelem WHERE t.typelem <> 0
    UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
    UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
      WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) n (oid))
SELECT p.whole::text, x.kind, x.said FROM part p JOIN (
  SELECT contypid, 'check', pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint WHERE contypid <> 0
  UNION ALL SELECT oid, 'default', typdefault FROM pg_catalog.pg_type WHERE typtype = 'd' AND typdefault IS NOT NULL
) x (oid, kind, said) ON x.oid = p.oid";

const CALLED: &str = "SELECT 'unnamed', o.oprcode::oid::text, NULL FROM pg_catalog.pg_operator o
 WHERE o.oprnamespace <> 'pg_catalog'::regnamespace AND o.oprcode <> 0
UNION ALL SELECT 'unnamed', c.castfunc::text, NULL FROM pg_catalog.pg_cast c WHERE c.castfunc >= 16384
UNION ALL SELECT 'aggregate', a.aggfnoid::oid::text, f.oid::text FROM pg_catalog.pg_aggregate a
 CROSS JOIN LATERAL (VALUES (a.aggtransfn::oid), (a.aggfinalfn::oid), (a.aggcombinefn::oid), (a.aggmtransfn::oid),
   (a.aggminvtransfn::oid), (a.aggmfinalfn::oid)) f (oid) WHERE a.aggfnoid::oid >= 16384 AND f.oid <> 0";

/// Reads it, of a database that was read otherwise.
pub(in crate::prove) async fn load<'a>(
    tx: &Transaction<'_>,
    catalogue: &'a Catalogue,
    spends: bool,
) -> Result<Harm<'a>, AuditError> {
    let mut loaded = Loaded::default();
    let number = |text: &Option<String>| text.as_ref()?.parse::<Oid>().ok();
    let types = ask(tx, TYPES).await?;
    let called = ask(tx, CALLED).await?;
    loaded.is_whole = types.is_some() && called.is_some();
    for row in types.unwrap_or_default().rows {
        if let [oid, Some(kind), Some(said)] = row.as_slice()
            && let Some(oid) = number(oid)
        {
            let all = match kind.as_str() {
                "check" => &mut loaded.checks,
                _ => &mut loaded.defaults,
            };
            all.entry(oid).or_default().push(said.clone());
        }
    }
    for row in called.unwrap_or_default().rows {
        if let [Some(kind), oid, called] = row.as_slice()
            && let Some(oid) = number(oid)
        {
            if kind == "unnamed" {
                loaded.unnamed.push(oid);
            } else {
                let all = loaded.aggregates.entry(oid).or_default();
                all.extend(number(called));
            }
        }
    }
    Ok(Harm::new(catalogue, spends, loaded))
}
