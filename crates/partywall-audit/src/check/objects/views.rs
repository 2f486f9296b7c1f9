use std::collections::BTreeMap;

use super::{
    DATA,
    owner::{bound_owner, why_exempt},
};
use crate::{
    Fault, Finding,
    catalogue::{Command, Oid, Privilege, Relation, RelationKind},
    check::{
        Audit,
        reach::{Access, Reach, table_names},
    },
    sql::tidy,
    wall::Standing,
};

/// Views that read as an owner that no policy holds for.
///
/// The view to blame is the nearest one to the table that reads as its owner: views around it may be the
/// caller's own and show the same rows.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut blamed: BTreeMap<Oid, (Vec<Access>, Oid)> = BTreeMap::new();
    for view in audit
        .catalogue
        .relations
        .values()
        .filter(|relation| relation.kind == RelationKind::View && relation.extension.is_none())
    {
        for asker in audit.askers_of(view, &DATA) {
            let reached = Reach::of_relation(audit, view, asker);
            let mut accesses = reached.exempt(audit);
            accesses.extend(
                reached
                    .accesses
                    .iter()
                    .copied()
                    .filter(|access| !access.bound && is_wider(audit, asker, *access)),
            );
            for access in accesses {
                if let Some(culprit) = access.view
                    && !is_open_anyway(audit, asker, access)
                {
                    let entry = blamed.entry(culprit).or_insert((Vec::new(), view.oid));
                    // The view itself is the better example where it can be asked directly.
                    if view.oid == culprit {
                        entry.1 = view.oid;
                    }
                    entry.0.push(access);
                }
            }
        }
    }
    for (culprit, (mut accesses, example)) in blamed {
        let (Some(view), Some(example)) = (
            audit.catalogue.relations.get(&culprit),
            audit.catalogue.relations.get(&example),
        ) else {
            continue;
        };
        if !audit.subject.reports(view) {
            continue;
        }
        accesses.sort_unstable();
        accesses.dedup();
        let tables = table_names(audit.catalogue, accesses.iter().map(|access| access.table));
        let Some(first) = accesses.first() else {
            continue;
        };
        let why = format!(
            "it reads {} as {}, so `SELECT * FROM {}` shows a tenant the rows of all others",
            tables.join(", "),
            why_exempt(audit, *first),
            example.name
        );
        found.push(
            Finding::new(
                Fault::ViewDefiner,
                view.name.to_string(),
                why,
                fix(audit, view, example, &accesses),
            )
            .tables(tables),
        );
    }
}

/// Whether the view's owner is let through to more than the one who asks, by a policy of its own.
fn is_wider(audit: &Audit<'_>, asker: Oid, access: Access) -> bool {
    audit.subject.is_tenants(access.table)
        && matches!(
            audit
                .wall
                .standing(access.role, access.table, Command::Select),
            Standing::Open(_)
        )
        && !matches!(
            audit.wall.standing(asker, access.table, Command::Select),
            Standing::Open(_) | Standing::Exempt
        )
}

/// Whether the one who asks reads all rows without the view: that is the table's own fault.
fn is_open_anyway(audit: &Audit<'_>, asker: Oid, access: Access) -> bool {
    audit
        .catalogue
        .relations
        .get(&access.table)
        .is_some_and(|table| {
            audit.catalogue.is_exempt(asker, table)
                && audit.catalogue.may_enter(asker, table.namespace)
                && audit
                    .catalogue
                    .may_any_column(asker, table, Privilege::Select)
        })
}

fn fix(audit: &Audit<'_>, view: &Relation, example: &Relation, accesses: &[Access]) -> String {
    let readable = accesses.iter().all(|access| {
        audit
            .catalogue
            .relations
            .get(&access.table)
            .is_some_and(|table| {
                audit.askers().iter().all(|role| {
                    audit
                        .catalogue
                        .may_any_column(*role, table, Privilege::Select)
                })
            })
    });
    let has_invoker = audit.catalogue.server.major() >= 15;
    if has_invoker && readable {
        return format!("ALTER VIEW {} SET (security_invoker = true);", view.name);
    }
    if let Some(owner) = bound_owner(audit, accesses) {
        return format!(
            "ALTER VIEW {} OWNER TO {};",
            view.name,
            tidy(audit.catalogue.roles.name(owner))
        );
    }
    let unforced = accesses.iter().all(|access| {
        audit
            .catalogue
            .relations
            .get(&access.table)
            .is_some_and(|table| {
                table.row_security && !table.forced && !audit.catalogue.roles.bypasses(access.role)
            })
    });
    if unforced {
        let tables = table_names(audit.catalogue, accesses.iter().map(|access| access.table));
        let statements: Vec<String> = tables
            .iter()
            .map(|table| format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"))
            .collect();
        return statements.join("\n");
    }
    if has_invoker {
        return format!("ALTER VIEW {} SET (security_invoker = true);", view.name);
    }
    audit.revoke(example, &DATA)
}
