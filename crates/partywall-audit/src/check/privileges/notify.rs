use std::collections::{BTreeMap, BTreeSet};

use super::{
    body::{is, statements},
    rows::{Rows, Shape},
};
use crate::{
    Fault, Finding,
    catalogue::{Column, Function, Oid, Relation, Trigger},
    check::Audit,
    sql::tidy,
};

/// Triggers that send rows to whoever listens: LISTEN asks for no right, and a notification knows no policy.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut uses: BTreeMap<Oid, Vec<(&Relation, &Trigger)>> = BTreeMap::new();
    for relation in audit.subject.tenant_tables(audit.catalogue) {
        if !audit.subject.reports(relation) {
            continue;
        }
        for trigger in relation.triggers.iter().filter(|it| it.enabled) {
            uses.entry(trigger.function)
                .or_default()
                .push((relation, trigger));
        }
    }
    let senders = senders(audit);
    for (function, uses) in uses {
        let Some(function) = audit.catalogue.functions.get(&function) else {
            continue;
        };
        if function.language != "plpgsql" || !sends_rows(audit, function, &uses, &senders) {
            continue;
        }
        let fix: Vec<String> = uses
            .iter()
            .filter(|(relation, trigger)| !is_copy(audit, relation, trigger))
            .map(|(relation, trigger)| {
                format!("DROP TRIGGER {} ON {};", tidy(&trigger.name), relation.name)
            })
            .collect();
        let tables: Vec<String> = uses.iter().map(|(it, _)| it.name.to_string()).collect();
        let why = format!(
            "triggers on {} notify with what is in the row, and whoever is connected may hear it: `LISTEN` on the channel of {} shows every tenant's changes: send the key alone, and let the listener read the row",
            tables.first().map_or("a table", String::as_str),
            function.signature()
        );
        found.push(
            Finding::new(
                Fault::NotifyPayload,
                format!("function {}", function.signature()),
                why,
                fix.join("\n"),
            )
            .tables(tables),
        );
    }
}

/// The functions that notify with what they are given: `pg_notify`, and those that call it.
fn senders(audit: &Audit<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["pg_notify".to_owned()]);
    for function in audit.catalogue.functions.values() {
        if function.argument_types.is_empty() || function.is_trigger {
            continue;
        }
        let calls = statements(&function.source).is_some_and(|body| {
            body.iter()
                .flatten()
                .any(|token| is(Some(token), "pg_notify") || is(Some(token), "notify"))
        });
        if calls {
            names.insert(function.name.name.clone());
        }
    }
    names
}

fn sends_rows(
    audit: &Audit<'_>,
    function: &Function,
    uses: &[(&Relation, &Trigger)],
    senders: &BTreeSet<String>,
) -> bool {
    let Some(body) = statements(&function.source) else {
        return false;
    };
    let mut own = Shape::default();
    for (relation, _) in uses {
        own.or(&shape(audit, relation));
    }
    // What it looks up is told as what it was given.
    let mut tables: BTreeMap<String, Shape> = BTreeMap::new();
    for relation in audit.subject.tenant_tables(audit.catalogue) {
        tables
            .entry(relation.name.name.clone())
            .or_default()
            .or(&shape(audit, relation));
    }
    for (_, trigger) in uses {
        for name in transition_tables(&trigger.definition) {
            tables.insert(name, own.clone());
        }
    }
    Rows::new(own, tables).are_sent(&body, senders)
}

fn shape(audit: &Audit<'_>, relation: &Relation) -> Shape {
    let (keys, columns) = relation
        .columns
        .iter()
        .partition::<Vec<&Column>, _>(|column| is_key(audit, relation, column.number));
    let names = |columns: Vec<&Column>| columns.iter().map(|it| it.name.clone()).collect();
    Shape {
        keys: names(keys),
        columns: names(columns),
    }
}

/// Whether a column says which row it is, or whose, and nothing more. A tenant may have several names.
fn is_key(audit: &Audit<'_>, relation: &Relation, column: i16) -> bool {
    let names_tenant = audit.subject.root == Some(relation.oid)
        && relation.indexes.iter().any(|index| {
            index.unique
                && !index.partial
                && matches!(index.columns.as_slice(), [key] if key.column == Some(column))
        });
    names_tenant
        || audit.subject.tenant_column(relation.oid) == Some(column)
        || relation
            .primary_key()
            .is_some_and(|key| key.contains(&column))
        || relation
            .foreign_keys()
            .any(|(constraint, _)| constraint.columns.contains(&column))
}

/// `REFERENCING NEW TABLE AS added`: the names by which a trigger for statements reads the rows.
fn transition_tables(definition: &str) -> Vec<String> {
    let Some(tokens) = statements(definition).and_then(|mut all| all.pop()) else {
        return Vec::new();
    };
    tokens
        .windows(4)
        .filter_map(|four| match four {
            [age, table, with, name]
                if (is(Some(age), "new") || is(Some(age), "old"))
                    && is(Some(table), "table")
                    && is(Some(with), "as") =>
            {
                super::body::word(Some(name))
            }
            _ => None,
        })
        .collect()
}

/// Whether a trigger of a partition is there since its parent has it, and goes with that.
fn is_copy(audit: &Audit<'_>, relation: &Relation, trigger: &Trigger) -> bool {
    relation.is_partition
        && relation.parents.iter().any(|parent| {
            audit.catalogue.relations.get(parent).is_some_and(|parent| {
                parent
                    .triggers
                    .iter()
                    .any(|it| it.name == trigger.name && it.function == trigger.function)
            })
        })
}
