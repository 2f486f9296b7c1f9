//! What belongs to whom, for the command line and for the audit.

use partywall_audit::{Map, TableMap};

use super::{
    Schema,
    table::{By, Table},
};

/// The setting that the functions behind the policies read.
const CONTEXT: &str = "partywall.context";

impl Schema {
    /// The map of the tenants' tables, as `partywall plan` would write it for review: what `partywall check`
    /// and `partywall prove` read from `partywall.toml`.
    ///
    /// ```no_run
    /// # fn schema() -> partywall::Schema { unimplemented!() }
    /// std::fs::write("partywall.toml", schema().map().toml())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn map(&self) -> Map {
        let mut map = Map::default();
        map.version = 1;
        map.tenant.contexts = vec![CONTEXT.to_owned()];
        // The login for the way across has policies of its own: it is no tenant's.
        map.roles.app = [self.roles.app(), self.roles.list()]
            .into_iter()
            .chain(self.roles.identity())
            .map(str::to_owned)
            .collect();
        for table in &self.tables {
            let name = format!("{}.{}", table.name.schema, table.name.table);
            if let Some(key) = root_key(table) {
                map.tenant.table = Some(name.clone());
                map.tenant.key = Some(key.to_owned());
            }
            map.tables.insert(name, belongs(table));
        }
        for left in &self.unprotected {
            map.tables.insert(
                format!("{}.{}", left.schema, left.relation),
                TableMap::Global(left.reason.clone()),
            );
        }
        let root = map.tenant.table.as_ref();
        for (name, table) in &map.tables {
            if let (TableMap::Tenant(column), true) = (table, Some(name) != root) {
                map.tenant.columns.push(column.clone());
            }
        }
        map.tenant.columns.sort();
        map.tenant.columns.dedup();
        map
    }
}

/// The key of the tenants' own table: there the tenant's column is the whole primary key, and refers to no other table.
fn root_key(table: &Table) -> Option<&str> {
    let column = table.owner("tenant")?.by.column()?;
    let refers = table.references.iter().any(|key| key.columns == [column]);
    (table.primary_key == [column] && !refers).then_some(column)
}

fn belongs(table: &Table) -> TableMap {
    let Some(owned) = table.by_rank().next() else {
        return TableMap::Global("declared as nobody's".to_owned());
    };
    match &owned.by {
        By::Column(column) | By::Copy { column, .. } => TableMap::Tenant(column.clone()),
        By::Exists(parent) => TableMap::Through(
            parent
                .on
                .iter()
                .map(|(column, _)| column.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        ),
    }
}
