use std::collections::BTreeSet;

use crate::{
    catalogue::{Catalogue, Relation},
    plan::names,
    sql::Name,
};

/// Names that are still to be had.
#[derive(Debug)]
pub(super) struct Spare {
    /// Of relations and indexes, by schema.
    relations: BTreeSet<Name>,
    functions: BTreeSet<Name>,
    /// Of what belongs to a table: constraints, triggers, policies.
    parts: BTreeSet<(Name, String)>,
}

impl Spare {
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let mut spare = Self {
            relations: BTreeSet::new(),
            functions: catalogue
                .functions
                .values()
                .map(|it| it.name.clone())
                .collect(),
            parts: BTreeSet::new(),
        };
        for relation in catalogue.relations.values() {
            let name = &relation.name;
            spare.relations.insert(name.clone());
            for index in &relation.indexes {
                spare.relations.insert(Name::new(&name.schema, &index.name));
            }
            let constraints = relation.constraints.iter().map(|it| &it.name);
            let triggers = relation.triggers.iter().map(|it| &it.name);
            let policies = relation.policies.iter().map(|it| &it.name);
            for part in constraints.chain(triggers).chain(policies) {
                spare.parts.insert((name.clone(), part.clone()));
            }
        }
        spare
    }

    /// For an index of a table, which may become the constraint of that name.
    pub(super) fn index(&mut self, table: &Name, parts: &[&str]) -> Name {
        let name = names::free(parts, |name| {
            self.relations.contains(&Name::new(&table.schema, name))
                || self.parts.contains(&(table.clone(), name.to_owned()))
        });
        let name = Name::new(&table.schema, name);
        self.relations.insert(name.clone());
        name
    }

    pub(super) fn function(&mut self, schema: &str, parts: &[&str]) -> Name {
        let name = names::free(parts, |name| {
            self.functions.contains(&Name::new(schema, name))
        });
        let name = Name::new(schema, name);
        self.functions.insert(name.clone());
        name
    }

    /// For a constraint, trigger or policy of a table and of its partitions.
    pub(super) fn part<'a>(
        &mut self,
        tables: impl IntoIterator<Item = &'a Relation>,
        parts: &[&str],
    ) -> String {
        let tables: Vec<&Name> = tables.into_iter().map(|it| &it.name).collect();
        let name = names::free(parts, |name| {
            tables
                .iter()
                .any(|table| self.parts.contains(&((*table).clone(), name.to_owned())))
        });
        for table in tables {
            self.parts.insert((table.clone(), name.clone()));
        }
        name
    }
}
