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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Actions, Policy, Principal, Rule};

    #[test]
    fn a_matrix_tells_who_may_do_what() {
        let permissions = Permissions::new()
            .declare("note.read", BuiltIn::Viewer)
            .and_then(|all| all.declare("note.write", BuiltIn::Member))
            .unwrap();
        let policy = Policy::<u8>::new("note")
            .allow(
                "read",
                Principal::permission("note.read"),
                Actions::read_only(),
            )
            .allow_if(
                "odd",
                Principal::permission("note.write"),
                Actions::named(["update"]),
                Rule::object("odd", |_, note| note % 2 == 1),
            )
            .allow("all", Principal::role(BuiltIn::Admin), Actions::any())
            .build()
            .unwrap();
        let actions = [
            Action::new("list", "GET"),
            Action::new("update", "PATCH"),
            Action::new("delete", "DELETE"),
        ];
        insta::assert_snapshot!(matrix(&policy, &permissions, &actions), @"
            ## note

            | action | anonymous | signed in | viewer | member | admin | owner | staff | key |
            | --- | --- | --- | --- | --- | --- | --- | --- | --- |
            | GET list | – | – | yes | yes | yes | yes | yes | yes |
            | PATCH update | – | – | – | some | yes | yes | – | some |
            | DELETE delete | – | – | – | – | yes | yes | – | – |
            ");
    }
}
