use super::{Column, Constraint, Grant, Index, Oid, Policy, View};
use crate::sql::Name;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelationKind {
    Table,
    Partitioned,
    View,
    MaterializedView,
    Foreign,
    Sequence,
    /// Composite types, TOAST.
    Other,
}

/// A trigger. Those that PostgreSQL makes for foreign keys are left out.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) function: Oid,
    pub(crate) enabled: bool,
    /// Whether it fires also where `session_replication_role` is `replica`.
    pub(crate) always: bool,
    /// As `pg_get_triggerdef` writes it.
    pub(crate) definition: String,
}

/// A rewrite rule that is not a view's own.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// What it reacts to: `INSERT`, `UPDATE` or `DELETE`.
    pub(crate) event: &'static str,
    /// As `pg_get_ruledef` writes it.
    pub(crate) definition: String,
    /// The relations that it reads or writes, but its own.
    pub(crate) touches: Vec<Oid>,
}

/// A table, view, sequence …
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) oid: Oid,
    pub(crate) namespace: Oid,
    pub(crate) name: Name,
    pub(crate) kind: RelationKind,
    pub(crate) owner: Oid,
    pub(crate) row_security: bool,
    pub(crate) forced: bool,
    /// As the planner guesses; negative if nobody counted.
    pub(crate) rows: f32,
    /// Of the relation and of its columns.
    pub(crate) grants: Vec<Grant>,
    /// In order. Dropped ones are left out.
    pub(crate) columns: Vec<Column>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) rules: Vec<Rule>,
    /// What it inherits from, directly; for a partition, what it is of.
    pub(crate) parents: Vec<Oid>,
    pub(crate) is_partition: bool,
    /// For a partitioned table, how its rows are parted: `l`ist, `r`ange, `h`ash.
    pub(crate) partitioned_by: Option<char>,
    /// For a partitioned table, the columns that say which partition a row is in; 0 for an expression.
    pub(crate) partition_key: Vec<i16>,
    /// For views and materialized views.
    pub(crate) view: Option<View>,
    /// For a sequence, the column that it numbers.
    pub(crate) owned_by: Option<(Oid, i16)>,
    /// Which extension it is part of.
    pub(crate) extension: Option<String>,
}

impl Relation {
    pub(crate) fn column(&self, number: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.number == number)
    }

    pub(crate) fn column_named(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of columns, quoted where they need it.
    pub(crate) fn column_list(&self, numbers: &[i16]) -> String {
        let names: Vec<String> = numbers
            .iter()
            .filter_map(|number| self.column(*number))
            .map(|column| crate::sql::tidy(&column.name))
            .collect();
        names.join(", ")
    }

    /// Whether rows are in it, and policies can be on it.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.kind, RelationKind::Table | RelationKind::Partitioned)
    }

    /// The primary key's columns.
    pub(crate) fn primary_key(&self) -> Option<&[i16]> {
        self.constraints
            .iter()
            .find(|constraint| constraint.kind == super::ConstraintKind::Primary)
            .map(|constraint| constraint.columns.as_slice())
    }

    pub(crate) fn foreign_keys(&self) -> impl Iterator<Item = (&Constraint, &super::Reference)> {
        self.constraints
            .iter()
            .filter_map(|constraint| Some((constraint, constraint.reference.as_ref()?)))
    }
}
