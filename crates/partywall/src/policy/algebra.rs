//! What holds of every policy, whatever its statements.

use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Action, Actions, Decide as _, Decision, Effect, Policy, Principal, Question, RequestFacts,
    Rows, Rule, Subject,
};
use crate::identity::{BuiltIn, Permissions};

#[derive(Clone, Debug)]
struct Row {
    owner: Option<Uuid>,
    is_archived: bool,
}

/// What a statement is made of, so that it can be made again in another place.
#[derive(Clone, Debug)]
struct Spec {
    name: String,
    effect: Effect,
    principal: Principal,
    actions: Actions,
    rule: Option<RuleSpec>,
}

#[derive(Clone, Debug)]
enum RuleSpec {
    Mine,
    Archived,
    Office,
    Secure,
    Not(Box<RuleSpec>),
    Both(Box<RuleSpec>, Box<RuleSpec>),
    Either(Box<RuleSpec>, Box<RuleSpec>),
}

impl RuleSpec {
    fn rule(&self) -> Rule<Row> {
        match self {
            Self::Mine => Rule::object("mine", |s: &Subject, row: &Row| s.is_account(row.owner)),
            Self::Archived => Rule::object("archived", |_, row: &Row| row.is_archived),
            Self::Office => Rule::network(["10.0.0.0/8"]),
            Self::Secure => Rule::request("secure", RequestFacts::is_secure),
            Self::Not(one) => !one.rule(),
            Self::Both(one, other) => Rule::all_of([one.rule(), other.rule()]),
            Self::Either(one, other) => Rule::any_of([one.rule(), other.rule()]),
        }
    }
}

fn made(specs: &[Spec]) -> Policy<Row> {
    let policy = specs.iter().fold(Policy::new("note"), |policy, spec| {
        let (principal, actions) = (spec.principal.clone(), spec.actions.clone());
        match (spec.effect, spec.rule.as_ref().map(RuleSpec::rule)) {
            (Effect::Allow, None) => policy.allow(&spec.name, principal, actions),
            (Effect::Deny, None) => policy.deny(&spec.name, principal, actions),
            (Effect::Allow, Some(rule)) => policy.allow_if(&spec.name, principal, actions, rule),
            (Effect::Deny, Some(rule)) => policy.deny_if(&spec.name, principal, actions, rule),
        }
    });
    policy.build().unwrap()
}

fn ask(policy: &Policy<Row>, case: &Asked) -> Decision {
    policy.decide(&Question {
        subject: &case.subject,
        action: &case.action,
        request: &case.request,
        object: case.object.as_ref().map(|row| row as _),
    })
}

#[derive(Clone, Debug)]
struct Asked {
    subject: Subject,
    action: Action,
    request: RequestFacts,
    object: Option<Row>,
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn principals() -> impl Strategy<Value = Principal> {
    let one = prop_oneof![
        Just(Principal::anyone()),
        Just(Principal::anonymous()),
        Just(Principal::authenticated()),
        Just(Principal::member()),
        Just(Principal::staff()),
        Just(Principal::key()),
        Just(Principal::role(BuiltIn::Admin)),
        Just(Principal::role("editor")),
        Just(Principal::permission("note.read")),
    ];
    one.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| !one),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Principal::any_of),
            prop::collection::vec(inner, 1..3).prop_map(Principal::all_of),
        ]
    })
}

fn actions() -> impl Strategy<Value = Actions> {
    prop_oneof![
        Just(Actions::any()),
        Just(Actions::read_only()),
        Just(Actions::writes()),
        Just(Actions::named(["update"])),
        Just(Actions::methods(["GET", "DELETE"])),
    ]
}

fn rules() -> impl Strategy<Value = RuleSpec> {
    let one = prop_oneof![
        Just(RuleSpec::Mine),
        Just(RuleSpec::Archived),
        Just(RuleSpec::Office),
        Just(RuleSpec::Secure),
    ];
    one.prop_recursive(2, 6, 2, |inner| {
        let two = (
            inner.clone().prop_map(Box::new),
            inner.clone().prop_map(Box::new),
        );
        prop_oneof![
            inner.prop_map(|one| RuleSpec::Not(Box::new(one))),
            two.clone()
                .prop_map(|(one, other)| RuleSpec::Both(one, other)),
            two.prop_map(|(one, other)| RuleSpec::Either(one, other)),
        ]
    })
}

fn spec(effect: impl Strategy<Value = Effect>) -> impl Strategy<Value = Spec> {
    let name = "[a-z]{12}";
    (
        name,
        effect,
        principals(),
        actions(),
        prop::option::of(rules()),
    )
        .prop_map(|(name, effect, principal, actions, rule)| Spec {
            name,
            effect,
            principal,
            actions,
            rule,
        })
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let effect = prop_oneof![2 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    prop::collection::vec(spec(effect), 0..6).prop_filter("names are unique", |specs| {
        let names: std::collections::BTreeSet<_> = specs.iter().map(|spec| &spec.name).collect();
        names.len() == specs.len()
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let permissions = Permissions::new();
    let subject = prop_oneof![
        Just(Subject::anonymous()),
        Just(Subject::user(id(1))),
        Just(Subject::staff_user(id(1))),
        Just(Subject::member(id(2), id(3)).with_permissions(["note.read"])),
        Just(Subject::member(id(2), id(3)).with_own_role("editor")),
        Just(Subject::member(id(2), id(4)).with_role(BuiltIn::Owner, &permissions)),
        Just(Subject::staff(id(2), id(5))),
        Just(Subject::key(id(2), id(6), None).with_permissions(["note.read"])),
        Just(Subject::key(id(2), id(6), Some(id(3)))),
    ];
    let action = prop_oneof![
        Just(Action::new("list", "GET")),
        Just(Action::new("update", "PATCH")),
        Just(Action::new("delete", "DELETE")),
    ];
    let address = prop_oneof![Just(None), Just(Some("10.1.2.3")), Just(Some("192.0.2.1"))];
    let owner = prop_oneof![Just(None), Just(Some(id(3))), Just(Some(id(4)))];
    let object = (owner, any::<bool>()).prop_map(|(owner, is_archived)| Row { owner, is_archived });
    let object = prop::option::of(object);
    (subject, action, address, any::<bool>(), object).prop_map(
        |(subject, action, address, is_secure, object)| Asked {
            request: RequestFacts::new(action.method(), "/notes")
                .with_address(address.map(|text| text.parse().unwrap()))
                .with_secure(is_secure),
            subject,
            action,
            object,
        },
    )
}

proptest! {
    #[test]
    fn the_order_of_statements_does_not_matter(
        (specs, shuffled) in specs().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        case in asked(),
    ) {
        let (one, other) = (ask(&made(&specs), &case), ask(&made(&shuffled), &case));
        prop_assert_eq!(one.is_allowed(), other.is_allowed());
        prop_assert_eq!(one.needs_object(), other.needs_object());
        let names = |decision: &Decision| {
            let mut all = decision.statements().to_vec();
            all.sort();
            all
        };
        prop_assert_eq!(names(&one), names(&other));
    }

    #[test]
    fn a_deny_wins_wherever_it_stands(mut specs in specs(), place in any::<prop::sample::Index>(), case in asked()) {
        specs.insert(place.index(specs.len() + 1), Spec {
            name: "never".into(),
            effect: Effect::Deny,
            principal: Principal::anyone(),
            actions: Actions::any(),
            rule: None,
        });
        let decision = ask(&made(&specs), &case);
        prop_assert!(!decision.is_allowed() && !decision.needs_object());
        prop_assert!(decision.statements().iter().any(|one| &*one.name == "never"));
    }

    #[test]
    fn a_further_deny_never_allows_more(specs in specs(), more in spec(Just(Effect::Deny)), case in asked()) {
        let before = ask(&made(&specs), &case);
        let after = ask(&made(&[specs, vec![more]].concat()), &case);
        prop_assert!(before.is_allowed() || !after.is_allowed());
    }

    #[test]
    fn a_further_allow_never_denies_more(specs in specs(), more in spec(Just(Effect::Allow)), case in asked()) {
        let before = ask(&made(&specs), &case);
        let after = ask(&made(&[specs, vec![more]].concat()), &case);
        prop_assert!(!before.is_allowed() || after.is_allowed());
    }

    #[test]
    fn what_nothing_allows_is_denied(specs in specs(), case in asked()) {
        let denies: Vec<_> = specs.into_iter().filter(|spec| spec.effect == Effect::Deny).collect();
        prop_assert!(!ask(&made(&denies), &case).is_allowed());
    }

    #[test]
    fn an_answer_without_the_object_holds_with_each(specs in specs(), case in asked(), object in asked()) {
        let policy = made(&specs);
        let without = ask(&policy, &Asked { object: None, ..case.clone() });
        let with = ask(&policy, &Asked { object: object.object, ..case });
        if without.is_allowed() {
            prop_assert!(with.is_allowed() && !with.needs_object());
        } else if !without.needs_object() {
            prop_assert!(!with.is_allowed());
        }
    }

    #[test]
    fn with_an_object_nothing_is_left_open(specs in specs(), case in asked()) {
        if case.object.is_some() {
            prop_assert!(!ask(&made(&specs), &case).needs_object());
        }
    }

    #[test]
    fn who_decided_has_the_effect_of_the_decision(specs in specs(), case in asked()) {
        let decision = ask(&made(&specs), &case);
        let (allow, deny) = (Effect::Allow, Effect::Deny);
        let all = decision.statements();
        if decision.is_allowed() {
            prop_assert!(!all.is_empty() && all.iter().all(|one| one.effect == allow));
        } else if !decision.needs_object() {
            prop_assert!(all.iter().all(|one| one.effect == deny));
        }
    }

    #[test]
    fn all_rows_are_shown_only_where_each_is_allowed(specs in specs(), case in asked()) {
        let policy = made(&specs);
        let rows = policy.rows(&Question {
            subject: &case.subject,
            action: &case.action,
            request: &case.request,
            object: None,
        });
        let decision = ask(&policy, &case);
        match rows {
            Rows::All => prop_assert!(decision.is_allowed()),
            // These rules cannot be told in SQL, so there is no condition.
            Rows::None => {}
            Rows::Where(ref condition) => prop_assert!(false, "{condition:?}"),
        }
        let none_asks = specs.iter().all(|spec| {
            spec.rule.as_ref().is_none_or(|rule| !rule.rule().asks_object())
        });
        if none_asks {
            prop_assert_eq!(rows == Rows::All, decision.is_allowed());
        }
    }
}

/// The positive control of the above: the generated cases are allowed, denied and open often enough.
#[test]
fn the_cases_are_of_every_kind() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut allowed, mut open, mut denied) = (0, 0, 0);
    for _ in 0..500 {
        let specs = specs().new_tree(&mut runner).unwrap().current();
        let case = asked().new_tree(&mut runner).unwrap().current();
        let decision = ask(&made(&specs), &case);
        match (
            decision.is_allowed(),
            decision.needs_object(),
            decision.statements().len(),
        ) {
            (true, ..) => allowed += 1,
            (false, true, _) => open += 1,
            (false, false, 1..) => denied += 1,
            (false, false, 0) => {}
        }
    }
    assert!(
        allowed > 30 && open > 5 && denied > 30,
        "{allowed} {open} {denied}"
    );
}
