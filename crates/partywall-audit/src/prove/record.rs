use std::collections::BTreeMap;

use super::{refusal::Refusal, round::Round, step::Answer};
use crate::{
    AuditError,
    catalogue::{Relation, RelationKind},
    sql::literal,
};

/// A row, as text.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// Where it is: the number of the table or partition, and the place in it.
    pub(super) place: Option<(String, String)>,
    pub(super) values: BTreeMap<i16, Option<String>>,
}

impl Record {
    pub(super) fn value(&self, column: i16) -> Option<&str> {
        self.values.get(&column)?.as_deref()
    }

    /// The row `t` is this one, by these columns. None where one of them is NULL.
    pub(super) fn is(&self, relation: &Relation, columns: &[i16]) -> Option<String> {
        let parts: Option<Vec<String>> = columns
            .iter()
            .map(|number| {
                let column = relation.column(*number)?;
                let value = super::ownership::typed(column, self.value(*number)?);
                let equals = super::ownership::equals(column);
                Some(format!(
                    "t.{} {equals} {value}",
                    crate::sql::tidy(&column.name)
                ))
            })
            .collect();
        parts
            .filter(|parts| !parts.is_empty())
            .map(|parts| parts.join(" AND "))
    }
}

/// Whether rows of a relation have places.
pub(super) const fn has_places(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::Table | RelationKind::Partitioned | RelationKind::MaterializedView
    )
}

/// Above so many rows nothing sorts or reads a whole table.
pub(super) const MANY: f32 = 50_000.0;

/// Reads a few rows as the administrator, the first ones by the primary key.
pub(super) async fn records(
    round: &Round<'_>,
    relation: &Relation,
    condition: &str,
    limit: u32,
) -> Result<Result<Vec<Record>, Refusal>, AuditError> {
    let mut wanted = if has_places(relation) {
        vec!["t.tableoid::text".to_owned(), "t.ctid::text".to_owned()]
    } else {
        vec!["NULL::text".to_owned(), "NULL::text".to_owned()]
    };
    wanted.extend(
        relation
            .columns
            .iter()
            .map(|column| format!("{}::text", super::ownership::at("t", column))),
    );
    let order = match relation.primary_key() {
        Some(columns) if relation.rows < MANY => {
            let columns: Vec<String> = columns
                .iter()
                .filter_map(|number| relation.column(*number))
                .map(|column| super::ownership::at("t", column))
                .collect();
            format!("ORDER BY {}", columns.join(", "))
        }
        _ => String::new(),
    };
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition} {order} LIMIT {limit}",
        wanted.join(", "),
        super::ownership::from(relation)
    );
    Ok(round.look(&sql).await?.map(|answer| rows(relation, answer)))
}

fn rows(relation: &Relation, answer: Answer) -> Vec<Record> {
    answer
        .rows
        .into_iter()
        .map(|row| {
            let mut cells = row.into_iter();
            let place = cells.next().flatten().zip(cells.next().flatten());
            let values = relation
                .columns
                .iter()
                .map(|column| column.number)
                .zip(cells)
                .collect();
            Record { place, values }
        })
        .collect()
}

/// The row `t` is one of these, by their places.
pub(super) fn at_places<'a>(records: impl IntoIterator<Item = &'a Record>) -> Option<String> {
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (table, place) in records.into_iter().filter_map(|it| it.place.as_ref()) {
        tables.entry(table).or_default().push(place);
    }
    let parts: Vec<String> = tables
        .into_iter()
        .map(|(table, places)| {
            let places: Vec<String> = places.into_iter().map(literal).collect();
            format!(
                "(t.tableoid = {} AND t.ctid = ANY (ARRAY[{}]::tid[]))",
                literal(table),
                places.join(", ")
            )
        })
        .collect();
    (!parts.is_empty()).then(|| format!("({})", parts.join(" OR ")))
}
