//! How a database that Partywall's library made differs from what was written down when its schema was
//! applied.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Error, Row, types::Type};

use crate::{AuditError, Fault, Finding, catalogue::Catalogue, sql::Name};

/// What the catalogues say of the protected tables (`$1` schemas, `$2` tables) and of Partywall's own objects,
/// settings and roles (`$3`). Expressions and names are printed relative to the search path, so it must hold
/// nothing but `pg_catalog`.
pub const SNAPSHOT: &str = include_str!("snapshot.sql");

/// A definition for each object, aspect of it, and name.
pub type Facts = BTreeMap<(String, String, String), String>;

/// Reads facts from rows of four texts.
///
/// # Errors
///
/// The rows have another form.
pub fn facts(rows: &[Row]) -> Result<Facts, Error> {
    rows.iter()
        .map(|row| {
            Ok((
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?),
                row.try_get(3)?,
            ))
        })
        .collect()
}

/// The keys that contexts are sealed with are the application's to know; asking for them here would call a
/// function that somebody may have planted.
const SEAL_KEY: &str = "seal key";

/// Finds where a database differs from what was applied; nothing in one that Partywall's library did not make.
pub(crate) async fn find(
    client: &Client,
    catalogue: &Catalogue,
    found: &mut Vec<Finding>,
) -> Result<(), AuditError> {
    let is_ours = |name: &str| {
        catalogue
            .relations
            .values()
            .any(|relation| relation.name == Name::new("partywall", name) && relation.is_table())
    };
    if !is_ours("expected") || !is_ours("applied") {
        return Ok(());
    }
    let expected = client
        .query(
            "SELECT object::text, aspect::text, name::text, definition::text FROM ONLY partywall.expected",
            &[],
        )
        .await
        .and_then(|rows| facts(&rows));
    let mut expected = match expected {
        Ok(expected) => expected,
        // Not everybody who asks may read it.
        Err(error) if error.as_db_error().is_some() => return Ok(()),
        Err(source) => {
            let doing = "read what was applied";
            return Err(AuditError::Sql { doing, source });
        }
    };
    expected.retain(|(_, aspect, _), _| aspect != SEAL_KEY);
    let named = |wanted: &str| -> Vec<(&str, &str)> {
        expected
            .keys()
            .filter(|(_, aspect, _)| aspect == wanted)
            .map(|(object, _, name)| (object.as_str(), name.as_str()))
            .collect()
    };
    let (schemas, tables): (Vec<&str>, Vec<&str>) = named("table")
        .into_iter()
        .filter_map(|(object, _)| object.split_once('.'))
        .unzip();
    let roles: Vec<&str> = named("role").into_iter().map(|(_, name)| name).collect();
    let rows = client
        .query_typed(
            SNAPSHOT,
            &[
                (&schemas, Type::TEXT_ARRAY),
                (&tables, Type::TEXT_ARRAY),
                (&roles, Type::TEXT_ARRAY),
            ],
        )
        .await
        .map_err(AuditError::doing("compare with what was applied"))?;
    let current = facts(&rows).map_err(AuditError::doing("compare with what was applied"))?;
    let mut differences: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((object, aspect, name), was) in &expected {
        let how = match current.get(&(object.clone(), aspect.clone(), name.clone())) {
            Some(is) if is == was => continue,
            Some(_) => "was altered",
            None => "is missing",
        };
        let said = format!("the {aspect} `{name}` {how}");
        differences.entry(object).or_default().push(said);
    }
    for key in current.keys().filter(|key| !expected.contains_key(*key)) {
        let (object, aspect, name) = key;
        let said = format!("the {aspect} `{name}` was added");
        differences.entry(object).or_default().push(said);
    }
    found.extend(differences.into_iter().map(|(object, said)| {
        Finding::new(
            Fault::Drift,
            object,
            format!(
                "It is not as Partywall applied it, so what was proven of it need not hold: {}.",
                said.join("; ")
            ),
            "-- run `Schema::apply` with the owner's login, and drop what it did not make",
        )
    }));
    Ok(())
}
