use std::collections::BTreeSet;

use super::{
    ProveOptions, harm::Harm, ownership, party::Party, seal::Seal, trial::Member, value::Types,
};
use crate::{
    catalogue::{Catalogue, Oid, Privilege, Relation},
    subject::{Subject, With},
};

/// What is the same for all attacks.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) subject: &'a Subject,
    pub(super) how: &'a ProveOptions,
    pub(super) read_only: bool,
    /// Whether the administrator can become anybody.
    pub(super) superuser: bool,
    pub(super) attacker: Party,
    pub(super) victim: Party,
    /// Keys of tenants: those that were found, and then made-up ones.
    pub(super) sampled: Vec<String>,
    /// Tenants that policies name, whose rows are shared on purpose.
    pub(super) shared: BTreeSet<String>,
    /// Rows that their contexts hang on.
    pub(super) members: Vec<Member>,
    pub(super) types: Types,
    /// What of the database must not run.
    pub(super) harm: Harm<'a>,
    /// Where Partywall set the database up, the key that seals contexts and the server's time.
    pub(super) seal: Option<(Seal, i64)>,
}

impl Stage<'_> {
    fn condition(&self, relation: &Relation, test: ownership::Test<'_>) -> Option<String> {
        ownership::condition(self.catalogue, self.subject, relation, "t", test)
    }

    /// The row `t` is the attacker's.
    pub(super) fn own(&self, relation: &Relation) -> Option<String> {
        self.condition(relation, &|column, at| {
            ownership::of(column, at, &self.attacker.tenants)
        })
    }

    /// Makes a role the tenant that it is called, where each tenant has a role of its own.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub(super) fn become_tenant(&mut self, role: Oid) -> Result<(), String> {
        if !self.is_by_role() || !self.how.attacker.is_empty() {
            return Ok(());
        }
        let name = self.catalogue.roles.name(role).to_owned();
        let other = self.sampled.iter().find(|it| **it != name);
        let (true, Some(other)) = (self.sampled.contains(&name), other) else {
            return Err(format!(
                "policies ask who is connected, and no tenant is called {}",
                crate::sql::tidy(&name)
            ));
        };
        self.victim.tenants = vec![other.clone()];
        self.attacker.tenants = vec![name];
        Ok(())
    }

    /// Whether whoever is connected is the tenant, by its name.
    pub(super) fn is_by_role(&self) -> bool {
        self.subject.tenant_tables(self.catalogue).any(|table| {
            let tenant = ownership::owner_column(self.subject, table);
            let all = self.subject.comparisons.get(&table.oid);
            all.into_iter().flatten().any(|it| {
                let reads = it.with.reads();
                Some(it.column) == tenant
                    && matches!(it.with, With::Context { .. })
                    && reads.user
                    && reads.settings.is_empty()
                    && reads.relations.is_empty()
            })
        })
    }

    /// Whether a victim was named. Then the rows of others say nothing: they may be below the attacker.
    pub(super) fn is_named(&self) -> bool {
        !self.how.victim.is_empty()
    }

    /// The row `t` is the victim's.
    fn victims(&self, relation: &Relation) -> Option<String> {
        self.condition(relation, &|column, at| {
            ownership::of(column, at, &self.victim.tenants)
        })
    }

    /// The row `t` is another tenant's.
    pub(super) fn foreign(&self, relation: &Relation) -> Option<String> {
        if self.is_named() {
            let (theirs, own) = (self.victims(relation)?, self.own(relation)?);
            return Some(format!("({theirs} AND ({own}) IS NOT TRUE)"));
        }
        let not: Vec<String> = self
            .attacker
            .tenants
            .iter()
            .chain(&self.shared)
            .cloned()
            .collect();
        self.condition(relation, &|column, at| {
            ownership::of_others(column, at, &not)
        })
    }

    /// The row `t` is this tenant's.
    pub(super) fn owned_by(&self, relation: &Relation, tenant: &str) -> Option<String> {
        let tenants = [tenant.to_owned()];
        self.condition(relation, &|column, at| ownership::of(column, at, &tenants))
    }

    /// The row `t` is any tenant's.
    pub(super) fn anybody(&self, relation: &Relation) -> Option<String> {
        let not: Vec<String> = self.shared.iter().cloned().collect();
        self.condition(relation, &|column, at| {
            if not.is_empty() {
                format!("NOT ({})", ownership::of_nobody(column, at))
            } else {
                ownership::of_others(column, at, &not)
            }
        })
    }

    /// The row `t` is the attacker's, or is nobody's, so that everybody may see it.
    pub(super) fn visible(&self, relation: &Relation) -> Option<String> {
        if self.is_named() {
            return Some(format!("({}) IS NOT TRUE", self.foreign(relation)?));
        }
        let own: Vec<String> = self
            .attacker
            .tenants
            .iter()
            .chain(&self.shared)
            .cloned()
            .collect();
        self.condition(relation, &|column, at| {
            format!(
                "({} OR {})",
                ownership::of(column, at, &own),
                ownership::of_nobody(column, at)
            )
        })
    }

    /// The row `t` is nobody's, or shared on purpose.
    pub(super) fn nobodys(&self, relation: &Relation) -> Option<String> {
        let shared: Vec<String> = self.shared.iter().cloned().collect();
        self.condition(relation, &|column, at| {
            let nobodys = ownership::of_nobody(column, at);
            if shared.is_empty() {
                nobodys
            } else {
                format!("({nobodys} OR {})", ownership::of(column, at, &shared))
            }
        })
    }

    /// Whether a role may read a column of a relation.
    pub(super) fn may_read(&self, role: Oid, relation: &Relation, column: i16) -> bool {
        self.may_column(role, relation, column, Privilege::Select)
    }

    /// Whether a role may do something with a column of a relation.
    pub(super) fn may_column(
        &self,
        role: Oid,
        relation: &Relation,
        column: i16,
        privilege: Privilege,
    ) -> bool {
        let roles = &self.catalogue.roles;
        roles.is_superuser(role)
            || relation.grants.iter().any(|grant| {
                grant.privilege == privilege
                    && grant.column.is_none_or(|of| of == column)
                    && roles.has_rights_of(role, grant.grantee)
            })
    }

    /// Whether a role may do something with a relation or a part of it, and may enter its schema.
    pub(super) fn may(&self, role: Oid, relation: &Relation, privilege: Privilege) -> bool {
        self.catalogue.may_enter(role, relation.namespace)
            && self.catalogue.may_any_column(role, relation, privilege)
    }
}
