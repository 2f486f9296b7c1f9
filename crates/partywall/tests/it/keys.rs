//! D16–D17: foreign keys to other tenants' rows, and values that they hold.

use partywall::{
    Sql,
    db::{Error, ErrorKind},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    EntityTrait,
};
use uuid::Uuid;

use crate::models::{World, article, comment, post, post_tag, revision};

/// All that an error tells, through every cause, without the ids that were asked for.
fn told(error: &Error, asked: &[Uuid]) -> String {
    let mut text = format!("{:?} {error:?}", error.kind());
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        text.push_str(&format!(" / {error}"));
        cause = error.source();
    }
    asked
        .iter()
        .fold(text, |text, id| text.replace(&id.to_string(), "…"))
}

#[tokio::test]
async fn d16_a_foreign_key_to_another_tenant_fails_as_a_missing_one() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    for (sql, own, foreign) in [
        (
            "INSERT INTO comment (id, post_id, body) VALUES (gen_random_uuid(), $1, '')",
            a.posts[1],
            b.posts[1],
        ),
        ("UPDATE comment SET post_id = $1", a.posts[1], b.posts[1]),
        (
            "INSERT INTO attachment (id, comment_id, name) VALUES (gen_random_uuid(), $1, '')",
            a.comments[0],
            b.comments[0],
        ),
        (
            "INSERT INTO reaction (id, comment_id, emoji) VALUES (gen_random_uuid(), $1, '')",
            a.comments[0],
            b.comments[0],
        ),
        (
            "INSERT INTO post_tag SELECT p.id, $1 FROM post AS p WHERE p.slug = 'post-2'",
            a.tags[0],
            b.tags[0],
        ),
        (
            "UPDATE post_tag SET tag_id = $1 WHERE tag_id = (SELECT id FROM tag WHERE label = 'blue')",
            a.tags[1],
            b.tags[1],
        ),
    ] {
        let missing = Uuid::now_v7();
        let answer = async |id: Uuid| {
            let error = db.execute_sql(sql, [id.into()]).await.unwrap_err();
            told(&error, &[a.id, foreign, missing])
        };
        let (of_foreign, of_missing) = (answer(foreign).await, answer(missing).await);
        assert_eq!(of_foreign, of_missing, "{sql}");
        assert!(!of_foreign.contains(&b.id.to_string()), "{of_foreign}");
        assert!(
            db.execute_sql(sql, [own.into()]).await.unwrap() > 0,
            "{sql}"
        );
    }
}

#[tokio::test]
async fn d16_the_same_through_sea_orm() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    let link = |tag: Uuid| post_tag::ActiveModel {
        post_id: Set(a.posts[2]),
        tag_id: Set(tag),
    };
    let comment = |post: Uuid| comment::ActiveModel {
        id: Set(Uuid::now_v7()),
        post_id: Set(post),
        body: Set("hello".to_owned()),
    };
    let missing = Uuid::now_v7();
    let links = (
        link(b.tags[0]).insert(&db).await,
        link(missing).insert(&db).await,
    );
    let comments = (
        comment(b.posts[0]).insert(&db).await,
        comment(missing).insert(&db).await,
    );
    for (foreign, missing) in [
        (links.0.unwrap_err(), links.1.unwrap_err()),
        (comments.0.unwrap_err(), comments.1.unwrap_err()),
    ] {
        assert_eq!(foreign, missing);
        assert_eq!(
            Error::kind_behind(&foreign),
            ErrorKind::ForeignKey,
            "{foreign}"
        );
    }
    link(a.tags[0]).insert(&db).await.unwrap();
    comment(a.posts[2]).insert(&db).await.unwrap();
}

#[tokio::test]
async fn d16_a_nullable_key_and_a_second_owner() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.author(1));
    let mine = a.article(&world.test, 1, "mine").await;
    let with_post = |post| article::ActiveModel {
        id: Unchanged(mine.id),
        post_id: Set(Some(post)),
        ..Default::default()
    };
    let foreign = with_post(b.posts[0]).update(&db).await.unwrap_err();
    assert_eq!(
        foreign,
        with_post(Uuid::now_v7()).update(&db).await.unwrap_err()
    );
    assert_eq!(
        with_post(a.posts[0]).update(&db).await.unwrap().post_id,
        Some(a.posts[0])
    );

    let theirs = b.article(&world.test, 1, "theirs").await;
    let of_another_author = a.article(&world.test, 2, "hers").await;
    let revise = |article| revision::ActiveModel {
        article_id: Set(article),
        body: Set(String::new()),
        ..Default::default()
    };
    let missing = revise(i64::MAX).insert(&db).await.unwrap_err();
    for article in [theirs.id, of_another_author.id] {
        assert_eq!(revise(article).insert(&db).await.unwrap_err(), missing);
    }
    revise(mine.id).insert(&db).await.unwrap();
}

#[tokio::test]
async fn d17_a_value_taken_elsewhere_is_free() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let (db, foreign) = (world.test.as_scope(&a.scope), world.test.as_scope(&b.scope));
    let with = |id: Uuid, slug: &str| post::ActiveModel {
        id: Set(id),
        slug: Set(slug.to_owned()),
        title: Set("new".to_owned()),
        ..Default::default()
    };
    with(Uuid::now_v7(), "only-in-b")
        .insert(&foreign)
        .await
        .unwrap();
    with(Uuid::now_v7(), "only-in-b").insert(&db).await.unwrap();
    let again = with(Uuid::now_v7(), "only-in-b")
        .insert(&db)
        .await
        .unwrap_err();
    assert_eq!(Error::kind_behind(&again), ErrorKind::Unique, "{again}");
    // An id is a value like any other.
    with(b.posts[0], "id-of-b").insert(&db).await.unwrap();
    let again = with(a.posts[0], "id-of-a").insert(&db).await.unwrap_err();
    assert_eq!(Error::kind_behind(&again), ErrorKind::Unique, "{again}");
    let theirs = post::Entity::find_by_id(b.posts[0])
        .one(&foreign)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(theirs.title, "b 0");
}
