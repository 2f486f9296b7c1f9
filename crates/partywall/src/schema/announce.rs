//! Announcing what becomes of a table's rows: by whom they are owned and by which keys they are found,
//! and nothing else of them.

use super::{
    SchemaError,
    object::Object,
    sql::{ident, literal, object_name, short_hash},
    table::{By, Table},
};
use crate::scope::SqlType;

/// How many rows of one statement are told one by one. Their keys have to fit into a notification,
/// which PostgreSQL limits to 8,000 bytes.
const ROWS: usize = 100;

/// How many owners of one statement are told apart. The same number is in `sql/6_changes.sql`.
const OWNERS: usize = 100;

/// The operations with the transition tables that a trigger for each can have.
const TRIGGERS: [(&str, &str); 4] = [
    ("insert", " REFERENCING NEW TABLE AS new_rows"),
    (
        "update",
        " REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    ),
    ("delete", " REFERENCING OLD TABLE AS old_rows"),
    ("truncate", ""),
];

impl Table {
    /// Checks that an announcement can tell whom a row belongs to.
    ///
    /// # Errors
    ///
    /// [`SchemaError::NotTold`].
    pub(super) fn check_announced(&self) -> Result<(), SchemaError> {
        let untold = self.owned.iter().find(|owned| match owned.by {
            By::Exists(_) => true,
            By::Column(_) | By::Copy { .. } => false,
        });
        match untold {
            Some(owned) if self.announced => Err(SchemaError::NotTold {
                table: self.name.to_string(),
                dimension: owned.dimension.to_owned(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// The dimensions that an announcement tells the values of.
    pub(crate) fn told(&self) -> impl Iterator<Item = (&'static str, SqlType)> {
        self.owned
            .iter()
            .map(|owned| (owned.dimension, owned.sql_type))
    }

    /// Whether changes are announced.
    pub(crate) fn is_announced(&self) -> bool {
        self.announced
    }

    /// One trigger for each kind of statement; the first brings the function of all along.
    pub(super) fn announcers(&self) -> Vec<Object> {
        if !self.announced {
            return Vec::new();
        }
        let table = self.name.sql();
        let function = self.announcing_function();
        TRIGGERS
            .into_iter()
            .enumerate()
            .map(|(n, (operation, rows))| {
                let name = object_name(&["partywall_announce", operation]);
                let make = match n {
                    0 => self.announcing_function_sql(),
                    _ => String::new(),
                };
                Object {
                    create: format!(
                        "{make}CREATE TRIGGER {trigger} AFTER {event} ON {table}{rows} \
                         FOR EACH STATEMENT EXECUTE FUNCTION partywall.{function}();\n",
                        trigger = ident(&name),
                        event = operation.to_uppercase(),
                    ),
                    drop: format!("DROP TRIGGER {} ON {table};\n", ident(&name)),
                    name,
                }
            })
            .collect()
    }

    fn announcing_function(&self) -> String {
        let full = format!("{}.{}", self.name.schema, self.name.table);
        format!("announce_{}", short_hash(&full))
    }

    /// The trigger function. What it tells of a row is written into its text, so that nothing is planned
    /// anew for each statement. It runs as the owner, who alone may announce.
    fn announcing_function_sql(&self) -> String {
        let function = self.announcing_function();
        let relation = literal(&self.name.sql());
        let owners: Vec<(&str, &str)> = self
            .owner_columns()
            .map(|(owned, column)| (owned.dimension, column))
            .collect();
        let owner = owners
            .iter()
            .map(|(dimension, column)| format!("{}, r.{}::text", literal(dimension), ident(column)))
            .collect::<Vec<_>>()
            .join(", ");
        let key = self
            .primary_key
            .iter()
            .filter(|key| owners.iter().all(|(_, column)| column != key))
            .map(|key| format!("r.{}::text", ident(key)))
            .collect::<Vec<_>>()
            .join(", ");
        let row = format!("jsonb_build_object({owner}) AS owner, jsonb_build_array({key}) AS key");
        let columns = owners
            .iter()
            .map(|(_, column)| format!(", r.{}", ident(column)))
            .collect::<String>();
        let is_bulk = |rows: &str| {
            format!(
                "(SELECT count(*) FROM (SELECT FROM {rows} LIMIT {}) AS r) > {ROWS}",
                ROWS + 1
            )
        };
        let bulk = |from: &str| {
            format!(
                "PERFORM partywall.announce_many({relation}, ARRAY(\n        \
                 SELECT jsonb_build_object({owner}) FROM (SELECT DISTINCT true{columns} FROM {from} LIMIT {}) AS r));",
                OWNERS + 1
            )
        };
        let both = format!(
            "(SELECT true{columns} FROM old_rows AS r UNION ALL SELECT true{columns} FROM new_rows AS r) AS r"
        );
        let one_kind = |operation: &str, rows: &str| {
            format!(
                "IF {is_bulk} THEN\n      {bulk}\n    ELSE\n      \
                 PERFORM partywall.announce({relation}, {operation}, r.owner, jsonb_agg(r.key))\n      \
                 FROM (SELECT {row} FROM {rows} AS r) AS r GROUP BY r.owner;\n    END IF;",
                is_bulk = is_bulk(rows),
                bulk = bulk(&format!("{rows} AS r")),
                operation = literal(operation),
            )
        };
        // A row whose key or owner has changed is gone for whoever knew it by the old one.
        let update = format!(
            "IF {is_bulk} THEN\n      {bulk}\n    ELSE\n      \
             PERFORM partywall.announce({relation}, r.op, r.owner, jsonb_agg(r.key))\n      \
             FROM (SELECT r.owner, r.key, CASE WHEN bool_and(r.is_new) THEN 'insert' \
             WHEN bool_or(r.is_new) THEN 'update' ELSE 'delete' END AS op\n            \
             FROM (SELECT {row}, false AS is_new FROM old_rows AS r\n                  \
             UNION ALL SELECT {row}, true FROM new_rows AS r) AS r\n            \
             GROUP BY r.owner, r.key) AS r\n      GROUP BY r.owner, r.op;\n    END IF;",
            is_bulk = is_bulk("new_rows"),
            bulk = bulk(&both),
        );
        format!(
            "CREATE OR REPLACE FUNCTION partywall.{function}() RETURNS trigger\n\
             LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $partywall$\n\
             BEGIN\n  \
             IF TG_OP = 'INSERT' THEN\n    {insert}\n  \
             ELSIF TG_OP = 'UPDATE' THEN\n    {update}\n  \
             ELSIF TG_OP = 'DELETE' THEN\n    {delete}\n  \
             ELSE\n    PERFORM partywall.announce({relation}, 'many', NULL, NULL);\n  \
             END IF;\n  \
             RETURN NULL;\nEND\n$partywall$;\n\
             REVOKE ALL ON FUNCTION partywall.{function}() FROM PUBLIC;\n",
            insert = one_kind("insert", "new_rows"),
            delete = one_kind("delete", "old_rows"),
        )
    }
}

/// Functions of tables that are no longer announced.
pub(super) const LEFT_OVER: &str = "SELECT p.oid::regprocedure::text FROM pg_proc p \
     WHERE pronamespace = 'partywall'::regnamespace AND proname LIKE 'announce\\_%' \
       AND prorettype = 'trigger'::regtype AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = p.oid)";
