//! Paths, followed to their ends.

use std::collections::BTreeMap;

use super::{
    column::TenantColumn,
    given::{Decided, target},
    outline::Belongs,
};
use crate::{
    AuditError,
    catalogue::{Catalogue, Oid, Relation},
};

/// Follows the paths to their ends: gives each table its column and how far it is from one of its own.
pub(super) fn settle(
    catalogue: &Catalogue,
    decided: &mut BTreeMap<Oid, Decided>,
    column: &str,
) -> Result<BTreeMap<Oid, usize>, AuditError> {
    let mut depths: BTreeMap<Oid, usize> = decided
        .iter()
        .filter(|(_, it)| !matches!(it.belongs, Belongs::Path(_)))
        .map(|(oid, _)| (*oid, 0))
        .collect();
    loop {
        let next = decided.iter().find_map(|(oid, it)| {
            let Belongs::Path(constraint) = it.belongs else {
                return None;
            };
            let relation = catalogue.relations.get(oid)?;
            let parent = target(relation, constraint)?;
            (!depths.contains_key(oid) && depths.contains_key(&parent))
                .then_some((*oid, relation, constraint, parent))
        });
        let Some((oid, relation, constraint, parent)) = next else {
            break;
        };
        let name = catalogue
            .relations
            .get(&parent)
            .map(|it| it.name.to_string())
            .unwrap_or_default();
        let of_parent = decided.get(&parent).and_then(|it| it.tenant.clone());
        let outcome = match of_parent {
            None => Err(format!(
                "it is reached through {name}, and whose rows those are is not known"
            )),
            Some(tenant) => match mapped(relation, constraint, column, &tenant) {
                Some(own) => Ok((own, true)),
                None => added(relation, column, &tenant).map(|it| (it, false)),
            },
        };
        let links = links(catalogue, decided, relation, constraint);
        let entry = decided.get(&oid).and_then(|it| it.entry.clone());
        let Some(it) = decided.get_mut(&oid) else {
            break;
        };
        match (outcome, entry) {
            (Ok((tenant, is_own)), _) => {
                it.tenant = Some(tenant);
                it.reason = match links {
                    Some(other) => format!("links {name} and {other}: both must be one tenant's"),
                    None => format!("of {name}"),
                };
                if is_own {
                    it.belongs = Belongs::Own;
                }
                let depth = depths.get(&parent).copied().unwrap_or_default() + 1;
                depths.insert(oid, depth);
            }
            (Err(why), Some(entry)) => return Err(AuditError::map(entry, why)),
            (Err(why), None) => {
                it.belongs = Belongs::Undecided;
                it.reason = why;
                depths.insert(oid, 0);
            }
        }
    }
    // What is left goes round in a circle.
    let left: Vec<Oid> = decided
        .keys()
        .copied()
        .filter(|oid| !depths.contains_key(oid))
        .collect();
    for oid in left {
        let Some(it) = decided.get_mut(&oid) else {
            continue;
        };
        let why = "its path leads in a circle, to no table with a tenant";
        if let Some(entry) = &it.entry {
            return Err(AuditError::map(entry, why));
        }
        it.belongs = Belongs::Undecided;
        why.clone_into(&mut it.reason);
        depths.insert(oid, 0);
    }
    Ok(depths)
}

/// The column that refers to the parent's tenant, which is then the row's own, where it has none by the usual name.
fn mapped(
    relation: &Relation,
    constraint: Oid,
    name: &str,
    parent: &TenantColumn,
) -> Option<TenantColumn> {
    if relation.column_named(name).is_some() {
        return None;
    }
    let (key, reference) = relation
        .foreign_keys()
        .find(|(it, _)| it.oid == constraint)?;
    let mut pairs = key.columns.iter().zip(&reference.columns);
    let (own, _) = pairs.find(|(_, theirs)| Some(**theirs) == parent.number)?;
    relation.column(*own).map(TenantColumn::of)
}

/// The column that a table gets, or one of this name that is there already.
fn added(relation: &Relation, name: &str, parent: &TenantColumn) -> Result<TenantColumn, String> {
    let Some(column) = relation.column_named(name) else {
        return Ok(TenantColumn {
            name: name.to_owned(),
            number: None,
            not_null: false,
            ..parent.clone()
        });
    };
    let there = TenantColumn::of(column);
    if there.compares_with(parent) {
        Ok(there)
    } else {
        Err(format!(
            "it has a column `{name}` of type {}, where a tenant is {}: rename it, or say another name in tenant.columns",
            there.type_name, parent.type_name
        ))
    }
}

/// The other table that a link table links: nearly all that it has are its keys to the two.
fn links(
    catalogue: &Catalogue,
    decided: &BTreeMap<Oid, Decided>,
    relation: &Relation,
    path: Oid,
) -> Option<String> {
    let key = relation.primary_key()?;
    let path = relation.constraints.iter().find(|it| it.oid == path)?;
    let other = relation.foreign_keys().find(|(constraint, reference)| {
        constraint.oid != path.oid
            && constraint.columns.iter().all(|column| key.contains(column))
            && decided
                .get(&reference.relation)
                .is_some_and(|it| it.tenant.is_some() || matches!(it.belongs, Belongs::Path(_)))
    })?;
    path.columns
        .iter()
        .all(|column| key.contains(column))
        .then_some(())?;
    Some(catalogue.relations.get(&other.1.relation)?.name.to_string())
}
