//! The `partywall` schema of a database: its versions, and the functions that hang on the seal and
//! the dimensions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use tokio_postgres::{Client, types::Type};

use super::{
    ApplyError, Schema,
    migration::Migration,
    sql::{ident, literal},
};
use crate::scope::SqlType;

/// What every version of Partywall added, in order. A version that was released never changes.
pub(super) const VERSIONS: [(i32, &str, &str); 6] = [
    (1, "the tables", include_str!("sql/1_tables.sql")),
    (2, "entering a scope", include_str!("sql/2_enter.sql")),
    (3, "the way across", include_str!("sql/3_across.sql")),
    (4, "leftovers", include_str!("sql/4_leftovers.sql")),
    (5, "the seal's keys", include_str!("sql/5_seal_keys.sql")),
    (6, "changes", include_str!("sql/6_changes.sql")),
];

/// Installs those of the first `versions` that are missing. Tells whether there were any.
pub(super) async fn install(client: &Client, versions: usize) -> Result<bool, ApplyError> {
    let new = client
        .query_one("SELECT to_regclass('partywall.migration') IS NULL", &[])
        .await?
        .try_get::<_, bool>(0)?;
    if new {
        client
            .batch_execute(
                "CREATE SCHEMA IF NOT EXISTS partywall;\n\
                 CREATE TABLE partywall.migration (\n  name text PRIMARY KEY,\n  version integer UNIQUE,\n  \
                 checksum text NOT NULL,\n  at timestamptz NOT NULL DEFAULT now()\n)",
            )
            .await?;
    }
    let installed: BTreeSet<i32> = client
        .query(
            "SELECT version FROM partywall.migration WHERE version IS NOT NULL",
            &[],
        )
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    if let Some(newer) = installed
        .iter()
        .find(|v| VERSIONS.iter().all(|(known, ..)| known != *v))
    {
        return Err(ApplyError::Newer(*newer));
    }
    let mut changed = new;
    for (version, name, sql) in VERSIONS.into_iter().take(versions) {
        if installed.contains(&version) {
            continue;
        }
        client.batch_execute(sql).await?;
        let migration = Migration::new(format!("partywall {version}: {name}"), sql.to_owned());
        record(client, Some(version), &migration).await?;
        changed = true;
    }
    Ok(changed)
}

pub(super) async fn record(
    client: &Client,
    version: Option<i32>,
    migration: &Migration,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "INSERT INTO partywall.migration (name, version, checksum) VALUES ($1, $2, $3)",
            &[&migration.name(), &version, &migration.checksum()],
        )
        .await
        .map(drop)
}

/// The functions as the newest version has each, to be put right where somebody has altered them.
pub(super) fn own_functions_sql() -> String {
    const CREATE: &str = "CREATE FUNCTION ";
    const REPLACE: &str = "CREATE OR REPLACE FUNCTION ";
    const END: &str = "$partywall$;";
    let mut functions = BTreeMap::new();
    for (_, _, sql) in VERSIONS {
        let sql = sql.replace(REPLACE, CREATE);
        for (function, _) in sql.split(CREATE).skip(1).filter_map(|f| f.split_once(END)) {
            let signature = function.split(" RETURNS ").next().unwrap_or(function);
            functions.insert(signature.to_owned(), format!("{REPLACE}{function}{END}\n"));
        }
    }
    functions.into_values().collect()
}

impl Schema {
    /// The functions that policies read, one pair for each dimension: the value and the list.
    pub(super) fn functions_sql(&self) -> String {
        let mut sql = String::new();
        for (dimension, sql_type) in &self.dimensions {
            sql.push_str(&reader(dimension, *sql_type, self.seal.is_on()));
            sql.push_str(&list_reader(dimension, *sql_type, self.seal.is_on()));
        }
        let roles = self.roles.quoted();
        let _ = writeln!(
            sql,
            "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA partywall FROM PUBLIC, {roles};"
        );
        let _ = writeln!(
            sql,
            "GRANT EXECUTE ON FUNCTION partywall.enter(text, integer), partywall.narrow(text), partywall.seal_keys() TO {roles};"
        );
        let _ = writeln!(
            sql,
            "GRANT EXECUTE ON FUNCTION partywall.cross(text, text, integer) TO {};",
            ident(self.roles.across())
        );
        // Whoever hears of every tenant's changes must be a login under which no tenant's statement runs.
        let _ = writeln!(
            sql,
            "GRANT EXECUTE ON FUNCTION partywall.listen(), partywall.listening() TO {};",
            ident(self.roles.listening())
        );
        let (app, list) = (ident(self.roles.app()), ident(self.roles.list()));
        for dimension in self.dimensions.keys() {
            let _ = writeln!(
                sql,
                "GRANT EXECUTE ON FUNCTION partywall.{dimension}() TO {roles};\n\
                 GRANT EXECUTE ON FUNCTION partywall.{dimension}_list() TO {app}, {list};"
            );
        }
        sql
    }

    /// The grants on the `partywall` schema itself.
    pub(super) fn own_grants_sql(&self) -> String {
        let roles = self.roles.quoted();
        format!(
            "GRANT USAGE ON SCHEMA partywall TO {roles};\n\
             REVOKE ALL ON ALL TABLES IN SCHEMA partywall FROM PUBLIC, {roles};\n\
             GRANT SELECT ON partywall.expected, partywall.applied TO {roles};\n\
             GRANT SELECT ON partywall.crossing TO {};\n",
            ident(self.roles.across())
        )
    }

    /// Writes down the keys that contexts may be sealed with. As parameters of a statement that the
    /// driver does not log.
    pub(super) async fn write_keys(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        client
            .batch_execute("DELETE FROM partywall.seal_key")
            .await?;
        for key in self.seal.keys() {
            let (inner, outer) = key.pads();
            client
                .execute_typed(
                    "INSERT INTO partywall.seal_key (id, inner_pad, outer_pad) VALUES ($1, $2, $3)",
                    &[
                        (&key.id(), Type::TEXT),
                        (&inner, Type::BYTEA),
                        (&outer, Type::BYTEA),
                    ],
                )
                .await?;
        }
        Ok(())
    }
}

/// The function that reads one value of a dimension.
///
/// NULL, which matches no row, when there is no context or an empty one, or when the dimension holds a
/// list. An error when the context is sealed by an unknown key, forged or expired, and one that names
/// the dimension when the context is good and lacks it: neither must read as an empty table.
fn reader(dimension: &str, sql_type: SqlType, sealed: bool) -> String {
    let name = literal(dimension);
    let list = literal(&format!("{dimension}[]"));
    let missing = missing(dimension);
    let body = format!(
        "  answer := scope OPERATOR(pg_catalog.->>) {name};
  IF answer IS NULL AND (scope OPERATOR(pg_catalog.->) {list}) IS NULL THEN
{missing}
  END IF;
  RETURN answer::pg_catalog.{};",
        internal(sql_type)
    );
    function(
        &format!("partywall.{dimension}()"),
        internal(sql_type),
        sealed,
        "  answer pg_catalog.text;\n",
        &body,
    )
}

/// The function that reads a dimension as a list: one value counts as a list of one.
fn list_reader(dimension: &str, sql_type: SqlType, sealed: bool) -> String {
    let name = literal(dimension);
    let list = literal(&format!("{dimension}[]"));
    let missing = missing(dimension);
    let array = format!("{}[]", internal(sql_type));
    let body = format!(
        "  IF (scope OPERATOR(pg_catalog.->>) {name}) IS NOT NULL THEN
    RETURN ARRAY[scope OPERATOR(pg_catalog.->>) {name}]::pg_catalog.{array};
  END IF;
  IF (scope OPERATOR(pg_catalog.->) {list}) IS NULL THEN
{missing}
  END IF;
  RETURN ARRAY(SELECT pg_catalog.json_array_elements_text(scope OPERATOR(pg_catalog.->) {list}))::pg_catalog.{array};"
    );
    function(
        &format!("partywall.{dimension}_list()"),
        &array,
        sealed,
        "",
        &body,
    )
}

fn missing(dimension: &str) -> String {
    format!(
        "    RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = {}, HINT = {};",
        crate::schema::NO_DIMENSION,
        literal(&format!("the scope has no dimension `{dimension}`")),
        literal(dimension)
    )
}

/// The catalogue's own names of the types, since the SQL ones cannot be qualified.
fn internal(sql_type: SqlType) -> &'static str {
    match sql_type {
        SqlType::Uuid => "uuid",
        SqlType::BigInt => "int8",
        SqlType::Text => "text",
    }
}

/// A function around reading the context. Every name in it is qualified, so no `search_path` can
/// redirect it, and a SET clause, which costs 1.5 µs for each call, is not needed.
fn function(signature: &str, returns: &str, sealed: bool, declare: &str, body: &str) -> String {
    let (declare_seal, open) = if sealed {
        (
            include_str!("sql/sealed_declare.sql"),
            include_str!("sql/sealed.sql"),
        )
    } else {
        ("", "  scope := raw::pg_catalog.json;\n")
    };
    format!(
        "CREATE OR REPLACE FUNCTION {signature} RETURNS pg_catalog.{returns}
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS $partywall$
DECLARE
  raw pg_catalog.text := pg_catalog.current_setting('partywall.context', true);
  scope pg_catalog.json;
{declare_seal}{declare}BEGIN
  IF raw IS NULL OR raw OPERATOR(pg_catalog.=) '' THEN
    RETURN NULL;
  END IF;
{open}{body}
END
$partywall$;
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_is_put_right_to_its_newest_text() {
        let sql = own_functions_sql();
        assert_eq!(sql.matches("FUNCTION partywall.enter(").count(), 1);
        assert!(sql.contains("CLOSE ALL"));
        for function in ["narrow", "cross", "seal_keys"] {
            let create = format!("CREATE OR REPLACE FUNCTION partywall.{function}(");
            assert_eq!(sql.matches(&create).count(), 1, "{function}");
        }
    }
}
