use std::collections::BTreeSet;

use super::Audit;
use crate::{
    catalogue::{Command, Oid, PUBLIC, Privilege, Reach, Relation, Role},
    sql::tidy,
};

/// One of the application's roles: what it may do, in all its guises.
#[derive(Debug)]
pub(super) struct App<'a> {
    audit: &'a Audit<'a>,
    pub(super) role: &'a Role,
    pub(super) reach: Reach,
    /// The roles whose grants are its own: it, those that it inherits from or can become. Not those that
    /// bypass every policy or own tenants' tables, nor what lies behind them: to reach one is a fault of its
    /// own, and what it opens is no second one.
    guises: BTreeSet<Oid>,
}

impl<'a> App<'a> {
    /// Every role of the application.
    pub(super) fn all(audit: &'a Audit<'a>) -> Vec<Self> {
        let roles = &audit.catalogue.roles;
        let app = audit.subject.app_roles.iter();
        Self::of(audit, app.filter_map(|oid| roles.get(*oid)))
    }

    /// The logins that become the application's roles by `SET ROLE`, to which `RESET ROLE` leads back: what else
    /// they may is a statement away. Who administers the roles, owns tables or bypasses the policies is none of the
    /// application's, but somebody who may try it out.
    pub(super) fn logins(audit: &'a Audit<'a>) -> Vec<Self> {
        let roles = &audit.catalogue.roles;
        let owners = owners(audit);
        let becomes = |login: &Role, app: Oid| {
            let way = Reach::of(roles, login.oid).way_to_become(app);
            way.is_some_and(|way| way.iter().all(|step| sets(audit, *step)))
        };
        let logins = roles.iter().filter(|login| {
            login.login
                && !login.create_role
                && !roles.bypasses(login.oid)
                && !owners.contains(&login.oid)
                && !audit.subject.app_roles.contains(&login.oid)
                && audit.subject.app_roles.iter().any(|app| {
                    roles.get(*app).is_some_and(|app| !app.login)
                        && !roles.has_rights_of(login.oid, *app)
                        && becomes(login, *app)
                })
        });
        Self::of(audit, logins)
    }

    fn of(audit: &'a Audit<'a>, of: impl Iterator<Item = &'a Role>) -> Vec<Self> {
        let roles = &audit.catalogue.roles;
        let owners = owners(audit);
        of.map(|role| Self {
            audit,
            role,
            reach: Reach::of(roles, role.oid),
            guises: Reach::without_passing(roles, role.oid, |other| {
                roles.bypasses(other.oid) || owners.contains(&other.oid)
            })
            .acts_as(),
        })
        .collect()
    }

    /// Those on whom policies can hold at all. The others have a fault of their own, which says it all.
    pub(super) fn bound(audit: &'a Audit<'a>) -> Vec<Self> {
        let mut apps = Self::all(audit);
        apps.retain(|app| !app.bypasses());
        apps
    }

    pub(super) fn bypasses(&self) -> bool {
        self.audit.catalogue.roles.bypasses(self.role.oid)
    }

    /// Its name as SQL wants it.
    pub(super) fn name(&self) -> String {
        tidy(&self.role.name)
    }

    /// It as the object of a finding.
    pub(super) fn object(&self) -> String {
        format!("role {}", self.name())
    }

    /// Whether it has a role's grants without having to become its owner.
    pub(super) fn is_guise(&self, role: Oid) -> bool {
        role == PUBLIC || self.guises.contains(&role)
    }

    /// The roles that it acts as: itself, those that it inherits from or can become.
    pub(super) fn guises(&self) -> &BTreeSet<Oid> {
        &self.guises
    }

    /// Whether it may do something in a schema, and as whom.
    pub(super) fn grantees_in(&self, namespace: Oid, privilege: Privilege) -> BTreeSet<Oid> {
        let namespace = self.audit.catalogue.namespaces.get(&namespace);
        namespace
            .iter()
            .flat_map(|namespace| &namespace.grants)
            .filter(|grant| grant.privilege == privilege && self.is_guise(grant.grantee))
            .map(|grant| grant.grantee)
            .collect()
    }

    /// Whether it may use what is in a schema.
    pub(super) fn enters(&self, namespace: Oid) -> bool {
        self.role.superuser || !self.grantees_in(namespace, Privilege::Usage).is_empty()
    }

    /// As whom it may do something with a relation or with one of its columns: itself, a role that it
    /// inherits from or can become, or everybody. Rights that come with owning the relation are left out.
    pub(super) fn grantees(&self, relation: &Relation, privileges: &[Privilege]) -> BTreeSet<Oid> {
        if !self.enters(relation.namespace) {
            return BTreeSet::new();
        }
        relation
            .grants
            .iter()
            .filter(|grant| {
                privileges.contains(&grant.privilege)
                    && grant.grantee != relation.owner
                    && self.is_guise(grant.grantee)
            })
            .map(|grant| grant.grantee)
            .collect()
    }

    /// What it may do with the rows of a relation, by grants alone: not as its owner.
    pub(super) fn granted(&self, relation: &Relation) -> Vec<Command> {
        Command::ALL
            .into_iter()
            .filter(|command| !self.grantees(relation, &[right(*command)]).is_empty())
            .collect()
    }

    /// What it may do with the rows of a relation, as its owner or by grants. A superuser counts by what
    /// would be left to it.
    pub(super) fn commands(&self, relation: &Relation) -> Vec<Command> {
        let roles = &self.audit.catalogue.roles;
        let owns = roles.has_rights_of(self.role.oid, relation.owner)
            && (self.enters(relation.namespace)
                || self
                    .audit
                    .catalogue
                    .may_enter(self.role.oid, relation.namespace));
        if owns {
            return Command::ALL.to_vec();
        }
        self.granted(relation)
    }
}

/// Who owns tenants' tables.
fn owners(audit: &Audit<'_>) -> BTreeSet<Oid> {
    let tables = audit.subject.tenant_tables(audit.catalogue);
    tables.map(|relation| relation.owner).collect()
}

/// Whether a membership is for `SET ROLE`, and not for administering the role.
fn sets(audit: &Audit<'_>, (member, role): (Oid, Oid)) -> bool {
    audit.catalogue.roles.get(member).is_some_and(|member| {
        let mut of = member.member_of.iter().filter(|it| it.role == role);
        of.clone().any(|it| it.set) && !of.any(|it| it.admin)
    })
}

/// The right that a command needs.
pub(super) const fn right(command: Command) -> Privilege {
    match command {
        Command::Select => Privilege::Select,
        Command::Insert => Privilege::Insert,
        Command::Update => Privilege::Update,
        Command::Delete => Privilege::Delete,
    }
}

/// The rights that let rows be read or written.
pub(super) const ROWS: [Privilege; 4] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
];

/// A role as GRANT and REVOKE name it.
pub(super) fn grantee(audit: &Audit<'_>, role: Oid) -> String {
    if role == PUBLIC {
        "PUBLIC".to_owned()
    } else {
        tidy(audit.catalogue.roles.name(role))
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
