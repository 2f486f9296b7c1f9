use super::{Exposure, Style, descendants, partition};
use crate::{
    Fault, Finding,
    catalogue::{Command, Relation},
    check::{
        Audit,
        app::{App, listed},
    },
    subject::Belonging,
};

/// A tenant's table without row-level security.
///
/// The table of the tenants themselves is often read before it is known who asks: it counts where rows of it
/// can be changed or deleted.
pub(super) fn off(
    audit: &Audit<'_>,
    style: &Style,
    relation: &Relation,
    exposure: &Exposure,
) -> Option<Finding> {
    let harms = match audit.subject.belonging(relation.oid) {
        Some(Belonging::Root(_)) => [Command::Update, Command::Delete]
            .iter()
            .any(|command| exposure.commands.contains(command)),
        _ => true,
    };
    let predicate = style.predicate(audit, relation)?;
    let exploit = match audit.subject.belonging(relation.oid) {
        Some(Belonging::Root(_)) if exposure.commands.contains(&Command::Delete) => {
            format!("`DELETE FROM {}` deletes every tenant", relation.name)
        }
        _ => exposure.exploit(relation),
    };
    let why = format!(
        "row-level security is off and {} has rights on the table, so {exploit}",
        listed(&exposure.roles)
    );
    let mut fix = style.protect(relation, &predicate);
    fix.push_str(&below(audit, style, relation));
    harms.then(|| {
        Finding::new(Fault::RlsOff, relation.name.to_string(), why, fix)
            .tables([relation.name.to_string()])
    })
}

/// Policies that nobody switched on.
pub(super) fn dormant(
    audit: &Audit<'_>,
    style: &Style,
    relation: &Relation,
    exposure: &Exposure,
) -> Finding {
    let why = format!(
        "the table has {} that do not apply while row-level security is off, so for {} {}",
        match relation.policies.len() {
            1 => "a policy".to_owned(),
            many => format!("{many} policies"),
        },
        listed(&exposure.roles),
        exposure.exploit(relation)
    )
    .replace("a policy that do not apply", "a policy that does not apply");
    let mut fix = style.switch_on(relation);
    if relation.policies.iter().all(|policy| !policy.permissive)
        && let Some(predicate) = style.predicate(audit, relation)
    {
        fix.push_str(&style.policy(relation, &predicate));
    }
    fix.push_str(&below(audit, style, relation));
    Finding::new(Fault::PolicyDormant, relation.name.to_string(), why, fix)
        .tables([relation.name.to_string()])
}

/// What closes the partitions and heirs of a table that is closed itself.
pub(super) fn below(audit: &Audit<'_>, style: &Style, relation: &Relation) -> String {
    let apps = App::all(audit);
    let open: Vec<&Relation> = descendants(audit, relation)
        .into_iter()
        .filter(|it| !it.row_security && !Exposure::of(&apps, it).commands.is_empty())
        .collect();
    partition::close(audit, style, &apps, &open)
}
