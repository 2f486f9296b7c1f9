use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Oid, Role, Roles};

/// Memberships, one after the other: pairs of a member and what it is a member of.
pub(crate) type Way = Vec<(Oid, Oid)>;

/// How a role stands to one that it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// `SET ROLE` works.
    Is,
    /// Its rights hold without asking.
    Has,
}

/// Which roles a role can become and whose rights it has, and by which memberships.
///
/// `SET ROLE` follows SET memberships alone, rights follow INHERIT, and whoever has ADMIN (of its own or by
/// a right that it inherits) can grant itself the rest.
#[derive(Debug)]
pub(crate) struct Reach {
    start: Oid,
    /// From where each was reached first, so that ways are the shortest.
    steps: BTreeMap<(Oid, How), (Oid, How)>,
}

impl Reach {
    pub(crate) fn of(roles: &Roles, start: Oid) -> Self {
        Self::without_passing(roles, start, |_| false)
    }

    /// Does not go to some roles, nor on from them.
    pub(crate) fn without_passing(
        roles: &Roles,
        start: Oid,
        barred: impl Fn(&Role) -> bool,
    ) -> Self {
        let mut steps = BTreeMap::new();
        let mut ahead = VecDeque::from([(start, How::Is)]);
        while let Some(at) = ahead.pop_front() {
            let memberships = roles.get(at.0).map_or(&[][..], |role| &role.member_of);
            for membership in memberships {
                let is = membership.admin || (membership.set && at.1 == How::Is);
                let has = membership.inherit;
                for (allowed, how) in [(is, How::Is), (has, How::Has)] {
                    let next = (membership.role, how);
                    let open = membership.role != start
                        && roles.get(membership.role).is_some_and(|role| !barred(role));
                    if allowed && open && !steps.contains_key(&next) {
                        steps.insert(next, at);
                        ahead.push_back(next);
                    }
                }
            }
        }
        Self { start, steps }
    }

    /// The roles that it can become, itself among them.
    pub(crate) fn becomes(&self) -> BTreeSet<Oid> {
        self.steps
            .keys()
            .filter(|(_, how)| *how == How::Is)
            .map(|(role, _)| *role)
            .chain([self.start])
            .collect()
    }

    /// The roles that it can become or whose rights it has, in any of its guises.
    pub(crate) fn acts_as(&self) -> BTreeSet<Oid> {
        self.steps
            .keys()
            .map(|(role, _)| *role)
            .chain([self.start])
            .collect()
    }

    /// The memberships on the shortest way to becoming a role.
    pub(crate) fn way_to_become(&self, role: Oid) -> Option<Way> {
        self.way((role, How::Is))
    }

    /// The memberships on the shortest way to its rights.
    pub(crate) fn way_to(&self, role: Oid) -> Option<Way> {
        let ways = [How::Has, How::Is].map(|how| self.way((role, how)));
        ways.into_iter().flatten().min_by_key(Vec::len)
    }

    fn way(&self, to: (Oid, How)) -> Option<Way> {
        let mut way = Vec::new();
        let mut at = to;
        while at != (self.start, How::Is) {
            let before = *self.steps.get(&at)?;
            way.push((before.0, at.0));
            at = before;
        }
        way.reverse();
        Some(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Membership;

    const SET: u8 = 1;
    const INHERIT: u8 = 2;
    const ADMIN: u8 = 4;

    /// Roles of which each is given its memberships.
    fn roles(memberships: &[(Oid, &[(Oid, u8)])]) -> Roles {
        Roles::new(
            memberships
                .iter()
                .map(|(oid, member_of)| Role {
                    oid: *oid,
                    name: format!("r{oid}"),
                    superuser: false,
                    bypasses_row_security: false,
                    replication: false,
                    login: true,
                    create_role: false,
                    member_of: member_of
                        .iter()
                        .map(|(role, options)| Membership {
                            role: *role,
                            inherit: options & INHERIT != 0,
                            set: options & SET != 0,
                            admin: options & ADMIN != 0,
                            grantor: 10,
                        })
                        .collect(),
                })
                .collect(),
        )
    }

    #[test]
    fn set_role_follows_set_alone() {
        let roles = roles(&[(1, &[(2, INHERIT)]), (2, &[(3, SET | INHERIT)]), (3, &[])]);
        let reach = Reach::of(&roles, 1);
        assert_eq!(reach.becomes(), BTreeSet::from([1]));
        assert_eq!(reach.acts_as(), BTreeSet::from([1, 2, 3]));
        assert_eq!(reach.way_to_become(3), None);
        assert_eq!(reach.way_to(3), Some(vec![(1, 2), (2, 3)]));
    }

    #[test]
    fn who_has_admin_can_grant_itself_the_rest() {
        let roles = roles(&[
            (1, &[(2, INHERIT)]),
            (2, &[(3, ADMIN)]),
            (3, &[(4, SET)]),
            (4, &[]),
        ]);
        let reach = Reach::of(&roles, 1);
        assert_eq!(reach.becomes(), BTreeSet::from([1, 3, 4]));
        assert_eq!(reach.way_to_become(4), Some(vec![(1, 2), (2, 3), (3, 4)]));
    }

    #[test]
    fn a_barred_role_ends_the_way() {
        let roles = roles(&[(1, &[(2, SET)]), (2, &[(3, SET)]), (3, &[])]);
        let reach = Reach::without_passing(&roles, 1, |role| role.oid == 2);
        assert_eq!(reach.acts_as(), BTreeSet::from([1]));
    }

    #[test]
    fn circles_end() {
        let roles = roles(&[(1, &[(2, SET)]), (2, &[(1, SET)])]);
        assert_eq!(Reach::of(&roles, 1).becomes(), BTreeSet::from([1, 2]));
    }
}
