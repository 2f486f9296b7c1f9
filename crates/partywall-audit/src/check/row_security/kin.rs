use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Catalogue, Oid, Relation};

/// Which tables are partitions of others or inherit from them, at any depth.
#[derive(Debug)]
pub(super) struct Kin<'a> {
    catalogue: &'a Catalogue,
    children: BTreeMap<Oid, Vec<Oid>>,
}

impl<'a> Kin<'a> {
    pub(super) fn of(catalogue: &'a Catalogue) -> Self {
        let mut children: BTreeMap<Oid, Vec<Oid>> = BTreeMap::new();
        for relation in catalogue.relations.values() {
            for parent in &relation.parents {
                children.entry(*parent).or_default().push(relation.oid);
            }
        }
        Self {
            catalogue,
            children,
        }
    }

    /// The tables above one, the nearest first.
    pub(super) fn above(&self, relation: &Relation) -> Vec<&'a Relation> {
        self.reached(&relation.parents, |it| &it.parents)
    }

    /// The tables below one, the nearest first.
    pub(super) fn below(&self, relation: &Relation) -> Vec<&'a Relation> {
        self.reached(self.children(relation), |it| self.children(it))
    }

    fn children(&self, relation: &Relation) -> &[Oid] {
        self.children.get(&relation.oid).map_or(&[], Vec::as_slice)
    }

    fn reached<'b>(
        &'b self,
        from: &[Oid],
        on: impl Fn(&'a Relation) -> &'b [Oid],
    ) -> Vec<&'a Relation> {
        let mut seen: BTreeSet<Oid> = BTreeSet::new();
        let mut found = Vec::new();
        let mut ahead: Vec<Oid> = from.to_vec();
        while !ahead.is_empty() {
            let mut next = Vec::new();
            for oid in ahead {
                if let Some(relation) = self.catalogue.relations.get(&oid)
                    && seen.insert(oid)
                {
                    found.push(relation);
                    next.extend_from_slice(on(relation));
                }
            }
            ahead = next;
        }
        found
    }
}
