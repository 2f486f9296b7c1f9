//! The kinds of every declared column.

use std::collections::HashMap;

use super::kind::Kind;
use super::variant::Variant;
use super::wire::{Shape, Wire};

/// Which [`Kind`] each column of the declared models has, and which an expression gets.
///
/// Complete before the first [`RowPlan`](super::RowPlan) is made: a plan copies what it needs.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    columns: HashMap<(u32, i16), Kind>,
    choices: HashMap<Wire, Choice>,
}

/// What the models chose among the variants of one PostgreSQL type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// All fields so far read this variant.
    One(Variant),
    /// Fields disagree, so the usual variant applies.
    Several,
}

impl Kinds {
    /// No column declared.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Declares the column with this `pg_attribute.attrelid` and `attnum`.
    pub(crate) fn insert(&mut self, table_oid: u32, attribute: i16, kind: Kind) {
        self.columns.insert((table_oid, attribute), kind);
        let Some(wire) = contested(kind.variant()) else {
            return;
        };
        let variant = kind.variant();
        self.choices
            .entry(wire)
            .and_modify(|choice| {
                if *choice != Choice::One(variant) {
                    *choice = Choice::Several;
                }
            })
            .or_insert(Choice::One(variant));
    }

    /// Whether these columns are all the columns of one declared model and nothing else. Then the
    /// row is read by name: nobody reads a whole model by position.
    pub(crate) fn are_whole_model(&self, columns: &[tokio_postgres::Column]) -> bool {
        let Some(table) = columns.first().and_then(tokio_postgres::Column::table_oid) else {
            return false;
        };
        let mut own: Vec<i16> = columns
            .iter()
            .filter(|column| column.table_oid() == Some(table))
            .filter_map(tokio_postgres::Column::column_id)
            .filter(|attribute| self.columns.contains_key(&(table, *attribute)))
            .collect();
        own.sort_unstable();
        own.dedup();
        let declared = self.columns.keys().filter(|(oid, _)| *oid == table).count();
        own.len() == columns.len() && own.len() == declared
    }

    /// The declared kind of a table's column; `None` for an expression or an undeclared column.
    pub(super) fn declared(&self, table_oid: Option<u32>, attribute: Option<i16>) -> Option<Kind> {
        self.columns.get(&(table_oid?, attribute?)).copied()
    }

    /// The kind of an expression: what all models agree on for its PostgreSQL type, so that
    /// `max(created_at)` reads like `created_at`, or else what SeaORM uses.
    pub(super) fn default_for(&self, shape: Shape) -> Kind {
        let variant = match self.choices.get(&shape.wire) {
            Some(Choice::One(variant)) => *variant,
            Some(Choice::Several) | None => shape.wire.usual(),
        };
        Kind::plain(variant, shape.array)
    }
}

/// The PostgreSQL type for which models may choose between variants of different crates.
fn contested(variant: Variant) -> Option<Wire> {
    [
        Wire::Numeric,
        Wire::Date,
        Wire::Time,
        Wire::Timestamp,
        Wire::Timestamptz,
    ]
    .into_iter()
    .find(|wire| wire.carries(variant))
}

#[cfg(test)]
mod tests {
    use super::super::kind::kind_of;
    use super::*;

    const INSTANT: Shape = Shape {
        wire: Wire::Timestamptz,
        array: false,
    };

    #[test]
    fn expressions_follow_the_models_while_they_agree() {
        let mut kinds = Kinds::new();
        assert_eq!(
            kinds.default_for(INSTANT).variant(),
            Variant::ChronoDateTimeWithTimeZone
        );
        kinds.insert(1, 1, kind_of::<time::OffsetDateTime>());
        kinds.insert(1, 2, kind_of::<Option<time::OffsetDateTime>>());
        assert_eq!(
            kinds.default_for(INSTANT).variant(),
            Variant::TimeDateTimeWithTimeZone
        );
        kinds.insert(1, 3, kind_of::<chrono::DateTime<chrono::Utc>>());
        assert_eq!(
            kinds.default_for(INSTANT).variant(),
            Variant::ChronoDateTimeWithTimeZone
        );
    }

    #[test]
    fn integers_are_read_by_their_own_size() {
        let mut kinds = Kinds::new();
        kinds.insert(1, 1, kind_of::<u64>());
        let shape = Shape {
            wire: Wire::Int4,
            array: false,
        };
        assert_eq!(kinds.default_for(shape).variant(), Variant::Int);
    }
}
