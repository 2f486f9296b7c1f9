//! D1–D3: SeaORM's ways to read, each by both tenants.

use futures_util::TryStreamExt;
use partywall::{Scope, Within, db::Error, db::ErrorKind};
use sea_orm::{
    ColumnTrait, DbErr, DerivePartialModel, EntityTrait, FromQueryResult, JsonValue,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, SelectExt, sea_query::ExprTrait,
};
use uuid::Uuid;

use crate::models::{World, comment, post};

#[tokio::test]
async fn d1_listing_gives_own_rows_only() {
    let world = World::new().await;
    for (own, foreign) in [(&world.a, &world.b), (&world.b, &world.a)] {
        let db = world.test.as_scope(&own.scope);
        let listed = post::Entity::find().all(&db).await.unwrap();
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|post| post.tenant_id == own.id));
        assert!(listed.iter().all(|post| !foreign.posts.contains(&post.id)));
    }
}

#[tokio::test]
async fn d1_within_changes_no_answer() {
    let world = World::new().await;
    for (own, foreign) in [(&world.a, &world.b), (&world.b, &world.a)] {
        let db = world.test.as_scope(&own.scope);
        let with = post::Entity::find()
            .within(&own.scope)
            .count(&db)
            .await
            .unwrap();
        assert_eq!(with, 3);
        // The predicate of another scope meets the policy, and nothing satisfies both.
        let crossed = post::Entity::find()
            .within(&foreign.scope)
            .count(&db)
            .await
            .unwrap();
        assert_eq!(crossed, 0);
    }
}

#[tokio::test]
async fn d2_a_foreign_id_answers_as_a_missing_one() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    let by_id = async |id: Uuid| post::Entity::find_by_id(id).one(&db).await.unwrap();
    assert_eq!(by_id(b.posts[0]).await, None);
    assert_eq!(by_id(Uuid::now_v7()).await, None);
    assert_eq!(by_id(a.posts[0]).await.unwrap().id, a.posts[0]);
    let in_a_list = post::Entity::find()
        .filter(post::Column::Id.is_in([a.posts[0], b.posts[0], Uuid::now_v7()]))
        .all(&db)
        .await
        .unwrap();
    assert_eq!(in_a_list.len(), 1);
}

#[tokio::test]
async fn d2_one_or_err_gives_the_same_error() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let required = async |id: Uuid| {
        post::Entity::find_by_id(id)
            .one(&db)
            .await
            .unwrap()
            .ok_or(DbErr::RecordNotFound("post".into()))
    };
    assert_eq!(
        required(world.b.posts[0]).await,
        required(Uuid::now_v7()).await
    );
    assert!(required(world.a.posts[0]).await.is_ok());
}

#[tokio::test]
async fn d4_count_and_exists_see_own_rows() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    assert_eq!(post::Entity::find().count(&db).await.unwrap(), 3);
    let exists = async |id: Uuid| post::Entity::find_by_id(id).exists(&db).await.unwrap();
    assert!(exists(a.posts[0]).await);
    assert!(!exists(b.posts[0]).await);
    assert!(!exists(Uuid::now_v7()).await);
}

#[tokio::test]
async fn d4_aggregates_sum_own_rows() {
    let world = World::new().await;
    for (own, views) in [(&world.a, 1), (&world.b, 100)] {
        let touched = post::Entity::update_many()
            .col_expr(post::Column::Views, sea_orm::sea_query::Expr::value(views))
            .exec(&world.test.as_scope(&own.scope))
            .await
            .unwrap();
        assert_eq!(touched.rows_affected, 3);
    }
    for (own, sum, max) in [(&world.a, 3, 1), (&world.b, 300, 100)] {
        let db = world.test.as_scope(&own.scope);
        let totals: Vec<(Uuid, i64, i32)> = post::Entity::find()
            .select_only()
            .column(post::Column::TenantId)
            .column_as(post::Column::Views.sum(), "total")
            .column_as(post::Column::Views.max(), "most")
            .group_by(post::Column::TenantId)
            .into_tuple()
            .all(&db)
            .await
            .unwrap();
        assert_eq!(totals, [(own.id, sum, max)]);
    }
}

#[derive(Debug, PartialEq, DerivePartialModel)]
#[sea_orm(entity = "post::Entity")]
struct Headline {
    slug: String,
    title: String,
    #[sea_orm(nested)]
    country: Option<Country>,
}

#[derive(Debug, PartialEq, DerivePartialModel)]
#[sea_orm(entity = "crate::models::country::Entity")]
struct Country {
    name: String,
}

#[derive(Debug, FromQueryResult)]
struct Slug {
    slug: String,
}

#[tokio::test]
async fn d1_every_shape_of_row_is_of_the_scope() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let sorted = || post::Entity::find().order_by_asc(post::Column::Slug);
    let partial: Vec<Headline> = sorted()
        .left_join(crate::models::country::Entity)
        .into_partial_model()
        .all(&db)
        .await
        .unwrap();
    let titles: Vec<&str> = partial.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(titles, ["a 0", "a 1", "a 2"]);
    assert!(
        partial
            .iter()
            .all(|row| row.country.is_none() && row.slug.starts_with("post-"))
    );
    let json: Vec<JsonValue> = sorted().into_json().all(&db).await.unwrap();
    assert_eq!(json.len(), 3);
    assert!(
        json.iter()
            .all(|row| row["tenant_id"] == world.a.id.to_string())
    );
    let custom: Vec<Slug> = sorted()
        .select_only()
        .column(post::Column::Slug)
        .into_model()
        .all(&db)
        .await
        .unwrap();
    assert_eq!(custom[2].slug, "post-2");
    let ids: Vec<Uuid> = sorted()
        .select_only()
        .column(post::Column::Id)
        .into_tuple()
        .all(&db)
        .await
        .unwrap();
    assert_eq!(ids, world.a.posts);
}

#[tokio::test]
async fn d1_pages_count_own_rows() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    let sorted = || post::Entity::find().order_by_asc(post::Column::Id);
    let pages = sorted().paginate(&db, 2);
    let numbers = pages.num_items_and_pages().await.unwrap();
    assert_eq!((numbers.number_of_items, numbers.number_of_pages), (3, 2));
    assert_eq!(pages.fetch_page(0).await.unwrap().len(), 2);
    assert_eq!(pages.fetch_page(1).await.unwrap().len(), 1);
    let streamed: Vec<Vec<post::Model>> = sorted()
        .paginate(&db, 2)
        .into_stream()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        streamed
            .concat()
            .iter()
            .map(|post| post.id)
            .collect::<Vec<_>>(),
        a.posts
    );

    let mut cursor = post::Entity::find().cursor_by(post::Column::Id);
    let after = cursor.after(a.posts[0]).first(10).all(&db).await.unwrap();
    assert_eq!(
        after.iter().map(|post| post.id).collect::<Vec<_>>(),
        a.posts[1..]
    );
    // A cursor made of a foreign row's id is a position like any other.
    let mut cursor = post::Entity::find().cursor_by(post::Column::Id);
    let before = cursor.before(b.posts[0]).last(10).all(&db).await.unwrap();
    assert_eq!(
        before.iter().map(|post| post.id).collect::<Vec<_>>(),
        a.posts
    );
}

#[tokio::test]
async fn d3_without_a_scope_there_is_no_connection() {
    let world = World::new().await;
    let unset = world.test.db().ambient().unwrap_err();
    assert_eq!(unset.kind(), partywall::scope::ScopeErrorKind::Unset);
    let inside = world.a.scope.enter(async {
        let db = world.test.db().ambient().unwrap();
        post::Entity::find().count(&db).await.unwrap()
    });
    assert_eq!(inside.await.unwrap(), 3);
}

#[tokio::test]
async fn d3_a_scope_that_names_nobody_is_refused() {
    let world = World::new().await;
    let nobody = Scope::trusted([]);
    let db = world.test.as_scope(&nobody);
    let find = post::Entity::find;
    let mut refused = vec![
        find().all(&db).await.map(drop).unwrap_err(),
        find().count(&db).await.map(drop).unwrap_err(),
        find().exists(&db).await.map(drop).unwrap_err(),
        find()
            .find_with_related(comment::Entity)
            .all(&db)
            .await
            .map(drop)
            .unwrap_err(),
        find().paginate(&db, 2).fetch().await.map(drop).unwrap_err(),
        find().into_json().one(&db).await.map(drop).unwrap_err(),
        post::Entity::delete_many()
            .exec(&db)
            .await
            .map(drop)
            .unwrap_err(),
    ];
    refused.push(match find().stream(&db).await {
        Err(error) => error,
        Ok(rows) => rows.try_collect::<Vec<_>>().await.map(drop).unwrap_err(),
    });
    for error in refused {
        assert_eq!(Error::kind_behind(&error), ErrorKind::Scope, "{error}");
        assert!(error.to_string().contains("`tenant`"), "{error}");
    }
    assert_eq!(
        find()
            .count(&world.test.as_scope(&world.a.scope))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn d1_a_filter_that_is_always_true_finds_own_rows() {
    let world = World::new().await;
    let always = sea_orm::sea_query::Expr::value(1).eq(1);
    let db = world.test.as_scope(&world.b.scope);
    let listed = post::Entity::find()
        .filter(post::Column::TenantId.eq(world.a.id).or(always))
        .all(&db)
        .await
        .unwrap();
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|post| post.tenant_id == world.b.id));
}
