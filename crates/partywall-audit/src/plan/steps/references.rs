use super::spare::Spare;
use crate::{
    Fault,
    catalogue::{Action, Constraint, Reference, Relation},
    plan::{Note, Outline, Phase, Step, column::TenantColumn, done, outline::Table, stand::Stand},
    sql::tidy,
};

/// A foreign key between two tenants' tables, and the one with the tenant in it that takes its place.
#[derive(Debug)]
pub(super) struct Composite<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) tenant: &'a TenantColumn,
    /// The old one.
    pub(super) constraint: &'a Constraint,
    pub(super) reference: &'a Reference,
    pub(super) parent: &'a Table<'a>,
    pub(super) parent_tenant: &'a TenantColumn,
    /// The new one.
    pub(super) name: String,
}

pub(super) fn composites<'a>(
    outline: &'a Outline<'a>,
    spare: &mut Spare,
    notes: &mut Vec<Note>,
) -> Vec<Composite<'a>> {
    let mut all = Vec::new();
    for (table, tenant) in outline.tenants() {
        for (constraint, reference, parent, parent_tenant) in outline.references(table) {
            let is_composite =
                constraint
                    .columns
                    .iter()
                    .zip(&reference.columns)
                    .any(|(own, theirs)| {
                        tenant.number == Some(*own) && parent_tenant.number == Some(*theirs)
                    });
            if is_composite || is_left(outline, table, constraint, reference, parent_tenant) {
                continue;
            }
            let object = format!("{} on {}", tidy(&constraint.name), table.name());
            if let Some(why) = obstacle(outline, constraint, reference, tenant, parent_tenant) {
                notes.push(Note::new(object, why));
                continue;
            }
            let name = match counterpart(table, constraint, reference) {
                Some(name) => name,
                None => {
                    let mut parts = vec![table.name().name.as_str(), tenant.name.as_str()];
                    parts.extend(names(table.relation, &constraint.columns));
                    parts.push("fkey");
                    spare.part(table.all(), &parts)
                }
            };
            all.push(Composite {
                table,
                tenant,
                constraint,
                reference,
                parent,
                parent_tenant,
                name,
            });
        }
    }
    all
}

/// Whether a foreign key stays as it is: it asks for the parent's tenant itself, or nothing is wrong with it.
pub(in crate::plan) fn is_left(
    outline: &Outline<'_>,
    table: &Table<'_>,
    constraint: &Constraint,
    reference: &Reference,
    parent_tenant: &TenantColumn,
) -> bool {
    let asks = parent_tenant
        .number
        .is_some_and(|number| reference.columns.contains(&number));
    asks || match table.stand {
        Stand::Open => false,
        Stand::Walled => {
            let object = format!("constraint {} on {}", tidy(&constraint.name), table.name());
            let is_found = outline.faults.of_object(&object, Fault::FkCrossTenant);
            // What takes its place may be there already, and it itself is still to go.
            !is_found && counterpart(table, constraint, reference).is_none()
        }
        Stand::Apart => true,
    }
}

/// The key that has the tenant in it, where it is there already.
fn counterpart(
    table: &Table<'_>,
    constraint: &Constraint,
    reference: &Reference,
) -> Option<String> {
    let tenant = table.tenant.as_ref()?;
    let wanted: Vec<&str> = std::iter::once(tenant.name.as_str())
        .chain(names(table.relation, &constraint.columns))
        .collect();
    // An interrupted run has begun with the partitions.
    table.all().find_map(|relation| {
        let (key, _) = relation.foreign_keys().find(|(key, to)| {
            key.parent.is_none()
                && to.relation == reference.relation
                && names(relation, &key.columns) == wanted
        })?;
        Some(key.name.clone())
    })
}

/// Why a foreign key cannot have the tenant in it.
fn obstacle(
    outline: &Outline<'_>,
    constraint: &Constraint,
    reference: &Reference,
    tenant: &TenantColumn,
    parent_tenant: &TenantColumn,
) -> Option<String> {
    let clears = |action| matches!(action, Action::SetNull | Action::SetDefault);
    if !tenant.compares_with(parent_tenant) {
        return Some(format!(
            "refers across types of tenants, {} and {}: give both columns one type, then plan again",
            tenant.type_name, parent_tenant.type_name
        ));
    }
    if outline.extras.key(constraint.oid).full && constraint.columns.len() > 1 {
        return Some("is MATCH FULL over several columns, which a key with the tenant in it cannot keep: decide by hand".to_owned());
    }
    if clears(reference.on_update) {
        return Some("is ON UPDATE SET NULL or SET DEFAULT, which would clear the tenant as well: choose another action, then plan again".to_owned());
    }
    if clears(reference.on_delete) && outline.catalogue.server.major() < 15 {
        return Some(
            "is ON DELETE SET NULL or SET DEFAULT, which can spare the tenant from PostgreSQL 15 on alone: choose another action, then plan again"
                .to_owned(),
        );
    }
    None
}

pub(super) fn names<'a>(relation: &'a Relation, numbers: &[i16]) -> Vec<&'a str> {
    numbers
        .iter()
        .filter_map(|number| relation.column(*number))
        .map(|column| column.name.as_str())
        .collect()
}

impl Composite<'_> {
    fn definition(&self, outline: &Outline<'_>) -> String {
        let own = self.table.relation.column_list(&self.constraint.columns);
        let theirs = self.parent.relation.column_list(&self.reference.columns);
        let action = |word: &str, action: Action| match action {
            Action::NoAction => String::new(),
            Action::Restrict => format!(" ON {word} RESTRICT"),
            Action::Cascade => format!(" ON {word} CASCADE"),
            // The tenant stays.
            Action::SetNull => format!(" ON {word} SET NULL ({own})"),
            Action::SetDefault => format!(" ON {word} SET DEFAULT ({own})"),
        };
        format!(
            "FOREIGN KEY ({}, {own}) REFERENCES {} ({}, {theirs}){}{}{}",
            self.tenant.sql(),
            self.parent.name(),
            self.parent_tenant.sql(),
            action("UPDATE", self.reference.on_update),
            action("DELETE", self.reference.on_delete),
            outline.extras.key(self.constraint.oid).timing(),
        )
    }

    pub(super) fn label(&self) -> String {
        format!(
            "{}({}, {})",
            self.table.name(),
            self.tenant.sql(),
            self.table.relation.column_list(&self.constraint.columns)
        )
    }
}

pub(super) fn add(outline: &Outline<'_>, composites: &[Composite<'_>], steps: &mut Vec<Step>) {
    for it in composites {
        let definition = it.definition(outline);
        let (name, label) = (tidy(&it.name), it.label());
        let why = format!(
            "refuses a row that refers to another tenant's row of {}",
            it.parent.name()
        );
        let not_valid = |table: &Relation| {
            Step::new(
                Phase::Expand,
                format!("key {}.{name}", table.name),
                why.clone(),
            )
            .sql(format!(
                "ALTER TABLE {} ADD CONSTRAINT {name} {definition} NOT VALID;",
                table.name
            ))
            .undo(format!(
                "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name};",
                table.name
            ))
            .locks("SHARE ROW EXCLUSIVE on both tables, for an instant: writes wait for it")
            .done(done::constraint(&table.name, &it.name))
            .key(&table.name, &it.name)
        };
        let validate = |table: &Relation| {
            Step::new(
                Phase::Expand,
                format!("validate key {}.{name}", table.name),
                "knows that no old row refers to another tenant's",
            )
            .sql(format!(
                "ALTER TABLE {} VALIDATE CONSTRAINT {name};",
                table.name
            ))
            .locks("SHARE UPDATE EXCLUSIVE while it reads the table: reads and writes go on")
            .long()
            .done(done::validated(&table.name, &it.name))
        };
        if it.table.is_partitioned() {
            // A partitioned table cannot have a key that is not valid; it takes those of its partitions for its own.
            for leaf in it.table.leaves() {
                let mut step = not_valid(leaf);
                step.undo = String::new();
                steps.push(step);
                steps.push(validate(leaf));
            }
            let table = it.table.name();
            let leaves: Vec<String> = it
                .table
                .leaves()
                .map(|leaf| {
                    format!(
                        "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name};",
                        leaf.name
                    )
                })
                .collect();
            let mut step = Step::new(Phase::Expand, format!("key {label}"), why.clone())
                    .sql(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition};"))
                    .undo(format!(
                        "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name};\n{}",
                        leaves.join("\n")
                    ))
                    .locks("SHARE ROW EXCLUSIVE on all partitions, for an instant: their own keys are proved")
                    .done(done::constraint(table, &it.name))
                    .key(table, &it.name);
            // Theirs are part of it from then on.
            for leaf in it.table.leaves() {
                step = step.key(&leaf.name, &it.name);
            }
            steps.push(step);
        } else {
            steps.push(not_valid(it.table.relation));
            steps.push(validate(it.table.relation));
        }
    }
}
