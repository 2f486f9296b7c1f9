//! Keys that span all tenants, and what takes their place.

use super::{
    build::Build,
    keys::{Key, Old, columns_of, label, same, with},
    references::{Composite, names},
    rights::is_new,
    spare::Spare,
};
use crate::{
    catalogue::{Index, Privilege, Relation},
    check::keys::is_scoped,
    plan::{Note, Outline, column::TenantColumn, done, outline::Table},
    sql::{Name, tidy},
};

/// The unique keys of a table that span all tenants, and tell the application what others have. What it does not
/// write it cannot ask, and may be unique over all tenants so that nobody takes what is another's.
pub(super) fn global<'a>(
    outline: &Outline<'_>,
    table: &'a Table<'_>,
    tenant: &TenantColumn,
) -> Vec<Old<'a>> {
    let relation = table.relation;
    relation
        .indexes
        .iter()
        .filter(|index| index.unique && index.valid && !index.exclusion && index.parent.is_none())
        .filter(|index| {
            !index
                .columns
                .iter()
                .any(|key| key.column.is_some() && key.column == tenant.number)
        })
        .filter(|index| !is_scoped(outline.audit, relation, index))
        .filter(|index| is_written(outline, table, index))
        .filter_map(|index| match index.constraint {
            Some(oid) => relation
                .constraints
                .iter()
                .find(|it| it.oid == oid)
                .map(|constraint| Old::Constraint(constraint, index)),
            None => Some(Old::Index(index)),
        })
        .collect()
}

/// Whether the application can choose the values, or will.
fn is_written(outline: &Outline<'_>, table: &Table<'_>, index: &Index) -> bool {
    let roles = &outline.catalogue.roles;
    outline.apps.iter().any(|app| {
        let Some(oid) = app.oid.filter(|_| !is_new(outline, app)) else {
            return true;
        };
        table.relation.grants.iter().any(|grant| {
            matches!(grant.privilege, Privilege::Insert | Privilege::Update)
                && grant.column.is_none_or(|column| {
                    index
                        .columns
                        .iter()
                        .any(|key| key.column.is_none_or(|key| key == column))
                })
                && roles
                    .reachable(oid)
                    .iter()
                    .any(|guise| roles.has_rights_of(*guise, grant.grantee))
        })
    })
}

/// What excludes each other over all tenants. Which operators a tenant's column would be compared by is for
/// people to say: it takes an extension.
pub(super) fn exclusions(table: &Table<'_>, tenant: &TenantColumn) -> impl Iterator<Item = Note> {
    let asks = |index: &Index| {
        index
            .columns
            .iter()
            .any(|key| key.column.is_some() && key.column == tenant.number)
    };
    let found: Vec<Note> = table
        .relation
        .indexes
        .iter()
        .filter(|index| index.exclusion && index.parent.is_none() && !asks(index))
        .map(|index| {
            Note::new(
                format!("{} on {}", tidy(&index.name), table.name()),
                format!(
                    "excludes values over all tenants: make it anew with {} WITH = (extension btree_gist)",
                    tenant.sql()
                ),
            )
        })
        .collect();
    found.into_iter()
}

pub(super) fn replacement<'a>(
    outline: &Outline<'_>,
    composites: &[Composite<'a>],
    table: &'a Table<'a>,
    tenant: &'a TenantColumn,
    old: Old<'a>,
    needed: &[Vec<&str>],
    spare: &mut Spare,
) -> Result<Key<'a>, Note> {
    let relation = table.relation;
    let (index, object) = match old {
        Old::Constraint(constraint, index) => (
            index,
            format!("{} on {}", tidy(&constraint.name), table.name()),
        ),
        Old::Index(index) => (
            index,
            format!("index {}", Name::new(&table.name().schema, &index.name)),
        ),
    };
    let numbers: Vec<i16> = index.columns.iter().filter_map(|key| key.column).collect();
    let columns = names(relation, &numbers);
    let is_plain = numbers.len() == index.columns.len();
    if let Old::Constraint(constraint, _) = old
        && outline.extras.key(constraint.oid).pinned
    {
        return Err(Note::new(
            object,
            "spans all tenants, and a view stands on it: make the view anew without it, then plan again",
        ));
    }
    let refers = outline.catalogue.relations.values().flat_map(|from| {
        from.foreign_keys()
            .map(move |(constraint, reference)| (from, constraint, reference))
    });
    let kept = refers
        .filter(|(_, constraint, reference)| {
            constraint.parent.is_none()
                && reference.relation == relation.oid
                && same(&names(relation, &reference.columns), &columns)
        })
        .find(|(_, constraint, _)| {
            !composites
                .iter()
                .any(|it| it.constraint.oid == constraint.oid)
        });
    if let (true, Some((from, constraint, _))) = (is_plain, kept) {
        return Err(Note::new(
            object,
            format!(
                "spans all tenants, and {} on {} refers to it: decide whose the rows of {} are, then plan again",
                tidy(&constraint.name),
                from.name,
                from.name
            ),
        ));
    }
    if table.is_partitioned() && needed.iter().any(|other| same(other, &columns)) {
        return Err(Note::new(
            object,
            "spans all tenants, and foreign keys refer to it on a partitioned table: replace it by hand",
        ));
    }
    let Some(rest) = outline
        .extras
        .heads
        .get(&index.oid)
        .and_then(|head| index.definition.strip_prefix(head.as_str()))
    else {
        return Err(Note::new(
            object,
            "spans all tenants: make one that begins with the tenant's column, then drop it",
        ));
    };
    let tail = format!(" USING {} ({}, {rest}", tidy(&index.method), tenant.sql());
    let parts: Vec<&str> = std::iter::once(tenant.name.as_str())
        .chain(if is_plain {
            columns.clone()
        } else {
            vec![index.name.as_str()]
        })
        .chain(["key"])
        .collect();
    let ours = crate::plan::names::joined(
        &std::iter::once(table.name().name.as_str())
            .chain(parts.iter().copied())
            .collect::<Vec<_>>(),
    );
    let like = |relation: &Relation, found: &Index| {
        let leads = found
            .columns
            .first()
            .and_then(|key| key.column)
            .is_some_and(|number| {
                relation
                    .column(number)
                    .is_some_and(|column| column.name == tenant.name)
            });
        let is_same = is_plain
            && found.partial == index.partial
            && columns_of(relation, found).is_some_and(|it| same(&it, &with(tenant, &columns)));
        leads && found.constraint.is_none() && (is_same && !found.partial || found.name == ours)
    };
    let mut build = Build::new(table, true, tail, &parts, like, spare);
    if let Old::Constraint(constraint, _) = old {
        build.replaced = Some(done::constraint_has(
            table.name(),
            &constraint.name,
            &tenant.name,
        ));
    }
    Ok(Key {
        table,
        tenant,
        build: Some(build),
        label: label(
            tenant,
            &columns,
            is_plain.then_some(()).map_or(Some(&index.name), |()| None),
        ),
        columns: columns.into_iter().map(str::to_owned).collect(),
        replaces: Some(old),
        replaced_tail: format!(" USING {} ({rest}", tidy(&index.method)),
    })
}
