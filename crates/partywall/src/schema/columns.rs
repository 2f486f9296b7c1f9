//! A table's columns: their making, the owners' defaults, and the copies that are filled in.

use super::{
    object::Object,
    sql::{ident, idents, object_name, short_hash},
    table::{By, Dimensioned, Table},
};

impl Table {
    /// Creates the types and the table, without keys but the primary one.
    pub(super) fn create_sql(&self) -> String {
        let mut lines: Vec<String> = self
            .columns
            .iter()
            .map(|(name, rest)| format!("  {} {rest}", ident(name)))
            .collect();
        for (owned, column) in self.copies() {
            lines.push(format!("  {} {} NOT NULL", ident(column), owned.sql_type));
        }
        lines.push(format!(
            "  CONSTRAINT {} PRIMARY KEY ({})",
            ident(&object_name(&[&self.name.table, "pkey"])),
            idents(&self.led(&self.primary_key))
        ));
        format!(
            "CREATE TABLE {} (\n{}\n);\n",
            self.name.sql(),
            lines.join(",\n")
        )
    }

    /// Columns that copy a parent's owner.
    pub(super) fn copies(&self) -> impl Iterator<Item = (&Dimensioned, &str)> {
        self.owned.iter().filter_map(|owned| match &owned.by {
            By::Copy { column, .. } => Some((owned, column.as_str())),
            By::Column(_) | By::Exists(_) => None,
        })
    }

    /// Fills a copied column from the parent, for a table that had rows before it had the column.
    pub(super) fn fill_sql(&self) -> String {
        let mut sql = String::new();
        for owned in &self.owned {
            let By::Copy { column, from } = &owned.by else {
                continue;
            };
            let Some(source) = &from.column else { continue };
            sql.push_str(&format!(
                "ALTER TABLE {child} NO FORCE ROW LEVEL SECURITY;\n\
                 ALTER TABLE {parent} NO FORCE ROW LEVEL SECURITY;\n\
                 UPDATE {child} AS child SET {column} = parent.{source} FROM {parent} AS parent \
                 WHERE {on} AND child.{column} IS NULL;\n\
                 ALTER TABLE {parent} FORCE ROW LEVEL SECURITY;\n",
                child = self.name.sql(),
                parent = from.table.sql(),
                column = ident(column),
                source = ident(source),
                on = from.join("child", "parent"),
            ));
        }
        sql
    }

    /// The owner's columns: never NULL, and the scope's value where a statement gives none.
    pub(super) fn columns_sql(&self) -> String {
        self.owner_columns()
            .map(|(owned, column)| {
                let (table, column) = (self.name.sql(), ident(column));
                format!(
                    "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, \
                     ALTER COLUMN {column} SET DEFAULT partywall.{}();\n",
                    owned.dimension
                )
            })
            .collect()
    }

    /// The trigger that fills a copied column where the scope does not: in a list scope, and on the
    /// way across.
    pub(super) fn triggers(&self) -> Vec<Object> {
        let table = self.name.sql();
        self.owned
            .iter()
            .filter_map(|owned| {
                let By::Copy { column, from } = &owned.by else { return None };
                let source = from.column.as_ref()?;
                let full = format!("{}.{}", self.name.schema, self.name.table);
                let function = format!("fill_{}_{}", owned.dimension, short_hash(&full));
                let name = object_name(&["partywall_fill", owned.dimension]);
                let on = from
                    .on
                    .iter()
                    .map(|(own, theirs)| {
                        format!("p.{} OPERATOR(pg_catalog.=) NEW.{}", ident(theirs), ident(own))
                    })
                    .collect::<Vec<_>>()
                    .join(" AND ");
                Some(Object {
                    create: format!(
                        "CREATE OR REPLACE FUNCTION partywall.{function}() RETURNS trigger\n\
                         LANGUAGE plpgsql AS $partywall$\nBEGIN\n  \
                         -- Two tenants may use one id; then nobody guesses which of them is meant.\n  \
                         SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 \
                         THEN (pg_catalog.array_agg(p.{source}))[1] END\n  INTO NEW.{column} \
                         FROM {parent} p WHERE {on};\n  RETURN NEW;\nEND\n$partywall$;\n\
                         REVOKE ALL ON FUNCTION partywall.{function}() FROM PUBLIC;\n\
                         CREATE TRIGGER {trigger} BEFORE INSERT ON {table} FOR EACH ROW \
                         WHEN (NEW.{column} IS NULL) EXECUTE FUNCTION partywall.{function}();\n",
                        source = ident(source),
                        column = ident(column),
                        parent = from.table.sql(),
                        trigger = ident(&name),
                    ),
                    drop: format!("DROP TRIGGER {} ON {table};\n", ident(&name)),
                    name,
                })
            })
            .collect()
    }
}
