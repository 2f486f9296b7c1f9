//! Rows, from tokio-postgres to SeaORM.

use std::collections::BTreeMap;
use std::error::Error;

use sea_orm::{ProxyRow, QueryResult, Value};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::column::Column;
use super::error::ValueError;
use super::keys::layout;
use super::kinds::Kinds;

/// How every row of one statement is read. Made once per prepared statement and then shared.
///
/// What can be refused for all rows is refused when the plan is made: a row is then a copy of the
/// template, whose values are already the right nulls, with the others written over.
#[derive(Debug)]
pub(crate) struct RowPlan {
    /// The keys in ascending order, each with the typed null of its column.
    template: BTreeMap<String, Value>,
    /// The index and the column of each key, in the same order.
    sources: Vec<(usize, Column)>,
    columns: usize,
}

impl RowPlan {
    /// Plans for a statement's columns.
    ///
    /// With `whole_model`, the caller knows that the row is read by name, and it gets no positional
    /// keys; these would otherwise show in SeaORM's `into_json`.
    ///
    /// # Errors
    /// For the first column whose type SeaORM cannot carry, or does not fit its declared field.
    pub(crate) fn new(
        columns: &[tokio_postgres::Column],
        kinds: &Kinds,
        whole_model: bool,
    ) -> Result<Self, ValueError> {
        let names: Vec<&str> = columns.iter().map(tokio_postgres::Column::name).collect();
        let planned = columns
            .iter()
            .map(|column| {
                let declared = kinds.declared(column.table_oid(), column.column_id());
                Column::new(column.name(), column.type_(), declared, kinds)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut template = BTreeMap::new();
        let mut sources = Vec::new();
        for (key, index) in layout(&names, whole_model) {
            if let Some(column) = planned.get(index) {
                template.insert(key, column.null()?);
                sources.push((index, column.clone()));
            }
        }
        Ok(Self {
            template,
            sources,
            columns: columns.len(),
        })
    }

    /// Reads one row.
    ///
    /// # Errors
    /// For the first value that its field cannot hold without loss, and for a row of a statement
    /// other than the plan's.
    pub(crate) fn query_result(&self, row: &Row) -> Result<QueryResult, ValueError> {
        let stranger = || ValueError::Row {
            found: row.len(),
            planned: self.columns,
        };
        if row.len() != self.columns {
            return Err(stranger());
        }
        let mut values = self.template.clone();
        for (value, (index, column)) in values.values_mut().zip(&self.sources) {
            let raw: Option<Raw<'_>> = row.try_get(*index).map_err(|_| stranger())?;
            if let Some(Raw(raw)) = raw {
                *value = column.decode(raw)?;
            }
        }
        Ok(ProxyRow::new(values).into())
    }
}

/// A column's bytes, whatever its type: the plan knows it already.
struct Raw<'row>(&'row [u8]);

impl<'row> FromSql<'row> for Raw<'row> {
    fn from_sql(_: &Type, raw: &'row [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
