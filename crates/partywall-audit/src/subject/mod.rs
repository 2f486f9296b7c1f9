//! What is to be protected: which tables are tenants', by which column, from which roles and by which settings.
//! Taken from the options where they say it, and otherwise inferred, with the reason.

mod inferred;

pub use inferred::{Inferred, Taken};

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    AuditError, Options,
    catalogue::{Catalogue, Oid, Relation},
};

/// Whose the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Belonging {
    /// It is the table of the tenants themselves, and this is their key.
    Root(i16),
    /// A column of its own says it.
    Column(i16),
    /// The row that it refers to by this foreign key (a constraint's number) says it.
    Parent { constraint: Oid, parent: Oid },
    /// Nobody's.
    Global,
    /// It cannot be told, and why.
    Undecided(String),
}

/// What is to be protected.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The roles that requests of tenants run as.
    pub(crate) app_roles: Vec<Oid>,
    /// The table of the tenants.
    pub(crate) root: Option<Oid>,
    /// The settings that policies take the tenant from, in lower case.
    pub(crate) contexts: BTreeSet<String>,
    /// For every table, partitioned table, materialized view and foreign table.
    pub(crate) belongings: BTreeMap<Oid, Belonging>,
    /// What was taken and why, for people.
    pub(crate) inferred: Inferred,
    schemas: Vec<String>,
}

impl Subject {
    /// Finds out.
    ///
    /// # Errors
    ///
    /// [`AuditError::Unknown`] for an option that names what is not there.
    pub(crate) fn of(catalogue: &Catalogue, options: &Options) -> Result<Self, AuditError> {
        let _ = (catalogue, options);
        Ok(Self {
            app_roles: Vec::new(),
            root: None,
            contexts: BTreeSet::new(),
            belongings: BTreeMap::new(),
            inferred: Inferred::default(),
            schemas: options.schemas.clone(),
        })
    }

    /// Whether it is to be reported on.
    pub(crate) fn reports(&self, relation: &Relation) -> bool {
        self.schemas.is_empty() || self.schemas.contains(&relation.name.schema)
    }

    pub(crate) fn belonging(&self, relation: Oid) -> Option<&Belonging> {
        self.belongings.get(&relation)
    }

    /// The column of a table that says whose a row is: its own, or for the tenants themselves their key.
    pub(crate) fn tenant_column(&self, relation: Oid) -> Option<i16> {
        match self.belongings.get(&relation)? {
            Belonging::Root(column) | Belonging::Column(column) => Some(*column),
            Belonging::Parent { .. } | Belonging::Global | Belonging::Undecided(_) => None,
        }
    }

    /// Whether its rows are tenants', by a column or through a parent.
    pub(crate) fn is_tenants(&self, relation: Oid) -> bool {
        matches!(
            self.belongings.get(&relation),
            Some(Belonging::Root(_) | Belonging::Column(_) | Belonging::Parent { .. })
        )
    }

    /// The tables whose rows are tenants', in order of their numbers.
    pub(crate) fn tenant_tables<'a>(
        &'a self,
        catalogue: &'a Catalogue,
    ) -> impl Iterator<Item = &'a Relation> {
        catalogue
            .relations
            .values()
            .filter(|relation| self.is_tenants(relation.oid))
    }
}
