//! What remains of plain settings and of sessions that tenants share.

use std::collections::BTreeSet;

use super::Audit;
use crate::{
    Fault, Finding,
    catalogue::{Oid, PUBLIC, Privilege},
    expression::Node,
    sql::{literal, tidy},
    subject::Form,
};

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    plain_settings(audit, found);
    temporary_tables(audit, found);
}

/// GUC_SETTABLE: one injected SELECT changes the tenant.
fn plain_settings(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    if !audit.catalogue.server.set_config_public {
        return;
    }
    for name in &audit.subject.contexts {
        let tables: BTreeSet<String> = audit
            .guarded()
            .filter(|relation| {
                audit
                    .subject
                    .comparisons
                    .get(&relation.oid)
                    .into_iter()
                    .flatten()
                    .any(|comparison| comparison.with.reads().settings.contains(name))
            })
            .map(|relation| relation.name.to_string())
            .collect();
        let Some(first) = tables.first().filter(|_| !is_sealed(audit, name)) else {
            continue;
        };
        let why = format!(
            "`{name}` is a plain setting: where a statement of a tenant can be injected into, `… UNION SELECT set_config({}, <another tenant>, true) …` changes what the rest of it and the next ones, such as `SELECT * FROM {first}`, are shown",
            literal(name)
        );
        let fix = "-- The application then sets it by SET LOCAL. Only a context that is signed holds against whoever can send a statement of their own.\n\
                   REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;\n\
                   REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;";
        found.push(
            Finding::new(Fault::GucSettable, format!("setting {name}"), why, fix).tables(tables),
        );
    }
}

/// Whether a setting is read by functions alone that check its signature: as their owner, by a hash, with a
/// secret that the application's roles cannot read.
pub(super) fn is_sealed(audit: &Audit<'_>, setting: &str) -> bool {
    let mut readers: BTreeSet<Oid> = BTreeSet::new();
    for relation in audit.guarded() {
        for policy in &relation.policies {
            for expression in [&policy.using, &policy.check].into_iter().flatten() {
                if reads_itself(&expression.tree, setting) {
                    return false;
                }
                readers.extend(
                    audit
                        .subject
                        .readings
                        .called_by(&expression.tree)
                        .into_iter()
                        .filter(|function| {
                            audit
                                .subject
                                .readings
                                .direct(*function)
                                .is_some_and(|reads| reads.settings.contains(setting))
                        }),
                );
            }
        }
    }
    !readers.is_empty()
        && readers.iter().all(|reader| {
            let function = audit.catalogue.functions.get(reader);
            let reads = audit.subject.readings.of_function(*reader);
            function.zip(reads).is_some_and(|(function, reads)| {
                function.security_definer
                    && reads.hashes
                    && reads
                        .relations
                        .iter()
                        .filter_map(|it| audit.catalogue.relations.get(it))
                        .any(|secret| {
                            audit.subject.app_roles.iter().all(|role| {
                                !audit
                                    .catalogue
                                    .may_any_column(*role, secret, Privilege::Select)
                                    || !audit.catalogue.may_enter(*role, secret.namespace)
                            })
                        })
            })
        })
}

fn reads_itself(tree: &Node, setting: &str) -> bool {
    let mut found = false;
    tree.walk(&mut |node| {
        if let Form::Setting { name, .. } = Form::of(node) {
            found |= name == setting;
        }
    });
    found
}

/// CTX_CURSOR_TEMP: what one tenant left on a session is the next one's.
fn temporary_tables(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let server = &audit.catalogue.server;
    let holders: BTreeSet<Oid> = server
        .database_grants
        .iter()
        .filter(|grant| grant.privilege == Privilege::Temporary)
        .map(|grant| grant.grantee)
        .filter(|grantee| {
            audit
                .subject
                .app_roles
                .iter()
                .any(|app| audit.catalogue.roles.has_rights_of(*app, *grantee))
        })
        .collect();
    if holders.is_empty() || audit.guarded().next().is_none() {
        return;
    }
    let database = tidy(&server.database);
    let names: Vec<String> = holders
        .iter()
        .map(|role| {
            if *role == PUBLIC {
                "PUBLIC".to_owned()
            } else {
                tidy(audit.catalogue.roles.name(*role))
            }
        })
        .collect();
    let why = "a session that a pool hands on keeps what the last tenant left in it: `CREATE TEMP TABLE export AS SELECT …` is there for the next one's `SELECT * FROM export`, and so is a cursor WITH HOLD, unless the pool sends DISCARD ALL";
    found.push(Finding::new(
        Fault::CtxCursorTemp,
        format!("database {database}"),
        why,
        format!(
            "REVOKE TEMPORARY ON DATABASE {database} FROM {};",
            names.join(", ")
        ),
    ));
}
