use std::collections::BTreeMap;

use crate::{
    Fault, Finding,
    catalogue::{Publication, Relation},
    check::Audit,
    sql::tidy,
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
            .filter(|member| !member.filtered)
            .filter_map(|member| Some((*member, audit.catalogue.relations.get(&member.relation)?)))
            .filter(|(_, table)| {
                audit.subject.is_tenants(table.oid) && audit.subject.reports(table)
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
