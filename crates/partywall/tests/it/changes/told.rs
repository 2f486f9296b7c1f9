//! What is told, and to whom.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use partywall::{
    Scope, Sql, TENANT,
    db::{Change, Error, ErrorKind, Operation},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::{id, next, nothing_but_a_marker, post as add, posts, row, world};
use crate::{
    models::{AUTHOR, article, comment, country, post, post_tag, tag},
    probe::session,
};

#[tokio::test]
async fn a_row_is_told_of_when_it_comes_changes_and_goes() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    let new = add(db, a, "new").await;
    assert_eq!(id(&mut heard).await, (Operation::Insert, new));
    let row = post::Entity::find_by_id(new).one(&db.scoped(a)).await;
    let mut row = row.unwrap().unwrap().into_active_model();
    row.title = Set("other".to_owned());
    row.update(&db.scoped(a)).await.unwrap();
    assert_eq!(id(&mut heard).await, (Operation::Update, new));
    let gone = post::Entity::delete_by_id(new).exec(&db.scoped(a)).await;
    assert_eq!(gone.unwrap().rows_affected, 1);
    assert_eq!(id(&mut heard).await, (Operation::Delete, new));
}

#[tokio::test]
async fn whoever_writes_at_once_everybody_hears_of_their_own() {
    let world = world().await;
    let db = world.test.db();
    let (mut of_a, mut of_b) = (
        posts(db, &world.a.scope).await,
        posts(db, &world.b.scope).await,
    );
    let written = |scope: Scope| {
        join_all((0..50).map(move |n| {
            let (db, scope) = (db.clone(), scope.clone());
            async move { add(&db, &scope, &format!("at once {n}")).await }
        }))
    };
    let (in_a, in_b) = tokio::join!(
        written(world.a.scope.clone()),
        written(world.b.scope.clone())
    );
    for (heard, written) in [(&mut of_a, in_a), (&mut of_b, in_b)] {
        let mut told = BTreeSet::new();
        for _ in 0..50 {
            let (operation, id) = id(heard).await;
            assert_eq!(operation, Operation::Insert);
            told.insert(id);
        }
        assert_eq!(told, written.into_iter().collect());
    }
    nothing_but_a_marker(&mut of_a, db, &world.a.scope).await;
    nothing_but_a_marker(&mut of_b, db, &world.b.scope).await;
}

#[tokio::test]
async fn what_is_rolled_back_is_silent_and_what_is_committed_is_told_then() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    let tx = db.begin(a).await.unwrap();
    tx.execute_sql("UPDATE post SET title = 'never'", [])
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    // Begun before, committed after another: the order is that of the commits.
    let late = world.a.posts[0];
    let tx = db.begin(a).await.unwrap();
    tx.execute_sql(
        "UPDATE post SET title = 'late' WHERE id = $1",
        [late.into()],
    )
    .await
    .unwrap();
    let early = add(db, a, "early").await;
    tx.commit().await.unwrap();
    assert_eq!(id(&mut heard).await, (Operation::Insert, early));
    assert_eq!(id(&mut heard).await, (Operation::Update, late));
    nothing_but_a_marker(&mut heard, db, a).await;
}

#[tokio::test]
async fn statements_that_touch_no_row_are_silent() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    for sql in [
        "UPDATE post SET title = 'x' WHERE slug = 'nowhere'",
        "DELETE FROM post WHERE slug = 'nowhere'",
        "INSERT INTO post (id, slug, title) SELECT id, slug, title FROM post WHERE false",
    ] {
        db.scoped(a).execute_sql(sql, []).await.unwrap();
    }
    // In B only, where A hears nothing of it.
    let other = "DELETE FROM comment; DELETE FROM post_tag";
    for sql in other.split("; ").chain(["DELETE FROM post"]) {
        db.scoped(&world.b.scope)
            .execute_sql(sql, [])
            .await
            .unwrap();
    }
    nothing_but_a_marker(&mut heard, db, a).await;
}

#[tokio::test]
async fn a_statement_tells_a_hundred_rows_and_no_more() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    let (mut of_b, insert) = (
        posts(db, &world.b.scope).await,
        "INSERT INTO post (id, slug, title) SELECT gen_random_uuid(), $1 || n, 'x' FROM generate_series(1, $2) n",
    );
    let many = Change::Many {
        table: "post".to_owned(),
    };
    for (slug, rows) in [("hundred", 100), ("more", 101)] {
        db.scoped(a)
            .execute_sql(insert, [slug.into(), rows.into()])
            .await
            .unwrap();
    }
    let mut told = BTreeSet::new();
    for _ in 0..100 {
        told.insert(id(&mut heard).await);
    }
    assert_eq!(told.len(), 100);
    assert_eq!(next(&mut heard).await, many);
    for sql in [
        "UPDATE post SET title = 'y'",
        "DELETE FROM post WHERE title = 'y' AND slug LIKE 'more%'",
    ] {
        db.scoped(a).execute_sql(sql, []).await.unwrap();
        assert_eq!(next(&mut heard).await, many, "{sql}");
    }
    nothing_but_a_marker(&mut heard, db, a).await;
    nothing_but_a_marker(&mut of_b, db, &world.b.scope).await;
}

#[tokio::test]
async fn keys_that_fit_into_no_notification_do_not_fail_the_write() {
    let world = world().await;
    let db = world.test.db();
    let mut heard = db
        .changes(&world.a.scope)
        .of::<country::Entity>()
        .subscribe()
        .await
        .unwrap();
    let across = db.across("new countries").await.unwrap();
    let insert = "INSERT INTO country (code, name) SELECT repeat($1, 1000) || n, 'x' FROM generate_series(1, 9) n";
    across.execute_sql(insert, ["c".into()]).await.unwrap();
    let many = Change::Many {
        table: "country".to_owned(),
    };
    assert_eq!(next(&mut heard).await, many);
    // Two bytes a letter, and seven of them do fit.
    let insert = "INSERT INTO country (code, name) SELECT repeat($1, 500) || n, 'x' FROM generate_series(1, 7) n";
    across.execute_sql(insert, ["ä".into()]).await.unwrap();
    for _ in 0..7 {
        let (operation, key) = row(&mut heard).await;
        assert_eq!(operation, Operation::Insert);
        assert!(key[0].starts_with("ää"));
    }
}

#[tokio::test]
async fn raw_statements_are_told_like_all_others() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    let upsert = "INSERT INTO post (id, slug, title) VALUES ($1, 'one', 'x'), ($2, 'two', 'x') \
         ON CONFLICT (tenant_id, slug) DO UPDATE SET title = 'y'";
    let (one, two, three) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let scoped = db.scoped(a);
    scoped
        .execute_sql(upsert, [one.into(), two.into()])
        .await
        .unwrap();
    let told = BTreeSet::from([id(&mut heard).await, id(&mut heard).await]);
    assert_eq!(
        told,
        BTreeSet::from([(Operation::Insert, one), (Operation::Insert, two)])
    );
    scoped
        .execute_sql("DELETE FROM post WHERE id = $1", [two.into()])
        .await
        .unwrap();
    assert_eq!(id(&mut heard).await, (Operation::Delete, two));
    // One is there and is updated, the other is new.
    scoped
        .execute_sql(upsert, [three.into(), two.into()])
        .await
        .unwrap();
    let told = BTreeSet::from([id(&mut heard).await, id(&mut heard).await]);
    assert_eq!(
        told,
        BTreeSet::from([(Operation::Update, one), (Operation::Insert, two)])
    );
}

#[tokio::test]
async fn a_row_with_another_key_is_another_row() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = posts(db, a).await;
    let (old, new) = (world.a.posts[2], Uuid::now_v7());
    db.scoped(a)
        .execute_sql(
            "UPDATE post SET id = $2 WHERE id = $1",
            [old.into(), new.into()],
        )
        .await
        .unwrap();
    let told = BTreeSet::from([id(&mut heard).await, id(&mut heard).await]);
    assert_eq!(
        told,
        BTreeSet::from([(Operation::Delete, old), (Operation::Insert, new)])
    );
}

#[tokio::test]
async fn a_row_that_is_given_to_another_tenant_is_gone_here_and_new_there() {
    let world = world().await;
    let db = world.test.db();
    let mut of_a = posts(db, &world.a.scope).await;
    let mut of_b = posts(db, &world.b.scope).await;
    let moved = add(db, &world.a.scope, "moved").await;
    assert_eq!(id(&mut of_a).await, (Operation::Insert, moved));
    let across = db.across("a post changes hands").await.unwrap();
    across
        .execute_sql(
            "UPDATE post SET tenant_id = $1 WHERE id = $2",
            [world.b.id.into(), moved.into()],
        )
        .await
        .unwrap();
    assert_eq!(id(&mut of_a).await, (Operation::Delete, moved));
    assert_eq!(id(&mut of_b).await, (Operation::Insert, moved));
    // One statement for everybody: each hears of their own.
    across
        .execute_sql("UPDATE post SET title = 'all' WHERE slug = 'post-0'", [])
        .await
        .unwrap();
    for (heard, tenant) in [(&mut of_a, &world.a), (&mut of_b, &world.b)] {
        assert_eq!(id(heard).await, (Operation::Update, tenant.posts[0]));
        nothing_but_a_marker(heard, db, &tenant.scope).await;
    }
}

#[tokio::test]
async fn tables_that_take_their_tenant_from_a_parent_tell_it_too() {
    let world = world().await;
    let (db, a) = (world.test.db(), &world.a.scope);
    let mut heard = db
        .changes(a)
        .of::<comment::Entity>()
        .of::<post_tag::Entity>()
        .of::<post::Entity>()
        .subscribe()
        .await
        .unwrap();
    let new = comment::ActiveModel {
        id: Set(Uuid::now_v7()),
        post_id: Set(world.a.posts[1]),
        body: Set("hello".to_owned()),
    };
    let new = new.insert(&db.scoped(a)).await.unwrap().id;
    assert_eq!(id(&mut heard).await, (Operation::Insert, new));
    // What goes with its parent is told as well, and a key of two columns is told whole.
    let gone = post::Entity::delete_by_id(world.a.posts[1]);
    gone.exec(&db.scoped(a)).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        let Change::Row(row) = next(&mut heard).await else {
            panic!("no row")
        };
        told.push((row.table().to_owned(), row.operation(), row.id::<Uuid>()));
    }
    told.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        told,
        [
            ("comment".to_owned(), Operation::Delete, Some(new)),
            ("post".to_owned(), Operation::Delete, Some(world.a.posts[1]))
        ]
    );
    db.scoped(a)
        .execute_sql(
            "DELETE FROM post_tag WHERE tag_id = $1",
            [world.a.tags[0].into()],
        )
        .await
        .unwrap();
    let key = [world.a.posts[0], world.a.tags[0]].map(|id| id.to_string());
    assert_eq!(row(&mut heard).await, (Operation::Delete, key.to_vec()));
}

#[tokio::test]
async fn a_second_owner_holds_for_what_is_told() {
    let world = world().await;
    let db = world.test.db();
    let of = |author| {
        let scope = world.a.author(author);
        async move {
            let articles = db.changes(&scope).of::<article::Entity>();
            articles.subscribe().await.unwrap()
        }
    };
    let (mut first, mut second) = (of(1).await, of(2).await);
    let theirs = world.a.article(&world.test, 2, "second's").await;
    let own = world.a.article(&world.test, 1, "first's").await;
    assert_eq!(
        row(&mut first).await,
        (Operation::Insert, vec![own.id.to_string()])
    );
    assert_eq!(
        row(&mut second).await,
        (Operation::Insert, vec![theirs.id.to_string()])
    );
    // Without an author there is nothing to hear of, and that is said.
    let without = db.changes(&world.a.scope).of::<article::Entity>();
    let error = without.subscribe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Scope);
    let Error::Scope(scope) = error else {
        panic!("{error}")
    };
    assert_eq!(scope.dimension(), Some(AUTHOR.name()));
}

#[tokio::test]
async fn a_scope_with_a_list_hears_of_the_tenants_in_it() {
    let world = world().await;
    let db = world.test.db();
    let c = crate::models::Tenant::seed(&world.test, "c").await;
    let scope = Scope::trusted([TENANT.any_of([world.a.id, c.id])]);
    let mut heard = posts(db, &scope).await;
    let mut of_b = posts(db, &world.b.scope).await;
    let in_b = add(db, &world.b.scope, "in b").await;
    assert_eq!(id(&mut of_b).await, (Operation::Insert, in_b));
    for tenant in [&world.a, &c] {
        let new = add(db, &tenant.scope, "new").await;
        assert_eq!(id(&mut heard).await, (Operation::Insert, new));
    }
    let nobody = Scope::trusted([TENANT.any_of([])]);
    let mut silent = posts(db, &nobody).await;
    assert!(futures_util::StreamExt::next(&mut silent).await.is_none());
}

#[tokio::test]
async fn what_belongs_to_nobody_is_told_to_all() {
    let world = world().await;
    let db = world.test.db();
    let mut heard = Vec::new();
    for scope in [&world.a.scope, &world.b.scope, &Scope::trusted([])] {
        let countries = db.changes(scope).of::<country::Entity>();
        heard.push(countries.subscribe().await.unwrap());
    }
    let new = country::ActiveModel {
        code: Set("at".to_owned()),
        name: Set("Austria".to_owned()),
    };
    let across = db.across("a new country").await.unwrap();
    new.insert(&across).await.unwrap();
    for heard in &mut heard {
        let told = (Operation::Insert, vec!["at".to_owned()]);
        assert_eq!(row(heard).await, told);
    }
}

#[tokio::test]
async fn the_owners_truncate_is_told_to_all_without_a_key() {
    let world = world().await;
    let db = world.test.db();
    let mut of_a = posts(db, &world.a.scope).await;
    let mut of_b = posts(db, &world.b.scope).await;
    let owner = session(&world.test.owner_url()).await;
    owner.batch_execute("TRUNCATE post CASCADE").await.unwrap();
    for heard in [&mut of_a, &mut of_b] {
        let table = "post".to_owned();
        assert_eq!(next(heard).await, Change::Many { table });
    }
}

#[tokio::test]
async fn what_is_not_announced_cannot_be_asked_for() {
    let world = world().await;
    let tags = world.test.db().changes(&world.a.scope).of::<tag::Entity>();
    let error = tags.subscribe().await.unwrap_err();
    assert!(matches!(error, Error::NotAnnounced("tag")), "{error:?}");
    let without = Scope::trusted([]);
    let posts = world.test.db().changes(&without).of::<post::Entity>();
    let error = posts.subscribe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Scope, "{error:?}");
}
