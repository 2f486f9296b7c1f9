use std::collections::BTreeSet;

use super::{
    build::Build,
    references::{Composite, names},
    routine,
    spanning::{exclusions, global, replacement},
    spare::Spare,
};
use crate::{
    catalogue::{Constraint, ConstraintKind, Index, Relation, RelationKind},
    plan::{
        Note, Outline, Phase, Step,
        column::TenantColumn,
        done,
        outline::{Belongs, Table},
        stand::Stand,
    },
    sql::{Name, tidy},
};

/// A unique key that begins with the tenant.
#[derive(Debug)]
pub(super) struct Key<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) tenant: &'a TenantColumn,
    /// `None` where it is there already.
    pub(super) build: Option<Build>,
    /// Its columns, without the tenant's; empty for one over expressions.
    pub(super) columns: Vec<String>,
    pub(super) label: String,
    /// The key over all tenants whose place it takes.
    pub(super) replaces: Option<Old<'a>>,
    /// What comes behind the table in that one's definition.
    pub(super) replaced_tail: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Old<'a> {
    Constraint(&'a Constraint, &'a Index),
    Index(&'a Index),
}

/// The unique keys that tenants' tables are to have.
#[derive(Debug)]
pub(super) struct Keys<'a>(Vec<Key<'a>>);

impl<'a> Keys<'a> {
    pub(super) fn of(
        outline: &'a Outline<'a>,
        composites: &[Composite<'a>],
        spare: &mut Spare,
        notes: &mut Vec<Note>,
    ) -> Self {
        let mut keys: Vec<Key<'a>> = Vec::new();
        for (table, tenant) in outline.tenants() {
            let mut needed: Vec<Vec<&str>> = Vec::new();
            for it in composites
                .iter()
                .filter(|it| it.parent.relation.oid == table.relation.oid)
            {
                let columns = names(table.relation, &it.reference.columns);
                if !needed.iter().any(|other| same(other, &columns)) {
                    needed.push(columns);
                }
            }
            if table.stand != Stand::Apart && table.belongs != Belongs::Root {
                notes.extend(exclusions(table, tenant));
                for old in global(outline, table, tenant) {
                    match replacement(outline, composites, table, tenant, old, &needed, spare) {
                        Ok(key) => {
                            if !key.build.as_ref().is_some_and(|_| key.keeps_apart(outline)) {
                                needed.retain(|columns| !same(columns, &key.names()));
                            }
                            keys.push(key);
                        }
                        Err(note) => notes.push(note),
                    }
                }
            }
            for columns in needed {
                if let Some(key) = needed_key(table, tenant, &columns, spare) {
                    keys.push(key);
                }
            }
        }
        Self(keys)
    }

    /// Whether one of a table will be there, led by the tenant.
    pub(super) fn has(&self, table: &Table<'_>) -> bool {
        self.0
            .iter()
            .any(|key| key.table.relation.oid == table.relation.oid && !key.is_late())
    }

    pub(super) fn add(&self, outline: &Outline<'_>, steps: &mut Vec<Step>) {
        for key in &self.0 {
            let Some(build) = &key.build else {
                continue;
            };
            let why = if key.replaces.is_some() {
                "keeps values unique within a tenant, and tells no tenant what others have"
            } else {
                "is what keys with the tenant in them refer to"
            };
            if key.is_late() {
                build.on_leaves(key.table, &key.label, why, steps);
                continue;
            }
            build.add(key.table, &key.label, why, steps);
            if key.replaces.is_none() && !key.table.is_partitioned() {
                let (table, name) = (key.table.name(), tidy(&build.name.name));
                steps.push(
                    Step::new(
                        Phase::Expand,
                        format!("unique {table}{}", key.label),
                        "makes a constraint of the index",
                    )
                    .sql(format!(
                        "ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name};"
                    ))
                    .undo(format!(
                        "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name};"
                    ))
                    .locks("ACCESS EXCLUSIVE, for an instant: the index is there")
                    .done(done::constraint(table, &build.name.name))
                    .key(table, &build.name.name),
                );
            }
        }
        let _ = outline;
    }

    /// Takes the keys over all tenants away.
    pub(super) fn replace(
        &self,
        outline: &Outline<'_>,
        composites: &[Composite<'_>],
        steps: &mut Vec<Step>,
    ) {
        for key in &self.0 {
            match key.replaces {
                Some(Old::Constraint(old, _)) => steps.push(key.swap(outline, composites, old)),
                Some(Old::Index(old)) => steps.push(key.drop(old)),
                None => {}
            }
        }
    }
}

impl Key<'_> {
    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    /// A partitioned table's constraint takes the partitions' indexes when it is swapped, and not before.
    fn is_late(&self) -> bool {
        self.table.is_partitioned() && matches!(self.replaces, Some(Old::Constraint(..)))
    }

    /// A constraint that can be deferred is nothing that a foreign key can refer to.
    fn keeps_apart(&self, outline: &Outline<'_>) -> bool {
        matches!(self.replaces, Some(Old::Constraint(old, _)) if outline.extras.key(old.oid).deferrable)
            || matches!(self.replaces, Some(Old::Index(old)) if old.partial)
    }

    fn swap(&self, outline: &Outline<'_>, composites: &[Composite<'_>], old: &Constraint) -> Step {
        let (table, name) = (self.table.name(), tidy(&old.name));
        let (word, kind) = if old.kind == ConstraintKind::Primary {
            ("primary key", "PRIMARY KEY")
        } else {
            ("unique", "UNIQUE")
        };
        let index = self
            .build
            .as_ref()
            .map(|build| tidy(&build.name.name))
            .unwrap_or_default();
        let timing = outline.extras.key(old.oid).timing();
        let mut sql = vec![format!("ALTER TABLE {table} DROP CONSTRAINT {name};")];
        if self.is_late() {
            let parts = self.build.iter().flat_map(|build| &build.parts);
            for (partition, index) in self.table.partitions.iter().zip(parts) {
                if partition.kind == RelationKind::Table {
                    let index = tidy(&index.name);
                    sql.push(format!(
                        "ALTER TABLE {} ADD CONSTRAINT {index} {kind} USING INDEX {index}{timing};",
                        partition.name
                    ));
                }
            }
            let columns: Vec<String> = std::iter::once(&self.tenant.name)
                .chain(&self.columns)
                .map(|it| tidy(it))
                .collect();
            sql.push(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {kind} ({}){timing};",
                columns.join(", ")
            ));
        } else {
            sql.push(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {index}{timing};"
            ));
        }
        // What refers to the new one has to go before it, and is undone later anyway.
        let mut undo: Vec<String> = composites
            .iter()
            .filter(|it| {
                it.parent.relation.oid == self.table.relation.oid
                    && same(
                        &names(it.parent.relation, &it.reference.columns),
                        &self.names(),
                    )
            })
            .map(|it| {
                format!(
                    "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {};",
                    it.table.name(),
                    tidy(&it.name)
                )
            })
            .collect();
        undo.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name};"));
        undo.push(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {};",
            old.definition
        ));
        let done = done::constraint_has(table, &old.name, &self.tenant.name);
        Step::new(
            Phase::Contract,
            format!("{word} {table}{}", self.label),
            format!(
                "tells no tenant which values others have; ON CONFLICT ({}) has to name the tenant's column as well from now on",
                self.columns.join(", ")
            ),
        )
        .sql(sql.join("\n"))
        .undo(routine::when(&done, &undo))
        .locks("ACCESS EXCLUSIVE, for an instant: the index is there")
        .done(done)
    }

    fn drop(&self, old: &Index) -> Step {
        let name = Name::new(&self.table.name().schema, &old.name);
        let concurrently = !self.table.is_partitioned();
        let mut step = Step::new(
            Phase::Contract,
            format!("drop index {name}"),
            "tells no tenant which values others have; the index with the tenant in it has taken its place",
        )
        .sql(format!("DROP INDEX {}{name};", if concurrently { "CONCURRENTLY " } else { "" }))
        .undo(routine::when(
            &format!("NOT ({})", done::exists(&name)),
            &[format!(
                "CREATE UNIQUE INDEX {} ON {}{};",
                tidy(&old.name),
                self.table.name(),
                self.replaced_tail
            )],
        ))
        .locks(if concurrently {
            "SHARE UPDATE EXCLUSIVE: reads and writes go on"
        } else {
            "ACCESS EXCLUSIVE, for an instant"
        })
        .done(format!("NOT ({})", done::exists(&name)));
        step.transactional = !concurrently;
        step.long = concurrently;
        step
    }
}

pub(super) fn same(one: &[&str], other: &[&str]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

/// A key that foreign keys need, unless it is there.
fn needed_key<'a>(
    table: &'a Table<'a>,
    tenant: &'a TenantColumn,
    columns: &[&str],
    spare: &mut Spare,
) -> Option<Key<'a>> {
    let wanted = with(tenant, columns);
    let is_whole = |relation: &Relation, index: &Index| {
        index.unique
            && !index.partial
            && columns_of(relation, index).is_some_and(|it| same(&it, &wanted))
    };
    let is_there = table.relation.indexes.iter().any(|index| {
        index.valid
            && is_whole(table.relation, index)
            && (index.constraint.is_some() || table.is_partitioned())
    });
    if is_there {
        return None;
    }
    let list: Vec<String> = wanted.iter().map(|name| tidy(name)).collect();
    let parts: Vec<&str> = wanted.iter().copied().chain(["key"]).collect();
    let build = Build::new(
        table,
        true,
        format!(" ({})", list.join(", ")),
        &parts,
        |relation, index| is_whole(relation, index) && index.constraint.is_none(),
        spare,
    );
    Some(Key {
        table,
        tenant,
        build: Some(build),
        label: label(tenant, columns, None),
        columns: columns.iter().map(|&it| it.to_owned()).collect(),
        replaces: None,
        replaced_tail: String::new(),
    })
}

pub(super) fn with<'t>(tenant: &'t TenantColumn, columns: &[&'t str]) -> Vec<&'t str> {
    std::iter::once(tenant.name.as_str())
        .chain(columns.iter().copied())
        .collect()
}

/// The columns of an index, if it is over columns alone.
pub(super) fn columns_of<'r>(relation: &'r Relation, index: &Index) -> Option<Vec<&'r str>> {
    index
        .columns
        .iter()
        .map(|key| Some(relation.column(key.column?)?.name.as_str()))
        .collect()
}

pub(super) fn label(tenant: &TenantColumn, columns: &[&str], like: Option<&String>) -> String {
    match like {
        Some(name) => format!("({}, as {})", tenant.sql(), tidy(name)),
        None => {
            let list: Vec<String> = columns.iter().map(|name| tidy(name)).collect();
            format!("({}, {})", tenant.sql(), list.join(", "))
        }
    }
}
