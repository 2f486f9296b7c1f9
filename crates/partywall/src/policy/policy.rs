use std::{any::Any, collections::BTreeSet, fmt, sync::Arc};

use super::{
    Decide, Decision, Effect, Fields, PolicyBuilder, Principal, Question, Rows,
    decision::Votes,
    rule::{Case, Object},
    statement::{FieldRule, Statement, Veil},
    table::table,
    truth::Truth,
};

/// Statements about one kind of object: see [the room](super).
///
/// `M` is the type of the objects that it looks at, a SeaORM model in general. An object of another
/// type is a mistake of the application's: the decision is a denial that [failed](Decision::failed).
pub struct Policy<M = ()> {
    pub(super) name: Arc<str>,
    pub(super) statements: Vec<Statement<M>>,
    pub(super) fields: Vec<FieldRule<M>>,
}

impl<M> Policy<M> {
    /// Begins a policy. Without a statement it denies everything.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a policy exists once it is built, and then it has no mistake that could be found"
    )]
    pub fn new(name: impl Into<Arc<str>>) -> PolicyBuilder<M> {
        PolicyBuilder::new(name.into())
    }

    /// The principals that its statements and fields name.
    fn principals(&self) -> impl Iterator<Item = &Principal> {
        let statements = self.statements.iter().map(|statement| &statement.principal);
        statements.chain(self.fields.iter().map(|rule| &rule.principal))
    }

    fn asks_object(&self) -> bool {
        let statements = self.statements.iter().map(|statement| &statement.rule);
        let fields = self.fields.iter().map(|field| &field.rule);
        let mut rules = statements.chain(fields).flatten();
        rules.any(super::Rule::asks_object)
    }
}

impl<M: Any + Send + Sync> Decide for Policy<M> {
    fn decide(&self, question: &Question<'_>) -> Decision {
        let action = question.action.name();
        let case = Case::<M>::of(question);
        if matches!(case.object, Object::Foreign) && self.asks_object() {
            let why = format!(
                "it was asked about an object that is no `{}`",
                std::any::type_name::<M>()
            );
            return Decision::failing(&self.name, action, why);
        }
        let mut votes = Votes::default();
        for statement in &self.statements {
            let list = match (statement.effect, statement.matches(&case)) {
                (_, Truth::No) | (Effect::Allow, Truth::Unclear) => continue,
                (Effect::Allow, Truth::Yes) => &mut votes.allows,
                (Effect::Allow, Truth::Open) => &mut votes.open_allows,
                (Effect::Deny, Truth::Yes | Truth::Unclear) => &mut votes.denies,
                (Effect::Deny, Truth::Open) => &mut votes.open_denies,
            };
            list.push(statement.name.clone());
        }
        votes.decide(&self.name, action)
    }

    fn rows(&self, question: &Question<'_>) -> Rows {
        let case = Case::<M>::of(question);
        let of = |effect| self.statements.iter().filter(move |s| s.effect == effect);
        let allowed = Rows::any(of(Effect::Allow).map(|s| s.rows(&case, true)));
        let spared = of(Effect::Deny).map(|s| s.rows(&case, false));
        Rows::all(std::iter::once(allowed).chain(spared))
    }

    fn fields(&self, question: &Question<'_>) -> Fields {
        let case = Case::<M>::of(question);
        let mut fields = Fields::default();
        for rule in self.fields.iter().filter(|rule| rule.applies(&case)) {
            match rule.veil {
                Veil::Hidden => fields.hide(&rule.field),
                Veil::Frozen => fields.freeze(&rule.field),
            }
        }
        fields
    }

    fn permissions(&self) -> Vec<String> {
        let all: BTreeSet<_> = self.principals().flat_map(Principal::permissions).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    fn table(&self) -> String {
        table(self)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl<M> fmt::Debug for Policy<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.statements.iter().map(|one| &*one.name).collect();
        let mut shown = f.debug_struct("Policy");
        shown.field("name", &self.name).field("statements", &names);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::policy::{Action, Actions, RequestFacts, Rule, Subject, require};

    struct Note {
        is_archived: bool,
    }

    fn policy() -> Policy<Note> {
        Policy::new("note")
            .allow(
                "read",
                Principal::permission("note.read"),
                Actions::read_only(),
            )
            .allow_if(
                "office | hours",
                Principal::any_of([Principal::role("editor"), Principal::key()]),
                Actions::named(["update", "delete"]),
                Rule::all_of([
                    Rule::network(["10.0.0.0/8"]),
                    Rule::hours(
                        chrono::NaiveTime::from_hms_opt(8, 0, 0).unwrap(),
                        chrono::NaiveTime::from_hms_opt(18, 30, 0).unwrap(),
                    ),
                ]),
            )
            .deny_if(
                "archived",
                Principal::anyone(),
                Actions::named(["update", "delete"]),
                Rule::object("archived", |_, note: &Note| note.is_archived),
            )
            .deny(
                "hands off",
                Principal::impersonating(),
                Actions::methods(["DELETE"]),
            )
            .hide_unless("internal_remark", Principal::permission("note.secret"))
            .freeze_if(
                "author",
                !Principal::staff(),
                Rule::action(Actions::named(["update"])),
            )
            .hide_if(
                "draft",
                Principal::anyone(),
                !Rule::object("archived", |_, note: &Note| note.is_archived),
            )
            .build()
            .unwrap()
    }

    fn request() -> RequestFacts {
        RequestFacts::new("PATCH", "/notes/1")
            .with_address("::ffff:10.1.1.1".parse::<std::net::IpAddr>().unwrap())
            .with_time("2026-11-26T09:00:00Z".parse().unwrap())
    }

    fn decide(
        subject: &Subject,
        action: &Action,
        request: &RequestFacts,
        object: Option<&Note>,
    ) -> String {
        let question = Question {
            subject,
            action,
            request,
            object: object.map(|note| note as _),
        };
        policy().decide(&question).to_string()
    }

    #[test]
    fn a_policy_prints_itself() {
        insta::assert_snapshot!(policy().table(), @r"
            ## note

            | statement | effect | who | actions | if |
            | --- | --- | --- | --- | --- |
            | read | allow | `note.read` | read-only |  |
            | office \| hours | allow | own role `editor` or key | update, delete | from 10.0.0.0/8 and 08:00–18:30 UTC |
            | archived | deny | anyone | update, delete | archived (not in lists) |
            | hands off | deny | impersonating | DELETE |  |

            | field | is | for | if |
            | --- | --- | --- | --- |
            | internal_remark | hidden | all but `note.secret` |  |
            | author | frozen | all but staff | action update |
            | draft | hidden | anyone | not archived (not in lists) |
            ");
        assert_eq!(policy().permissions(), ["note.read", "note.secret"]);
    }

    #[test]
    fn a_decision_says_why() {
        let editor = Subject::member(Uuid::nil(), Uuid::nil()).with_own_role("editor");
        let (update, list) = (Action::new("update", "PATCH"), Action::new("list", "GET"));
        let (open, archived) = (Note { is_archived: false }, Note { is_archived: true });
        let lines = [
            decide(&editor, &update, &request(), Some(&open)),
            decide(&editor, &update, &request(), Some(&archived)),
            decide(&editor, &update, &request(), None),
            decide(&editor, &update, &request().with_address(None), Some(&open)),
            decide(
                &editor,
                &update,
                &request().with_time("2026-11-26T18:30:00Z".parse().unwrap()),
                Some(&open),
            ),
            decide(&editor, &list, &request(), None),
            decide(
                &editor.clone().with_permissions(["note.read"]),
                &list,
                &request(),
                None,
            ),
            decide(
                &editor.with_impersonator(Uuid::nil()),
                &Action::new("delete", "DELETE"),
                &request(),
                Some(&open),
            ),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
            note: `update` is allowed by `office | hours`
            note: `update` is denied by `archived`
            note: `update` is denied: `archived` asks for the object and there is none
            note: `update` is denied: no statement allows it
            note: `update` is denied: no statement allows it
            note: `list` is denied: no statement allows it
            note: `list` is allowed by `read`
            note: `delete` is denied by `hands off`
            ");
    }

    #[test]
    fn an_object_of_another_type_is_a_failure() {
        let editor = Subject::member(Uuid::nil(), Uuid::nil()).with_permissions(["note.read"]);
        let question = Question {
            subject: &editor,
            action: &Action::new("list", "GET"),
            request: &request(),
            object: Some(&"a text"),
        };
        let decision = policy().decide(&question);
        assert!(decision.failed() && !decision.is_allowed() && !decision.needs_object());
        assert!(policy().fields(&question).hides("draft"));
        // The controls: the same question without it, and a policy that looks at no object.
        let without = Question {
            object: None,
            ..question
        };
        assert!(policy().decide(&without).is_allowed());
        assert!(require("note.read").decide(&question).is_allowed());
    }

    #[test]
    fn fields_are_hidden_and_frozen() {
        let (nobody, staff) = (
            Subject::anonymous(),
            Subject::staff(Uuid::nil(), Uuid::nil()),
        );
        let knows = staff.clone().with_permissions(["note.secret"]);
        let (read, update) = (Action::new("read", "GET"), Action::new("update", "PATCH"));
        let archived = Note { is_archived: true };
        for (subject, action, note, hidden, frozen) in [
            (
                &nobody,
                &read,
                None,
                vec!["draft", "internal_remark"],
                vec![],
            ),
            (
                &nobody,
                &update,
                Some(&archived),
                vec!["internal_remark"],
                vec!["author"],
            ),
            (
                &staff,
                &update,
                Some(&archived),
                vec!["internal_remark"],
                vec![],
            ),
            (&knows, &update, Some(&archived), vec![], vec![]),
            (&knows, &update, None, vec!["draft"], vec![]),
        ] {
            let fields = policy().fields(&Question {
                subject,
                action,
                request: &request(),
                object: note.map(|note| note as _),
            });
            assert_eq!(fields.hidden().collect::<Vec<_>>(), hidden);
            assert_eq!(fields.frozen().collect::<Vec<_>>(), frozen);
            assert!(
                hidden
                    .iter()
                    .chain(&frozen)
                    .all(|field| fields.refuses(field))
            );
            assert!(!fields.refuses("title"));
        }
    }

    #[test]
    fn a_mistake_is_found_before_anything_is_decided() {
        let declared = crate::identity::Permissions::new();
        let start = || Policy::<()>::new("note");
        let read = |name: &str, principal| start().allow(name, principal, Actions::any());
        let (anyone, none) = (Principal::anyone, || Principal::any_of([]));
        let lines: Vec<_> = [
            read("read", anyone()).deny("read", anyone(), Actions::any()),
            read("", anyone()),
            Policy::new(""),
            read("read", none()),
            read("read", !Principal::all_of([none()])),
            start().allow("x", anyone(), Actions::named(Vec::<String>::new())),
            start().allow("x", anyone(), Actions::methods(["get"])),
            start()
                .allow("x", anyone(), Actions::named(["lst"]))
                .actions(["list"]),
            start().allow_if(
                "x",
                anyone(),
                Actions::any(),
                Rule::network(["10.0.0.0/33"]),
            ),
            start().allow_if("x", anyone(), Actions::any(), Rule::network([])),
            start().allow_if("x", anyone(), Actions::any(), !Rule::all_of([])),
            start().allow_if("x", anyone(), Actions::any(), Rule::subject("", |_| true)),
            read("read", Principal::permission("note.raed")).permissions(&declared),
            start()
                .hide_unless("title", Principal::permission("note.raed"))
                .permissions(&declared),
            start().hide("titel").fields(["title"]),
            start()
                .hide_if("title", anyone(), Rule::action(Actions::named(["x"])))
                .actions(["y"]),
        ]
        .into_iter()
        .map(|policy| {
            let error = policy.build().unwrap_err();
            format!("{:?}: {error}", error.kind())
        })
        .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
            Name: policy `note`, `read`: the name is another statement's already: give it one of its own
            Name: policy `note`, ``: the name is empty
            Name: the name is empty
            Empty: policy `note`, `read`: the list of principals is empty: name at least one
            Empty: policy `note`, `read`: the list of principals is empty: name at least one
            Empty: policy `note`, `x`: the list of actions is empty: name at least one
            Malformed: policy `note`, `x`: `get` is no method of HTTP: write it in capitals
            Unknown: policy `note`, `x`: there is no action `lst`: declare it, or mend the name
            Malformed: policy `note`, `x`: `10.0.0.0/33` is no network: write an address and the length of its prefix, `10.0.0.0/8`
            Empty: policy `note`, `x`: the list of networks is empty: name at least one
            Empty: policy `note`, `x`: the list of rules is empty: name at least one
            Name: policy `note`, `x`: the name is empty
            Unknown: policy `note`, `read`: the permission `note.raed` is not declared: declare it in `Permissions`, or mend the name
            Unknown: policy `note`, `title`: the permission `note.raed` is not declared: declare it in `Permissions`, or mend the name
            Unknown: policy `note`, `titel`: there is no field of this name: declare it, or mend the name
            Unknown: policy `note`, `title`: there is no action `x`: declare it, or mend the name
            ");
        // The control.
        let fine = start()
            .allow(
                "read",
                Principal::permission("member.read"),
                Actions::named(["list"]),
            )
            .freeze("title")
            .fields(["title"])
            .actions(["list"])
            .permissions(&declared);
        assert!(fine.build().is_ok());
    }
}
