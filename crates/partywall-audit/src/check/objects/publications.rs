use std::collections::BTreeMap;

use crate::{
    Fault, Finding,
    catalogue::{Publication, Relation},
    check::{
        Audit,
        reach::phrase::{self, Part},
    },
    sql::tidy,
    subject::Belonging,
};

/// Publications that send the rows of all tenants to whoever subscribes.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut by_name: BTreeMap<&str, Vec<&Publication>> = BTreeMap::new();
    for publication in &audit.catalogue.publications {
        by_name
            .entry(&publication.name)
            .or_default()
            .push(publication);
    }
    for (name, members) in by_name {
        let open: Vec<(&Publication, &Relation)> = members
            .iter()
            .filter_map(|member| Some((*member, audit.catalogue.relations.get(&member.relation)?)))
            .filter(|(member, table)| {
                audit.subject.is_tenants(table.oid)
                    && audit.subject.reports(table)
                    && !is_of_some(audit, table, member)
            })
            .collect();
        let Some((_, example)) = open.first() else {
            continue;
        };
        let tables: Vec<String> = open
            .iter()
            .map(|(_, table)| table.name.to_string())
            .collect();
        let why = format!(
            "it carries the rows of all tenants, so whoever may `CREATE SUBSCRIPTION … PUBLICATION {}` receives all \
             of {}",
            tidy(name),
            example.name
        );
        found.push(
            Finding::new(
                Fault::Publication,
                format!("publication {}", tidy(name)),
                why,
                fix(audit, name, &members, &open),
            )
            .tables(tables),
        );
    }
}

/// Whether its filter says whose the rows are that it carries.
fn is_of_some(audit: &Audit<'_>, table: &Relation, member: &Publication) -> bool {
    let filter = member.filter.as_deref().and_then(phrase::read);
    let mut columns: Vec<i16> = audit.subject.tenant_column(table.oid).into_iter().collect();
    if let Some(Belonging::Parent { constraint, .. }) = audit.subject.belonging(table.oid) {
        let own = table.constraints.iter().find(|own| own.oid == *constraint);
        columns.extend(own.into_iter().flat_map(|own| own.columns.iter().copied()));
    }
    let names: Vec<&str> = columns
        .iter()
        .filter_map(|column| table.column(*column))
        .map(|column| column.name.as_str())
        .collect();
    filter.is_some_and(|filter| chooses(&filter, table, &names))
}

/// Whether a condition holds one of some columns against what is no column: alone, or with AND.
fn chooses(condition: &[Part], table: &Relation, names: &[&str]) -> bool {
    if let [Part::Round(inside)] = condition {
        return chooses(inside, table, names);
    }
    let arms = phrase::split(condition, |part| part.is("or"));
    if arms.len() > 1 {
        return arms.iter().all(|arm| chooses(arm, table, names));
    }
    let conjuncts = phrase::split(condition, |part| part.is("and"));
    if conjuncts.len() > 1 {
        return conjuncts.iter().any(|it| chooses(it, table, names));
    }
    let equal = condition
        .iter()
        .position(|part| part.is_operator("=") || part.is("in"));
    let (Some(at), false) = (equal, condition.iter().any(|part| part.is("not"))) else {
        return false;
    };
    let (left, right) = (
        condition.get(..at).unwrap_or(&[]),
        condition.get(at + 1..).unwrap_or(&[]),
    );
    [(left, right), (right, left)]
        .iter()
        .any(|(one, other)| mentions(one, names) && !is_of_row(other, table))
}

fn mentions(parts: &[Part], names: &[&str]) -> bool {
    let any = |parts: &[Part]| {
        parts
            .iter()
            .filter_map(Part::word)
            .any(|word| names.contains(&word))
    };
    let mut found = any(parts);
    phrase::groups(parts, &mut |inside| found |= any(inside));
    found
}

/// Whether a column is in an expression.
fn is_of_row(parts: &[Part], table: &Relation) -> bool {
    let columns: Vec<&str> = table.columns.iter().map(|it| it.name.as_str()).collect();
    mentions(parts, &columns)
}

/// Takes the tables out: whose rows a subscriber is to have, only its owner knows, who may then add them with a
/// row filter each.
fn fix(
    audit: &Audit<'_>,
    name: &str,
    members: &[&Publication],
    open: &[(&Publication, &Relation)],
) -> String {
    let mut dropped: Vec<String> = Vec::new();
    let mut whole = false;
    for (member, _) in open {
        match member
            .named
            .and_then(|named| audit.catalogue.relations.get(&named))
        {
            Some(named) => dropped.push(named.name.to_string()),
            None => whole = true,
        }
    }
    dropped.sort();
    dropped.dedup();
    let publication = tidy(name);
    if !whole {
        return format!(
            "ALTER PUBLICATION {publication} DROP TABLE {};",
            dropped.join(", ")
        );
    }
    let kept: Vec<String> = members
        .iter()
        .filter_map(|member| audit.catalogue.relations.get(&member.relation))
        .filter(|table| !audit.subject.is_tenants(table.oid) && !table.is_partition)
        .map(|table| table.name.to_string())
        .collect();
    let begin = format!("DROP PUBLICATION {publication};\nCREATE PUBLICATION {publication}");
    if kept.is_empty() {
        format!("{begin};")
    } else {
        format!("{begin} FOR TABLE {};", kept.join(", "))
    }
}
