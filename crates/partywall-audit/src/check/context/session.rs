//! Functions that set the context: to a value of their own, or for longer than a transaction.

use std::collections::BTreeSet;

use super::{Audit, body, default::setting_name};
use crate::{
    Fault, Finding,
    catalogue::{Function, Oid, PUBLIC, Privilege},
    sql::tidy,
};

pub(super) fn find(audit: &Audit<'_>, settings: &BTreeSet<&str>, found: &mut Vec<Finding>) {
    let functions = audit
        .catalogue
        .functions
        .values()
        .filter(|function| function.extension.is_none());
    for function in functions {
        let callable = !function.is_trigger
            && audit
                .subject
                .app_roles
                .iter()
                .any(|role| audit.catalogue.may_call(*role, function));
        let fires = function.is_trigger
            && audit
                .subject
                .tenant_tables(audit.catalogue)
                .any(|relation| {
                    relation
                        .triggers
                        .iter()
                        .any(|trigger| trigger.enabled && trigger.function == function.oid)
                });
        if callable && let Some((setting, value)) = own_value(function, settings) {
            found.push(sets_context(audit, function, &setting, &value));
        }
        if callable || fires {
            found.extend(outlives(audit, function, settings));
        }
    }
}

/// A setting to which a function gives a value that is not its caller's.
fn own_value(function: &Function, settings: &BTreeSet<&str>) -> Option<(String, String)> {
    let clause = settings
        .iter()
        .find_map(|setting| Some(((*setting).to_owned(), function.sets(setting)?.to_owned())))
        .filter(|(_, value)| !value.trim_matches('"').is_empty());
    clause.or_else(|| {
        body::assignments(&function.source)
            .into_iter()
            .find_map(|(setting, value, _)| {
                let value = value.filter(|value| !value.is_empty())?;
                settings
                    .contains(setting.as_str())
                    .then_some((setting, value))
            })
    })
}

/// FN_SETS_CONTEXT.
fn sets_context(audit: &Audit<'_>, function: &Function, setting: &str, value: &str) -> Finding {
    let roles = &audit.catalogue.roles;
    let holders: BTreeSet<Oid> = function
        .grants
        .iter()
        .filter(|grant| grant.privilege == Privilege::Execute)
        .map(|grant| grant.grantee)
        .filter(|grantee| {
            audit
                .subject
                .app_roles
                .iter()
                .any(|app| roles.has_rights_of(*app, *grantee))
        })
        .collect();
    let names: Vec<String> = holders
        .iter()
        .map(|role| {
            if *role == PUBLIC {
                "PUBLIC".to_owned()
            } else {
                tidy(roles.name(*role))
            }
        })
        .collect();
    let keyword = function.keyword().to_lowercase();
    let call = if function.kind == 'p' {
        "CALL"
    } else {
        "SELECT"
    };
    // A tenant's id is nothing to print in a report.
    let _ = value;
    let fix = if !is_asked(audit, function) {
        format!(
            "REVOKE EXECUTE ON {} {} FROM {};",
            function.keyword(),
            function.signature(),
            names.join(", ")
        )
    } else if function.sets(setting).is_some() {
        format!(
            "ALTER {} {} RESET {};",
            function.keyword(),
            function.signature(),
            setting_name(setting)
        )
    } else {
        format!(
            "-- The policies ask {}, so that everybody has to call it: it must not set `{setting}` itself.",
            function.signature()
        )
    };
    Finding::new(
        Fault::FnSetsContext,
        format!("{keyword} {}", function.signature()),
        format!(
            "it runs with `{setting}` set to a value of its own, so whoever calls it (`{call} {}(…)`) works as that tenant, whatever their own is",
            function.name
        ),
        fix,
    )
}

/// Whether policies call a function.
fn is_asked(audit: &Audit<'_>, function: &Function) -> bool {
    audit.guarded().any(|relation| {
        relation.policies.iter().any(|policy| {
            let facts = audit.wall.facts(relation, policy);
            facts.functions.contains(&function.oid)
        })
    })
}

/// CTX_POOL_LEAK, as far as functions go.
fn outlives(audit: &Audit<'_>, function: &Function, settings: &BTreeSet<&str>) -> Option<Finding> {
    let is_context = |name: &str| settings.contains(name.to_lowercase().as_str());
    let setting = body::assignments(&function.source)
        .into_iter()
        .find_map(|(setting, _, session)| (session && is_context(&setting)).then_some(setting))
        .or_else(|| {
            body::session_set(&function.source)
                .into_iter()
                .find(|name| is_context(name))
        })?;
    let fix = body::with_body(function, |sql| {
        let local = body::local(sql, is_context);
        body::set_local(local.as_deref().unwrap_or(sql), is_context).or(local)
    })?;
    let example = audit.guarded().next().map_or_else(
        || "SELECT …".to_owned(),
        |relation| format!("SELECT * FROM {}", relation.name),
    );
    Some(Finding::new(
        Fault::CtxPoolLeak,
        format!(
            "{} {}",
            function.keyword().to_lowercase(),
            function.signature()
        ),
        format!(
            "it sets `{setting}` for the whole session, so on a pooled connection `{example}` still reads the rows of the last tenant after COMMIT"
        ),
        fix,
    ))
}
