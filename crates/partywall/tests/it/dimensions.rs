//! D9: two dimensions, both of which apply.

use partywall::{
    Scope, Sql, Within,
    db::{Error, ErrorKind},
    scope::ScopeErrorKind,
    testing::{TestDb, assert_isolated_between},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};

use crate::models::{AUTHOR, World, article, post, revision};

async fn articles(test: &TestDb, scope: &Scope) -> Vec<String> {
    let all = article::Entity::find()
        .all(&test.as_scope(scope))
        .await
        .unwrap();
    let mut titles: Vec<String> = all.into_iter().map(|article| article.title).collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn d9_both_dimensions_apply() {
    let world = World::new().await;
    let (test, a, b) = (&world.test, &world.a, &world.b);
    for (tenant, author, title) in [(a, 1, "a1"), (a, 2, "a2"), (b, 1, "b1")] {
        let article = tenant.article(test, author, title).await;
        assert_eq!((article.tenant_id, article.author_id), (tenant.id, author));
        revision::ActiveModel {
            article_id: Set(article.id),
            body: Set(title.to_owned()),
            ..Default::default()
        }
        .insert(&test.as_scope(&tenant.author(author)))
        .await
        .unwrap();
    }
    for (scope, title) in [
        (a.author(1), "a1"),
        (a.author(2), "a2"),
        (b.author(1), "b1"),
    ] {
        assert_eq!(articles(test, &scope).await, [title]);
        let revisions = revision::Entity::find()
            .all(&test.as_scope(&scope))
            .await
            .unwrap();
        assert_eq!(revisions.len(), 1);
        assert_eq!(revisions[0].body, title);
    }
    assert!(articles(test, &b.author(2)).await.is_empty());
    for (one, other) in [(a.author(1), b.author(1)), (a.author(1), a.author(2))] {
        assert_isolated_between::<article::Entity>(test, &one, &other).await;
        assert_isolated_between::<revision::Entity>(test, &one, &other).await;
    }
    let touched = test
        .as_scope(&a.author(1))
        .execute_sql("DELETE FROM article", [])
        .await;
    assert_eq!(touched.unwrap(), 1);
    assert_eq!(articles(test, &a.author(2)).await, ["a2"]);
    assert_eq!(articles(test, &b.author(1)).await, ["b1"]);
}

#[tokio::test]
async fn d9_a_missing_dimension_is_named() {
    let world = World::new().await;
    world.a.article(&world.test, 1, "a1").await;
    for (scope, missing) in [
        (world.a.scope.clone(), "author"),
        (Scope::trusted([AUTHOR.is(1)]), "tenant"),
    ] {
        let db = world.test.as_scope(&scope);
        for sql in [
            "SELECT * FROM article",
            "UPDATE article SET title = ''",
            "DELETE FROM article",
        ] {
            let error = db.execute_sql(sql, []).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Scope, "{sql}: {error}");
            let Error::Scope(error) = error else {
                panic!("{error}")
            };
            assert_eq!(error.kind(), ScopeErrorKind::Missing);
            assert_eq!(error.dimension(), Some(missing), "{sql}");
        }
        let new = article::ActiveModel {
            state: Set(article::State::Published),
            title: Set("new".to_owned()),
            ..Default::default()
        };
        let error = new.insert(&db).await.unwrap_err();
        assert_eq!(Error::kind_behind(&error), ErrorKind::Scope, "{error}");
        assert!(
            error.to_string().contains(&format!("`{missing}`")),
            "{error}"
        );
        let error = article::Entity::find().all(&db).await.unwrap_err();
        assert_eq!(Error::kind_behind(&error), ErrorKind::Scope);
        assert!(
            error.to_string().contains(&format!("`{missing}`")),
            "{error}"
        );
        let error = article::Entity::find()
            .within(&scope)
            .all(&db)
            .await
            .unwrap_err();
        assert_eq!(Error::kind_behind(&error), ErrorKind::Scope);
    }
    assert_eq!(articles(&world.test, &world.a.author(1)).await, ["a1"]);
    // A table with the one dimension asks for no other.
    let posts = post::Entity::find()
        .count(&world.test.as_scope(&world.a.author(1)))
        .await
        .unwrap();
    assert_eq!(posts, 3);
}

/// PostgreSQL asks for a dimension when it first compares a row with it. Where an earlier comparison
/// leaves no row, it does not come to that: there is no row to show, and no refusal either.
#[tokio::test]
async fn d9_a_missing_dimension_never_shows_a_row() {
    let world = World::new().await;
    world.a.article(&world.test, 1, "a1").await;
    for scope in [
        &world.a.scope,
        &world.b.scope,
        &Scope::trusted([AUTHOR.is(1)]),
    ] {
        let db = world.test.as_scope(scope);
        let touched = db.execute_sql("DELETE FROM article", []).await;
        assert!(
            matches!(touched, Ok(0) | Err(Error::Scope(_))),
            "{scope}: {touched:?}"
        );
    }
    assert_eq!(articles(&world.test, &world.a.author(1)).await, ["a1"]);
}

#[tokio::test]
async fn d9_base_filters_belong_to_within() {
    let world = World::new().await;
    let (test, scope) = (&world.test, world.a.author(1));
    world.a.article(test, 1, "out").await;
    world.a.article(test, 2, "other").await;
    let db = test.as_scope(&scope);
    let draft = article::ActiveModel {
        state: Set(article::State::Draft),
        details: Set(Some(serde_json::json!({ "words": [1, null, "ü"] }))),
        title: Set("draft".to_owned()),
        ..Default::default()
    };
    let draft = draft.insert(&db).await.unwrap();
    assert_eq!(
        draft.details,
        Some(serde_json::json!({ "words": [1, null, "ü"] }))
    );
    let titles = |all: Vec<article::Model>| all.into_iter().map(|a| a.title).collect::<Vec<_>>();
    let find = article::Entity::find;
    assert_eq!(
        titles(find().within(&scope).all(&db).await.unwrap()),
        ["out"]
    );
    assert_eq!(
        find().within_unfiltered(&scope).count(&db).await.unwrap(),
        2
    );
    assert_eq!(find().count(&db).await.unwrap(), 2);
    let deleted = article::Entity::delete_many()
        .within(&scope)
        .exec(&db)
        .await
        .unwrap();
    assert_eq!(deleted.rows_affected, 1);
    assert_eq!(titles(find().all(&db).await.unwrap()), ["draft"]);
}
