use std::sync::Arc;

use sea_orm::EntityTrait;
use serde_json::Value;

use super::{Change, Operation, RowChange};
use crate::{
    schema::{Schema, TableName},
    scope::{Scope, ScopeValue, SqlType},
};

/// A table whose changes are announced, and the dimensions of its rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) name: TableName,
    pub(super) dimensions: Vec<(&'static str, SqlType)>,
}

/// What one notification says: what became of some rows of one owner.
#[derive(Debug)]
pub(super) struct Announcement {
    pub(super) table: Arc<Told>,
    /// Absent where nobody in particular is told.
    owner: Option<Vec<(&'static str, ScopeValue)>>,
    what: What,
}

#[derive(Debug)]
enum What {
    Rows {
        operation: Operation,
        keys: Vec<Arc<[String]>>,
    },
    Many,
}

impl Told {
    /// Those of a schema.
    pub(super) fn of(schema: &Schema) -> Vec<Arc<Self>> {
        schema
            .tables
            .iter()
            .filter(|table| table.is_announced())
            .map(|table| {
                Arc::new(Self {
                    name: table.name.clone(),
                    dimensions: table.told().collect(),
                })
            })
            .collect()
    }

    pub(super) fn is_of<E: EntityTrait>(&self) -> bool {
        let entity = E::default();
        self.name == TableName::new(entity.schema_name(), entity.table_name())
    }
}

impl Announcement {
    /// Reads a notification. Whoever knows the channel can write one, so it is believed no further than
    /// to be well formed: what it leads to is read in a scope.
    pub(super) fn parse(payload: &str, tables: &[Arc<Told>]) -> Option<Self> {
        let told: Value = serde_json::from_str(payload).ok()?;
        let name = told.get("table")?.as_str()?;
        let table = tables.iter().find(|table| table.name.sql() == name)?;
        let owner = match told.get("owner") {
            None | Some(Value::Null) => None,
            Some(owner) => Some(read_owner(owner, table)?),
        };
        let operation = told.get("op")?.as_str()?;
        let what = match (operation, &owner) {
            ("many", _) => What::Many,
            // Keys of nobody's rows are for nobody.
            (_, None) => return None,
            (operation, Some(_)) => What::Rows {
                operation: Operation::parse(operation)?,
                keys: told
                    .get("keys")?
                    .as_array()?
                    .iter()
                    .map(read_key)
                    .collect::<Option<_>>()?,
            },
        };
        Some(Self {
            table: table.clone(),
            owner,
            what,
        })
    }

    /// The tenant to whom it is told; nobody in particular where the table has none.
    pub(super) fn tenant(&self) -> Option<&ScopeValue> {
        let owner = self.owner.as_ref()?;
        let tenant = owner.iter().find(|(dimension, _)| *dimension == "tenant");
        tenant.map(|(_, value)| value)
    }

    /// Whether the rows are in a scope. One that lacks a dimension of theirs reaches none of them.
    pub(super) fn is_within(&self, scope: &Scope) -> bool {
        self.owner.as_ref().is_none_or(|owner| {
            owner.iter().all(|(dimension, value)| {
                scope
                    .get(dimension)
                    .is_some_and(|values| values.contains(value))
            })
        })
    }

    /// The changes, one by one.
    pub(super) fn change(&self, n: usize) -> Option<Change> {
        match &self.what {
            What::Many => (n == 0).then(|| Change::Many {
                table: self.table.name.table.clone(),
            }),
            What::Rows { operation, keys } => keys.get(n).map(|key| {
                Change::Row(RowChange {
                    table: self.table.clone(),
                    operation: *operation,
                    key: key.clone(),
                })
            }),
        }
    }
}

/// The values of exactly the dimensions that the table has.
fn read_owner(owner: &Value, table: &Told) -> Option<Vec<(&'static str, ScopeValue)>> {
    let owner = owner.as_object()?;
    if owner.len() != table.dimensions.len() {
        return None;
    }
    table
        .dimensions
        .iter()
        .map(|(dimension, sql_type)| {
            let text = owner.get(*dimension)?.as_str()?;
            Some((*dimension, ScopeValue::parse(*sql_type, text).ok()?))
        })
        .collect()
}

fn read_key(key: &Value) -> Option<Arc<[String]>> {
    let columns = key.as_array()?.iter();
    columns
        .map(|column| column.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::TENANT;
    use uuid::Uuid;

    const A: Uuid = Uuid::from_u128(1);

    fn tables() -> Vec<Arc<Told>> {
        vec![Arc::new(Told {
            name: TableName::new(None, "note"),
            dimensions: vec![("tenant", SqlType::Uuid)],
        })]
    }

    fn told(owner: &str, op: &str, keys: &str) -> Option<Announcement> {
        let payload = format!(
            r#"{{"table": "\"public\".\"note\"", "owner": {owner}, "op": "{op}", "keys": {keys}}}"#
        );
        Announcement::parse(&payload, &tables())
    }

    #[test]
    fn a_notification_tells_the_rows_of_an_owner() {
        let owner = format!(r#"{{"tenant": "{A}"}}"#);
        let heard = told(&owner, "update", r#"[["1"], ["2"]]"#).unwrap();
        assert!(heard.is_within(&Scope::trusted([TENANT.is(A)])));
        assert!(!heard.is_within(&Scope::trusted([TENANT.is(Uuid::from_u128(2))])));
        assert!(!heard.is_within(&Scope::trusted([])));
        let Some(Change::Row(second)) = heard.change(1) else {
            panic!("{heard:?}")
        };
        assert_eq!(second.id::<u8>(), Some(2));
        assert_eq!(heard.change(2), None);
        assert!(told(&owner, "many", "null").unwrap().change(0).is_some());
        assert!(told("null", "many", "null").unwrap().tenant().is_none());
    }

    #[test]
    fn what_is_malformed_is_nothing() {
        let owner = format!(r#"{{"tenant": "{A}"}}"#);
        for (owner, op, keys) in [
            ("null", "update", r#"[["1"]]"#),
            ("{}", "update", r#"[["1"]]"#),
            (r#"{"tenant": "x"}"#, "update", r#"[["1"]]"#),
            (r#"{"author": "1"}"#, "update", r#"[["1"]]"#),
            ("[]", "update", r#"[["1"]]"#),
            (&owner, "drop", r#"[["1"]]"#),
            (&owner, "update", r#"["1"]"#),
            (&owner, "update", "[[1]]"),
            (&owner, "update", "null"),
        ] {
            assert!(told(owner, op, keys).is_none(), "{owner} {op} {keys}");
        }
        let payloads = ["", "{}", "[]", "\0", r#"{"table": "note", "op": "many"}"#];
        for payload in payloads {
            assert!(
                Announcement::parse(payload, &tables()).is_none(),
                "{payload}"
            );
        }
    }
}
