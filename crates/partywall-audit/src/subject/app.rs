//! Whom requests of tenants run as.

use std::collections::{BTreeMap, BTreeSet};

use super::{belonging::Belonging, evidence::Comparison};
use crate::catalogue::{Catalogue, Command, Oid, PUBLIC, Policy, Privilege, Relation, Role};
use crate::expression::Node;

/// The superuser that `initdb` made.
const BOOTSTRAP: Oid = 10;

const WRITES: [Privilege; 3] = [Privilege::Insert, Privilege::Update, Privilege::Delete];

const DATA: [Privilege; 4] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
];

/// The roles and what speaks for each.
pub(super) fn roles(
    catalogue: &Catalogue,
    belongings: &BTreeMap<Oid, Belonging>,
    comparisons: &BTreeMap<Oid, Vec<Comparison>>,
) -> Vec<(Oid, String)> {
    let tables: Vec<&Relation> = catalogue
        .relations
        .values()
        .filter(|relation| {
            relation.is_table()
                && belongings
                    .get(&relation.oid)
                    .is_some_and(Belonging::is_tenants)
        })
        .collect();
    let doors = doors(catalogue, &tables);
    let look = Look {
        catalogue,
        comparisons,
        tables,
        doors,
    };
    let mut ordinary = look.ordinary();
    // Where somebody writes by grants, those who have the owner's rights and no others bring migrations.
    if ordinary
        .iter()
        .any(|role| look.writes(role) && !look.is_owners(role))
    {
        ordinary.retain(|role| !look.is_owners(role));
    }
    // An administrators' role that requests take on has no fewer rights than the others: what only reads and has a
    // policy of its own is for those who did not log in.
    let (admins, mut app): (Vec<&Role>, Vec<&Role>) = ordinary.iter().copied().partition(|role| {
        (role.login || look.writes(role))
            && (look.is_admin(role) || look.is_worker(role, &ordinary))
    });
    // Somebody writes the tenants' rows. A policy of its own that opens everything is a fault where nobody else does.
    if !app.iter().any(|role| look.writes(role)) {
        app.extend(admins.iter().filter(|role| look.writes(role)));
    }
    if app.is_empty() {
        app = admins;
    }
    app.sort_by_key(|role| role.oid);
    let writes = app.iter().any(|role| look.writes(role));
    let mut found: Vec<(Oid, String)> = app
        .iter()
        .map(|role| (role.oid, look.because(role)))
        .collect();
    if !writes {
        found.extend(look.owners().into_iter().map(|(role, tables)| {
            (
                role.oid,
                format!("it owns {tables}, and no other login writes to them"),
            )
        }));
    }
    if found.is_empty() {
        found.extend(look.bypassing().into_iter().map(|role| {
            (
                role.oid,
                "no other login reaches the tenants' tables".to_owned(),
            )
        }));
    }
    found
}

/// The tables of tenants, and the views over them.
fn doors<'a>(catalogue: &'a Catalogue, tables: &[&'a Relation]) -> Vec<&'a Relation> {
    let mut doors: Vec<&Relation> = tables.to_vec();
    loop {
        let more: Vec<&Relation> = catalogue
            .relations
            .values()
            .filter(|relation| !doors.iter().any(|door| door.oid == relation.oid))
            .filter(|relation| {
                relation.view.as_ref().is_some_and(|view| {
                    view.reads
                        .iter()
                        .any(|read| doors.iter().any(|door| door.oid == *read))
                })
            })
            .collect();
        if more.is_empty() {
            return doors;
        }
        doors.extend(more);
    }
}

struct Look<'a> {
    catalogue: &'a Catalogue,
    comparisons: &'a BTreeMap<Oid, Vec<Comparison>>,
    tables: Vec<&'a Relation>,
    /// The tables and the views over them.
    doors: Vec<&'a Relation>,
}

impl<'a> Look<'a> {
    fn reaches(&self, role: Oid, relation: &Relation, privileges: &[Privilege]) -> bool {
        self.catalogue.may_enter(role, relation.namespace)
            && privileges
                .iter()
                .any(|privilege| self.catalogue.may_any_column(role, relation, *privilege))
    }

    fn owns(&self, role: Oid, relation: &Relation) -> bool {
        role == relation.owner
    }

    fn writes(&self, role: &Role) -> bool {
        self.doors
            .iter()
            .any(|relation| self.reaches(role.oid, relation, &WRITES))
    }

    /// Whether all that a role may do with tenants' tables it may as a member of their owners.
    fn is_owners(&self, role: &Role) -> bool {
        let roles = &self.catalogue.roles;
        let owners: BTreeSet<Oid> = self.tables.iter().map(|relation| relation.owner).collect();
        owners
            .iter()
            .any(|owner| roles.has_rights_of(role.oid, *owner))
            && self.doors.iter().all(|relation| {
                relation.grants.iter().all(|grant| {
                    grant.grantee == PUBLIC
                        || owners.contains(&grant.grantee)
                        || !roles.has_rights_of(role.oid, grant.grantee)
                })
            })
    }

    /// Roles that have rights on tenants' tables by grants and that no table is owned by: logins, and roles that a
    /// login has to become first.
    fn ordinary(&self) -> Vec<&'a Role> {
        let roles = &self.catalogue.roles;
        roles
            .iter()
            .filter(|role| {
                !role.superuser && !role.bypasses_row_security && !role.name.starts_with("pg_")
            })
            .filter(|role| {
                role.login
                    || roles.iter().any(|login| {
                        login.login
                            && !login.superuser
                            && login.oid != role.oid
                            && roles.reachable(login.oid).contains(&role.oid)
                            && !roles.has_rights_of(login.oid, role.oid)
                    })
            })
            .filter(|role| {
                !self
                    .tables
                    .iter()
                    .any(|relation| self.owns(role.oid, relation))
            })
            .filter(|role| {
                self.doors
                    .iter()
                    .any(|relation| self.reaches(role.oid, relation, &DATA))
            })
            .collect()
    }

    /// Whether a role has policies of its own that let everything through, wherever it may go: a way for
    /// administrators that somebody meant.
    fn is_admin(&self, role: &Role) -> bool {
        let (mut open, mut bound) = (0_usize, 0_usize);
        for relation in self.tables.iter().filter(|relation| relation.row_security) {
            if !self.reaches(role.oid, relation, &DATA) {
                continue;
            }
            let applies = |roles: &[Oid]| {
                roles
                    .iter()
                    .any(|other| self.catalogue.roles.has_rights_of(role.oid, *other))
            };
            let restricted = relation.policies.iter().any(|policy| {
                !policy.permissive
                    && applies(&policy.roles)
                    && policy.covers(Command::Select)
                    && !policy
                        .using
                        .as_ref()
                        .is_some_and(|using| is_true(&using.tree))
            });
            let own = relation.policies.iter().any(|policy| {
                policy.permissive
                    && policy.roles.contains(&role.oid)
                    && policy.covers(Command::Select)
                    && policy
                        .using
                        .as_ref()
                        .is_some_and(|using| is_true(&using.tree))
            });
            if own && !restricted {
                open += 1;
            } else {
                bound += 1;
            }
        }
        open > bound
    }

    /// Whether a role works for all tenants at once: where it may go, policies that name it alone let it through, and
    /// keep others who write there to their tenants.
    fn is_worker(&self, role: &Role, ordinary: &[&Role]) -> bool {
        let names = |policy: &Policy, role: &Role| {
            policy.permissive && policy.using.is_some() && policy.roles == [role.oid]
        };
        let (mut open, mut bound) = (0_usize, 0_usize);
        for relation in self.tables.iter().filter(|relation| relation.row_security) {
            if !self.reaches(role.oid, relation, &DATA) {
                continue;
            }
            let asks = |policy: &Policy| {
                self.comparisons
                    .get(&relation.oid)
                    .is_some_and(|all| all.iter().any(|it| it.policy == policy.name))
            };
            let own = |role: &Role| {
                relation
                    .policies
                    .iter()
                    .any(|policy| names(policy, role) && !asks(policy))
            };
            let another = ordinary.iter().any(|other| {
                other.oid != role.oid && !own(other) && self.reaches(other.oid, relation, &WRITES)
            });
            if own(role) && another {
                open += 1;
            } else {
                bound += 1;
            }
        }
        open > 0 && open >= bound
    }

    fn because(&self, role: &Role) -> String {
        let tables = self
            .doors
            .iter()
            .filter(|relation| self.reaches(role.oid, relation, &DATA))
            .count();
        let what = match tables {
            1 => "has rights on one table or view of tenants".to_owned(),
            count => format!("has rights on {count} tables and views of tenants"),
        };
        if role.login {
            format!("a login that {what} and owns none")
        } else {
            format!("a login can become it, and it {what}")
        }
    }

    /// Logins that own tenants' tables, themselves or as a member of the owner.
    fn owners(&self) -> Vec<(&'a Role, String)> {
        self.catalogue
            .roles
            .iter()
            .filter(|role| role.login && !role.superuser)
            .filter_map(|role| {
                let owned: Vec<&&Relation> = self
                    .tables
                    .iter()
                    .filter(|relation| self.catalogue.roles.has_rights_of(role.oid, relation.owner))
                    .collect();
                match owned.as_slice() {
                    [] => None,
                    [one] => Some((role, one.name.to_string())),
                    several => Some((role, format!("{} tables of tenants", several.len()))),
                }
            })
            .collect()
    }

    /// Logins for whom no policy holds: those with rights, or superusers; the one that every server has is the last.
    fn bypassing(&self) -> Vec<&'a Role> {
        let logins = || self.catalogue.roles.iter().filter(|role| role.login);
        let granted: Vec<&Role> = logins()
            .filter(|role| role.bypasses_row_security && !role.superuser)
            .filter(|role| {
                self.tables
                    .iter()
                    .any(|relation| self.reaches(role.oid, relation, &DATA))
            })
            .collect();
        if !granted.is_empty() {
            return granted;
        }
        let owners: BTreeSet<Oid> = self.tables.iter().map(|relation| relation.owner).collect();
        let superusers: Vec<&Role> = logins()
            .filter(|role| role.superuser && role.oid != BOOTSTRAP)
            .filter(|role| {
                owners.contains(&role.oid)
                    || self.tables.iter().any(|relation| {
                        relation
                            .grants
                            .iter()
                            .any(|grant| grant.grantee == role.oid)
                    })
            })
            .collect();
        if !superusers.is_empty() {
            return superusers;
        }
        // Nobody else can: then it is this one, as where a container was told the application's name for it.
        logins()
            .filter(|role| role.oid == BOOTSTRAP && owners.contains(&role.oid))
            .collect()
    }
}

/// Whether an expression is the constant `true`.
fn is_true(tree: &Node) -> bool {
    tree.tag() == "CONST"
        && tree.number::<Oid>("consttype") == Some(16)
        && !tree.flag("constisnull")
        && tree.list("constvalue").iter().any(|part| match part {
            Node::Bytes(bytes) => bytes.first() == Some(&1),
            Node::Null | Node::Atom(_) | Node::List(_) | Node::Struct(_) => false,
        })
}
