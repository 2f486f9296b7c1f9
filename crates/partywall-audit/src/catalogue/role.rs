use std::collections::{BTreeMap, BTreeSet};

use super::{Oid, PUBLIC, Reach};

/// A role.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) superuser: bool,
    pub(crate) bypasses_row_security: bool,
    pub(crate) replication: bool,
    pub(crate) login: bool,
    pub(crate) create_role: bool,
    /// The roles that it is a direct member of.
    pub(crate) member_of: Vec<Membership>,
}

/// A grant of one role to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Membership {
    pub(crate) role: Oid,
    /// Whether the member has its rights without asking. Before PostgreSQL 16 the member's own attribute says so.
    pub(crate) inherit: bool,
    /// Whether the member may `SET ROLE` to it. Always, before PostgreSQL 16.
    pub(crate) set: bool,
    pub(crate) admin: bool,
    /// Who granted it: from PostgreSQL 16 on, a grant is taken back in the name of its grantor.
    pub(crate) grantor: Oid,
}

/// All roles of the server, and who has whose rights.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    by_oid: BTreeMap<Oid, Role>,
    inherits: BTreeMap<Oid, BTreeSet<Oid>>,
    reaches: BTreeMap<Oid, BTreeSet<Oid>>,
}

impl Roles {
    pub(super) fn new(roles: Vec<Role>) -> Self {
        let by_oid: BTreeMap<Oid, Role> = roles.into_iter().map(|role| (role.oid, role)).collect();
        let inherits = by_oid
            .keys()
            .map(|start| (*start, inherited(&by_oid, *start)))
            .collect();
        let mut roles = Self {
            by_oid,
            inherits,
            reaches: BTreeMap::new(),
        };
        roles.reaches = roles
            .iter()
            .map(|role| (role.oid, Reach::of(&roles, role.oid).acts_as()))
            .collect();
        roles
    }

    /// The same roles without some memberships: pairs of a member and what it is a member of.
    pub(crate) fn without(&self, memberships: &BTreeSet<(Oid, Oid)>) -> Self {
        let mut roles: Vec<Role> = self.by_oid.values().cloned().collect();
        for role in &mut roles {
            let member = role.oid;
            role.member_of
                .retain(|membership| !memberships.contains(&(member, membership.role)));
        }
        Self::new(roles)
    }

    pub(crate) fn get(&self, oid: Oid) -> Option<&Role> {
        self.by_oid.get(&oid)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Role> {
        self.by_oid.values().find(|role| role.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Role> {
        self.by_oid.values()
    }

    /// Its name; `PUBLIC` for everybody.
    pub(crate) fn name(&self, oid: Oid) -> &str {
        match self.by_oid.get(&oid) {
            Some(role) => &role.name,
            None if oid == PUBLIC => "PUBLIC",
            None => "?",
        }
    }

    pub(crate) fn is_superuser(&self, oid: Oid) -> bool {
        self.by_oid.get(&oid).is_some_and(|role| role.superuser)
    }

    /// Whether no policy holds for it: a superuser, or BYPASSRLS of its own. The attribute is not inherited.
    pub(crate) fn bypasses(&self, oid: Oid) -> bool {
        self.by_oid
            .get(&oid)
            .is_some_and(|role| role.superuser || role.bypasses_row_security)
    }

    /// Whether a role has another's rights without asking (`pg_has_role(…, 'USAGE')`); everybody has PUBLIC's.
    /// A superuser has all, which this does not say: policies `TO` a role do not ask for it.
    pub(crate) fn has_rights_of(&self, role: Oid, other: Oid) -> bool {
        other == PUBLIC || self.inherited(role).contains(&other)
    }

    /// The roles whose rights it has without asking, itself among them.
    pub(crate) fn inherited(&self, role: Oid) -> &BTreeSet<Oid> {
        static NONE: BTreeSet<Oid> = BTreeSet::new();
        self.inherits.get(&role).unwrap_or(&NONE)
    }

    /// The roles that it can become or act as, by any number of steps, itself among them
    /// (`pg_has_role(…, 'MEMBER')`, and from PostgreSQL 16 on only where SET, INHERIT or ADMIN allow it):
    /// [`Reach`] says by which steps.
    pub(crate) fn reachable(&self, role: Oid) -> &BTreeSet<Oid> {
        static NONE: BTreeSet<Oid> = BTreeSet::new();
        self.reaches.get(&role).unwrap_or(&NONE)
    }
}

fn inherited(roles: &BTreeMap<Oid, Role>, start: Oid) -> BTreeSet<Oid> {
    let mut found = BTreeSet::from([start]);
    let mut ahead = vec![start];
    while let Some(role) = ahead.pop() {
        let memberships = roles.get(&role).map_or(&[][..], |role| &role.member_of);
        for membership in memberships.iter().filter(|membership| membership.inherit) {
            if found.insert(membership.role) {
                ahead.push(membership.role);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(oid: Oid, member_of: &[(Oid, bool, bool)]) -> Role {
        Role {
            oid,
            name: format!("r{oid}"),
            superuser: false,
            bypasses_row_security: false,
            replication: false,
            login: true,
            create_role: false,
            member_of: member_of
                .iter()
                .map(|&(role, inherit, set)| Membership {
                    role,
                    inherit,
                    set,
                    admin: false,
                    grantor: 10,
                })
                .collect(),
        }
    }

    #[test]
    fn rights_and_reach_are_transitive() {
        let roles = Roles::new(vec![
            role(1, &[(2, true, true)]),
            role(2, &[(3, false, true)]),
            role(3, &[(4, true, false), (1, true, true)]),
            role(4, &[]),
        ]);
        assert!(roles.has_rights_of(1, 2) && !roles.has_rights_of(1, 3));
        assert!(roles.has_rights_of(1, PUBLIC));
        assert_eq!(roles.reachable(1), &BTreeSet::from([1, 2, 3, 4]));
        assert_eq!(roles.reachable(4), &BTreeSet::from([4]));
    }
}
