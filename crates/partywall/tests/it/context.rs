//! D21–D22: nested scopes, ambient and in transactions, which only narrow and always end.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use partywall::{
    Scope, SealKey, Sql, TENANT, Tx,
    db::{Error, ErrorKind, Refused},
    scope::{ScopeErrorKind, carry},
};
use sea_orm::{EntityTrait, PaginatorTrait, TransactionTrait};

use crate::{
    login,
    models::{AUTHOR, World, article, post},
};

/// A world where the tenant A has an article each of the authors 1 and 2.
async fn authors() -> World {
    let world = World::new().await;
    world.a.article(&world.test, 1, "one").await;
    world.a.article(&world.test, 2, "two").await;
    world
}

async fn titles(tx: &Tx) -> Vec<String> {
    let rows = tx
        .rows("SELECT title FROM article ORDER BY title", [])
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

fn either(world: &World) -> Scope {
    world.a.scope.narrow([AUTHOR.any_of([1, 2])]).unwrap()
}

#[tokio::test]
async fn d21_leaving_a_scope_restores_the_outer_one() {
    let world = World::new().await;
    let (outer, inner) = (&world.a.scope, world.a.author(1));
    let entered = outer.enter(async {
        let current = || Scope::current().unwrap();
        assert_eq!(inner.enter(async { current() }).await.unwrap(), inner);
        assert_eq!(current(), *outer);
        let failed: Result<(), &str> = inner.enter(async { Err("failed") }).await.unwrap();
        assert!(failed.is_err());
        assert_eq!(current(), *outer);
        let panicked = inner.enter(async { std::panic::resume_unwind(Box::new("panicked")) });
        let panicked: Result<Result<(), _>, _> = AssertUnwindSafe(panicked).catch_unwind().await;
        assert!(panicked.is_err());
        assert_eq!(current(), *outer);
        // Dropped in the middle.
        let mut endless = Box::pin(inner.enter(std::future::pending::<()>()));
        assert!((&mut endless).now_or_never().is_none());
        assert_eq!(current(), *outer);
        drop(endless);
        assert_eq!(current(), *outer);
    });
    entered.await.unwrap();
    assert_eq!(Scope::current().unwrap_err().kind(), ScopeErrorKind::Unset);
}

#[tokio::test]
async fn d21_a_panicking_task_leaves_nothing() {
    let world = World::new().await;
    let (db, scope) = (world.test.db().clone(), world.a.scope.clone());
    let task = tokio::spawn(async move {
        let entered = scope.enter(async {
            let tx = db.ambient().unwrap().begin().await.unwrap();
            tx.execute_sql("DELETE FROM post", []).await.unwrap();
            std::panic::resume_unwind(Box::new("panicked"));
        });
        entered.await.unwrap()
    });
    assert!(task.await.unwrap_err().is_panic());
    assert!(Scope::current().is_err());
    let left = post::Entity::find()
        .count(&world.test.as_scope(&world.a.scope))
        .await
        .unwrap();
    assert_eq!(left, 3);
}

#[tokio::test]
async fn d24_a_spawned_task_has_no_scope_of_its_own() {
    let world = World::new().await;
    let entered = world.a.scope.enter(async {
        let spawned = tokio::spawn(async { Scope::current().map_err(|error| error.kind()) });
        assert_eq!(spawned.await.unwrap(), Err(ScopeErrorKind::Unset));
        let carried = tokio::spawn(carry(async { Scope::current() }).unwrap());
        assert_eq!(carried.await.unwrap().unwrap(), world.a.scope);
    });
    entered.await.unwrap();
    assert!(carry(async {}).is_err());
}

#[tokio::test]
async fn d22_entering_may_not_widen() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let both = Scope::trusted([TENANT.any_of([a.id, b.id])]);
    for (outer, inner, allowed) in [
        (&a.scope, &b.scope, false),
        (&a.scope, &both, false),
        (&a.scope, &Scope::trusted([]), false),
        (&a.author(1), &a.scope, false),
        (&a.author(1), &a.author(2), false),
        (&both, &a.scope, true),
        (&a.scope, &a.author(1), true),
        (&a.scope, &a.scope, true),
    ] {
        let entered = outer
            .enter(inner.enter(async { Scope::current().unwrap() }))
            .await
            .unwrap();
        match entered {
            Ok(scope) => assert!(allowed && scope == *inner, "{outer} → {inner}"),
            Err(error) => {
                assert!(!allowed, "{outer} → {inner}");
                assert_eq!(error.kind(), ScopeErrorKind::Widens);
            }
        }
    }
}

#[tokio::test]
async fn d21_a_narrowed_transaction_ends_with_its_scope() {
    let world = authors().await;
    let (one, two) = (world.a.author(1), world.a.author(2));
    let tx = world.test.db().begin(&either(&world)).await.unwrap();
    assert_eq!(titles(&tx).await, ["one", "two"]);

    let inner = tx.narrowed(&one).unwrap();
    assert_eq!(titles(&inner).await, ["one"]);
    assert_eq!(inner.scope(), Some(&one));
    inner.commit().await.unwrap();
    assert_eq!(titles(&tx).await, ["one", "two"], "after a commit");

    let inner = tx.narrowed(&two).unwrap();
    assert_eq!(
        inner.execute_sql("DELETE FROM article", []).await.unwrap(),
        1
    );
    inner.rollback().await.unwrap();
    assert_eq!(titles(&tx).await, ["one", "two"], "after a rollback");

    let inner = tx.narrowed(&one).unwrap();
    inner.execute_sql("SELECT 1/0", []).await.unwrap_err();
    assert!(matches!(inner.commit().await, Err(Error::Aborted)));
    assert_eq!(titles(&tx).await, ["one", "two"], "after an error");

    let inner = tx.narrowed(&one).unwrap();
    assert_eq!(
        inner.execute_sql("DELETE FROM article", []).await.unwrap(),
        1
    );
    drop(inner);
    assert_eq!(titles(&tx).await, ["one", "two"], "after being dropped");

    drop(tx.narrowed(&one).unwrap());
    tx.narrowed(&two).unwrap().commit().await.unwrap();
    assert_eq!(titles(&tx).await, ["one", "two"], "after being left unused");

    let panicked = AssertUnwindSafe(async {
        let inner = tx.narrowed(&one).unwrap();
        inner.execute_sql("DELETE FROM article", []).await.unwrap();
        std::panic::resume_unwind(Box::new("panicked"));
    });
    assert!(panicked.catch_unwind().await.is_err());
    assert_eq!(titles(&tx).await, ["one", "two"], "after a panic");
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn d21_narrowing_nests() {
    let world = authors().await;
    let scope = either(&world);
    let tx = world.test.db().begin(&scope).await.unwrap();
    let inner = tx.narrowed(&world.a.author(2)).unwrap();
    let savepoint = inner.nested().unwrap();
    assert_eq!(titles(&savepoint).await, ["two"]);
    savepoint
        .execute_sql("UPDATE article SET title = 'changed'", [])
        .await
        .unwrap();
    savepoint.rollback().await.unwrap();
    assert_eq!(titles(&inner).await, ["two"]);
    let innermost = inner.narrowed(&world.a.author(2)).unwrap();
    assert_eq!(titles(&innermost).await, ["two"]);
    assert!(matches!(
        tx.rows("SELECT 1", []).await,
        Err(Error::Refused(Refused::Nested))
    ));
    innermost.commit().await.unwrap();
    assert_eq!(titles(&inner).await, ["two"]);
    inner.commit().await.unwrap();
    assert_eq!(titles(&tx).await, ["one", "two"]);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn d22_a_transaction_cannot_change_its_tenant() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let both = Scope::trusted([TENANT.any_of([a.id, b.id])]);
    let tx = world.test.db().begin(&a.scope).await.unwrap();
    for wider in [
        &b.scope,
        &both,
        &Scope::trusted([]),
        &Scope::trusted([AUTHOR.is(1)]),
    ] {
        let Err(Error::Scope(refused)) = tx.narrowed(wider) else {
            panic!("{wider}")
        };
        assert_eq!(refused.kind(), ScopeErrorKind::Widens);
        assert_eq!(refused.dimension(), Some("tenant"));
    }
    assert_eq!(post::Entity::find().count(&tx).await.unwrap(), 3);
    tx.commit().await.unwrap();
    let tx = world.test.db().begin(&both).await.unwrap();
    assert_eq!(post::Entity::find().count(&tx).await.unwrap(), 6);
    let inner = tx.narrowed(&b.scope).unwrap();
    assert_eq!(post::Entity::find().count(&inner).await.unwrap(), 3);
    let back = inner.narrowed(&a.scope).map(drop).unwrap_err();
    assert_eq!(back.kind(), ErrorKind::Scope);
}

/// Somebody who can run any SQL inside A's transaction gets no further than A, and loses A if the
/// context is touched.
#[tokio::test]
async fn d22_sql_cannot_change_the_tenant() {
    let world = World::new().await;
    world.let_everybody_set().await;
    let forged = format!(r#"{{"tenant":"{}"}}"#, world.b.id);
    let sealed = format!("{}.00000000.99999999999.{forged}", "0".repeat(64));
    for context in [&forged, &sealed, &String::new()] {
        for sql in [
            "SELECT set_config('partywall.context', $1, true)",
            "SELECT set_config('partywall.context', $1, false)",
            "SELECT partywall.narrow($1)::text",
            "SELECT partywall.enter($1, 0)::text",
        ] {
            let tx = world.test.db().begin(&world.a.scope).await.unwrap();
            let posts = "SELECT count(*) FROM post";
            assert_eq!(tx.scalar::<i64, _>(posts, []).await.unwrap(), 3);
            tx.execute_sql(sql, [context.as_str().into()])
                .await
                .unwrap();
            let seen = tx.scalar::<i64, _>(posts, []).await;
            let deleted = tx.execute_sql("DELETE FROM post", []).await;
            if context.is_empty() {
                assert_eq!((seen.unwrap(), deleted.unwrap()), (0, 0), "{sql}");
                tx.commit().await.unwrap();
            } else {
                let refused = seen.unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::Context, "{sql} {context}");
                assert!(matches!(deleted, Err(Error::Aborted)), "{sql} {context}");
            }
        }
    }
    let db = world.test.as_scope(&world.a.scope);
    let inline = "SELECT count(*) FROM set_config('partywall.context', $1, true), post \
                  WHERE tenant_id = $2";
    let values = [forged.as_str().into(), world.b.id.into()];
    // Whether A's context or the forged one is read is the planner's affair.
    match db.scalar::<i64, _>(inline, values).await {
        Ok(seen) => assert_eq!(seen, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Context),
    }
    assert_eq!(post::Entity::find().count(&db).await.unwrap(), 3);
}

#[tokio::test]
async fn d22_a_list_of_one_narrows_as_its_value_does() {
    let world = authors().await;
    let a = &world.a;
    let tx = world.test.db().begin(&a.scope).await.unwrap();
    let same = tx
        .narrowed(&Scope::trusted([TENANT.any_of([a.id])]))
        .unwrap();
    assert_eq!(post::Entity::find().count(&same).await.unwrap(), 3);
    same.commit().await.unwrap();
    let one = tx
        .narrowed(&a.scope.narrow([AUTHOR.any_of([2])]).unwrap())
        .unwrap();
    assert_eq!(titles(&one).await, ["two"]);
    one.commit().await.unwrap();
    let none = tx
        .narrowed(&a.scope.narrow([TENANT.any_of([])]).unwrap())
        .unwrap();
    assert_eq!(post::Entity::find().count(&none).await.unwrap(), 0);
    none.commit().await.unwrap();
    // The login of the transaction reads single owners. An empty answer would be wrong.
    let refused = tx.narrowed(&either(&world)).map(drop);
    assert!(
        matches!(refused, Err(Error::Refused(Refused::List))),
        "{refused:?}"
    );
    assert_eq!(post::Entity::find().count(&tx).await.unwrap(), 3);
}

#[tokio::test]
async fn d22_the_way_across_cannot_be_narrowed() {
    let world = authors().await;
    let across = world.test.db().across("a look at both").await.unwrap();
    let tx = across.begin().await.unwrap();
    let refused = tx.narrowed(&world.a.scope).map(drop);
    assert!(
        matches!(refused, Err(Error::Refused(Refused::Across))),
        "{refused:?}"
    );
    let nested = tx.nested().unwrap();
    assert_eq!(article::Entity::find().count(&nested).await.unwrap(), 2);
    nested.commit().await.unwrap();
    assert_eq!(post::Entity::find().count(&tx).await.unwrap(), 6);
}

/// A context as Partywall writes it, with whatever key and for whatever time.
fn sealed(key: [u8; 32], expires: u64, json: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let id = SealKey::new(&key).unwrap().id().to_owned();
    let message = format!("{id}.{expires}.{json}");
    let mac = Hmac::<sha2::Sha256>::new_from_slice(&key)
        .unwrap()
        .chain_update(&message)
        .finalize()
        .into_bytes();
    let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{mac}.{message}")
}

/// No context is no rows. One that somebody did make, and that does not hold, is an error: whoever reads
/// an empty list believes it.
#[tokio::test]
async fn d3_a_context_that_does_not_hold_is_an_error() {
    const FUTURE: u64 = 99_999_999_999;
    let world = World::new().await;
    world.let_everybody_set().await;
    let json = format!(r#"{{"tenant":"{}"}}"#, world.a.id);
    let good = sealed([7; 32], FUTURE, &json);
    let seen = async |context: &str| {
        let tx = world.test.db().begin(&world.b.scope).await.unwrap();
        let set = "SELECT set_config('partywall.context', $1, true)";
        tx.execute_sql(set, [context.into()]).await.unwrap();
        let read = "SELECT count(*) FROM post";
        tx.scalar::<i64, _>(read, []).await
    };
    assert_eq!(seen(&good).await.unwrap(), 3, "the control");
    assert_eq!(seen("").await.unwrap(), 0);
    let mut told = Vec::new();
    for (why, context) in [
        ("unknown key", sealed([8; 32], FUTURE, &json)),
        (
            "another's seal",
            sealed([7; 32], FUTURE, "{}").replace("{}", &json),
        ),
        ("expired", sealed([7; 32], 1_000_000_000, &json)),
        ("no seal", json.clone()),
        ("cut", good.split_at(good.len() - 1).0.to_owned()),
        ("a seal alone", good.split_at(64).0.to_owned()),
        ("no number", good.replace(&FUTURE.to_string(), "soon")),
        ("garbage", "garbage".to_owned()),
        ("a dot", ".".to_owned()),
    ] {
        let error = seen(&context).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Context, "{why}: {error}");
        assert_eq!(error.database().unwrap().code(), "PW002", "{why}");
        told.push(error.to_string());
        let login = login::app(&world.test).await;
        login
            .execute(
                "SELECT set_config('partywall.context', $1, false)",
                &[&context],
            )
            .await
            .unwrap();
        for sql in [
            "SELECT FROM post",
            "SELECT FROM comment",
            "DELETE FROM post",
            "INSERT INTO tag (id, label) VALUES (gen_random_uuid(), 'new')",
        ] {
            let error = login.execute(sql, &[]).await.unwrap_err();
            let error = error.as_db_error().unwrap();
            assert_eq!(error.code().code(), "PW002", "{why}: {sql}");
            told.push(format!(
                "{} {:?} {:?}",
                error.message(),
                error.detail(),
                error.hint()
            ));
        }
    }
    told.sort();
    told.dedup();
    insta::assert_snapshot!(told.join("\n"), @r"
    the context is not valid None None
    the database does not accept the scope's context: apply the schema with the seal key that is in use here, and synchronise the clocks: the context is not valid (SQLSTATE PW002)
    ");
}

/// Through SeaORM, whose errors cannot carry ours, it has its kind as well.
#[tokio::test]
async fn d3_a_context_that_does_not_hold_is_told_through_sea_orm() {
    let world = World::new().await;
    world
        .test
        .as_superuser("UPDATE partywall.seal_key SET inner_pad = outer_pad")
        .await
        .unwrap();
    let db = world.test.as_scope(&world.a.scope);
    let error = post::Entity::find().all(&db).await.unwrap_err();
    assert_eq!(Error::kind_behind(&error), ErrorKind::Context, "{error}");
}
