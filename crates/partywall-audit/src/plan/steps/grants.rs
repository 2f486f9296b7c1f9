use std::collections::BTreeMap;

use super::{
    ownership,
    rights::{self, Rights, grantees, is_new},
};
use crate::{
    Fault,
    catalogue::{PUBLIC, Privilege},
    plan::{Outline, Phase, Step, done, outline::Actor, stand::Stand},
    sql::{literal, tidy},
};

pub(super) fn add(outline: &Outline<'_>, steps: &mut Vec<Step>) {
    let mut by_schema: BTreeMap<&str, Vec<Rights<'_>>> = BTreeMap::new();
    for table in outline.tables() {
        // What its owner has is part of giving it to another.
        let rights = rights::of(outline, table)
            .into_iter()
            .filter(|it| !it.is_owners() && !it.late);
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

/// What the application as it is may use, and what goes past the policies.
pub(super) fn take(outline: &Outline<'_>, steps: &mut Vec<Step>) {
    for table in outline.tables() {
        let taken: Vec<Rights<'_>> = rights::of(outline, table)
            .into_iter()
            .filter(|it| it.late && !it.is_owners() && !it.is_there())
            .collect();
        if taken.is_empty() {
            continue;
        }
        let sql: Vec<String> = taken.iter().flat_map(statements).collect();
        let undo: Vec<String> = taken.iter().rev().flat_map(back).collect();
        let done: Vec<String> = taken.iter().map(is_done).collect();
        let why = if table.is_partitioned() {
            "keeps the application to the partitioned table: what reads or writes a partition by its own name goes \
             past the policies"
        } else {
            "keeps the application from changing the rows of all tenants that refer to a row of nobody's, by a key \
             that is ON DELETE or ON UPDATE"
        };
        steps.push(
            Step::new(Phase::Protect, format!("rights on {}", table.name()), why)
                .sql(sql.join("\n"))
                .undo(undo.join("\n"))
                .locks("none that reads or writes wait for")
                .done(done.join("\n  AND ")),
        );
    }
}

pub(super) fn is_done(rights: &Rights<'_>) -> String {
    let wanted: Vec<&str> = rights.wanted.iter().copied().collect();
    done::rights(
        rights.name(),
        rights.role.as_ref().map(|role| role.name.as_str()),
        &wanted,
    )
}

fn grantee(rights: &Rights<'_>) -> String {
    rights
        .role
        .as_ref()
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
        statements.push(match &rights.role {
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
    let mut give = |role: &Actor, right: Privilege, word: &str| {
        let has = |oid| catalogue.may_in(oid, namespace.oid, right);
        if role.oid.is_some_and(has) || role.oid.is_none() && has(PUBLIC) {
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
    let stands = |stand| {
        outline
            .tables()
            .any(|table| table.name().schema == schema && table.stand == stand)
    };
    for app in outline.apps.iter().filter(|app| is_new(outline, app)) {
        give(app, Privilege::Usage, "USAGE");
    }
    if ownership::makes_in(outline, schema) {
        give(&outline.owner, Privilege::Usage, "USAGE");
        give(&outline.owner, Privilege::Create, "CREATE");
    }
    let is_open = stands(Stand::Open) || outline.faults.any(Fault::SchemaCreate);
    for role in grantees(outline).into_iter().filter(|_| is_open) {
        let oid = role.as_ref().map_or(Some(PUBLIC), |role| role.oid);
        let role = role.as_ref().map(|role| role.name.as_str());
        let Some(oid) = oid else {
            continue;
        };
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
    let is_open = outline.tables().any(|table| table.stand == Stand::Open)
        || outline.faults.any(Fault::DefaultPrivs);
    if !is_open {
        return;
    }
    for acl in catalogue.default_acls.iter().filter(|acl| acl.kind == 'r') {
        for role in grantees(outline) {
            let oid = role.as_ref().map_or(Some(PUBLIC), |role| role.oid);
            let role = role.as_ref().map(|role| role.name.as_str());
            let Some(oid) = oid else {
                continue;
            };
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
