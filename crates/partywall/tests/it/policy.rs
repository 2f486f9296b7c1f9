//! What a policy shows in a list is what it allows one by one: SQL and Rust, on a real PostgreSQL.

use partywall::{
    Roles, Schema, Scoped,
    identity::{BuiltIn, MemberChange, NewKey, RequestAccount, RoleChange, TenantSelector},
    policy::{
        Action, Actions, Decide, Effect, Policy, Principal, Question, RequestFacts, Rows, Rule,
        Subject, require,
    },
    testing::{TestDb, assert_rows_agree},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::Expr};

use crate::{identity::world, models::seal};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
#[sea_orm(table_name = "paper")]
#[scoped(tenant = "tenant_id")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub author_id: Option<Uuid>,
    pub state: Option<String>,
    pub level: Option<i32>,
    pub is_archived: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const BOB: Uuid = Uuid::from_u128(1);
const EVE: Uuid = Uuid::from_u128(2);

/// One paper of each kind in a tenant.
async fn papers() -> (TestDb, Uuid) {
    let schema = Schema::builder(Roles::named("papers"), seal())
        .model::<Entity>()
        .build()
        .unwrap();
    let test = TestDb::new(&schema).await.unwrap();
    let tenant = Uuid::now_v7();
    let mut rows = Vec::new();
    for author in [None, Some(BOB), Some(EVE)] {
        for state in [None, Some("draft"), Some("final")] {
            for level in [None, Some(1), Some(5)] {
                for is_archived in [false, true] {
                    rows.push(ActiveModel {
                        id: Set(Uuid::now_v7()),
                        author_id: Set(author),
                        state: Set(state.map(str::to_owned)),
                        level: Set(level),
                        is_archived: Set(is_archived),
                        ..Default::default()
                    });
                }
            }
        }
    }
    let view = test.as_tenant(tenant);
    Entity::insert_many(rows).exec(&view).await.unwrap();
    (test, tenant)
}

/// A rule that can be made again.
#[derive(Clone, Debug)]
enum Spec {
    Own,
    Draft,
    Archived,
    /// The same as `Archived` in SQL by hand, which has an OR outside of parentheses.
    ByHand,
    Above(i32),
    Office,
    Not(Box<Spec>),
    All(Vec<Spec>),
    Any(Vec<Spec>),
}

impl Spec {
    fn rule(&self) -> Rule<Model> {
        match self {
            Self::Own => Rule::own("own", Column::AuthorId, |paper| paper.author_id),
            Self::Draft => {
                let draft = "draft".to_owned();
                Rule::column("draft", Column::State, draft, |paper| paper.state.clone())
            }
            Self::Archived => Rule::column("archived", Column::IsArchived, true, |paper| {
                paper.is_archived
            }),
            Self::ByHand => Rule::row(
                "archived by hand",
                |_, paper: &Model| paper.is_archived,
                |_| Expr::cust("\"is_archived\" OR \"is_archived\""),
            ),
            Self::Above(limit) => {
                let limit = *limit;
                Rule::row(
                    "above",
                    move |_, paper: &Model| paper.level.is_some_and(|level| level > limit),
                    move |_| Column::Level.gt(limit),
                )
            }
            Self::Office => Rule::network(["10.0.0.0/8"]),
            Self::Not(one) => !one.rule(),
            Self::All(all) => Rule::all_of(all.iter().map(Self::rule)),
            Self::Any(all) => Rule::any_of(all.iter().map(Self::rule)),
        }
    }
}

fn specs(leaf: BoxedStrategy<Spec>) -> BoxedStrategy<Spec> {
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Spec::Not(Box::new(one))),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Spec::All),
            prop::collection::vec(inner, 1..3).prop_map(Spec::Any),
        ]
    })
    .boxed()
}

/// Leaves whose SQL is true or false and never NULL.
fn two_valued() -> BoxedStrategy<Spec> {
    prop_oneof![
        Just(Spec::Own),
        Just(Spec::Draft),
        Just(Spec::Archived),
        Just(Spec::ByHand),
        Just(Spec::Office),
    ]
    .boxed()
}

type Statements = Vec<(Effect, Option<Spec>)>;

fn statements(leaf: BoxedStrategy<Spec>) -> impl Strategy<Value = Statements> {
    let effect = prop_oneof![2 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    let rule = prop::option::weighted(0.9, specs(leaf));
    prop::collection::vec((effect, rule), 1..5)
}

fn policy(statements: &Statements) -> Policy<Model> {
    let mut policy = Policy::new("paper");
    for (n, (effect, spec)) in statements.iter().enumerate() {
        let (name, who, what) = (n.to_string(), Principal::anyone(), Actions::any());
        policy = match (effect, spec.as_ref().map(Spec::rule)) {
            (Effect::Allow, None) => policy.allow(&name, who, what),
            (Effect::Allow, Some(rule)) => policy.allow_if(&name, who, what, rule),
            (Effect::Deny, None) => policy.deny(&name, who, what),
            (Effect::Deny, Some(rule)) => policy.deny_if(&name, who, what, rule),
        };
    }
    policy.build().unwrap()
}

fn subjects(tenant: Uuid) -> [Subject; 2] {
    let staff = Subject::staff(tenant, Uuid::nil());
    [Subject::member(tenant, BOB), staff]
}

#[tokio::test]
async fn a_list_shows_the_rows_that_are_allowed_one_by_one() {
    let (test, tenant) = papers().await;
    let view = test.as_tenant(tenant);
    let list = Action::new("list", "GET");
    let (strategy, mut runner) = (statements(two_valued()), TestRunner::deterministic());
    let mut conditions = 0;
    for _ in 0..150 {
        let statements = strategy.new_tree(&mut runner).unwrap().current();
        let policy = policy(&statements);
        for subject in &subjects(tenant) {
            assert_rows_agree::<Entity>(&view, &policy, subject, &list).await;
            let question = Question {
                subject,
                action: &list,
                request: &RequestFacts::new("GET", "/"),
                object: None,
            };
            conditions += u32::from(matches!(policy.rows(&question), Rows::Where(_)));
        }
    }
    assert!(conditions > 50, "only {conditions} were conditions");
}

#[tokio::test]
async fn what_is_null_is_never_shown_by_mistake() {
    let (test, tenant) = papers().await;
    let view = test.as_tenant(tenant);
    let leaf = prop_oneof![
        Just(Spec::Own),
        Just(Spec::Above(0)),
        Just(Spec::Above(3)),
        Just(Spec::Archived)
    ];
    let (strategy, mut runner) = (statements(leaf.boxed()), TestRunner::deterministic());
    let action = Action::new("list", "GET");
    let (mut shown, mut withheld) = (0, 0);
    for _ in 0..150 {
        let statements = strategy.new_tree(&mut runner).unwrap().current();
        let policy = policy(&statements);
        for subject in &subjects(tenant) {
            let question = Question {
                subject,
                action: &action,
                request: &RequestFacts::new("GET", "/"),
                object: None,
            };
            let Rows::Where(condition) = policy.rows(&question) else {
                continue;
            };
            let rows = Entity::find().filter(condition).all(&view).await.unwrap();
            for row in &Entity::find().all(&view).await.unwrap() {
                let is_allowed = policy.decide(&question.about(row)).is_allowed();
                let is_shown = rows.contains(row);
                assert!(is_allowed || !is_shown, "{row:?} under {statements:?}");
                shown += u32::from(is_shown);
                if is_allowed && !is_shown {
                    withheld += 1;
                    assert_eq!(row.level, None, "{row:?} under {statements:?}");
                }
            }
        }
    }
    assert!(shown > 500 && withheld > 50, "{shown} {withheld}");
}

#[tokio::test]
#[should_panic(expected = "the list and the single decision differ")]
async fn two_that_differ_are_found() {
    let (test, tenant) = papers().await;
    let rule = Rule::row(
        "archived",
        |_, paper: &Model| paper.is_archived,
        |_| Column::IsArchived.eq(false),
    );
    let policy = Policy::new("paper")
        .allow_if("archived", Principal::anyone(), Actions::any(), rule)
        .build()
        .unwrap();
    let (view, list) = (test.as_tenant(tenant), Action::new("list", "GET"));
    assert_rows_agree::<Entity>(&view, &policy, &Subject::anonymous(), &list).await;
}

fn may(policy: &dyn Decide, account: &RequestAccount) -> bool {
    let question = Question {
        subject: &account.into(),
        action: &Action::new("update", "PATCH"),
        request: &RequestFacts::new("PATCH", "/"),
        object: None,
    };
    policy.decide(&question).is_allowed()
}

#[tokio::test]
async fn roles_come_with_the_account_from_one_request_to_the_next() {
    let world = world::World::new().await;
    let ann = world.account("ann", world.a).await;
    let change = |name: &str, includes: Vec<Uuid>| RoleChange {
        name: Some(name.to_owned()),
        permissions: None,
        includes: Some(includes),
    };
    let press = ann.role_create(change("press", Vec::new())).await.unwrap();
    let editor = ann
        .role_create(change("editor", vec![press]))
        .await
        .unwrap();
    let policy = |principal| {
        let policy = Policy::<()>::new("note").allow("x", principal, Actions::any());
        policy.build().unwrap()
    };
    let (press, member, admin) = (
        policy(Principal::role("press")),
        policy(Principal::role(BuiltIn::Member)),
        policy(Principal::role(BuiltIn::Admin)),
    );
    let bob = world.account("bob", world.a).await;
    assert!(!may(&press, &bob) && may(&member, &bob) && !may(&admin, &bob));
    assert!(may(&admin, &ann) && may(&member, &ann) && !may(&press, &ann));
    assert_eq!(ann.roles().highest(), Some(BuiltIn::Owner));
    // A role of one tenant is none in the other, where ann is a viewer.
    let elsewhere = world.account("ann", world.b).await;
    assert!(!may(&member, &elsewhere) && !may(&admin, &elsewhere));

    let give = MemberChange {
        roles: Some(vec![editor]),
        active: None,
    };
    ann.member_change(bob.id().unwrap(), give).await.unwrap();
    let bob = world.account("bob", world.a).await;
    assert_eq!(bob.roles().own().collect::<Vec<_>>(), ["editor", "press"]);
    assert!(may(&press, &bob) && !may(&member, &bob));
    let subject = Subject::from(&bob);
    assert!(subject.is_member() && subject.is_account(bob.id()) && subject.user_id().is_some());
    assert!(!may(&require("note.read"), &bob) && may(&require("note.read"), &ann));
}

#[tokio::test]
async fn programs_and_the_staff_hold_no_role() {
    let world = world::World::new().await;
    let ann = world.account("ann", world.a).await;
    let new = NewKey {
        name: "nightly".to_owned(),
        permissions: vec!["note.read".to_owned()],
        expires_at: None,
        is_service: false,
    };
    let (_, secret) = ann.key_create(new).await.unwrap();
    let tenant = TenantSelector::Id(world.a);
    let found = world.identity.authenticate_key(&secret, tenant, None);
    let program = found.await.unwrap().account().unwrap();
    let sue = world.user("sue").await;
    let entered = world.identity.staff_enter(&sue, tenant, "ticket 7");
    let entry = entered.await.unwrap().id;
    let staff = world.account("sue", world.a).await;

    // The key is an owner's, and does what it says and no more.
    let subject = Subject::from(&program);
    assert!(subject.is_key() && subject.is_account(ann.id()) && !subject.is_member());
    assert!(may(&require("note.read"), &program) && !may(&require("note.write"), &program));
    let subject = Subject::from(&staff);
    assert_eq!(subject.staff_entry(), Some(entry));
    assert!(subject.is_staff() && !subject.is_member() && Subject::from(&sue).is_staff());
    for role in BuiltIn::ALL {
        let policy = Policy::<()>::new("note").allow("x", Principal::role(role), Actions::any());
        let policy = policy.build().unwrap();
        assert!(!may(&policy, &program) && !may(&policy, &staff), "{role:?}");
        assert!(may(&policy, &ann), "{role:?}");
    }
}
