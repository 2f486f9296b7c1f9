//! Tables in which policies look up who may see what, and who can write them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Command, Oid, Relation, Table};
use crate::{
    Fault, Finding,
    catalogue::Privilege,
    check::app::{App, grantee},
    sql::tidy,
    wall::{Gap, Standing, Trust},
};

/// Who can write what is looked up, and the tables that it opens.
#[derive(Default)]
struct Trusted {
    tables: BTreeSet<String>,
    roles: BTreeSet<Oid>,
    /// Whether it says who is above the tenants.
    above: bool,
}

/// Answers the tables by whose rows tenants let themselves in.
pub(super) fn find(
    audit: &Audit<'_>,
    tables: &[Table<'_>],
    found: &mut Vec<Finding>,
) -> BTreeSet<Oid> {
    let mut trusted: BTreeMap<Trust, Trusted> = BTreeMap::new();
    for table in tables {
        for (role, commands) in &table.roles {
            for command in commands {
                let looked_up = audit.wall.trusts(*role, table.relation.oid, *command);
                let looked_up = looked_up.into_iter().map(|trust| (trust, false));
                let above = above(table, *role, *command);
                let above = above.into_iter().map(|oid| (Trust::of(oid), true));
                for (trust, above) in looked_up.chain(above) {
                    for trust in below(audit, trust) {
                        let it = trusted.entry(trust).or_default();
                        it.above |= above;
                        it.tables.insert(table.name());
                        it.roles.insert(*role);
                    }
                }
            }
        }
    }
    let mut granting = BTreeSet::new();
    for (trust, it) in trusted {
        // Told once, whichever of its columns grants.
        if granting.contains(&trust.relation) {
            continue;
        }
        let Some(relation) = audit
            .catalogue
            .relations
            .get(&trust.relation)
            .filter(|relation| relation.is_table())
        else {
            continue;
        };
        for app in App::bound(audit) {
            if !it.roles.contains(&app.role.oid) {
                continue;
            }
            let Some(fault) = writable(audit, app.role.oid, relation, &trust.columns, it.above)
            else {
                continue;
            };
            if fault == Fault::MembershipSelfGrant {
                granting.insert(trust.relation);
            }
            let rights = [Privilege::Insert, Privilege::Update];
            let mut grantees: Vec<String> = app
                .grantees(relation, &rights)
                .into_iter()
                .map(|role| grantee(audit, role))
                .collect();
            if grantees.is_empty() {
                grantees.push(tidy(&app.role.name));
            }
            let first = it.tables.first().map(String::as_str).unwrap_or_default();
            let why = format!(
                "policies look up in {name} what a session may see, and {role} can write it without being held to its own tenant: `INSERT INTO {name} VALUES (<me>, <another tenant>); SELECT * FROM {first}`",
                name = relation.name,
                role = app.name(),
            );
            let fix = format!(
                "REVOKE INSERT, UPDATE ON {} FROM {};",
                relation.name,
                grantees.join(", ")
            );
            found.push(
                Finding::new(fault, relation.name.to_string(), why, fix)
                    .tables(it.tables.iter().cloned()),
            );
            break;
        }
    }
    granting
}

/// A table, with its columns; of a view, the tables that it reads.
fn below(audit: &Audit<'_>, trust: Trust) -> BTreeSet<Trust> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut ahead = vec![trust];
    while let Some(trust) = ahead.pop() {
        let relation = audit.catalogue.relations.get(&trust.relation);
        match relation.and_then(|relation| relation.view.as_ref()) {
            Some(view) if seen.insert(trust.relation) => {
                ahead.extend(view.reads.iter().copied().map(Trust::of));
            }
            Some(_) => {}
            None => {
                found.insert(trust);
            }
        }
    }
    found
}

/// Tables that know who is above the tenants.
fn above(table: &Table<'_>, role: Oid, command: Command) -> Vec<Oid> {
    table
        .openings
        .iter()
        .filter(|open| open.role == role && open.command == command)
        .filter_map(|open| {
            let Gap::Privileged { relation } = &open.opening.gap else {
                return None;
            };
            Some(*relation)
        })
        .collect()
}

/// What it is called that a role can put rows into a table that say more of it than they should. `None` if it
/// cannot, or if that is told elsewhere.
fn writable(
    audit: &Audit<'_>,
    role: Oid,
    relation: &Relation,
    columns: &[i16],
    above: bool,
) -> Option<Fault> {
    let catalogue = audit.catalogue;
    if !catalogue.may_enter(role, relation.namespace) {
        return None;
    }
    let mut commands = Vec::new();
    if catalogue.may_any_column(role, relation, Privilege::Insert) {
        commands.push(Command::Insert);
    }
    if updates_keys(audit, role, relation) {
        commands.push(Command::Update);
    }
    if commands.is_empty() {
        return None;
    }
    if catalogue.is_exempt(role, relation) {
        // Of a tenant's table that is a fault of the table.
        let told = audit.subject.is_tenants(relation.oid) || relation.row_security;
        return (!told).then_some(Fault::PolicySubselectOpen);
    }
    for command in commands {
        let standing = audit.wall.standing(role, relation.oid, command);
        // If every row of it can be reached, that is the fault.
        if let Standing::Open(openings) = &standing
            && openings.iter().any(|it| !it.check && it.gap == Gap::Always)
            && audit.subject.is_tenants(relation.oid)
        {
            return None;
        }
        // Who may write its own row into a list of people who see more is one of them.
        if above && audit.subject.is_persons(relation.oid) {
            if standing != Standing::Closed {
                return Some(Fault::MembershipSelfGrant);
            }
            continue;
        }
        let by = |column: &i16| audit.wall.standing_by(role, relation.oid, command, *column);
        if is_open(&standing) && columns.is_empty()
            || !columns.is_empty() && columns.iter().map(by).all(|it| is_open(&it))
        {
            return Some(Fault::MembershipSelfGrant);
        }
    }
    None
}

/// Whether rows can be written that are held to no tenant.
fn is_open(standing: &Standing) -> bool {
    matches!(standing, Standing::Open(openings) if openings.iter().any(|it| {
        matches!(
            it.gap,
            Gap::Always | Gap::Columns { .. } | Gap::Lookup { .. }
        )
    }))
}

/// Whether a role can change the columns of a table that say whose a row is and who is let in.
fn updates_keys(audit: &Audit<'_>, role: Oid, relation: &Relation) -> bool {
    let tenant = audit.subject.tenant_column(relation.oid);
    let keys: BTreeSet<i16> = relation
        .foreign_keys()
        .flat_map(|(constraint, _)| constraint.columns.iter().copied())
        .chain(relation.primary_key().into_iter().flatten().copied())
        .chain(tenant)
        .collect();
    relation.grants.iter().any(|grant| {
        grant.privilege == Privilege::Update
            && grant
                .column
                .is_none_or(|column| keys.is_empty() || keys.contains(&column))
            && audit.catalogue.roles.has_rights_of(role, grant.grantee)
    })
}
