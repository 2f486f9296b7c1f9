//! Whether a database that Partywall set up is still as it was when its schema was last applied.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row, types::Type};

use super::{Line, Status};
use crate::{AuditError, catalogue::Catalogue};

/// The same text as `partywall` writes the expected state down by; a test compares the two.
const SNAPSHOT: &str = include_str!("sql/snapshot.sql");

type Facts = BTreeMap<(String, String, String), String>;

const DOING: &str = "look for drift";

/// How many differences are told.
const TOLD: usize = 10;

pub(super) async fn look(client: &Client, catalogue: &Catalogue) -> Result<Vec<Line>, AuditError> {
    let has_table = catalogue
        .relations
        .values()
        .any(|relation| relation.name.schema == "partywall" && relation.name.name == "expected");
    if !has_table {
        return Ok(vec![Line::new(
            "drift",
            Status::NotKnown,
            "the schema was not applied by Partywall, so nothing was written down to compare with",
            "",
        )]);
    }
    let readable: bool = client
        .query_one(
            "SELECT has_schema_privilege('partywall', 'USAGE') AND has_table_privilege('partywall.expected', 'SELECT') \
               AND coalesce(has_function_privilege(to_regprocedure('partywall.seal_keys()'), 'EXECUTE'), false)",
            &[],
        )
        .await
        .and_then(|row| row.try_get(0))
        .map_err(AuditError::doing(DOING))?;
    if !readable {
        return Ok(vec![Line::new(
            "drift",
            Status::NotKnown,
            "this login may not read what was written down",
            "ask as the tables' owner",
        )]);
    }
    let rows = client
        .query(
            "SELECT object, aspect, name, definition FROM partywall.expected",
            &[],
        )
        .await
        .map_err(AuditError::doing(DOING))?;
    let expected = facts(&rows)?;
    let roles: Vec<&str> = expected
        .keys()
        .filter(|(_, aspect, _)| aspect == "role")
        .map(|(_, _, name)| name.as_str())
        .collect();
    // A name may hold a dot, so the catalogues part the two.
    let (schemas, tables): (Vec<&str>, Vec<&str>) = catalogue
        .relations
        .values()
        .filter(|relation| relation.name.schema != "partywall")
        .filter(|relation| {
            let object = format!("{}.{}", relation.name.schema, relation.name.name);
            expected.keys().any(|(known, _, _)| *known == object)
        })
        .map(|relation| (relation.name.schema.as_str(), relation.name.name.as_str()))
        .unzip();
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
        .map_err(AuditError::doing(DOING))?;
    Ok(compare(expected, facts(&rows)?))
}

fn compare(expected: Facts, mut current: Facts) -> Vec<Line> {
    let mut drift: Vec<String> = Vec::new();
    for ((object, aspect, name), was) in expected {
        match current.remove(&(object.clone(), aspect.clone(), name.clone())) {
            Some(is) if is == was => {}
            Some(_) if aspect == "seal key" => {
                drift.push(format!("{object}: the {aspect} {name} was altered"));
            }
            Some(is) => drift.push(format!(
                "{object}: the {aspect} {name} is {is}, and was {was}"
            )),
            None => drift.push(format!("{object}: the {aspect} {name} is missing")),
        }
    }
    drift.extend(
        current
            .into_keys()
            .map(|(object, aspect, name)| format!("{object}: the {aspect} {name} was added")),
    );
    if drift.is_empty() {
        return vec![Line::ok(
            "drift",
            "all is as it was when the schema was last applied",
        )];
    }
    let more = drift.len().saturating_sub(TOLD);
    let mut lines: Vec<Line> = drift
        .into_iter()
        .take(TOLD)
        .map(|what| {
            Line::new(
                "drift",
                Status::Fail,
                what,
                "apply the schema again, or declare the change in the models",
            )
        })
        .collect();
    if more > 0 {
        lines.push(Line::new(
            "drift",
            Status::Fail,
            format!("and {more} differences more"),
            "",
        ));
    }
    lines
}

fn facts(rows: &[Row]) -> Result<Facts, AuditError> {
    rows.iter()
        .map(|row| {
            let get = |at| row.try_get(at).map_err(AuditError::doing(DOING));
            Ok(((get(0)?, get(1)?, get(2)?), get(3)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_as_partywall_does() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../partywall/src/schema/sql/snapshot.sql"
        );
        assert_eq!(SNAPSHOT, std::fs::read_to_string(path).unwrap());
    }

    #[test]
    fn what_differs_is_told() {
        let fact = |name: &str, is: &str| (("t".into(), "policy".into(), name.into()), is.into());
        let lines = compare(
            Facts::from([fact("same", "x"), fact("other", "x"), fact("gone", "x")]),
            Facts::from([fact("same", "x"), fact("other", "y"), fact("new", "x")]),
        );
        let told: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
        assert_eq!(
            told,
            [
                "t: the policy gone is missing",
                "t: the policy other is y, and was x",
                "t: the policy new was added",
            ]
        );
    }
}
