use std::collections::{BTreeMap, BTreeSet};

use super::{
    attribute::create_role,
    first,
    membership::{Cut, is_predefined},
};
use crate::{
    Fault, Finding,
    catalogue::{Catalogue, Oid, Relation, RelationKind, Role},
    check::{Audit, app::App},
    sql::tidy,
    subject::Belonging,
};

/// Owning the tables that are to hold it back: by itself, or by being the owner as well.
pub(super) fn find(audit: &Audit<'_>, app: &App<'_>, found: &mut Vec<Finding>) {
    let mut owned: BTreeMap<Oid, Vec<&Relation>> = BTreeMap::new();
    for relation in audit.subject.tenant_tables(audit.catalogue) {
        if relation.is_table() {
            owned.entry(relation.owner).or_default().push(relation);
        }
    }
    if let Some(own) = owned.get(&app.role.oid) {
        found.push(itself(audit, app, own));
    }
    for owner in app.reach.acts_as() {
        let others = owner != app.role.oid
            && !audit.catalogue.roles.bypasses(owner)
            && !audit.subject.app_roles.contains(&owner);
        if let Some(own) = owned.get(&owner)
            && others
        {
            found.extend(as_member(audit, app, owner, own));
        }
    }
}

fn unforced(relation: &Relation) -> bool {
    relation.row_security && !relation.forced
}

fn names(relations: &[&Relation]) -> Vec<String> {
    relations.iter().map(|it| it.name.to_string()).collect()
}

fn itself(audit: &Audit<'_>, app: &App<'_>, own: &[&Relation]) -> Finding {
    let name = app.name();
    let exempt: Vec<&Relation> = own.iter().copied().filter(|it| unforced(it)).collect();
    let fix = handed_over(audit, app, own);
    let tables = names(own);
    let (fault, why) = if exempt.is_empty() {
        let table = first(&tables).to_owned();
        let why = format!(
            "{name} owns the table{} and can switch off what protects it: `ALTER TABLE {table} DISABLE ROW LEVEL SECURITY; SELECT * FROM {table}`",
            if own.len() == 1 { "" } else { "s" }
        );
        (Fault::OwnerDdl, why)
    } else {
        let exempt = names(&exempt);
        let why = format!(
            "{name} owns {} whose policies are not forced on the owner: `SELECT * FROM {}` shows the rows of every tenant",
            match exempt.len() {
                1 => "a table".to_owned(),
                many => format!("{many} tables"),
            },
            first(&exempt)
        );
        (Fault::OwnerNotForced, why)
    };
    Finding::new(fault, app.object(), why, fix.join("\n")).tables(tables)
}

/// Gives tables to another owner, and the role what it needs of them.
fn handed_over(audit: &Audit<'_>, app: &App<'_>, own: &[&Relation]) -> Vec<String> {
    let name = app.name();
    let owner = NewOwner::of(audit, app.role);
    let mut fix = owner.create();
    let mut schemas: BTreeSet<&str> = BTreeSet::new();
    for relation in own {
        let (table, owner) = (&relation.name, owner.sql());
        if schemas.insert(&table.schema) {
            let schema = tidy(&table.schema);
            // Foreign keys are checked as the owner, who must find the tables.
            fix.push(format!("GRANT USAGE ON SCHEMA {schema} TO {owner};"));
            fix.push(format!("GRANT USAGE ON SCHEMA {schema} TO {name};"));
        }
        fix.push(format!("ALTER TABLE {table} OWNER TO {owner};"));
        if unforced(relation) {
            fix.push(format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"));
        }
        if !relation.is_partition {
            // Where nothing protects the tenants themselves, they are for reading and signing up.
            let rights = match audit.subject.belonging(relation.oid) {
                Some(Belonging::Root(_)) if !relation.row_security => "SELECT, INSERT",
                _ => "SELECT, INSERT, UPDATE, DELETE",
            };
            fix.push(format!("GRANT {rights} ON {table} TO {name};"));
            fix.extend(
                sequences(audit.catalogue, relation).map(|sequence| {
                    format!("GRANT USAGE ON SEQUENCE {} TO {name};", sequence.name)
                }),
            );
        }
    }
    fix
}

fn sequences<'a>(
    catalogue: &'a Catalogue,
    relation: &'a Relation,
) -> impl Iterator<Item = &'a Relation> {
    catalogue.relations.values().filter(|it| {
        let numbers = it.kind == RelationKind::Sequence
            && it.owned_by.is_some_and(|(table, _)| table == relation.oid);
        // An identity column asks for no right on its sequence.
        let identity = it.owned_by.and_then(|(_, column)| relation.column(column));
        numbers && identity.is_some_and(|column| column.identity == crate::catalogue::Identity::No)
    })
}

fn as_member(audit: &Audit<'_>, app: &App<'_>, owner: Oid, own: &[&Relation]) -> Option<Finding> {
    let roles = &audit.catalogue.roles;
    let way = app.reach.way_to(owner)?;
    // Another of the application's roles on the way has the same finding.
    if way
        .iter()
        .skip(1)
        .any(|(member, _)| audit.subject.app_roles.contains(member))
    {
        return None;
    }
    let (name, of) = (app.name(), tidy(roles.name(owner)));
    let inherits = roles.has_rights_of(app.role.oid, owner);
    let exempt: Vec<&Relation> = own
        .iter()
        .copied()
        .filter(|it| inherits && unforced(it))
        .collect();
    let tables = names(own);
    // Of the database's owner everybody is a member who owns the database: there is nothing to revoke.
    let fix = if roles.name(owner) == "pg_database_owner" {
        handed_over(audit, app, own).join("\n")
    } else {
        Cut::acting(audit, app, &[owner]).sql(audit)
    };
    let (fault, why) = if exempt.is_empty() {
        let table = first(&tables).to_owned();
        let first_step = if inherits {
            String::new()
        } else {
            format!("SET ROLE {of}; ")
        };
        let why = format!(
            "{name} is a member of {of}, which owns the tables, and can switch off what protects them: `{first_step}ALTER TABLE {table} DISABLE ROW LEVEL SECURITY; SELECT * FROM {table}`"
        );
        (Fault::OwnerDdl, why)
    } else {
        let why = format!(
            "{name} inherits the rights of {of}, and the policies are not forced on the owner: `SELECT * FROM {}` shows the rows of every tenant",
            first(&names(&exempt))
        );
        (Fault::OwnerMember, why)
    };
    let object = format!("role {name} as a member of {of}");
    Some(Finding::new(fault, object, why, fix).tables(tables))
}

/// To whom tables go that the application should not own.
#[derive(Debug)]
pub(in crate::check) struct NewOwner {
    name: String,
    exists: bool,
}

impl NewOwner {
    /// A role that owns things here already, cannot log in, and that the application does not reach; or a new one.
    pub(in crate::check) fn of(audit: &Audit<'_>, app: &Role) -> Self {
        let roles = &audit.catalogue.roles;
        let reached: BTreeSet<Oid> = audit
            .subject
            .app_roles
            .iter()
            .flat_map(|role| roles.reachable(*role).iter().copied())
            .chain([app.oid])
            .collect();
        let fits = |role: &Role| {
            !role.login
                && !roles.bypasses(role.oid)
                && !is_predefined(role.oid)
                && !reached.contains(&role.oid)
        };
        let mut counts: BTreeMap<Oid, usize> = BTreeMap::new();
        let relations = audit.catalogue.relations.values().map(|it| it.owner);
        let schemas = audit.catalogue.namespaces.values().map(|it| it.owner);
        for owner in relations.chain(schemas) {
            if roles.get(owner).is_some_and(fits) {
                *counts.entry(owner).or_default() += 1;
            }
        }
        if let Some((owner, _)) = counts.iter().max_by_key(|(_, count)| **count) {
            return Self {
                name: roles.name(*owner).to_owned(),
                exists: true,
            };
        }
        let mut number = 1;
        loop {
            let suffix = match number {
                1 => "_owner".to_owned(),
                more => format!("_owner_{more}"),
            };
            let name = shortened(&app.name, suffix.len()) + &suffix;
            if roles.named(&name).is_none_or(fits) {
                return Self {
                    exists: roles.named(&name).is_some(),
                    name,
                };
            }
            number += 1;
        }
    }

    /// Makes the role where it is not there.
    pub(in crate::check) fn create(&self) -> Vec<String> {
        if self.exists {
            Vec::new()
        } else {
            vec![create_role(&self.name)]
        }
    }

    pub(in crate::check) fn sql(&self) -> String {
        tidy(&self.name)
    }
}

/// As much of a name as leaves room for more: PostgreSQL cuts names at 63 bytes.
fn shortened(name: &str, room: usize) -> String {
    let mut name = name.to_owned();
    while name.len() + room > 63 {
        name.pop();
    }
    name
}
