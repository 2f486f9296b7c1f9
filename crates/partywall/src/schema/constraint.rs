use super::{Schema, sql::object_name, table::TableName};

impl Schema {
    /// The columns of a unique or foreign key, by its name and without those of the owners: what a
    /// person chose of it. None for a key that no model declares.
    pub(crate) fn key_columns(
        &self,
        schema: Option<&str>,
        table: &str,
        constraint: &str,
    ) -> Option<Vec<String>> {
        let name = TableName::new(schema, table);
        let table = self.tables.iter().find(|table| table.name == name)?;
        let owners: Vec<&str> = table.owner_columns().map(|(_, column)| column).collect();
        let chosen = |columns: &[String]| -> Vec<String> {
            let own = columns
                .iter()
                .filter(|column| !owners.contains(&column.as_str()));
            own.cloned().collect()
        };
        if object_name(&[&table.name.table, "pkey"]) == constraint {
            return Some(chosen(&table.primary_key));
        }
        for unique in &table.uniques {
            if table.object_name(&table.led(unique), "key") == constraint {
                return Some(chosen(unique));
            }
        }
        let reference = table
            .references
            .iter()
            .find(|key| table.object_name(&key.columns, "fkey") == constraint)?;
        Some(chosen(&reference.columns))
    }
}

#[cfg(test)]
mod tests {
    use crate::identity::Identity;
    use crate::schema::{Roles, Schema, Seal};

    #[test]
    fn the_tenant_is_no_part_of_what_was_chosen() {
        let schema = Identity::tables(Schema::builder(Roles::named("people"), Seal::Off))
            .build()
            .unwrap();
        let columns =
            |table: &str, constraint: &str| schema.key_columns(Some("identity"), table, constraint);
        let account = columns("account", "account_tenant_id_user_id_key");
        assert_eq!(
            account,
            Some(vec!["user_id".to_owned()]),
            "{:?}",
            schema.sql()
        );
        let reference = columns("api_key", "api_key_tenant_id_account_id_fkey");
        assert_eq!(reference, Some(vec!["account_id".to_owned()]));
        assert_eq!(
            columns("account", "account_pkey"),
            Some(vec!["id".to_owned()])
        );
        assert_eq!(columns("account", "another"), None);
        assert_eq!(schema.key_columns(None, "account", "account_pkey"), None);
    }
}
