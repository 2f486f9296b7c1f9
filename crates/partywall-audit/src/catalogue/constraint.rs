use super::Oid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConstraintKind {
    Primary,
    Unique,
    Foreign,
    Check,
    Exclusion,
    /// Not-null constraints (PostgreSQL 18), constraint triggers.
    Other,
}

/// What a foreign key does to the rows that refer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "NO ACTION is what SQL calls it")]
pub(crate) enum Action {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl Action {
    pub(super) fn letter(letter: char) -> Self {
        match letter {
            'r' => Self::Restrict,
            'c' => Self::Cascade,
            'n' => Self::SetNull,
            'd' => Self::SetDefault,
            _ => Self::NoAction,
        }
    }

    /// Whether it changes rows of the table that refers.
    pub(crate) fn changes(self) -> bool {
        matches!(self, Self::Cascade | Self::SetNull | Self::SetDefault)
    }
}

/// Where a foreign key points.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) relation: Oid,
    /// In the order of the constraint's own columns.
    pub(crate) columns: Vec<i16>,
    pub(crate) on_delete: Action,
    pub(crate) on_update: Action,
}

/// A constraint of a table.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) kind: ConstraintKind,
    /// In the order of the constraint.
    pub(crate) columns: Vec<i16>,
    pub(crate) reference: Option<Reference>,
    pub(crate) validated: bool,
    /// As `pg_get_constraintdef` writes it.
    pub(crate) definition: String,
    /// Of which constraint of a parent table it is the partition's copy.
    pub(crate) parent: Option<Oid>,
}

impl Constraint {
    /// Whether its columns identify a row, of this table or of another: primary, unique and foreign keys.
    pub(crate) fn is_key(&self) -> bool {
        matches!(
            self.kind,
            ConstraintKind::Primary | ConstraintKind::Unique | ConstraintKind::Foreign
        )
    }
}
