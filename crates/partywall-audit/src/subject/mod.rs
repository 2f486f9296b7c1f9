//! What is to be protected: which tables are tenants', by which column, from which roles and by which settings.
//! Taken from the options where they say it, and otherwise inferred, with the reason.

mod app;
mod belonging;
mod bookkeeping;
mod context;
mod evidence;
mod family;
mod form;
mod given;
mod inferred;
mod near;
mod noun;
mod predicate;
mod reading;

pub(crate) use belonging::Belonging;
pub(crate) use evidence::{Comparison, With};
pub(crate) use form::Form;
pub(crate) use given::must_be_a_setting;
pub use inferred::{Inferred, Taken};
pub(crate) use predicate::alter_policy;
pub(crate) use reading::{Readings, is_current_setting, text_constant};

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    AuditError, Options,
    catalogue::{Catalogue, Column, Oid, Privilege, Relation},
};
use family::{Family, Tables};
use given::{Given, holds_rows};

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
    /// Which settings each function reads.
    pub(crate) readings: Readings,
    /// The columns that the policies of each table compare with the context.
    pub(crate) comparisons: BTreeMap<Oid, Vec<Comparison>>,
    schemas: Vec<String>,
}

impl Subject {
    /// Finds out.
    ///
    /// # Errors
    ///
    /// [`AuditError::Unknown`] for an option that names what is not there.
    pub(crate) fn of(catalogue: &Catalogue, options: &Options) -> Result<Self, AuditError> {
        let readings = Readings::of(catalogue);
        let comparisons = evidence::comparisons(catalogue, &readings);
        let read: BTreeSet<String> = comparisons
            .values()
            .flatten()
            .flat_map(|comparison| comparison.with.reads().settings.iter().cloned())
            .collect();
        let given = Given::of(catalogue, options, &read)?;
        let tables = Tables {
            all: catalogue
                .relations
                .values()
                .filter(|relation| {
                    relation.is_table()
                        && relation.parents.is_empty()
                        && relation.extension.is_none()
                        && !given.globals.contains(&relation.oid)
                        && bookkeeping::keeper(relation).is_none()
                })
                .collect(),
            comparisons: &comparisons,
        };
        let family = Family::of(&tables, &given.tenant_columns);
        let mut belongings = belonging::tenants(&tables, &family);
        belonging::inherit(catalogue, &mut belongings);

        let mut inferred = Inferred::default();
        let app_roles = if given.app_roles.is_empty() {
            app::roles(catalogue, &belongings, &comparisons)
        } else {
            given
                .app_roles
                .iter()
                .map(|role| (*role, "given".to_owned()))
                .collect()
        };
        inferred.app_roles = app_roles
            .iter()
            .map(|(role, because)| Taken::new(catalogue.roles.name(*role), because))
            .collect();
        let app_roles: Vec<Oid> = app_roles.into_iter().map(|(role, _)| role).collect();

        for relation in catalogue
            .relations
            .values()
            .filter(|relation| holds_rows(relation))
        {
            if belongings.contains_key(&relation.oid) {
                continue;
            }
            let (belonging, because) = others(
                catalogue,
                &given,
                &family,
                &belongings,
                &app_roles,
                relation,
            );
            if belonging == Belonging::Global {
                inferred
                    .globals
                    .push(Taken::new(relation.name.to_string(), because));
            }
            belongings.insert(relation.oid, belonging);
        }
        belonging::inherit(catalogue, &mut belongings);

        for (oid, belonging) in &belongings {
            if let (Belonging::Undecided(why), Some(relation)) =
                (belonging, catalogue.relations.get(oid))
            {
                inferred
                    .undecided
                    .insert(relation.name.to_string(), why.clone());
            }
        }
        inferred.root = family.root.as_ref().and_then(|root| {
            let relation = catalogue.relations.get(&root.relation)?;
            Some(Taken::new(relation.name.to_string(), &root.because))
        });
        inferred.tenant_columns = family
            .names
            .iter()
            .map(|(name, because)| Taken::new(name, because))
            .collect();
        let contexts = context::contexts(catalogue, &given, &readings, &comparisons, &belongings);
        inferred.contexts = contexts
            .iter()
            .map(|(name, because)| Taken::new(name, because))
            .collect();
        Ok(Self {
            app_roles,
            root: family.root.as_ref().map(|root| root.relation),
            contexts: contexts.into_keys().collect(),
            belongings,
            inferred,
            readings,
            comparisons,
            schemas: options.schemas.clone(),
        })
    }

    /// Whether it is to be reported on.
    pub(crate) fn reports(&self, relation: &Relation) -> bool {
        self.reports_schema(&relation.name.schema)
    }

    /// Whether what is in a schema is to be reported on.
    pub(crate) fn reports_schema(&self, schema: &str) -> bool {
        self.schemas.is_empty() || self.schemas.iter().any(|own| own == schema)
    }

    pub(crate) fn belonging(&self, relation: Oid) -> Option<&Belonging> {
        self.belongings.get(&relation)
    }

    /// The column of a table that says whose a row is: its own, or for the tenants themselves their key. Of a
    /// person's table it says the person.
    pub(crate) fn tenant_column(&self, relation: Oid) -> Option<i16> {
        match self.belongings.get(&relation)? {
            Belonging::Root(column) | Belonging::Column(column) | Belonging::Person(column) => {
                Some(*column)
            }
            Belonging::Parent { .. } | Belonging::Global | Belonging::Undecided(_) => None,
        }
    }

    /// Whether a person and no tenant owns each of its rows, as in `users` beside memberships.
    pub(crate) fn is_persons(&self, relation: Oid) -> bool {
        matches!(self.belongings.get(&relation), Some(Belonging::Person(_)))
    }

    /// Whether a column says which tenant a row is of, and not who of it.
    pub(crate) fn says_tenant(&self, relation: &Relation, column: &Column) -> bool {
        let named = |taken: &Taken| taken.value == column.name;
        !self.is_persons(relation.oid)
            && (self.root.is_none()
                || self.root == Some(relation.oid)
                || self.inferred.tenant_columns.iter().any(named)
                || relation.foreign_keys().any(|(constraint, reference)| {
                    Some(reference.relation) == self.root && constraint.columns == [column.number]
                }))
    }

    /// Whether its rows are tenants' or people's, by a column or through a parent.
    pub(crate) fn is_tenants(&self, relation: Oid) -> bool {
        self.belongings
            .get(&relation)
            .is_some_and(Belonging::is_tenants)
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

/// What a table is that no tenant's column and no way to one was found for.
fn others(
    catalogue: &Catalogue,
    given: &Given,
    family: &Family,
    belongings: &BTreeMap<Oid, Belonging>,
    app_roles: &[Oid],
    relation: &Relation,
) -> (Belonging, String) {
    let global = |because: &str| (Belonging::Global, because.to_owned());
    if given.globals.contains(&relation.oid) {
        return global("given");
    }
    if let Some(extension) = &relation.extension {
        return (
            Belonging::Global,
            format!("it is part of the extension {extension}"),
        );
    }
    if let Some(tool) = bookkeeping::keeper(relation) {
        return (Belonging::Global, format!("{tool} keeps it for itself"));
    }
    if !relation.is_table() {
        let is_tenants = |oid: Oid| belongings.get(&oid).is_some_and(Belonging::is_tenants);
        return (
            belonging::copy(relation, family, is_tenants),
            "no tenant's row is in it".to_owned(),
        );
    }
    let may = |privilege| {
        app_roles.iter().any(|role| {
            catalogue.may_enter(*role, relation.namespace)
                && catalogue.may_any_column(*role, relation, privilege)
        })
    };
    if [Privilege::Insert, Privilege::Update, Privilege::Delete]
        .into_iter()
        .any(may)
    {
        let why = "no column and no foreign key says whose its rows are, and the application writes it: \
                   name it with --global if they are nobody's";
        return (Belonging::Undecided(why.to_owned()), String::new());
    }
    if may(Privilege::Select) {
        return global(
            "no column and no foreign key leads to a tenant, and the application only reads it",
        );
    }
    global("no column and no foreign key leads to a tenant, and the application cannot reach it")
}
