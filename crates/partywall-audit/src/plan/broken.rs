//! Rows, and roles, that are in the way of a plan.

use std::{collections::BTreeSet, fmt::Write};

use tokio_postgres::Client;

use super::{
    Outline, Violation,
    outline::{Actor, Belongs, Table},
    path::Path,
    stand::Stand,
    steps::{is_left, is_to_be_set},
};
use crate::{
    AuditError,
    catalogue::Oid,
    sql::{literal, tidy},
};

/// The roles that violate the plan.
pub(super) fn roles(outline: &Outline<'_>) -> Vec<Violation> {
    let apps = outline.apps.iter();
    apps.filter_map(|app| exempt(outline, app)).collect()
}

/// Counts the rows that violate the plan. The caller's transaction reads past all policies or not at all.
pub(super) async fn count(
    client: &Client,
    queries: Vec<Query>,
) -> Result<Vec<Violation>, AuditError> {
    let mut found = Vec::new();
    for (table, what, query) in queries {
        let count = format!("SELECT count(*) FROM ({query}) AS rows");
        let row = client
            .query_one(&count, &[])
            .await
            .map_err(AuditError::doing("count the rows that violate the plan"))?;
        let rows: i64 = row
            .try_get(0)
            .map_err(AuditError::doing("count the rows that violate the plan"))?;
        if rows > 0 {
            found.push(Violation {
                table,
                what,
                rows,
                query: format!("{query};"),
            });
        }
    }
    Ok(found)
}

/// A role that no policy holds for, whatever the plan does. Roles are other databases' too: a person mends them.
fn exempt(outline: &Outline<'_>, app: &Actor) -> Option<Violation> {
    let roles = &outline.catalogue.roles;
    let oid = app.oid?;
    let name = tidy(&app.name);
    let bypass = roles
        .reachable(oid)
        .iter()
        .copied()
        .find(|role| roles.bypasses(*role));
    let owner = outline
        .owner
        .oid
        .filter(|owner| roles.reachable(oid).contains(owner));
    let (what, other) = if roles.is_superuser(oid) {
        (
            format!(
                "is a superuser, for whom no policy holds: ALTER ROLE {name} NOSUPERUSER, or name another role in roles.app"
            ),
            oid,
        )
    } else if bypass == Some(oid) {
        (format!("has BYPASSRLS: ALTER ROLE {name} NOBYPASSRLS"), oid)
    } else if let Some(role) = bypass {
        let other = tidy(roles.name(role));
        (
            format!(
                "can become {other}, for whom no policy holds: REVOKE {other} FROM {name}, or from what is between them"
            ),
            role,
        )
    } else if let Some(role) = owner {
        let other = tidy(roles.name(role));
        (
            format!(
                "can become {other}, who owns the tables and can switch their policies off: REVOKE {other} FROM {name}"
            ),
            role,
        )
    } else {
        return None;
    };
    Some(Violation {
        table: format!("role {name}"),
        what,
        rows: 1,
        query: format!(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname IN ({}, {});",
            literal(&app.name),
            literal(roles.name(other))
        ),
    })
}

/// Of a kind of violation: the table, what is wrong, and the rows.
pub(super) type Query = (String, String, String);

/// Of each kind.
pub(super) fn queries(outline: &Outline<'_>) -> Vec<Query> {
    let mut all = Vec::new();
    for (table, tenant) in outline.tenants() {
        let name = table.name().to_string();
        if let Some(path) = Path::of(outline, table) {
            orphans(outline, table, &path, &mut all);
            if tenant.number.is_some() && !is_proved(outline, table, path.constraint) {
                let mut whose = Whose::default();
                if let Some(theirs) = whose.of(outline, table, "c") {
                    all.push((
                        name.clone(),
                        format!(
                            "its {} is not that of the row that it belongs to",
                            tenant.sql()
                        ),
                        format!(
                            "SELECT c.* FROM {name} AS c{} WHERE c.{}::text <> {theirs}",
                            whose.joins,
                            tenant.sql()
                        ),
                    ));
                }
            }
        } else if !tenant.not_null && is_to_be_set(outline, table) {
            all.push((
                name.clone(),
                format!("no tenant: {} is NULL", tenant.sql()),
                format!(
                    "SELECT c.* FROM {name} AS c WHERE c.{} IS NULL",
                    tenant.sql()
                ),
            ));
        }
        if table.stand == Stand::Open {
            unknown(outline, table, &mut all);
        }
        crossing(outline, table, &mut all);
    }
    all
}

/// Rows of a path that leads nowhere.
fn orphans(outline: &Outline<'_>, table: &Table<'_>, path: &Path, all: &mut Vec<Query>) {
    let name = table.name();
    let relation = table.relation;
    let key = relation
        .constraints
        .iter()
        .find(|it| it.oid == path.constraint);
    let certain = key.is_some_and(|key| {
        key.validated
            && key
                .columns
                .iter()
                .all(|column| relation.column(*column).is_some_and(|it| it.not_null))
    });
    if certain {
        return;
    }
    let on: Vec<String> = path
        .pairs
        .iter()
        .map(|(own, theirs)| format!("p.{} = c.{}", tidy(theirs), tidy(own)))
        .collect();
    let _ = outline;
    all.push((
        name.to_string(),
        format!("belongs to no row of {}", path.parent),
        format!(
            "SELECT c.* FROM {name} AS c WHERE NOT EXISTS (SELECT FROM {} AS p WHERE {})",
            path.parent,
            on.join(" AND ")
        ),
    ));
}

/// Whether a key that is valid and has the tenant in it says that no row refers to another tenant's by this one.
/// Then there is nothing to count, which a login that the policies hold for by now could not.
fn is_proved(outline: &Outline<'_>, table: &Table<'_>, constraint: Oid) -> bool {
    let pairs = |constraint: Oid| {
        let (key, to) = table
            .relation
            .foreign_keys()
            .find(|(key, _)| key.oid == constraint)?;
        let pairs: BTreeSet<(i16, i16)> = key
            .columns
            .iter()
            .copied()
            .zip(to.columns.iter().copied())
            .collect();
        Some((to.relation, pairs))
    };
    let tenant = |oid: Oid| outline.table(oid)?.tenant.as_ref()?.number;
    let Some((parent, wanted)) = pairs(constraint) else {
        return false;
    };
    let Some(both) = tenant(table.relation.oid).zip(tenant(parent)) else {
        return false;
    };
    table.relation.foreign_keys().any(|(key, _)| {
        key.validated
            && pairs(key.oid).is_some_and(|(to, pairs)| {
                to == parent
                    && pairs.contains(&both)
                    && pairs.is_superset(&wanted)
                    && pairs.len() <= wanted.len() + 1
            })
    })
}

/// Rows of a tenant that there is not.
fn unknown(outline: &Outline<'_>, table: &Table<'_>, all: &mut Vec<Query>) {
    let (Some(root), Some(tenant)) = (
        outline.root.and_then(|root| outline.table(root)),
        table.tenant.as_ref(),
    ) else {
        return;
    };
    let (Some(key), Some(number)) = (&root.tenant, tenant.number) else {
        return;
    };
    let is_kept = table
        .relation
        .foreign_keys()
        .any(|(constraint, reference)| {
            constraint.validated
                && reference.relation == root.relation.oid
                && constraint.columns.contains(&number)
        });
    if table.belongs != Belongs::Own || is_kept {
        return;
    }
    let cast = if key.compares_with(tenant) {
        ""
    } else {
        "::text"
    };
    let (name, column) = (table.name(), tenant.sql());
    all.push((
        name.to_string(),
        format!("of a tenant that is not in {}", root.name()),
        format!(
            "SELECT c.* FROM {name} AS c WHERE c.{column} IS NOT NULL AND NOT EXISTS \
             (SELECT FROM {} AS t WHERE t.{}{cast} = c.{column}{cast})",
            root.name(),
            key.sql()
        ),
    ));
}

/// Rows that refer to another tenant's.
fn crossing(outline: &Outline<'_>, table: &Table<'_>, all: &mut Vec<Query>) {
    for (constraint, reference, parent, parent_tenant) in outline.references(table) {
        if table.belongs == Belongs::Path(constraint.oid)
            || is_left(outline, table, constraint, reference, parent_tenant)
            || is_proved(outline, table, constraint.oid)
        {
            continue;
        }
        let mut whose = Whose::default();
        let Some(own) = whose.of(outline, table, "c") else {
            continue;
        };
        let pairs = constraint.columns.iter().zip(&reference.columns);
        let on: Vec<String> = pairs
            .filter_map(|(own, theirs)| {
                Some(format!(
                    "p.{} = c.{}",
                    tidy(&parent.relation.column(*theirs)?.name),
                    tidy(&table.relation.column(*own)?.name)
                ))
            })
            .collect();
        let _ = write!(
            whose.joins,
            " JOIN {} AS p ON {}",
            parent.name(),
            on.join(" AND ")
        );
        let Some(theirs) = whose.of(outline, parent, "p") else {
            continue;
        };
        let columns = table.relation.column_list(&constraint.columns);
        if !constraint.validated {
            let named: Vec<String> = constraint
                .columns
                .iter()
                .filter_map(|number| table.relation.column(*number))
                .map(|column| format!("c.{} IS NOT NULL", tidy(&column.name)))
                .collect();
            all.push((
                table.name().to_string(),
                format!("refers by {columns} to no row of {}", parent.name()),
                format!(
                    "SELECT c.* FROM {} AS c WHERE {} AND NOT EXISTS (SELECT FROM {} AS p WHERE {})",
                    table.name(),
                    named.join(" AND "),
                    parent.name(),
                    on.join(" AND ")
                ),
            ));
        }
        all.push((
            table.name().to_string(),
            format!(
                "refers by {columns} to a row of {} that is another tenant's",
                parent.name()
            ),
            format!(
                "SELECT c.* FROM {} AS c{} WHERE {own} <> {theirs}",
                table.name(),
                whose.joins
            ),
        ));
    }
}

/// Finds out whose a row is, by as many joins as it takes.
#[derive(Default)]
struct Whose {
    joins: String,
    count: usize,
}

impl Whose {
    /// As text, since columns of one tenant need not have one type.
    fn of(&mut self, outline: &Outline<'_>, table: &Table<'_>, alias: &str) -> Option<String> {
        let Some(path) = Path::of(outline, table) else {
            return Some(format!("{alias}.{}::text", table.tenant.as_ref()?.sql()));
        };
        self.count += 1;
        let parent = format!("{alias}{}", self.count);
        let on: Vec<String> = path
            .pairs
            .iter()
            .map(|(own, theirs)| format!("{parent}.{} = {alias}.{}", tidy(theirs), tidy(own)))
            .collect();
        let _ = write!(
            self.joins,
            " JOIN {} AS {parent} ON {}",
            path.parent,
            on.join(" AND ")
        );
        self.of(outline, outline.table(path.parent_oid)?, &parent)
    }
}
