//! Keys and indexes, led by the owner.

use sea_orm::sea_query::ForeignKeyAction;

use super::{
    object::Object,
    sql::{ident, idents, object_name},
    table::{ForeignKey, Table},
};

impl Table {
    /// The primary key, tenant-leading.
    pub(super) fn primary_key(&self) -> Object {
        let name = object_name(&[&self.name.table, "pkey"]);
        Object {
            create: format!(
                "ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({});\n",
                self.name.sql(),
                ident(&name),
                idents(&self.led(&self.primary_key))
            ),
            drop: self.drop_key(&name),
            name,
        }
    }

    /// Drops a key, whether it is a constraint or, put in its place, an index. Foreign keys that
    /// point at it go as well; those that are declared are made anew.
    fn drop_key(&self, name: &str) -> String {
        format!(
            "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name} CASCADE;\n\
             DROP INDEX IF EXISTS {}.{name};\n",
            self.name.sql(),
            ident(&self.name.schema),
            name = ident(name),
        )
    }

    /// The columns of the primary key, tenant-leading, and a unique constraint on them: for a table
    /// that has another primary key already.
    pub(super) fn led_key(&self) -> (Vec<String>, Object) {
        let columns = self.led(&self.primary_key);
        let (table, name) = (self.name.sql(), self.object_name(&columns, "key"));
        let unique = Object {
            create: format!(
                "ALTER TABLE {table} ADD CONSTRAINT {} UNIQUE ({});\n",
                ident(&name),
                idents(&columns)
            ),
            drop: format!("ALTER TABLE {table} DROP CONSTRAINT {};\n", ident(&name)),
            name,
        };
        (columns, unique)
    }

    /// Unique constraints and indexes, tenant-leading.
    pub(super) fn keys(&self) -> Vec<Object> {
        let table = self.name.sql();
        let mut objects = Vec::new();
        let primary = self.led(&self.primary_key);
        let mut seen = vec![primary];
        let led = self.uniques.iter().map(|columns| self.led(columns));
        for columns in led.chain(self.targets.iter().cloned()) {
            if seen.contains(&columns) {
                continue;
            }
            let name = self.object_name(&columns, "key");
            objects.push(Object {
                create: format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {} UNIQUE ({});\n",
                    ident(&name),
                    idents(&columns)
                ),
                drop: self.drop_key(&name),
                name,
            });
            seen.push(columns);
        }
        let foreign = self.references.iter().map(|key| key.columns.clone());
        for columns in self
            .indexes
            .iter()
            .map(|columns| self.led(columns))
            .chain(foreign)
        {
            if seen.iter().any(|known| known.starts_with(&columns)) {
                continue;
            }
            let name = self.object_name(&columns, "idx");
            objects.push(Object {
                create: format!(
                    "CREATE INDEX {} ON {table} ({});\n",
                    ident(&name),
                    idents(&columns)
                ),
                drop: self.drop_key(&name),
                name,
            });
            seen.push(columns);
        }
        objects
    }

    /// Foreign keys, tenant-leading.
    pub(super) fn foreign_keys(&self) -> Vec<Object> {
        let table = self.name.sql();
        self.references
            .iter()
            .map(|key| {
                let name = self.object_name(&key.columns, "fkey");
                Object {
                    create: format!(
                        "ALTER TABLE {table} ADD CONSTRAINT {} {};\n",
                        ident(&name),
                        key.definition()
                    ),
                    drop: format!(
                        "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {};\n",
                        ident(&name)
                    ),
                    name,
                }
            })
            .collect()
    }

    pub(super) fn object_name(&self, columns: &[String], suffix: &str) -> String {
        let mut parts = vec![self.name.table.as_str()];
        parts.extend(columns.iter().map(String::as_str));
        parts.push(suffix);
        object_name(&parts)
    }
}

impl ForeignKey {
    fn definition(&self) -> String {
        let mut sql = format!(
            "FOREIGN KEY ({}) REFERENCES {} ({})",
            idents(&self.columns),
            self.table.sql(),
            idents(&self.to)
        );
        if let Some(action) = &self.reference.on_delete {
            sql.push_str(&format!(" ON DELETE {}", self.action(*action)));
        }
        match &self.reference.on_update {
            Some(action) => sql.push_str(&format!(" ON UPDATE {}", self.action(*action))),
            // The copy follows its parent.
            None if self.keeps_copy => sql.push_str(" ON UPDATE CASCADE"),
            None => {}
        }
        sql
    }

    /// An action that empties columns empties the model's own, never the tenant's: it names them,
    /// which needs PostgreSQL 15.
    fn action(&self, action: ForeignKeyAction) -> String {
        let own = |action: &str| {
            if self.columns == self.own_columns {
                action.to_owned()
            } else {
                format!("{action} ({})", idents(&self.own_columns))
            }
        };
        match action {
            ForeignKeyAction::Restrict => "RESTRICT".to_owned(),
            ForeignKeyAction::Cascade => "CASCADE".to_owned(),
            ForeignKeyAction::SetNull => own("SET NULL"),
            ForeignKeyAction::SetDefault => own("SET DEFAULT"),
            // The enum is open: what SeaQuery adds later does nothing rather than too much.
            ForeignKeyAction::NoAction | _ => "NO ACTION".to_owned(),
        }
    }
}
