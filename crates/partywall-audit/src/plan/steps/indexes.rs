use super::{build::Build, keys::Keys, spare::Spare};
use crate::{
    Fault,
    catalogue::{Index, Relation},
    plan::{Outline, Step, column::TenantColumn, stand::Stand},
};

/// Every policy asks for the tenant: an index that begins with it answers.
pub(super) fn add(
    outline: &Outline<'_>,
    keys: &Keys<'_>,
    spare: &mut Spare,
    steps: &mut Vec<Step>,
) {
    for (table, tenant) in outline.tenants() {
        let is_asked = match table.stand {
            Stand::Open => true,
            Stand::Walled => outline.faults.on(table.name(), &[Fault::PerfNoIndex]),
            Stand::Apart => false,
        };
        if !is_asked {
            continue;
        }
        let is_there = table
            .relation
            .indexes
            .iter()
            .any(|index| index.valid && !index.partial && leads(table.relation, index, tenant));
        if is_there || keys.has(table) {
            continue;
        }
        let build = Build::new(
            table,
            false,
            format!(" ({})", tenant.sql()),
            &[&tenant.name, "idx"],
            |relation, index| {
                !index.partial
                    && index.columns.len() == 1
                    && index.constraint.is_none()
                    && leads(relation, index, tenant)
            },
            spare,
        );
        let label = format!("({})", tenant.sql());
        build.add(
            table,
            &label,
            "finds a tenant's rows without reading everybody's",
            steps,
        );
    }
}

fn leads(relation: &Relation, index: &Index, tenant: &TenantColumn) -> bool {
    index
        .columns
        .first()
        .and_then(|key| relation.column(key.column?))
        .is_some_and(|column| column.name == tenant.name)
}
