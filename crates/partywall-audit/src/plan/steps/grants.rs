use std::collections::BTreeMap;

use super::rights::{self, Rights};
use crate::{
    catalogue::{PUBLIC, Privilege},
    plan::{Outline, Phase, Step, done},
    sql::{literal, tidy},
};

pub(super) fn add(outline: &Outline<'_>, steps: &mut Vec<Step>) {
    let mut by_schema: BTreeMap<&str, Vec<Rights<'_>>> = BTreeMap::new();
    for table in outline.tables() {
        // What its owner has is part of giving it to another.
        let rights = rights::of(outline, table).into_iter().filter(|it| {
            it.role
                .is_none_or(|role| role.oid != Some(it.relation.owner))
        });
        by_schema
            .entry(&table.name().schema)
            .or_default()
            .extend(rights);
    }
    for (schema, rights) in &by_schema {
        usage(outline, schema, steps);
        let changed: Vec<&Rights<'_>> = rights.iter().filter(|it| !it.is_there()).collect();
        if changed.is_empty() {
            continue;
        }
        let sql: Vec<String> = changed.iter().flat_map(|it| statements(it)).collect();
        let undo: Vec<String> = changed.iter().rev().flat_map(|it| back(it)).collect();
        let done: Vec<String> = changed.iter().map(|it| is_done(it)).collect();
        let schema = tidy(schema);
        steps.push(
            Step::new(
                Phase::Expand,
                format!("grants in {schema}"),
                "lets the application read and write rows as it did, and nothing else: TRUNCATE, REFERENCES and \
                 TRIGGER go past every policy, and a partition past its parent's",
            )
            .sql(sql.join("\n"))
            .undo(undo.join("\n"))
            .locks("none that reads or writes wait for")
            .done(done.join("\n  AND ")),
        );
    }
    defaults(outline, steps);
}

pub(super) fn is_done(rights: &Rights<'_>) -> String {
    let wanted: Vec<&str> = rights.wanted.iter().copied().collect();
    done::rights(
        rights.name(),
        rights.role.map(|role| role.name.as_str()),
        &wanted,
    )
}

fn grantee(rights: &Rights<'_>) -> String {
    rights
        .role
        .map_or_else(|| "PUBLIC".to_owned(), |role| tidy(&role.name))
}

pub(super) fn statements(rights: &Rights<'_>) -> Vec<String> {
    let (kind, name, grantee) = (rights.kind(), rights.name(), grantee(rights));
    let mut statements = Vec::new();
    let taken = rights.taken();
    if !taken.is_empty() {
        statements.push(format!(
            "REVOKE {} ON {kind}{name} FROM {grantee};",
            taken.join(", ")
        ));
    }
    let given = rights.given();
    if !given.is_empty() {
        statements.push(format!(
            "GRANT {} ON {kind}{name} TO {grantee};",
            given.join(", ")
        ));
    }
    statements
}

pub(super) fn back(rights: &Rights<'_>) -> Vec<String> {
    let (kind, name, grantee) = (rights.kind(), rights.name(), grantee(rights));
    let mut statements = Vec::new();
    let given = rights.given();
    if !given.is_empty() {
        let revoke = format!(
            "REVOKE {} ON {kind}{name} FROM {grantee};",
            given.join(", ")
        );
        statements.push(match rights.role {
            Some(role) if role.oid.is_none() => super::routine::if_role(&role.name, &[revoke]),
            _ => revoke,
        });
    }
    let taken = rights.taken();
    if !taken.is_empty() {
        statements.push(format!(
            "GRANT {} ON {kind}{name} TO {grantee};",
            taken.join(", ")
        ));
    }
    statements
}

/// Who may use a schema, and who may make things in it.
fn usage(outline: &Outline<'_>, schema: &str, steps: &mut Vec<Step>) {
    let catalogue = outline.catalogue;
    let Some(namespace) = catalogue.namespaces.values().find(|it| it.name == schema) else {
        return;
    };
    let has = |grantee, right| {
        namespace
            .grants
            .iter()
            .any(|grant| grant.grantee == grantee && grant.privilege == right)
    };
    let (mut sql, mut undo, mut done) = (Vec::new(), Vec::new(), Vec::new());
    let name = tidy(schema);
    let mut give = |role: &crate::plan::outline::Actor, right: Privilege, word: &str| {
        if role.oid.is_some_and(|oid| has(oid, right)) {
            return;
        }
        let grantee = tidy(&role.name);
        sql.push(format!("GRANT {word} ON SCHEMA {name} TO {grantee};"));
        undo.push(super::routine::if_role(
            &role.name,
            &[format!("REVOKE {word} ON SCHEMA {name} FROM {grantee};")],
        ));
        done.push(done::in_schema(schema, Some(&role.name), word));
    };
    for app in &outline.apps {
        give(app, Privilege::Usage, "USAGE");
    }
    give(&outline.owner, Privilege::Usage, "USAGE");
    give(&outline.owner, Privilege::Create, "CREATE");
    let mut open: Vec<(Option<&str>, u32)> = vec![(None, PUBLIC)];
    open.extend(
        outline
            .apps
            .iter()
            .filter_map(|app| Some((Some(app.name.as_str()), app.oid?))),
    );
    for (role, oid) in open {
        // An owner's own rights go with its schema.
        if has(oid, Privilege::Create) && namespace.owner != oid {
            let grantee = role.map_or_else(|| "PUBLIC".to_owned(), tidy);
            sql.push(format!("REVOKE CREATE ON SCHEMA {name} FROM {grantee};"));
            undo.push(format!("GRANT CREATE ON SCHEMA {name} TO {grantee};"));
            done.push(format!("NOT {}", done::in_schema(schema, role, "CREATE")));
        }
    }
    if sql.is_empty() {
        return;
    }
    undo.reverse();
    steps.push(
        Step::new(
            Phase::Expand,
            format!("schema {name}"),
            "lets the application use the schema and make nothing in it, so that it cannot plant what others call",
        )
        .sql(sql.join("\n"))
        .undo(undo.join("\n"))
        .locks("none that reads or writes wait for")
        .done(done.join("\n  AND ")),
    );
}

/// Rights that the next table would have before it is protected.
fn defaults(outline: &Outline<'_>, steps: &mut Vec<Step>) {
    let catalogue = outline.catalogue;
    for acl in catalogue.default_acls.iter().filter(|acl| acl.kind == 'r') {
        let mut grantees: Vec<(Option<&str>, u32)> = vec![(None, PUBLIC)];
        grantees.extend(
            outline
                .apps
                .iter()
                .filter_map(|app| Some((Some(app.name.as_str()), app.oid?))),
        );
        for (role, oid) in grantees {
            let rights: Vec<&str> = [
                (Privilege::Select, "SELECT"),
                (Privilege::Insert, "INSERT"),
                (Privilege::Update, "UPDATE"),
                (Privilege::Delete, "DELETE"),
                (Privilege::Truncate, "TRUNCATE"),
                (Privilege::References, "REFERENCES"),
                (Privilege::Trigger, "TRIGGER"),
            ]
            .into_iter()
            .filter(|(right, _)| {
                acl.grants
                    .iter()
                    .any(|grant| grant.grantee == oid && grant.privilege == *right)
            })
            .map(|(_, name)| name)
            .collect();
            if rights.is_empty() || oid == acl.maker {
                continue;
            }
            let maker = catalogue.roles.name(acl.maker);
            let schema = acl.namespace.and_then(|oid| catalogue.namespaces.get(&oid));
            let place =
                schema.map_or_else(String::new, |it| format!(" IN SCHEMA {}", tidy(&it.name)));
            let grantee = role.map_or_else(|| "PUBLIC".to_owned(), tidy);
            let head = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{place}", tidy(maker));
            let rights = rights.join(", ");
            let in_schema = schema.map_or_else(
                || "0".to_owned(),
                |it| {
                    format!(
                        "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = {})",
                        literal(&it.name)
                    )
                },
            );
            let grantee_oid = role.map_or_else(
                || "0".to_owned(),
                |role| {
                    format!(
                        "(SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {})",
                        literal(role)
                    )
                },
            );
            steps.push(
                Step::new(
                    Phase::Expand,
                    format!("default privileges of {}{place} for {grantee}", tidy(maker)),
                    "keeps the next table to its owner until it has policies: grant in its own migration",
                )
                .sql(format!("{head} REVOKE {rights} ON TABLES FROM {grantee};"))
                .undo(format!("{head} GRANT {rights} ON TABLES TO {grantee};"))
                .locks("none on tables")
                .done(format!(
                    "NOT EXISTS (SELECT FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) a \
                     WHERE d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {}) AND d.defaclobjtype = 'r' \
                     AND d.defaclnamespace = {in_schema} AND a.grantee = {grantee_oid})",
                    literal(maker)
                )),
            );
        }
    }
}
