use std::collections::{BTreeMap, BTreeSet};

use super::{
    body::{self, is, statements},
    tables::{holder, object},
};
use crate::{
    Fault, Finding,
    catalogue::{DefaultAcl, Oid, Privilege},
    check::{
        Audit,
        app::{App, grantee},
    },
    sql::tidy,
};

/// Rights that tables get as they are made: the next one is the application's before anybody protects it.
pub(super) fn find(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    let catalogue = audit.catalogue;
    if are_protected_when_made(audit) {
        return;
    }
    let mut granted: BTreeMap<Oid, BTreeSet<(Oid, Option<Oid>)>> = BTreeMap::new();
    let tables = catalogue.default_acls.iter().filter(|it| it.kind == 'r');
    for acl in tables {
        for grantee in grantees(audit, apps, acl) {
            granted
                .entry(grantee)
                .or_default()
                .insert((acl.maker, acl.namespace));
        }
    }
    for (role, makers) in granted {
        let mut fix = Vec::new();
        let mut said = None;
        for (maker, namespace) in makers {
            let maker = tidy(catalogue.roles.name(maker));
            let schema = namespace.and_then(|oid| catalogue.namespaces.get(&oid));
            let within = schema
                .map(|schema| format!(" IN SCHEMA {}", tidy(&schema.name)))
                .unwrap_or_default();
            fix.push(format!(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {maker}{within} REVOKE ALL ON TABLES FROM {};",
                grantee(audit, role)
            ));
            said.get_or_insert(match schema {
                Some(schema) => format!("{maker} makes in {}", tidy(&schema.name)),
                None => format!("{maker} makes"),
            });
        }
        let why = format!(
            "{} gets rights on every table that {}, before it has policies: after the next migration `SELECT * FROM new_table` shows the rows of every tenant",
            holder(audit, apps, role),
            said.unwrap_or_default()
        );
        found.push(Finding::new(
            Fault::DefaultPrivs,
            object(audit, role),
            why,
            fix.join("\n"),
        ));
    }
}

/// To which of the application's guises an entry gives rights on rows.
fn grantees(audit: &Audit<'_>, apps: &[App<'_>], acl: &DefaultAcl) -> BTreeSet<Oid> {
    let rows = |privilege: Privilege| {
        matches!(
            privilege,
            Privilege::Select
                | Privilege::Insert
                | Privilege::Update
                | Privilege::Delete
                | Privilege::Truncate
        )
    };
    let reaches = |grantee: Oid| {
        apps.iter().any(|app| {
            app.is_guise(grantee)
                && acl.namespace.is_none_or(|namespace| app.enters(namespace))
                // What it makes itself is its own.
                && acl.maker != app.role.oid
        })
    };
    let reported = acl.namespace.is_none_or(|oid| {
        audit
            .catalogue
            .namespaces
            .get(&oid)
            .is_some_and(|it| audit.subject.reports_schema(&it.name))
    });
    acl.grants
        .iter()
        .filter(|grant| {
            reported
                && rows(grant.privilege)
                && grant.grantee != acl.maker
                && reaches(grant.grantee)
        })
        .map(|grant| grant.grantee)
        .collect()
}

/// Whether a trigger on DDL switches row-level security on for every table that is made.
fn are_protected_when_made(audit: &Audit<'_>) -> bool {
    audit.catalogue.event_triggers.iter().any(|trigger| {
        let made = trigger.tags.is_empty() || trigger.tags.iter().any(|tag| tag == "CREATE TABLE");
        let function = audit.catalogue.functions.get(&trigger.function);
        trigger.enabled
            && trigger.event == "ddl_command_end"
            && made
            && function.is_some_and(|function| executes(&function.source, &ENABLE))
    })
}

const ENABLE: [&str; 4] = ["enable", "row", "level", "security"];

/// Whether a body has words in a text, which it can only execute.
fn executes(source: &str, words: &[&str]) -> bool {
    let body = statements(source).unwrap_or_default();
    body.iter().flatten().any(|token| {
        let inner = body::text(token).and_then(statements).unwrap_or_default();
        inner.iter().any(|statement| {
            statement.windows(words.len()).any(|some| {
                some.iter()
                    .zip(words)
                    .all(|(token, word)| is(Some(token), word))
            })
        })
    })
}
