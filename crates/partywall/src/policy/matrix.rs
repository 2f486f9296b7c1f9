use uuid::Uuid;

use super::{Action, Decide, Question, RequestFacts, Subject, table::row};
use crate::identity::{BuiltIn, Permissions};

/// Who may do what under a policy, as a table in Markdown: a column for each kind of subject, a row for
/// each action. `some` is what hangs on the object.
///
/// Asked of the policy itself, whatever it is made of, for a request from nowhere at this time.
#[must_use]
pub fn matrix(policy: &dyn Decide, permissions: &Permissions, actions: &[Action]) -> String {
    let (tenant, account) = (Uuid::nil(), Uuid::nil());
    let viewer = permissions.of(BuiltIn::Viewer);
    let mut subjects = vec![
        ("anonymous", Subject::anonymous()),
        ("signed in", Subject::user(Uuid::nil())),
    ];
    subjects.extend(BuiltIn::ALL.map(|role| {
        let subject = Subject::member(tenant, account).with_role(role, permissions);
        (role.name(), subject)
    }));
    subjects.push((
        "staff",
        Subject::staff(tenant, Uuid::nil()).with_permissions(viewer.iter()),
    ));
    let all = permissions.all().map(|(name, _)| name);
    subjects.push((
        "key",
        Subject::key(tenant, Uuid::nil(), None).with_permissions(all),
    ));

    let mut text = format!("## {}\n\n", policy.name());
    let names: Vec<_> = subjects.iter().map(|(name, _)| *name).collect();
    row(&mut text, &[&["action"], names.as_slice()].concat());
    row(&mut text, &vec!["---"; names.len() + 1]);
    for action in actions {
        let request = RequestFacts::new(action.method(), "/");
        let cells = subjects.iter().map(|(_, subject)| {
            let decision = policy.decide(&Question {
                subject,
                action,
                request: &request,
                object: None,
            });
            match (decision.is_allowed(), decision.needs_object()) {
                (true, _) => "yes",
                (false, true) => "some",
                (false, false) => "–",
            }
        });
        let name = format!("{} {}", action.method(), action.name());
        let cells: Vec<_> = std::iter::once(name.as_str()).chain(cells).collect();
        row(&mut text, &cells);
    }
    text
}
