use super::{
    Outline,
    column::TenantColumn,
    outline::{Belongs, Table},
};
use crate::{catalogue::Oid, sql::Name};

/// How a row is reached that says whose this one is.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) constraint: Oid,
    pub(super) parent: Name,
    pub(super) parent_oid: Oid,
    pub(super) parent_tenant: TenantColumn,
    /// Its own columns and the parent's, without the tenant's.
    pub(super) pairs: Vec<(String, String)>,
}

impl Path {
    pub(super) fn of(outline: &Outline<'_>, table: &Table<'_>) -> Option<Self> {
        let Belongs::Path(constraint) = table.belongs else {
            return None;
        };
        let (key, reference) = table
            .relation
            .foreign_keys()
            .find(|(key, _)| key.oid == constraint)?;
        let parent = outline.table(reference.relation)?;
        let parent_tenant = parent.tenant.clone()?;
        let own = table.tenant.as_ref().and_then(|tenant| tenant.number);
        let pairs = key
            .columns
            .iter()
            .zip(&reference.columns)
            .filter(|(column, _)| key.columns.len() == 1 || own != Some(**column))
            .filter_map(|(own, theirs)| {
                let own = table.relation.column(*own)?.name.clone();
                Some((own, parent.relation.column(*theirs)?.name.clone()))
            })
            .collect();
        Some(Self {
            constraint,
            parent: parent.name().clone(),
            parent_oid: reference.relation,
            parent_tenant,
            pairs,
        })
    }
}
