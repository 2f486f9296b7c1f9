use super::Scene;
use crate::{
    Fault, Finding,
    catalogue::{PUBLIC, Relation},
    check::app::{App, listed},
};

/// Row-level security that lets nothing through to a role which was granted rights.
///
/// A command that no policy is for is no fault: reading without writing is a design. Nor is a table that is
/// open to another of the application's roles: then it is closed to this one on purpose.
pub(super) fn find(scene: &Scene<'_>, relation: &Relation) -> Option<Finding> {
    let (audit, apps, style) = (scene.audit, &scene.apps, &scene.style);
    let passes = |app: &App<'_>| {
        let commands = app.commands(relation);
        relation.policies.iter().any(|policy| {
            policy.permissive
                && commands.iter().any(|command| policy.covers(*command))
                && policy
                    .roles
                    .iter()
                    .any(|role| *role == PUBLIC || app.reach.acts_as().contains(role))
        })
    };
    let concerned: Vec<&App<'_>> = apps
        .iter()
        .filter(|app| {
            !audit.catalogue.is_exempt(app.role.oid, relation) && !app.granted(relation).is_empty()
        })
        .collect();
    if concerned.is_empty() || apps.iter().any(passes) {
        return None;
    }
    let predicate = style.predicate(audit, relation)?;
    let restrictive = relation.policies.iter().any(|policy| !policy.permissive);
    let roles: Vec<String> = concerned.iter().map(|app| app.name()).collect();
    let why = format!(
        "{} was granted rights, but row-level security has no permissive policy for it{}, so `SELECT * FROM {}` shows no tenant its own rows",
        listed(&roles),
        if restrictive {
            ", only restrictive ones"
        } else {
            ""
        },
        relation.name
    );
    Some(
        Finding::new(
            Fault::RlsNoPolicy,
            relation.name.to_string(),
            why,
            style.policy(relation, &predicate),
        )
        .tables([relation.name.to_string()]),
    )
}
