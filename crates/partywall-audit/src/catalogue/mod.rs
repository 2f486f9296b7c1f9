//! What the catalogues say of a database, read once, as values. Nothing here judges.

mod acl;
mod column;
mod constraint;
mod function;
mod index;
mod load;
mod operator;
mod policy;
mod reach;
mod relation;
mod role;
mod server;
mod view;

pub(crate) use acl::{Grant, PUBLIC, Privilege};
pub(crate) use column::{Column, Identity};
pub(crate) use constraint::{Action, Constraint, ConstraintKind, Reference};
pub(crate) use function::{Function, Volatility};
pub(crate) use index::{Index, IndexColumn};
pub(crate) use load::{begin, load};
pub(crate) use operator::{Builtin, Operator};
pub(crate) use policy::{Command, Expression, Policy};
pub(crate) use reach::{Reach, Way};
pub(crate) use relation::{Relation, RelationKind, Rule, Trigger};
pub(crate) use role::{Membership, Role, Roles};
pub(crate) use server::{
    DefaultAcl, EventTrigger, ForeignServer, Job, LargeObject, Publication, Server, Setting,
};
pub(crate) use view::{CheckOption, View};

use std::collections::{BTreeMap, BTreeSet};

/// PostgreSQL's number of an object.
pub(crate) type Oid = u32;

/// A schema.
#[derive(Clone, Debug)]
pub(crate) struct Namespace {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) owner: Oid,
    pub(crate) grants: Vec<Grant>,
}

/// Everything that was read, in one transaction.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) server: Server,
    pub(crate) roles: Roles,
    pub(crate) namespaces: BTreeMap<Oid, Namespace>,
    /// Of all schemas but PostgreSQL's own.
    pub(crate) relations: BTreeMap<Oid, Relation>,
    /// Of all schemas but PostgreSQL's own.
    pub(crate) functions: BTreeMap<Oid, Function>,
    /// Of all schemas.
    pub(crate) operators: BTreeMap<Oid, Operator>,
    /// PostgreSQL's own functions.
    pub(crate) builtins: BTreeMap<Oid, Builtin>,
    /// Collations by which texts of different bytes can be equal.
    pub(crate) folding_collations: BTreeSet<Oid>,
    pub(crate) publications: Vec<Publication>,
    pub(crate) default_acls: Vec<DefaultAcl>,
    /// Values that roles and databases give to settings.
    pub(crate) settings: Vec<Setting>,
    /// Custom settings of the server's configuration files, in lower case, and their values.
    pub(crate) file_settings: Vec<(String, String)>,
    /// Of `pg_cron`, where it is installed and may be read.
    pub(crate) jobs: Vec<Job>,
    pub(crate) event_triggers: Vec<EventTrigger>,
    pub(crate) foreign_servers: Vec<ForeignServer>,
}

impl Catalogue {
    /// Whether a role may do something with a relation as a whole. It may with a column of it as well where
    /// [`Catalogue::may_any_column`] says so.
    pub(crate) fn may(&self, role: Oid, relation: &Relation, privilege: Privilege) -> bool {
        self.roles.is_superuser(role)
            || relation.grants.iter().any(|grant| {
                grant.column.is_none()
                    && grant.privilege == privilege
                    && self.roles.has_rights_of(role, grant.grantee)
            })
    }

    /// Whether a role may do something with the relation or with any of its columns.
    pub(crate) fn may_any_column(
        &self,
        role: Oid,
        relation: &Relation,
        privilege: Privilege,
    ) -> bool {
        self.roles.is_superuser(role)
            || relation.grants.iter().any(|grant| {
                grant.privilege == privilege && self.roles.has_rights_of(role, grant.grantee)
            })
    }

    /// Whether a role may use the schema that the relation is in: without it no grant on the relation counts.
    pub(crate) fn may_enter(&self, role: Oid, namespace: Oid) -> bool {
        self.may_in(role, namespace, Privilege::Usage)
    }

    /// Whether a role may do something in a schema: `Usage` or `Create`.
    pub(crate) fn may_in(&self, role: Oid, namespace: Oid, privilege: Privilege) -> bool {
        self.roles.is_superuser(role)
            || self.namespaces.get(&namespace).is_some_and(|namespace| {
                namespace.grants.iter().any(|grant| {
                    grant.privilege == privilege && self.roles.has_rights_of(role, grant.grantee)
                })
            })
    }

    /// Whether a role may call a function, as far as grants go.
    pub(crate) fn may_call(&self, role: Oid, function: &Function) -> bool {
        self.roles.is_superuser(role)
            || (self.may_enter(role, function.namespace)
                && function.grants.iter().any(|grant| {
                    grant.privilege == Privilege::Execute
                        && self.roles.has_rights_of(role, grant.grantee)
                }))
    }

    /// Whether the policies of a relation do not hold for a role: superuser, BYPASSRLS, or the rights of an
    /// owner on whom they are not forced.
    pub(crate) fn is_exempt(&self, role: Oid, relation: &Relation) -> bool {
        !relation.row_security
            || self.roles.bypasses(role)
            || (!relation.forced && self.roles.has_rights_of(role, relation.owner))
    }
}
