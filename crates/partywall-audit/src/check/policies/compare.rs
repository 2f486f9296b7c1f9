//! Policies that compare the tenant by something else than being the same.

use std::collections::BTreeSet;

use super::{Audit, Oid, Relation, Table, object, remedy};
use crate::{Fault, Finding, sql::tidy, subject::alter_policy, wall::Gap};

/// Comparisons as a pattern.
pub(super) fn patterns(audit: &Audit<'_>, table: &Table<'_>, found: &mut Vec<Finding>) {
    let relation = table.relation;
    let is_pattern = |gap: &Gap| matches!(gap, Gap::Pattern { .. });
    for policy in table.with_gap(audit, is_pattern) {
        let column = tenant(audit, relation);
        let why = format!(
            "it compares {column} as a pattern or a part of a text, so with `acme` as the tenant `SELECT * FROM {}` reaches the rows of `acme-eu` too",
            relation.name
        );
        let predicate = audit
            .subject
            .predicate(audit.catalogue, relation)
            .unwrap_or_else(|| "false".to_owned());
        let fix = alter_policy(
            relation,
            policy,
            policy.using.as_ref().map(|_| predicate.as_str()),
            policy.check.as_ref().map(|_| predicate.as_str()),
        );
        found.push(
            Finding::new(
                Fault::TenantPatternMatch,
                object(relation, policy),
                why,
                fix,
            )
            .tables([table.name()]),
        );
    }
}

fn tenant(audit: &Audit<'_>, relation: &Relation) -> String {
    audit
        .subject
        .tenant_column(relation.oid)
        .and_then(|number| relation.column(number))
        .map_or_else(|| "the tenant".to_owned(), |column| tidy(&column.name))
}

/// Comparisons that take `acme` and `ACME` for the same tenant. Columns that refer to each other change
/// together, so it is one finding.
pub(super) fn folds(audit: &Audit<'_>, tables: &[Table<'_>], found: &mut Vec<Finding>) {
    let folding: Vec<&Table<'_>> = tables
        .iter()
        .filter(|table| {
            table
                .openings
                .iter()
                .any(|open| matches!(open.opening.gap, Gap::Fold { .. }))
                && !is_one_tenant(audit, table.relation)
        })
        .collect();
    let Some(first) = folding.first() else {
        return;
    };
    let names: Vec<String> = folding.iter().map(|table| table.name()).collect();
    let column = tenant(audit, first.relation);
    let why = format!(
        "{column} is compared without regard to case, so with `ACME` as the tenant `SELECT * FROM {}` reaches the rows of `acme`",
        first.relation.name
    );
    let object = format!("column {column} of {}", first.relation.name);
    let fix = exact(audit, &folding);
    found.push(Finding::new(Fault::TenantCaseFold, object, why, fix).tables(names));
}

/// Whether there can be no two tenants that differ in case: the column refers to a key of a kind that folds
/// them as well.
fn is_one_tenant(audit: &Audit<'_>, relation: &Relation) -> bool {
    let Some(tenant) = audit.subject.tenant_column(relation.oid) else {
        return false;
    };
    let folds = |relation: &Relation, number: i16| {
        relation
            .column(number)
            .is_some_and(|column| !column.deterministic || column.type_name.ends_with("citext"))
    };
    let unique_alone = |relation: &Relation, number: i16| {
        relation.indexes.iter().any(|index| {
            index.unique
                && index.valid
                && !index.partial
                && matches!(index.columns.as_slice(), [key] if key.column == Some(number))
        })
    };
    if audit.subject.root == Some(relation.oid) {
        return folds(relation, tenant) && unique_alone(relation, tenant);
    }
    relation.foreign_keys().any(|(constraint, reference)| {
        constraint.columns == [tenant]
            && audit
                .catalogue
                .relations
                .get(&reference.relation)
                .zip(reference.columns.first())
                .is_some_and(|(root, key)| folds(root, *key) && unique_alone(root, *key))
    })
}

/// Makes the columns plain texts, or has the policies compare what they are.
fn exact(audit: &Audit<'_>, tables: &[&Table<'_>]) -> String {
    let mut before: Vec<String> = Vec::new();
    let mut change: Vec<String> = Vec::new();
    let mut after: Vec<String> = Vec::new();
    let oids: BTreeSet<Oid> = tables.iter().map(|table| table.relation.oid).collect();
    for table in tables {
        let relation = table.relation;
        let Some(column) = audit
            .subject
            .tenant_column(relation.oid)
            .and_then(|number| relation.column(number))
        else {
            continue;
        };
        let is_fold = |gap: &Gap| matches!(gap, Gap::Fold { .. });
        let folding_column = !column.deterministic || column.type_name.ends_with("citext");
        if !folding_column {
            // The policies fold it themselves, by lower() or a cast.
            let predicate = audit
                .subject
                .predicate(audit.catalogue, relation)
                .unwrap_or_else(|| "false".to_owned());
            for policy in table.with_gap(audit, is_fold) {
                change.push(alter_policy(
                    relation,
                    policy,
                    policy.using.as_ref().map(|_| predicate.as_str()),
                    policy.check.as_ref().map(|_| predicate.as_str()),
                ));
            }
            continue;
        }
        // A column's type does not change under policies and keys that use it.
        for policy in &relation.policies {
            before.push(format!(
                "DROP POLICY {} ON {};",
                tidy(&policy.name),
                relation.name
            ));
            after.push(remedy::again(audit, relation, policy));
        }
        for (constraint, reference) in relation.foreign_keys() {
            let ours = constraint.columns.contains(&column.number)
                && oids.contains(&reference.relation)
                && constraint.parent.is_none();
            if ours {
                let (table, name) = (&relation.name, tidy(&constraint.name));
                before.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name};"));
                after.push(format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} {};",
                    constraint.definition
                ));
            }
        }
        let of = if column.type_name.starts_with("character") {
            column.type_name.as_str()
        } else {
            "text"
        };
        change.push(format!(
            "ALTER TABLE {} ALTER COLUMN {} TYPE {of} COLLATE \"C\";",
            relation.name,
            tidy(&column.name)
        ));
    }
    before.extend(change);
    before.extend(after);
    before.join("\n")
}
