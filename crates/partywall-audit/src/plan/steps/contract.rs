use super::{keys::Keys, references::Composite, routine};
use crate::{
    plan::{Outline, Phase, Step, done},
    sql::tidy,
};

pub(super) fn add(
    outline: &Outline<'_>,
    composites: &[Composite<'_>],
    keys: &Keys<'_>,
    steps: &mut Vec<Step>,
) {
    for it in composites {
        let (table, name) = (it.table.name(), tidy(&it.constraint.name));
        let is_gone = format!("NOT {}", done::constraint(table, &it.constraint.name));
        steps.push(
            Step::new(
                Phase::Contract,
                format!("drop key {table}.{name}"),
                "does not ask for the tenant, and its answer tells which rows others have; the key with the tenant \
                 in it has taken its place",
            )
            .sql(format!("ALTER TABLE {table} DROP CONSTRAINT {name};"))
            .undo(routine::when(
                &is_gone,
                &[format!("ALTER TABLE {table} ADD CONSTRAINT {name} {};", it.constraint.definition)],
            ))
            .locks("ACCESS EXCLUSIVE on both tables, for an instant")
            .done(is_gone.clone())
            .key(table, &it.constraint.name),
        );
    }
    keys.replace(outline, composites, steps);
}
