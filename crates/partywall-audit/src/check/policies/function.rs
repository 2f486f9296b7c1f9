//! Functions that policies call.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Oid, Table};
use crate::{
    Fault, Finding,
    catalogue::{Function, PUBLIC, Privilege, Volatility},
    sql::tidy,
};

pub(super) fn find(audit: &Audit<'_>, tables: &[Table<'_>], found: &mut Vec<Finding>) {
    // Each function, with the tables whose policies call it, themselves or through another.
    let mut called: BTreeMap<Oid, BTreeSet<String>> = BTreeMap::new();
    for table in tables {
        for policy in &table.relation.policies {
            let applies = table.roles.keys().any(|role| {
                policy
                    .roles
                    .iter()
                    .any(|to| audit.catalogue.roles.has_rights_of(*role, *to))
            });
            if !applies {
                continue;
            }
            for function in audit.wall.facts(table.relation, policy).functions {
                called.entry(function).or_default().insert(table.name());
            }
        }
    }
    for (oid, tables) in called {
        let Some(function) = audit.catalogue.functions.get(&oid) else {
            continue;
        };
        found.extend(immutable(audit, function, &tables));
        found.extend(search_path(audit, function, &tables));
    }
}

/// What claims to be immutable is computed once when a statement is planned, and the plan is kept.
fn immutable(audit: &Audit<'_>, function: &Function, tables: &BTreeSet<String>) -> Option<Finding> {
    if function.volatility != Volatility::Immutable {
        return None;
    }
    let facts = &audit.wall.library().routine(function.oid)?.facts;
    if !facts.depends_on_session() && facts.relations.is_empty() {
        return None;
    }
    let first = tables.first().map(String::as_str).unwrap_or_default();
    let why = format!(
        "{} reads who asks and claims to be immutable, so a plan keeps its first answer: `PREPARE q AS SELECT * FROM {first}`, run for one tenant and then for another, shows the first one's rows",
        function.name
    );
    let fix = format!(
        "ALTER {} {} STABLE;",
        function.keyword(),
        function.signature()
    );
    Some(
        Finding::new(
            Fault::PolicyFnImmutable,
            format!("function {}", function.signature()),
            why,
            fix,
        )
        .tables(tables.iter().cloned()),
    )
}

/// Names without a schema are looked up where the session says: in its temporary tables before all.
fn search_path(
    audit: &Audit<'_>,
    function: &Function,
    tables: &BTreeSet<String>,
) -> Option<Finding> {
    let routine = audit.wall.library().routine(function.oid)?;
    let path = function.sets("search_path").map(schemas);
    // Temporary tables come first wherever they are not named.
    let temporary_last = path
        .as_ref()
        .is_some_and(|path| path.is_empty() || path.last().map(String::as_str) == Some("pg_temp"));
    let tables_at_risk =
        !routine.unqualified_relations.is_empty() && !temporary_last && may_make_temporary(audit);
    let functions_at_risk =
        !routine.unqualified_functions.is_empty() && path.is_none() && may_make_functions(audit);
    if !tables_at_risk && !functions_at_risk {
        return None;
    }
    let first = tables.first().map(String::as_str).unwrap_or_default();
    let why = if tables_at_risk {
        let name = routine.unqualified_relations.first()?;
        format!(
            "{} looks up {name} by the caller's search path, temporary tables first: `CREATE TEMP TABLE {} AS …; SELECT * FROM {first}` makes it read what the caller wrote",
            function.name,
            tidy(name)
        )
    } else {
        let name = routine.unqualified_functions.first()?;
        format!(
            "{} calls {name} by the caller's search path: `CREATE FUNCTION … {}() …; SET search_path = …; SELECT * FROM {first}` makes it call what the caller wrote",
            function.name,
            tidy(name)
        )
    };
    let mut path: Vec<String> = path.unwrap_or_default();
    path.retain(|schema| schema != "pg_temp");
    if path.is_empty() {
        path.push(function.name.schema.clone());
    }
    let used = routine
        .facts
        .relations
        .iter()
        .filter_map(|oid| audit.catalogue.relations.get(oid))
        .map(|relation| relation.name.schema.clone());
    for schema in used {
        if !path.contains(&schema) {
            path.push(schema);
        }
    }
    let mut path: Vec<String> = path.iter().map(|schema| tidy(schema)).collect();
    path.push("pg_temp".to_owned());
    let fix = format!(
        "ALTER {} {} SET search_path = {};",
        function.keyword(),
        function.signature(),
        path.join(", ")
    );
    Some(
        Finding::new(
            Fault::PolicyFnSearchPath,
            format!("function {}", function.signature()),
            why,
            fix,
        )
        .tables(tables.iter().cloned()),
    )
}

/// The schemas of a `search_path`. An empty one is written `""`.
fn schemas(path: &str) -> Vec<String> {
    path.split(',')
        .map(|schema| schema.trim().trim_matches('"').to_owned())
        .filter(|schema| !schema.is_empty())
        .collect()
}

fn may_make_temporary(audit: &Audit<'_>) -> bool {
    let roles = &audit.catalogue.roles;
    audit
        .catalogue
        .server
        .database_grants
        .iter()
        .filter(|grant| grant.privilege == Privilege::Temporary)
        .any(|grant| {
            grant.grantee == PUBLIC
                || audit
                    .subject
                    .app_roles
                    .iter()
                    .any(|role| roles.has_rights_of(*role, grant.grantee))
        })
}

fn may_make_functions(audit: &Audit<'_>) -> bool {
    let roles = &audit.catalogue.roles;
    let schema = audit.catalogue.namespaces.keys().any(|namespace| {
        audit
            .subject
            .app_roles
            .iter()
            .any(|role| audit.catalogue.may_in(*role, *namespace, Privilege::Create))
    });
    schema
        || audit
            .catalogue
            .server
            .database_grants
            .iter()
            .filter(|grant| grant.privilege == Privilege::Create)
            .any(|grant| {
                audit
                    .subject
                    .app_roles
                    .iter()
                    .any(|role| roles.has_rights_of(*role, grant.grantee))
            })
}
