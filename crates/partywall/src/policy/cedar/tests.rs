//! Cedar and our own policies say the same, and what Cedar cannot say is denied.

use uuid::Uuid;

use super::{Attribute, CedarBuilder, CedarPolicy, Facts};
use crate::{
    identity::{BuiltIn, Permissions},
    policy::{
        Action, Actions, Decide, Decision, Effect, Policy, Principal, Question, RequestFacts, Rows,
        Rule, Subject, matrix,
    },
};

struct Note {
    id: Uuid,
    author: Option<Uuid>,
    is_archived: bool,
}

const POLICIES: &str = r#"
    @id("read")
    permit (principal, action, resource)
      when { context.read_only && principal.permissions.contains("note.read") };

    @id("own notes")
    permit (principal is Account, action in [Action::"update", Action::"delete"], resource)
      when { resource has author && principal has account && resource.author == principal.account };

    @id("editors")
    permit (principal, action == Action::"update", resource)
      when { principal.own_roles.contains("editor") || principal.roles.contains("admin") };

    @id("archived")
    forbid (principal, action in [Action::"update", Action::"delete"], resource)
      when { resource.archived };

    @id("office")
    forbid (principal, action == Action::"delete", resource)
      unless { context has address && context.address.isInRange(ip("10.0.0.0/8")) };

    @id("hands off")
    forbid (principal, action == Action::"delete", resource) when { principal.impersonated };

    @id("secret") @hide("internal_remark")
    forbid (principal, action, resource) unless { principal.permissions.containsAny(["note.secret"]) };

    @id("settled") @freeze("title")
    forbid (principal, action, resource) when { resource.archived };
"#;

const SCHEMA: &str = r#"
    entity Note = { "author"?: Account, "archived": Bool };
    action "list", "retrieve", "update", "delete" appliesTo {
      principal: [User, Account, Key, Visitor], resource: Note, context: RequestContext
    };
"#;

fn facts(note: &Note) -> Facts {
    let author = note.author.map(|id| Attribute::entity("Account", id));
    Facts::of(note.id)
        .with("archived", note.is_archived)
        .with_some("author", author)
}

fn cedar(policies: &str) -> CedarBuilder<Note> {
    CedarPolicy::new("note", policies).resource("Note", facts)
}

fn ours() -> Policy<Note> {
    let changes = || Actions::named(["update", "delete"]);
    let archived = || Rule::object("archived", |_, note: &Note| note.is_archived);
    Policy::new("note")
        .allow(
            "read",
            Principal::permission("note.read"),
            Actions::read_only(),
        )
        .allow_if(
            "own notes",
            Principal::member(),
            changes(),
            Rule::object("author", |s: &Subject, note: &Note| {
                s.is_account(note.author)
            }),
        )
        .allow(
            "editors",
            Principal::any_of([Principal::role("editor"), Principal::role(BuiltIn::Admin)]),
            Actions::named(["update"]),
        )
        .deny_if("archived", Principal::anyone(), changes(), archived())
        .deny_if(
            "office",
            Principal::anyone(),
            Actions::named(["delete"]),
            !Rule::network(["10.0.0.0/8"]),
        )
        .deny(
            "hands off",
            Principal::impersonating(),
            Actions::named(["delete"]),
        )
        .hide_unless("internal_remark", Principal::permission("note.secret"))
        .freeze_if("title", Principal::anyone(), archived())
        .build()
        .unwrap()
}

fn declared() -> Permissions {
    Permissions::new()
        .declare("note.read", BuiltIn::Viewer)
        .and_then(|all| all.declare("note.secret", BuiltIn::Admin))
        .unwrap()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn subjects() -> Vec<Subject> {
    let member = |n| Subject::member(id(1), id(n));
    let mut all = vec![
        Subject::anonymous(),
        Subject::user(id(9)),
        Subject::staff_user(id(9)),
        Subject::staff(id(1), id(8)).with_permissions(["note.read"]),
        Subject::key(id(1), id(7), None).with_permissions(["note.read"]),
        Subject::key(id(1), id(7), Some(id(2))),
        member(2),
        member(2).with_user(id(9)).with_impersonator(id(6)),
        member(3).with_own_role("editor"),
        member(3).with_own_role("admin"),
    ];
    all.extend(BuiltIn::ALL.map(|role| member(2).with_role(role, &declared())));
    all
}

fn actions() -> Vec<Action> {
    vec![
        Action::new("list", "GET"),
        Action::new("update", "PATCH"),
        Action::new("delete", "DELETE"),
        Action::new("publish", "POST"),
    ]
}

fn notes() -> Vec<Option<Note>> {
    let mut all = vec![None];
    for author in [None, Some(id(2)), Some(id(3))] {
        for is_archived in [false, true] {
            let id = id(100);
            all.push(Some(Note {
                id,
                author,
                is_archived,
            }));
        }
    }
    all
}

fn requests() -> Vec<RequestFacts> {
    let addresses = ["10.2.3.4", "192.0.2.1", "2001:db8::1"];
    let each = addresses.map(|text| Some(text.parse().unwrap()));
    let from = |address: Option<std::net::IpAddr>| {
        RequestFacts::new("GET", "/notes").with_address(address)
    };
    each.into_iter().chain([None]).map(from).collect()
}

fn each_question(mut check: impl FnMut(&Question<'_>)) {
    for subject in &subjects() {
        for action in &actions() {
            for request in &requests() {
                for object in &notes() {
                    let object = object.as_ref().map(|note| note as _);
                    check(&Question {
                        subject,
                        action,
                        request,
                        object,
                    });
                }
            }
        }
    }
}

fn names(decision: &Decision) -> Vec<(&str, Effect, bool)> {
    let all = decision.statements().iter();
    let mut all: Vec<_> = all
        .map(|one| (&*one.name, one.effect, one.needs_object))
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn cedar_and_ours_agree() {
    let plain = cedar(POLICIES).build().unwrap();
    let typed = cedar(POLICIES).schema(SCHEMA).build().unwrap();
    let ours = ours();
    let (mut allowed, mut open, mut denied) = (0, 0, 0);
    each_question(|question| {
        let wanted = ours.decide(question);
        for policy in [&plain, &typed] {
            let decision = policy.decide(question);
            assert!(!decision.failed(), "{decision} {question:?}");
            assert_eq!(
                decision.is_allowed(),
                wanted.is_allowed(),
                "{decision} {question:?}"
            );
            assert_eq!(
                decision.needs_object(),
                wanted.needs_object(),
                "{decision} {question:?}"
            );
            assert_eq!(names(&decision), names(&wanted), "{question:?}");
            // The schema knows no such action, so that nothing can be asked of the fields either.
            if question.action.name() != "publish" {
                assert_eq!(
                    policy.fields(question),
                    ours.fields(question),
                    "{question:?}"
                );
            }
        }
        match (wanted.is_allowed(), wanted.needs_object()) {
            (true, _) => allowed += 1,
            (false, true) => open += 1,
            (false, false) => denied += 1,
        }
    });
    assert!(
        allowed > 100 && open > 10 && denied > 100,
        "{allowed} {open} {denied}"
    );
    let table = matrix(&ours, &declared(), &actions());
    assert_eq!(matrix(&plain, &declared(), &actions()), table);
    assert_eq!(matrix(&typed, &declared(), &actions()), table);
    assert_eq!(plain.permissions(), ours.permissions());
}

#[test]
fn lists_show_what_is_sure() {
    let plain = cedar(POLICIES).build().unwrap();
    let told = cedar(POLICIES)
        .rows(|question| {
            let account = question.subject.account()?;
            Some(sea_orm::ExprTrait::eq(
                sea_orm::sea_query::Expr::col("author"),
                account,
            ))
        })
        .build()
        .unwrap();
    let request =
        RequestFacts::new("GET", "/").with_address("10.0.0.1".parse::<std::net::IpAddr>().unwrap());
    let member = Subject::member(id(1), id(2));
    let reader = member.clone().with_permissions(["note.read"]);
    let (list, update) = (Action::new("list", "GET"), Action::new("update", "PATCH"));
    let ask = |policy: &CedarPolicy<Note>, subject: &Subject, action: &Action| {
        policy.rows(&Question {
            subject,
            action,
            request: &request,
            object: None,
        })
    };
    // No policy that matters looks at the note.
    assert_eq!(ask(&plain, &reader, &list), Rows::All);
    assert_eq!(ask(&told, &member, &list), Rows::None);
    // Which notes they may change hangs on the notes, and Cedar cannot say which in SQL.
    assert_eq!(ask(&plain, &member, &update), Rows::None);
    assert!(matches!(ask(&told, &member, &update), Rows::Where(_)));
    let editor = Subject::staff(id(1), id(2)).with_own_role("editor");
    assert_eq!(ask(&plain, &editor, &update), Rows::None);
    assert_eq!(ask(&told, &editor, &update), Rows::None);
    // Nobody tells Cedar more than it may.
    assert_eq!(ask(&told, &Subject::anonymous(), &update), Rows::None);
}

#[test]
fn what_cannot_be_evaluated_denies_and_says_so() {
    let text = r#"
        @id("all") permit (principal, action, resource);
        @id("late") forbid (principal, action, resource) when { resource.nothing == 1 };
        @id("remark") @hide("remark") forbid (principal, action, resource) when { resource.nothing == 1 };
    "#;
    let note = Note {
        id: id(1),
        author: None,
        is_archived: false,
    };
    let broken = cedar(text).build().unwrap();
    let fine = cedar("permit (principal, action, resource);")
        .build()
        .unwrap();
    let (subject, action, request) = (
        Subject::anonymous(),
        Action::new("list", "GET"),
        RequestFacts::new("GET", "/"),
    );
    let question = Question {
        subject: &subject,
        action: &action,
        request: &request,
        object: Some(&note),
    };
    let decision = broken.decide(&question);
    assert!(decision.failed() && !decision.is_allowed());
    assert!(decision.reason().contains("late"), "{decision}");
    assert!(broken.fields(&question).hides("remark"));
    assert_eq!(broken.rows(&question), Rows::None);
    // An object of another type as well. The controls are a policy without that forbid.
    let question = Question {
        object: Some(&1_u8),
        ..question
    };
    assert!(fine.decide(&question).failed());
    let question = Question {
        object: Some(&note),
        ..question
    };
    assert!(fine.decide(&question).is_allowed());
    assert_eq!(fine.rows(&question), Rows::All);
}

#[test]
fn mistakes_are_found_when_the_policy_is_built() {
    let permit = r"permit (principal, action, resource);";
    let lines: Vec<_> = [
        cedar("permit (principal, action"),
        cedar(r#"@id("a") permit (principal, action, resource); @id("a") forbid (principal, action, resource);"#),
        cedar("permit (principal == ?principal, action, resource);"),
        cedar(r#"@hide("title") permit (principal, action, resource);"#),
        cedar("@hide forbid (principal, action, resource);"),
        cedar(permit).schema("entity Note"),
        cedar(permit).schema("entity Other;"),
        cedar(r"permit (principal, action, resource) when { resource.archivd };").schema(SCHEMA),
        CedarPolicy::new("note", "permit (principal, action, resource) when { resource.archived };").resource_type("Note"),
        CedarPolicy::new("note", permit).resource_type("No te"),
        CedarPolicy::new("", permit),
    ]
    .into_iter()
    .map(|policy| {
        let error = policy.build().unwrap_err();
        format!("{:?}: {error}", error.kind())
    })
    .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
        Malformed: policy `note`: unexpected end of input
        Name: policy `note`, `a`: the name is another statement's already: give it one of its own
        Malformed: policy `note`, `template`: a template with a slot applies to nobody: write the policy out
        Malformed: policy `note`, `policy0`: only a `forbid` hides or freezes a field, and it names the field
        Malformed: policy `note`, `policy0`: only a `forbid` hides or freezes a field, and it names the field
        Malformed: policy `note`: error parsing schema: unexpected end of input
        Malformed: policy `note`: the schema has no entity type `Note`: declare it
        Malformed: policy `note`: for policy `policy0`, attribute `archivd` on entity type `Note` not found
        Malformed: policy `note`, `policy0`: the policy looks at the resource and nothing is told of it: add `resource`
        Malformed: policy `note`: unexpected token `te`
        Name: the name is empty
        ");
    assert!(cedar(permit).schema(SCHEMA).build().is_ok());
    assert!(
        CedarPolicy::<()>::new("note", permit)
            .resource_type("Note")
            .build()
            .is_ok()
    );
}

#[test]
fn a_cedar_policy_prints_itself() {
    insta::assert_snapshot!(cedar(POLICIES).build().unwrap().table(), @r#"
        ## note

        | policy | effect | text |
        | --- | --- | --- |
        | archived | deny | `@id("archived") forbid (principal, action in [Action::"update", Action::"delete"], resource) when { resource.archived };` |
        | editors | allow | `@id("editors") permit (principal, action == Action::"update", resource) when { principal.own_roles.contains("editor") \|\| principal.roles.contains("admin") };` |
        | hands off | deny | `@id("hands off") forbid (principal, action == Action::"delete", resource) when { principal.impersonated };` |
        | office | deny | `@id("office") forbid (principal, action == Action::"delete", resource) unless { context has address && context.address.isInRange(ip("10.0.0.0/8")) };` |
        | own notes | allow | `@id("own notes") permit (principal is Account, action in [Action::"update", Action::"delete"], resource) when { resource has author && principal has account && resource.author == principal.account };` |
        | read | allow | `@id("read") permit (principal, action, resource) when { context.read_only && principal.permissions.contains("note.read") };` |
        | secret | deny | `@id("secret") @hide("internal_remark") forbid (principal, action, resource) unless { principal.permissions.containsAny(["note.secret"]) };` |
        | settled | deny | `@id("settled") @freeze("title") forbid (principal, action, resource) when { resource.archived };` |
        "#);
}

#[test]
fn what_names_its_resource_waits_for_it() {
    let text = format!(
        r#"
        @id("one") permit (principal, action, resource == Note::"{}");
        @id("all") permit (principal is Account, action, resource is Note);
        @id("not") forbid (principal is Account, action, resource) unless {{ !resource.archived }};
        "#,
        id(1)
    );
    let policy = cedar(&text).build().unwrap();
    let (action, request) = (Action::new("list", "GET"), RequestFacts::new("GET", "/"));
    let note = |n, is_archived| Note {
        id: id(n),
        author: None,
        is_archived,
    };
    let ask = |subject: &Subject, object: Option<Note>| {
        let object = object.as_ref().map(|note| note as _);
        policy.decide(&Question {
            subject,
            action: &action,
            request: &request,
            object,
        })
    };
    let (visitor, member) = (Subject::anonymous(), Subject::member(id(1), id(2)));
    assert!(ask(&visitor, None).needs_object());
    assert!(ask(&visitor, Some(note(1, true))).is_allowed());
    assert!(!ask(&visitor, Some(note(2, true))).is_allowed());
    assert_eq!(
        ask(&member, None).reason(),
        "note: `list` is denied: `not`, `one` asks for the object and there is none"
    );
    assert!(ask(&member, Some(note(2, false))).is_allowed());
    assert!(!ask(&member, Some(note(1, true))).is_allowed());
}
