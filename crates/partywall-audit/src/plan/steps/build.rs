use super::spare::Spare;
use crate::{
    catalogue::{Index, Relation, RelationKind},
    plan::{Phase, Step, done, outline::Table},
    sql::Name,
};

/// An index that is built beside the traffic, on a table and on each of its partitions.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) name: Name,
    pub(super) unique: bool,
    /// What comes behind the table: ` USING btree (tenant_id, id)`.
    pub(super) tail: String,
    /// What is in the way of an index with this name when a later step has made a constraint of it.
    pub(super) replaced: Option<String>,
    /// For each partition, the name of its index.
    pub(super) parts: Vec<Name>,
}

impl Build {
    /// Takes the names of what an interrupted run left, and new ones else.
    pub(super) fn new(
        table: &Table<'_>,
        unique: bool,
        tail: String,
        parts: &[&str],
        like: impl Fn(&Relation, &Index) -> bool,
        spare: &mut Spare,
    ) -> Self {
        let mut name = |relation: &Relation| {
            let parts: Vec<&str> = std::iter::once(relation.name.name.as_str())
                .chain(parts.iter().copied())
                .collect();
            relation
                .indexes
                .iter()
                .find(|index| index.unique == unique && like(relation, index))
                .map_or_else(
                    || spare.index(&relation.name, &parts),
                    |index| Name::new(&relation.name.schema, &index.name),
                )
        };
        Self {
            name: name(table.relation),
            unique,
            tail,
            replaced: None,
            parts: table
                .partitions
                .iter()
                .map(|partition| name(partition))
                .collect(),
        }
    }

    fn keyword(&self) -> &'static str {
        if self.unique { "UNIQUE INDEX" } else { "INDEX" }
    }

    fn done(&self, index: &str) -> String {
        match &self.replaced {
            Some(replaced) => format!("{index} OR {replaced}"),
            None => index.to_owned(),
        }
    }

    fn concurrently(&self, relation: &Relation, name: &Name, label: &str, why: &str) -> Step {
        Step::new(
            Phase::Expand,
            format!("index {}{label}", relation.name),
            why,
        )
        .sql(format!(
            "CREATE {} CONCURRENTLY {} ON {}{};",
            self.keyword(),
            crate::sql::tidy(&name.name),
            relation.name,
            self.tail
        ))
        .undo(format!("DROP INDEX IF EXISTS {name};"))
        .concurrently(name.clone())
        .done(self.done(&done::index(name)))
    }

    /// On the partitions that hold rows alone.
    pub(super) fn on_leaves(
        &self,
        table: &Table<'_>,
        label: &str,
        why: &str,
        steps: &mut Vec<Step>,
    ) {
        for (partition, name) in table.partitions.iter().zip(&self.parts) {
            if partition.kind == RelationKind::Table {
                steps.push(self.concurrently(partition, name, label, why));
            }
        }
    }

    /// On the table. On a partitioned one, first empty, then on each partition by itself, then joined: the
    /// only way that no write waits.
    pub(super) fn add(&self, table: &Table<'_>, label: &str, why: &str, steps: &mut Vec<Step>) {
        if !table.is_partitioned() {
            steps.push(self.concurrently(table.relation, &self.name, label, why));
            return;
        }
        let held = |relation: &Relation, name: &Name| {
            Step::new(
                Phase::Expand,
                format!("index {}{label}", relation.name),
                why,
            )
            .sql(format!(
                "CREATE {} {} ON ONLY {}{};",
                self.keyword(),
                crate::sql::tidy(&name.name),
                relation.name,
                self.tail
            ))
            .undo(format!("DROP INDEX IF EXISTS {name};"))
            .locks("SHARE, for an instant: it is empty until the partitions' are joined to it")
            .done(self.done(&done::exists(name)))
        };
        steps.push(held(table.relation, &self.name));
        let mut joined = Vec::new();
        for (partition, name) in table.partitions.iter().zip(&self.parts) {
            if partition.kind == RelationKind::Table {
                steps.push(self.concurrently(partition, name, label, why));
            } else {
                steps.push(held(partition, name));
            }
            let parent = std::iter::once((table.relation, &self.name))
                .chain(table.partitions.iter().copied().zip(&self.parts))
                .find(|(relation, _)| partition.parents.contains(&relation.oid));
            if let Some((_, parent)) = parent {
                joined.push(
                    Step::new(
                        Phase::Expand,
                        format!("join index {}{label}", partition.name),
                        "makes the partition's index a part of its parent's",
                    )
                    .sql(format!("ALTER INDEX {parent} ATTACH PARTITION {name};"))
                    // A part cannot be dropped by itself.
                    .undo(format!("DROP INDEX IF EXISTS {};", self.name))
                    .locks("ACCESS EXCLUSIVE on the partition's index, for an instant")
                    .done(self.done(&done::attached(name, parent))),
                );
            }
        }
        // The deepest first, so that each is whole when it is joined.
        joined.reverse();
        steps.extend(joined);
    }
}
