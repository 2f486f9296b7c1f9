use std::collections::BTreeSet;

use super::{new_name, tables};
use crate::{
    Fault, Finding,
    catalogue::{
        Action, Command, Constraint, Index, Oid, Policy, Privilege, Reference, Relation,
        RelationKind,
    },
    check::Audit,
    expression::Node,
    sql::tidy,
    subject::Belonging,
};

/// Foreign keys between tenants' tables that leave the tenant out: the check of one runs as the table's owner
/// with the policies off, so that it finds another tenant's row.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in tables(audit) {
        for (constraint, reference) in table.foreign_keys() {
            if constraint.parent.is_some() {
                continue;
            }
            let Some(parent) = audit.catalogue.relations.get(&reference.relation) else {
                continue;
            };
            if !crosses(audit, table, constraint, reference) || is_duplicate(table, constraint) {
                continue;
            }
            let columns = table.column_list(&constraint.columns);
            let why = format!(
                "it leaves the tenant out, and PostgreSQL checks it without the policies, so \
                 `INSERT INTO {} ({columns}) …` accepts the key of another tenant's row of {} and refuses one that \
                 nobody has",
                table.name, parent.name
            );
            found.push(
                Finding::new(
                    Fault::FkCrossTenant,
                    format!("constraint {} on {}", tidy(&constraint.name), table.name),
                    why,
                    fix(audit, table, constraint, reference, parent),
                )
                .tables([table.name.to_string(), parent.name.to_string()]),
            );
        }
    }
}

/// Whether a row of one tenant can refer to a row of another by it.
pub(super) fn crosses(
    audit: &Audit<'_>,
    table: &Relation,
    constraint: &Constraint,
    reference: &Reference,
) -> bool {
    let tenants = audit.subject.is_tenants(reference.relation)
        && audit.subject.root != Some(reference.relation);
    // The policy that a child without any is to get looks its parent up.
    let is_parent = !table.row_security
        && matches!(audit.subject.belonging(table.oid), Some(Belonging::Parent { constraint: own, .. })
            if *own == constraint.oid);
    // Whoever owns rows is no row of an owner's: a person, where people are the tenants of their own rows.
    let to_owner = audit
        .subject
        .tenant_column(reference.relation)
        .is_some_and(|column| reference.columns == [column]);
    tenants
        && !to_owner
        && !is_parent
        && is_written(audit, table, constraint)
        && !keeps_tenant(audit, table, constraint, reference)
        && !is_checked(audit, table, constraint, reference.relation)
        && !is_pinned(audit, table, constraint)
}

/// Whether the application can say what a row refers to.
fn is_written(audit: &Audit<'_>, table: &Relation, constraint: &Constraint) -> bool {
    audit
        .askers_of(table, &[Privilege::Insert, Privilege::Update])
        .iter()
        .any(|role| {
            may_set(audit, *role, table, constraint, Privilege::Insert)
                || may_set(audit, *role, table, constraint, Privilege::Update)
        })
}

fn may_set(
    audit: &Audit<'_>,
    role: Oid,
    table: &Relation,
    constraint: &Constraint,
    privilege: Privilege,
) -> bool {
    table.grants.iter().any(|grant| {
        grant.privilege == privilege
            && grant
                .column
                .is_none_or(|column| constraint.columns.contains(&column))
            && audit.catalogue.roles.has_rights_of(role, grant.grantee)
    })
}

/// Whether the policies let a new row refer to nothing but what the session says, as its user: they refuse every
/// other key before PostgreSQL looks for it.
fn is_pinned(audit: &Audit<'_>, table: &Relation, constraint: &Constraint) -> bool {
    let commands = [
        (Command::Insert, Privilege::Insert),
        (Command::Update, Privilege::Update),
    ];
    let writes = audit.askers_of(table, &[Privilege::Insert, Privilege::Update]);
    writes.iter().all(|role| {
        commands
            .iter()
            .filter(|(_, privilege)| may_set(audit, *role, table, constraint, *privilege))
            .all(|(command, _)| {
                constraint
                    .columns
                    .iter()
                    .all(|column| audit.wall.pins(*role, table.oid, *command, *column))
            })
    })
}

/// Whether the tenant's columns of both are among its columns, at the same place.
fn keeps_tenant(
    audit: &Audit<'_>,
    table: &Relation,
    constraint: &Constraint,
    reference: &Reference,
) -> bool {
    let (own, theirs) = (
        audit.subject.tenant_column(table.oid),
        audit.subject.tenant_column(reference.relation),
    );
    own.is_some()
        && theirs.is_some()
        && constraint
            .columns
            .iter()
            .zip(&reference.columns)
            .any(|(left, right)| Some(*left) == own && Some(*right) == theirs)
}

/// Whether another constraint keeps the tenant for the same columns: then this one lets nothing more through.
fn is_duplicate(table: &Relation, constraint: &Constraint) -> bool {
    let Some(reference) = &constraint.reference else {
        return false;
    };
    let pairs = |constraint: &Constraint, reference: &Reference| -> BTreeSet<(i16, i16)> {
        constraint
            .columns
            .iter()
            .copied()
            .zip(reference.columns.iter().copied())
            .collect()
    };
    let own = pairs(constraint, reference);
    table.foreign_keys().any(|(other, theirs)| {
        other.oid != constraint.oid
            && other.validated
            && theirs.relation == reference.relation
            && pairs(other, theirs).is_superset(&own)
            && other.columns.len() > constraint.columns.len()
    })
}

/// Whether the policies look the row up that a new row refers to, as the application: before PostgreSQL does.
fn is_checked(audit: &Audit<'_>, table: &Relation, constraint: &Constraint, parent: Oid) -> bool {
    let looks_up = |policy: &&Policy| {
        policy.effective_check().is_some_and(|check| {
            reads(&check.tree, parent) && refers(&check.tree, &constraint.columns, 0)
        })
    };
    let commands = [
        (Command::Insert, Privilege::Insert),
        (Command::Update, Privilege::Update),
    ];
    audit.askers().iter().all(|role| {
        commands.iter().all(|(command, privilege)| {
            if !audit.catalogue.may_any_column(*role, table, *privilege) {
                return true;
            }
            let own: Vec<&Policy> = table
                .policies
                .iter()
                .filter(|policy| {
                    policy.covers(*command)
                        && policy
                            .roles
                            .iter()
                            .any(|other| audit.catalogue.roles.has_rights_of(*role, *other))
                })
                .collect();
            let mut permissive = own.iter().filter(|policy| policy.permissive).peekable();
            own.iter().filter(|policy| !policy.permissive).any(looks_up)
                || (permissive.peek().is_some() && permissive.all(looks_up))
        })
    })
}

/// Whether a query in a tree reads a relation.
fn reads(tree: &Node, relation: Oid) -> bool {
    let mut found = false;
    tree.walk(&mut |node| {
        found |=
            matches!(node.tag(), "RTE" | "RANGETBLENTRY") && node.number("relid") == Some(relation);
    });
    found
}

/// Whether a query in a tree asks for columns of the policy's own row.
fn refers(node: &Node, columns: &[i16], level: usize) -> bool {
    let level = level + usize::from(node.tag() == "QUERY");
    let own = level > 0
        && node.tag() == "VAR"
        && node.number("varlevelsup") == Some(level)
        && node
            .number("varattno")
            .is_some_and(|column: i16| columns.contains(&column));
    // `x IN (SELECT …)` compares outside of the query.
    let tested = node.tag() == "SUBLINK"
        && node.get("testexpr").is_some_and(|test| {
            let mut found = false;
            test.walk(&mut |inner| {
                found |= inner.tag() == "VAR"
                    && inner.number("varlevelsup") == Some(level)
                    && inner
                        .number("varattno")
                        .is_some_and(|column: i16| columns.contains(&column));
            });
            found
        });
    own || tested || node.children().any(|child| refers(child, columns, level))
}

fn fix(
    audit: &Audit<'_>,
    table: &Relation,
    constraint: &Constraint,
    reference: &Reference,
    parent: &Relation,
) -> String {
    let own = audit
        .subject
        .tenant_column(table.oid)
        .and_then(|it| table.column(it));
    let theirs = audit
        .subject
        .tenant_column(parent.oid)
        .and_then(|it| parent.column(it));
    match (own, theirs) {
        // Where rows without a tenant are everybody's, no key can hold both.
        (Some(own), Some(theirs)) if theirs.not_null && own.type_oid == theirs.type_oid => {
            let mut statements = Vec::new();
            statements.extend(parent_key(audit, parent, reference, theirs.number));
            statements.extend(replace(
                audit,
                table,
                constraint,
                reference,
                parent,
                own.number,
                theirs.number,
            ));
            statements.join("\n")
        }
        _ => look_up(audit, table, constraint, reference, parent),
    }
}

/// The index that the new key needs, if the parent has none.
pub(super) fn parent_key(
    audit: &Audit<'_>,
    parent: &Relation,
    reference: &Reference,
    tenant: i16,
) -> Option<String> {
    let mut wanted: BTreeSet<i16> = reference.columns.iter().copied().collect();
    wanted.insert(tenant);
    let fits = |index: &Index| {
        index.unique
            && index.valid
            && !index.partial
            && !index.exclusion
            && index.columns.len() == wanted.len()
            && index
                .columns
                .iter()
                .filter_map(|key| key.column)
                .collect::<BTreeSet<_>>()
                == wanted
            && !is_deferrable(parent, index)
    };
    if parent.indexes.iter().any(fits) {
        return None;
    }
    let mut columns = vec![tenant];
    columns.extend(reference.columns.iter().filter(|column| **column != tenant));
    let names: Vec<&str> = columns
        .iter()
        .filter_map(|column| Some(parent.column(*column)?.name.as_str()))
        .collect();
    let name = new_name(
        audit,
        parent,
        &format!("{}_{}_key", parent.name.name, names.join("_")),
    );
    Some(format!(
        "CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} ({});",
        tidy(&name),
        parent.name,
        parent.column_list(&columns)
    ))
}

fn is_deferrable(table: &Relation, index: &Index) -> bool {
    table
        .constraints
        .iter()
        .find(|constraint| Some(constraint.oid) == index.constraint)
        .is_some_and(|constraint| constraint.definition.contains(" DEFERRABLE"))
}

/// Puts a foreign key with the tenant in it in the place of one without.
pub(super) fn replace(
    audit: &Audit<'_>,
    table: &Relation,
    constraint: &Constraint,
    reference: &Reference,
    parent: &Relation,
    own: i16,
    theirs: i16,
) -> Vec<String> {
    let mut columns = vec![own];
    let mut targets = vec![theirs];
    for (column, target) in constraint.columns.iter().zip(&reference.columns) {
        if *target != theirs {
            columns.push(*column);
            targets.push(*target);
        }
    }
    let name = tidy(&new_name(
        audit,
        table,
        &format!("{}_tenant", constraint.name),
    ));
    let set_columns = table.column_list(&constraint.columns);
    let action = |action: Action| match action {
        Action::NoAction => None,
        Action::Restrict => Some("RESTRICT".to_owned()),
        Action::Cascade => Some("CASCADE".to_owned()),
        // The tenant stays. Before PostgreSQL 15 no columns can be named, and nothing is changed instead.
        Action::SetNull if audit.catalogue.server.major() >= 15 => {
            Some(format!("SET NULL ({set_columns})"))
        }
        Action::SetDefault if audit.catalogue.server.major() >= 15 => {
            Some(format!("SET DEFAULT ({set_columns})"))
        }
        Action::SetNull | Action::SetDefault => None,
    };
    let mut clauses = String::new();
    // Updates cannot name columns: the tenant would go with the key.
    if let Some(update) = action(reference.on_update).filter(|it| !it.starts_with("SET")) {
        clauses.push_str(&format!(" ON UPDATE {update}"));
    }
    if let Some(delete) = action(reference.on_delete) {
        clauses.push_str(&format!(" ON DELETE {delete}"));
    }
    if constraint.definition.contains(" DEFERRABLE") {
        clauses.push_str(" DEFERRABLE");
        if constraint.definition.contains(" INITIALLY DEFERRED") {
            clauses.push_str(" INITIALLY DEFERRED");
        }
    }
    // A partitioned table cannot have one that is not valid yet.
    let waits = table.kind != RelationKind::Partitioned;
    let mut statements = vec![
        format!(
            "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name};",
            table.name
        ),
        format!(
            "ALTER TABLE {} ADD CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {} ({}){clauses}{};",
            table.name,
            table.column_list(&columns),
            parent.name,
            parent.column_list(&targets),
            if waits { " NOT VALID" } else { "" }
        ),
    ];
    if waits {
        statements.push(format!(
            "ALTER TABLE {} VALIDATE CONSTRAINT {name};",
            table.name
        ));
    }
    statements.push(format!(
        "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {};",
        table.name,
        tidy(&constraint.name)
    ));
    statements
}

/// A policy that looks up what a new row refers to, as whoever writes it.
fn look_up(
    audit: &Audit<'_>,
    table: &Relation,
    constraint: &Constraint,
    reference: &Reference,
    parent: &Relation,
) -> String {
    let alias = if table.name.name == "referred" {
        "looked_up"
    } else {
        "referred"
    };
    let own = tidy(&table.name.name);
    let mut nullable = Vec::new();
    let mut equal = Vec::new();
    for (column, target) in constraint.columns.iter().zip(&reference.columns) {
        let (Some(column), Some(target)) = (table.column(*column), parent.column(*target)) else {
            continue;
        };
        let column_name = format!("{own}.{}", tidy(&column.name));
        if !column.not_null {
            nullable.push(format!("{column_name} IS NULL OR "));
        }
        equal.push(format!("{alias}.{} = {column_name}", tidy(&target.name)));
    }
    let mut name = format!("{}_seen", constraint.name);
    while table.policies.iter().any(|policy| policy.name == name) {
        name.push('_');
    }
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let name = name.get(..end).unwrap_or(&name);
    let mut statements: Vec<String> = Vec::new();
    let blind: Vec<Oid> = audit
        .askers_of(table, &[Privilege::Insert, Privilege::Update])
        .into_iter()
        .filter(|role| {
            !audit
                .catalogue
                .may_any_column(*role, parent, Privilege::Select)
        })
        .collect();
    if !blind.is_empty() {
        statements.push(format!(
            "GRANT SELECT ({}) ON {} TO {};",
            parent.column_list(&reference.columns),
            parent.name,
            audit.role_list(&blind)
        ));
    }
    statements.push(format!(
        "CREATE POLICY {} ON {} AS RESTRICTIVE USING (true) WITH CHECK ({}EXISTS (SELECT FROM {} {alias} WHERE {}));",
        tidy(name),
        table.name,
        nullable.concat(),
        parent.name,
        equal.join(" AND ")
    ));
    statements.join("\n")
}
