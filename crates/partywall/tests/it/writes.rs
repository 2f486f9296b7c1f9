//! D11–D15: rows written, changed and moved.

use partywall::{
    Scope, Sql, TENANT,
    db::{Error, ErrorKind},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set, Unchanged},
    ColumnTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait, PaginatorTrait, QueryFilter,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    login,
    models::{Tenant, World, comment, event, post},
};

fn draft(slug: &str) -> post::ActiveModel {
    post::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(slug.to_owned()),
        title: Set(slug.to_owned()),
        ..Default::default()
    }
}

fn of(tenant: &Tenant, slug: &str) -> post::ActiveModel {
    post::ActiveModel {
        tenant_id: Set(tenant.id),
        ..draft(slug)
    }
}

async fn slugs(world: &World, tenant: &Tenant) -> Vec<String> {
    let db = world.test.as_scope(&tenant.scope);
    let mut slugs: Vec<String> = post::Entity::find()
        .all(&db)
        .await
        .unwrap()
        .into_iter()
        .map(|post| post.slug)
        .collect();
    slugs.sort();
    slugs
}

const SEEDED: [&str; 3] = ["post-0", "post-1", "post-2"];

#[tokio::test]
async fn d11_inserts_are_stamped() {
    let world = World::new().await;
    for own in [&world.a, &world.b] {
        let db = world.test.as_scope(&own.scope);
        assert_eq!(draft("one").insert(&db).await.unwrap().tenant_id, own.id);
        let many = post::Entity::insert_many([draft("two"), draft("three")])
            .exec(&db)
            .await;
        many.unwrap();
        assert_eq!(
            of(own, "explicit").insert(&db).await.unwrap().tenant_id,
            own.id
        );
        db.execute_sql(
            "INSERT INTO post (id, slug, title) SELECT gen_random_uuid(), slug || '!', title FROM post",
            [],
        )
        .await
        .unwrap();
        let event = event::ActiveModel {
            what: Set("seen".to_owned()),
            ..Default::default()
        };
        assert_eq!(event.clone().insert(&db).await.unwrap().tenant_id, own.id);
        assert_eq!(event.save(&db).await.unwrap().tenant_id, Unchanged(own.id));
        assert_eq!(slugs(&world, own).await.len(), 14);
    }
}

#[tokio::test]
async fn d11_in_a_list_the_owner_is_explicit_and_inside() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let c = Tenant::seed(&world.test, "c").await;
    let db = world
        .test
        .as_scope(&Scope::trusted([TENANT.any_of([a.id, c.id])]));
    let silent = draft("silent").insert(&db).await.unwrap_err();
    assert_eq!(Error::kind_behind(&silent), ErrorKind::Denied, "{silent}");
    let outside = of(b, "outside").insert(&db).await.unwrap_err();
    assert_eq!(Error::kind_behind(&outside), ErrorKind::Denied, "{outside}");
    for own in [a, &c] {
        assert_eq!(
            of(own, "inside").insert(&db).await.unwrap().tenant_id,
            own.id
        );
        // A child takes its parent's.
        let child = |post_id| comment::ActiveModel {
            id: Set(Uuid::now_v7()),
            post_id: Set(post_id),
            body: Set(String::new()),
        };
        let inserted = child(own.posts[2]).insert(&db).await.unwrap();
        let seen = comment::Entity::find_by_id(inserted.id);
        assert!(
            seen.one(&world.test.as_scope(&own.scope))
                .await
                .unwrap()
                .is_some()
        );
        let foreign = child(b.posts[0]).insert(&db).await.unwrap_err();
        let missing = child(Uuid::now_v7()).insert(&db).await.unwrap_err();
        assert_eq!(foreign.to_string(), missing.to_string());
    }
    assert_eq!(slugs(&world, b).await, SEEDED);
}

#[tokio::test]
async fn d12_inserting_as_another_is_refused_whole() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    let refused = [
        of(b, "single").insert(&db).await.map(drop).unwrap_err(),
        post::Entity::insert(of(b, "bare"))
            .exec_without_returning(&db)
            .await
            .map(drop)
            .unwrap_err(),
        post::Entity::insert_many([of(a, "first"), of(b, "second"), of(a, "third")])
            .exec(&db)
            .await
            .map(drop)
            .unwrap_err(),
        event::ActiveModel {
            id: NotSet,
            tenant_id: Set(b.id),
            what: Set("saved".to_owned()),
        }
        .save(&db)
        .await
        .map(drop)
        .unwrap_err(),
    ];
    for error in refused {
        assert_eq!(Error::kind_behind(&error), ErrorKind::Denied, "{error}");
    }
    for sql in [
        "INSERT INTO post (id, tenant_id, slug, title) SELECT gen_random_uuid(), $1, slug || '2', title FROM post",
        "INSERT INTO post (id, tenant_id, slug, title) VALUES (gen_random_uuid(), DEFAULT, 'm', 'm'), (gen_random_uuid(), $1, 'b', 'b')",
        "INSERT INTO comment (id, tenant_id, post_id, body) SELECT gen_random_uuid(), $1, post_id, '' FROM comment",
        "MERGE INTO post USING (VALUES ($1::uuid)) AS v (tenant) ON post.slug = 'x' WHEN NOT MATCHED THEN INSERT (id, tenant_id, slug, title) VALUES (gen_random_uuid(), v.tenant, 'x', 'x')",
        "WITH new AS (INSERT INTO tag (id, tenant_id, label) VALUES (gen_random_uuid(), $1, 'l') RETURNING 1) SELECT count(*) FROM new",
    ] {
        let refused = db.execute_sql(sql, [b.id.into()]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Denied, "{sql}: {refused}");
    }
    assert_eq!(slugs(&world, a).await, SEEDED);
    assert_eq!(slugs(&world, b).await, SEEDED);
    let mixed = [of(a, "first"), draft("second")].map(|mut post| {
        post.tenant_id = Set(a.id);
        post
    });
    post::Entity::insert_many(mixed).exec(&db).await.unwrap();
    assert_eq!(slugs(&world, a).await.len(), 5);
}

#[tokio::test]
async fn d13_writes_to_a_foreign_id_find_nothing() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    for (id, found) in [(b.posts[0], 0), (Uuid::now_v7(), 0), (a.posts[0], 1)] {
        let update = post::Entity::update_many()
            .col_expr(post::Column::Title, Expr::value("changed"))
            .filter(post::Column::Id.eq(id))
            .exec(&db)
            .await
            .unwrap();
        assert_eq!(update.rows_affected, found);
        let change = || post::ActiveModel {
            id: Unchanged(id),
            title: Set("changed".to_owned()),
            ..Default::default()
        };
        for changed in [
            change().update(&db).await.map(drop),
            change().save(&db).await.map(drop),
        ] {
            match found {
                0 => assert_eq!(changed, Err(DbErr::RecordNotUpdated)),
                _ => assert_eq!(changed, Ok(())),
            }
        }
        let sql = "UPDATE post SET title = 'changed' WHERE id = $1";
        assert_eq!(db.execute_sql(sql, [id.into()]).await.unwrap(), found);
        let merge = "MERGE INTO post USING (VALUES ($1::uuid)) AS v (id) ON post.id = v.id \
                     WHEN MATCHED THEN UPDATE SET title = 'merged'";
        assert_eq!(db.execute_sql(merge, [id.into()]).await.unwrap(), found);
    }
    for (id, found) in [(b.posts[1], 0), (Uuid::now_v7(), 0), (a.posts[1], 1)] {
        let deleted = post::Entity::delete_by_id(id).exec(&db).await.unwrap();
        assert_eq!(deleted.rows_affected, found);
    }
    let model = |tenant: &Tenant| {
        let (id, scope) = (tenant.posts[2], tenant.scope.clone());
        let test = &world.test;
        async move {
            post::Entity::find_by_id(id)
                .one(&test.as_scope(&scope))
                .await
                .unwrap()
                .unwrap()
        }
    };
    let foreign = model(b).await;
    assert_eq!(foreign.clone().delete(&db).await.unwrap().rows_affected, 0);
    let mut foreign = foreign.into_active_model();
    foreign.title = Set("changed".to_owned());
    assert_eq!(
        foreign.update(&db).await.unwrap_err(),
        DbErr::RecordNotUpdated
    );
    assert_eq!(model(a).await.delete(&db).await.unwrap().rows_affected, 1);
    let untouched: i64 = world
        .test
        .as_scope(&b.scope)
        .scalar("SELECT count(*) FROM post WHERE title LIKE 'b %'", [])
        .await
        .unwrap();
    assert_eq!(untouched, 3);
}

#[tokio::test]
async fn d14_row_cannot_move() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    let article = a.article(&world.test, 1, "mine").await;
    for sql in [
        "UPDATE post SET tenant_id = $1",
        "UPDATE post SET tenant_id = $1 WHERE false",
        "UPDATE comment SET tenant_id = $1",
        "UPDATE post AS p SET (tenant_id, title) = (SELECT $1::uuid, 'x')",
        "MERGE INTO post USING tag ON true WHEN MATCHED THEN UPDATE SET tenant_id = $1",
        "INSERT INTO post (id, slug, title) SELECT id, slug, title FROM post \
         ON CONFLICT (tenant_id, id) DO UPDATE SET tenant_id = $1",
    ] {
        let refused = db.execute_sql(sql, [b.id.into()]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Denied, "{sql}: {refused}");
    }
    let moved = post::ActiveModel {
        id: Unchanged(a.posts[0]),
        tenant_id: Set(b.id),
        ..Default::default()
    };
    let refused = moved.update(&db).await.unwrap_err();
    assert_eq!(Error::kind_behind(&refused), ErrorKind::Denied, "{refused}");
    // Nor to another owner of the second dimension.
    let own = world.test.as_scope(&a.author(1));
    let refused = own
        .execute_sql("UPDATE article SET author_id = 2", [])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied);
    let renamed = own.execute_sql(
        "UPDATE article SET title = 'x' WHERE id = $1",
        [article.id.into()],
    );
    assert_eq!(renamed.await.unwrap(), 1);
    // Nor by hanging it under another parent.
    let reparent = "UPDATE comment SET post_id = $1";
    for parent in [b.posts[0], Uuid::now_v7()] {
        let refused = db.execute_sql(reparent, [parent.into()]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ForeignKey);
    }
    assert_eq!(
        db.execute_sql(reparent, [a.posts[1].into()]).await.unwrap(),
        2
    );
    assert_eq!(slugs(&world, a).await, SEEDED);
    assert_eq!(slugs(&world, b).await, SEEDED);
}

#[tokio::test]
async fn d14_a_list_scope_cannot_move_a_row_either() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world
        .test
        .as_scope(&Scope::trusted([TENANT.any_of([a.id, b.id])]));
    let moved = db
        .execute_sql("UPDATE post SET tenant_id = $1", [b.id.into()])
        .await
        .unwrap_err();
    assert_eq!(moved.kind(), ErrorKind::Denied);
    let crossed = "UPDATE comment SET post_id = $1 WHERE id = $2";
    let crossed = db
        .execute_sql(crossed, [b.posts[0].into(), a.comments[0].into()])
        .await;
    assert_eq!(crossed.unwrap_err().kind(), ErrorKind::ForeignKey);
    assert_eq!(
        db.execute_sql("UPDATE post SET title = 'x'", [])
            .await
            .unwrap(),
        6
    );
}

#[tokio::test]
async fn d15_without_a_scope_insert_is_refused() {
    let world = World::new().await;
    let client = login::app(&world.test).await;
    let tenant = world.a.id;
    for (sql, parameter) in [
        (
            "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), 's', 't')",
            None,
        ),
        (
            "INSERT INTO post (id, tenant_id, slug, title) VALUES (gen_random_uuid(), $1, 's', 't')",
            Some(tenant),
        ),
        (
            "INSERT INTO tag (id, tenant_id, label) SELECT gen_random_uuid(), $1, 'x'",
            Some(tenant),
        ),
        ("INSERT INTO event (what) VALUES ('x')", None),
    ] {
        let refused = match &parameter {
            Some(tenant) => client.execute(sql, &[tenant]).await,
            None => client.execute(sql, &[]).await,
        };
        let code = refused.unwrap_err().code().unwrap().code().to_owned();
        assert!(["42501", "23502"].contains(&code.as_str()), "{sql}: {code}");
    }
    let nobody = world.test.as_scope(&Scope::trusted([]));
    let refused = draft("nobody").insert(&nobody).await.unwrap_err();
    assert_eq!(Error::kind_behind(&refused), ErrorKind::Scope, "{refused}");
    let refused = of(&world.a, "nobody").insert(&nobody).await.unwrap_err();
    assert_eq!(Error::kind_behind(&refused), ErrorKind::Scope, "{refused}");
    let db = world.test.as_scope(&world.a.scope);
    draft("somebody").insert(&db).await.unwrap();
    assert_eq!(post::Entity::find().count(&db).await.unwrap(), 4);
}
