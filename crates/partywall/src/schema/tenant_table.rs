//! All tables that hold rows of tenants, for work on everything that one tenant has.

use super::{
    Schema,
    declared::Audience,
    sql::ident,
    table::{By, Table, TableName},
};

/// A table that holds rows of tenants.
#[derive(Clone, Debug)]
pub(crate) struct TenantTable {
    pub(crate) name: TableName,
    /// The column that says the tenant. Without one, the row of a parent says it.
    pub(crate) column: Option<String>,
    /// Whether the row `t` is of the tenant `$1`, as SQL.
    pub(crate) is_owned: String,
    /// The columns that no two rows of a tenant have in common.
    pub(crate) key: Vec<String>,
    /// Whether it is one of the application's, and not of the `identity` room.
    pub(crate) is_application: bool,
}

/// Tables whose rows can be written and removed one table after the other, or, where they refer to
/// one another in a circle, only all at once.
#[derive(Clone, Debug)]
pub(crate) struct TenantTables {
    pub(crate) tables: Vec<TenantTable>,
    /// Whether rows refer to rows of the same table, or the tables to one another.
    pub(crate) is_circle: bool,
}

impl Schema {
    /// The tables, parents before children.
    pub(crate) fn tenant_tables(&self) -> Vec<TenantTables> {
        let owned: Vec<&Table> = self
            .tables
            .iter()
            .filter(|table| table.owned.iter().any(|owned| owned.dimension == "tenant"))
            .collect();
        let refers =
            |from: &Table, to: &Table| from.references.iter().any(|key| key.table == to.name);
        // Which table leads to which, over any number of keys.
        let mut leads: Vec<Vec<bool>> = owned
            .iter()
            .map(|from| owned.iter().map(|to| refers(from, to)).collect())
            .collect();
        for over in 0..owned.len() {
            let further = leads.get(over).cloned().unwrap_or_default();
            for from in &mut leads {
                if from.get(over) == Some(&true) {
                    for (reached, more) in from.iter_mut().zip(&further) {
                        *reached |= *more;
                    }
                }
            }
        }
        let leads = |from: usize, to: usize| {
            leads.get(from).and_then(|reached| reached.get(to)) == Some(&true)
        };
        let mut waiting: Vec<usize> = (0..owned.len()).collect();
        let mut groups = Vec::new();
        while let Some(first) = waiting.iter().copied().find(|&one| {
            waiting
                .iter()
                .all(|&other| !leads(one, other) || leads(other, one))
        }) {
            let is_circle = leads(first, first);
            let (group, rest) = waiting
                .iter()
                .partition(|&&one| one == first || (leads(first, one) && leads(one, first)));
            waiting = rest;
            let group: Vec<usize> = group;
            groups.push(TenantTables {
                tables: group
                    .into_iter()
                    .filter_map(|one| self.tenant_table(owned.get(one)?))
                    .collect(),
                is_circle,
            });
        }
        groups
    }

    fn tenant_table(&self, table: &Table) -> Option<TenantTable> {
        let by = &of_tenant(table)?.by;
        Some(TenantTable {
            name: table.name.clone(),
            column: by.column().map(str::to_owned),
            is_owned: self.is_owned(table, "t", 0)?,
            key: table.led(&table.primary_key),
            is_application: table.audience == Audience::Application,
        })
    }

    /// Whether a row is of the tenant `$1`, through as many parents as it takes.
    fn is_owned(&self, table: &Table, alias: &str, depth: usize) -> Option<String> {
        match &of_tenant(table)?.by {
            By::Column(column) | By::Copy { column, .. } => {
                Some(format!("{alias}.{} = $1", ident(column)))
            }
            By::Exists(parent) => {
                let above = self.tables.iter().find(|one| one.name == parent.table)?;
                let name = format!("p{depth}");
                Some(format!(
                    "EXISTS (SELECT FROM {} AS {name} WHERE {} AND {})",
                    parent.table.sql(),
                    parent.join(alias, &name),
                    self.is_owned(above, &name, depth + 1)?
                ))
            }
        }
    }
}

fn of_tenant(table: &Table) -> Option<&super::table::Dimensioned> {
    table.owned.iter().find(|owned| owned.dimension == "tenant")
}

#[cfg(test)]
mod tests {
    use crate::identity::Identity;
    use crate::schema::{Roles, Schema, Seal};

    #[test]
    fn parents_come_before_children() {
        let schema = Identity::tables(Schema::builder(Roles::named("people"), Seal::Off))
            .build()
            .unwrap();
        let groups = schema.tenant_tables();
        let names: Vec<&str> = groups
            .iter()
            .flat_map(|group| &group.tables)
            .map(|table| table.name.table.as_str())
            .collect();
        let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
        assert_eq!(at("tenant"), 0);
        for (parent, child) in [
            ("account", "account_role"),
            ("role", "account_role"),
            ("role", "role_inclusion"),
            ("account_group", "group_member"),
            ("account", "api_key"),
        ] {
            assert!(at(parent) < at(child), "{parent} {child}");
        }
        assert!(!names.contains(&"session") && !names.contains(&"user"));
        assert!(groups.iter().all(|group| !group.is_circle));
    }
}
