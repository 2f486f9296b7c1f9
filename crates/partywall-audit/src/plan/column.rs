use crate::{
    catalogue::{Column, Oid},
    sql,
};

/// The column that says whose a row is, which may have to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TenantColumn {
    pub(super) name: String,
    pub(super) type_oid: Oid,
    /// With its length, where it has one.
    pub(super) type_name: String,
    /// `None` if it is to be added.
    pub(super) number: Option<i16>,
    pub(super) not_null: bool,
}

impl TenantColumn {
    pub(super) fn of(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            type_oid: column.type_oid,
            type_name: column.type_name.clone(),
            number: Some(column.number),
            not_null: column.not_null,
        }
    }

    /// As SQL.
    pub(super) fn sql(&self) -> String {
        sql::tidy(&self.name)
    }

    /// Whether PostgreSQL compares the two without a cast that is written.
    pub(super) fn compares_with(&self, other: &Self) -> bool {
        const ALIKE: [&[Oid]; 2] = [&[20, 21, 23], &[25, 1043]];
        self.type_oid == other.type_oid
            || ALIKE
                .iter()
                .any(|alike| alike.contains(&self.type_oid) && alike.contains(&other.type_oid))
    }
}
