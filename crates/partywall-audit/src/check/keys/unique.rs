use std::collections::BTreeSet;

use super::{
    definition::{head, index_led_by, led_by, mentions},
    foreign::{parent_key, replace},
    is_root,
    surrogate::is_surrogate,
    tables, tells_nothing,
};
use crate::{
    Fault, Finding,
    catalogue::{Constraint, ConstraintKind, Index, Privilege, Reference, Relation},
    check::Audit,
    sql::tidy,
    subject::Belonging,
};

/// Unique keys over the rows of all tenants, of values that somebody can guess.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in tables(audit).filter(|table| !is_root(audit, table.oid)) {
        for index in &table.indexes {
            let is_key = index.unique && index.parent.is_none() && !index.exclusion;
            if is_key && !is_scoped(audit, table, index) && is_written(audit, table, index) {
                found.extend(finding(audit, table, index));
            }
        }
    }
}

/// Whether only rows of one tenant can collide, or only by a value that nobody guesses.
pub(crate) fn is_scoped(audit: &Audit<'_>, table: &Relation, index: &Index) -> bool {
    let columns: Vec<i16> = index.columns.iter().filter_map(|key| key.column).collect();
    let tenant = audit.subject.tenant_column(table.oid);
    if tenant.is_some_and(|tenant| columns.contains(&tenant) || mentions(index, table, tenant)) {
        return true;
    }
    if tells_nothing(table, index) {
        return true;
    }
    // A row that it belongs to, or that it refers to, is one tenant's.
    let through = table.foreign_keys().any(|(constraint, reference)| {
        let keys: Vec<i16> = constraint
            .columns
            .iter()
            .copied()
            .filter(|column| Some(*column) != tenant)
            .collect();
        audit.subject.is_tenants(reference.relation)
            && !is_root(audit, reference.relation)
            && !keys.is_empty()
            && keys.iter().all(|column| columns.contains(column))
    });
    let by_parent = matches!(audit.subject.belonging(table.oid), Some(Belonging::Parent { constraint, .. })
        if table.constraints.iter().any(|own| own.oid == *constraint
            && own.columns.iter().all(|column| columns.contains(column))));
    through
        || by_parent
        || (columns.len() == index.columns.len()
            && columns
                .iter()
                .filter_map(|column| table.column(*column))
                .all(|column| is_surrogate(audit.catalogue, table, column)))
}

/// Whether the application can choose the values.
pub(super) fn is_written(audit: &Audit<'_>, table: &Relation, index: &Index) -> bool {
    let columns: BTreeSet<i16> = index.columns.iter().filter_map(|key| key.column).collect();
    audit
        .askers_of(table, &[Privilege::Insert, Privilege::Update])
        .iter()
        .any(|role| {
            table.grants.iter().any(|grant| {
                matches!(grant.privilege, Privilege::Insert | Privilege::Update)
                    && grant
                        .column
                        .is_none_or(|column| columns.is_empty() || columns.contains(&column))
                    && audit.catalogue.roles.has_rights_of(*role, grant.grantee)
            })
        })
}

fn finding(audit: &Audit<'_>, table: &Relation, index: &Index) -> Option<Finding> {
    let constraint = table
        .constraints
        .iter()
        .find(|constraint| Some(constraint.oid) == index.constraint);
    let object = match constraint {
        Some(constraint) => format!("constraint {} on {}", tidy(&constraint.name), table.name),
        None => format!("index {}.{}", tidy(&table.name.schema), tidy(&index.name)),
    };
    let what = match index
        .columns
        .iter()
        .find_map(|key| table.column(key.column?))
    {
        Some(column) => tidy(&column.name),
        None => "…".to_owned(),
    };
    let why = format!(
        "it is unique over the rows of all tenants, so `INSERT INTO {} ({what}) … ON CONFLICT DO NOTHING` that \
         inserts no row tells that another tenant has the value",
        table.name
    );
    Some(
        Finding::new(
            Fault::UniqueGlobal,
            object,
            why,
            fix(audit, table, index, constraint)?,
        )
        .tables([table.name.to_string()]),
    )
}

fn fix(
    audit: &Audit<'_>,
    table: &Relation,
    index: &Index,
    constraint: Option<&Constraint>,
) -> Option<String> {
    let lead = lead(audit, table)?;
    let Some(constraint) = constraint else {
        let dependents = dependents(audit, table, index);
        let mut statements = release(audit, table, &dependents);
        statements.push(index_led_by(index, table, &lead)?);
        return Some(statements.join("\n"));
    };
    let dependents = dependents(audit, table, index);
    let mut statements = release(audit, table, &dependents);
    let name = tidy(&constraint.name);
    statements.push(format!(
        "ALTER TABLE {} DROP CONSTRAINT {name};",
        table.name
    ));
    let nullable = audit
        .subject
        .tenant_column(table.oid)
        .and_then(|column| table.column(column))
        .is_some_and(|column| !column.not_null);
    let definition = &constraint.definition;
    let head = head(definition)?.trim_end();
    // A primary key would forbid the rows without a tenant.
    let kind = if constraint.kind == ConstraintKind::Primary && nullable {
        "UNIQUE"
    } else {
        head
    };
    statements.push(format!(
        "ALTER TABLE {} ADD CONSTRAINT {name} {kind} {};",
        table.name,
        led_by(definition, &lead)?
    ));
    Some(statements.join("\n"))
}

/// What a key is to be led by: the tenant, or what the row belongs to.
pub(super) fn lead(audit: &Audit<'_>, table: &Relation) -> Option<String> {
    if let Some(tenant) = audit.subject.tenant_column(table.oid) {
        return Some(table.column_list(&[tenant]));
    }
    if let Some(Belonging::Parent { constraint, .. }) = audit.subject.belonging(table.oid) {
        let own = table
            .constraints
            .iter()
            .find(|own| own.oid == *constraint)?;
        return Some(table.column_list(&own.columns));
    }
    None
}

/// The foreign keys that need the index: those that refer to its columns.
fn dependents<'a>(
    audit: &'a Audit<'_>,
    table: &Relation,
    index: &Index,
) -> Vec<(&'a Relation, &'a Constraint, &'a Reference)> {
    let columns: BTreeSet<i16> = index.columns.iter().filter_map(|key| key.column).collect();
    audit
        .catalogue
        .relations
        .values()
        .flat_map(|other| {
            other
                .foreign_keys()
                .map(move |(constraint, reference)| (other, constraint, reference))
        })
        .filter(|(_, constraint, reference)| {
            constraint.parent.is_none()
                && reference.relation == table.oid
                && reference.columns.iter().copied().collect::<BTreeSet<_>>() == columns
        })
        .collect()
}

/// Frees an index from the foreign keys that need it: they get the tenant as well where both tables have one,
/// and go where they cannot.
fn release(
    audit: &Audit<'_>,
    table: &Relation,
    dependents: &[(&Relation, &Constraint, &Reference)],
) -> Vec<String> {
    let mut statements = Vec::new();
    let theirs = audit
        .subject
        .tenant_column(table.oid)
        .and_then(|it| table.column(it));
    for (child, constraint, reference) in dependents {
        let own = audit
            .subject
            .tenant_column(child.oid)
            .and_then(|it| child.column(it));
        match (own, theirs) {
            (Some(own), Some(theirs)) if own.type_oid == theirs.type_oid => {
                statements.extend(parent_key(audit, table, reference, theirs.number));
                statements.extend(replace(
                    audit,
                    child,
                    constraint,
                    reference,
                    table,
                    own.number,
                    theirs.number,
                ));
            }
            _ => statements.push(format!(
                "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {};",
                child.name,
                tidy(&constraint.name)
            )),
        }
    }
    let mut seen = BTreeSet::new();
    statements.retain(|statement| {
        !statement.starts_with("CREATE UNIQUE") || seen.insert(statement.clone())
    });
    statements
}
