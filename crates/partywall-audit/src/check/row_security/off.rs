use super::{Exposure, Scene, partition};
use crate::{
    Fault, Finding,
    catalogue::{Command, Relation},
    check::app::listed,
    subject::Belonging,
};

/// A tenant's table without row-level security.
pub(super) fn off(scene: &Scene<'_>, relation: &Relation, exposure: &Exposure) -> Option<Finding> {
    if let Some(Belonging::Root(_)) = scene.audit.subject.belonging(relation.oid) {
        return root(scene, relation);
    }
    let exploit = exposure.exploit(relation);
    found(scene, relation, &exposure.roles, &exploit)
}

/// The table of the tenants themselves, which is often read before it is known who asks: it counts where it was
/// granted that rows of it are changed or deleted.
fn root(scene: &Scene<'_>, relation: &Relation) -> Option<Finding> {
    let granted = |command: Command| {
        let apps = scene.apps.iter();
        let may = apps.filter(|app| app.granted(relation).contains(&command));
        may.map(super::App::name).collect::<Vec<String>>()
    };
    let table = &relation.name;
    let (deletes, updates) = (granted(Command::Delete), granted(Command::Update));
    if !deletes.is_empty() {
        let exploit = format!("`DELETE FROM {table}` deletes every tenant");
        found(scene, relation, &deletes, &exploit)
    } else if !updates.is_empty() {
        let column = relation.columns.last().map_or("id", |column| &column.name);
        let column = crate::sql::tidy(column);
        let exploit = format!("`UPDATE {table} SET {column} = …` changes every tenant");
        found(scene, relation, &updates, &exploit)
    } else {
        None
    }
}

fn found(
    scene: &Scene<'_>,
    relation: &Relation,
    roles: &[String],
    exploit: &str,
) -> Option<Finding> {
    let predicate = scene.style.predicate(scene.audit, relation)?;
    let why = format!(
        "row-level security is off and {} has rights on the table, so {exploit}",
        listed(roles)
    );
    let mut fix = scene.style.protect(relation, &predicate);
    fix.push_str(&below(scene, relation));
    let table = relation.name.to_string();
    Some(Finding::new(Fault::RlsOff, table.clone(), why, fix).tables([table]))
}

/// Policies that nobody switched on.
pub(super) fn dormant(scene: &Scene<'_>, relation: &Relation, exposure: &Exposure) -> Finding {
    let policies = match relation.policies.len() {
        1 => "a policy that does".to_owned(),
        many => format!("{many} policies that do"),
    };
    let why = format!(
        "the table has {policies} not apply while row-level security is off, so for {} {}",
        listed(&exposure.roles),
        exposure.exploit(relation)
    );
    let mut fix = scene.style.switch_on(relation);
    if relation.policies.iter().all(|policy| !policy.permissive)
        && let Some(predicate) = scene.style.predicate(scene.audit, relation)
    {
        fix.push('\n');
        fix.push_str(&scene.style.policy(relation, &predicate));
    }
    fix.push_str(&below(scene, relation));
    let table = relation.name.to_string();
    Finding::new(Fault::PolicyDormant, table.clone(), why, fix).tables([table])
}

/// What closes the partitions and heirs of a table that is closed itself.
pub(super) fn below(scene: &Scene<'_>, relation: &Relation) -> String {
    let below = scene.kin.below(relation);
    let open: Vec<&Relation> = below
        .into_iter()
        .filter(|it| !it.row_security && !Exposure::of(&scene.apps, it).commands.is_empty())
        .collect();
    partition::close(scene, relation, &open)
}
