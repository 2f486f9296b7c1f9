//! D10: lists of owners, empty ones, and values that are none.

use partywall::{
    Dimension, Scope, Sql, TENANT, Within,
    db::{Error, ErrorKind, NoLogin},
    scope::{ScopeErrorKind, ScopeValue, SqlType},
    testing::TestDb,
};
use sea_orm::{ActiveModelTrait, ActiveValue::NotSet, EntityTrait, PaginatorTrait, QueryOrder};
use uuid::Uuid;

use crate::{
    login,
    models::{AUTHOR, World, article, comment, post, schema_with},
};

#[tokio::test]
async fn d10_a_list_gives_exactly_its_owners() {
    let world = World::new().await;
    let (test, a, b) = (&world.test, &world.a, &world.b);
    let c = crate::models::Tenant::seed(test, "c").await;
    let both = Scope::trusted([TENANT.any_of([a.id, c.id, a.id])]);
    let db = test.as_scope(&both);
    let posts = post::Entity::find().all(&db).await.unwrap();
    assert_eq!(posts.len(), 6);
    assert!(posts.iter().all(|post| post.tenant_id != b.id));
    assert_eq!(comment::Entity::find().count(&db).await.unwrap(), 4);
    assert_eq!(
        post::Entity::find().within(&both).count(&db).await.unwrap(),
        6
    );
    assert_eq!(
        db.execute_sql("UPDATE post SET views = 1", [])
            .await
            .unwrap(),
        6
    );
    assert_eq!(
        post::Entity::find_by_id(b.posts[0]).one(&db).await.unwrap(),
        None
    );
    assert_eq!(db.execute_sql("DELETE FROM comment", []).await.unwrap(), 4);
    let left = comment::Entity::find()
        .count(&test.as_scope(&b.scope))
        .await
        .unwrap();
    assert_eq!(left, 2);
    let one = test.as_scope(&Scope::trusted([TENANT.any_of([b.id])]));
    assert_eq!(post::Entity::find().count(&one).await.unwrap(), 3);
}

#[tokio::test]
async fn d10_an_empty_list_gives_nothing() {
    let world = World::new().await;
    let nobody = Scope::trusted([TENANT.any_of([])]);
    let clash = Scope::trusted([TENANT.is(world.a.id), TENANT.is(world.b.id)]);
    for scope in [nobody, clash] {
        let db = world.test.as_scope(&scope);
        assert_eq!(post::Entity::find().count(&db).await.unwrap(), 0);
        assert_eq!(
            post::Entity::find()
                .within(&scope)
                .count(&db)
                .await
                .unwrap(),
            0
        );
        assert_eq!(db.execute_sql("DELETE FROM post", []).await.unwrap(), 0);
        let insert = "INSERT INTO post (id, tenant_id, slug, title) VALUES ($1, $2, 's', 't')";
        let row = [Uuid::now_v7().into(), world.a.id.into()];
        assert_eq!(
            db.execute_sql(insert, row).await.unwrap_err().kind(),
            ErrorKind::Denied
        );
    }
    assert_eq!(
        post::Entity::find()
            .count(&world.test.as_scope(&world.a.scope))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn d10_a_list_of_the_second_dimension() {
    let world = World::new().await;
    let (test, a) = (&world.test, &world.a);
    for (author, title) in [(1, "one"), (2, "two"), (3, "three")] {
        a.article(test, author, title).await;
        world.b.article(test, author, "foreign").await;
    }
    let scope = a.scope.narrow([AUTHOR.any_of([1, 3])]).unwrap();
    let sorted = article::Entity::find().order_by_asc(article::Column::Id);
    let articles = sorted.all(&test.as_scope(&scope)).await.unwrap();
    let titles: Vec<&str> = articles
        .iter()
        .map(|article| article.title.as_str())
        .collect();
    assert_eq!(titles, ["one", "three"]);
}

#[tokio::test]
async fn d10_a_list_needs_its_login() {
    let world = World::new().await;
    let config = partywall::Config::new(world.test.schema(), &world.test.url("blog_app")).unwrap();
    let db = partywall::Db::connect(config).await.unwrap();
    let list = Scope::trusted([TENANT.any_of([world.a.id])]);
    let refused = db.scoped(&list).execute_sql("SELECT * FROM post", []).await;
    assert!(
        matches!(refused, Err(Error::NoLogin(NoLogin::List))),
        "{refused:?}"
    );
    assert!(matches!(
        db.begin(&list).await,
        Err(Error::NoLogin(NoLogin::List))
    ));
    assert_eq!(
        post::Entity::find()
            .count(&db.scoped(&world.a.scope))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn d10_what_is_no_value_is_an_error() {
    for (sql_type, good) in [
        (SqlType::Uuid, "0199a9c4-0000-7000-8000-000000000000"),
        (SqlType::BigInt, "-7"),
        (SqlType::Text, "é"),
    ] {
        assert!(ScopeValue::parse(sql_type, good).is_ok(), "{good}");
        for bad in ["", "\0", "all\0"] {
            let error = ScopeValue::parse(sql_type, bad).unwrap_err();
            assert_eq!(error.kind(), ScopeErrorKind::Malformed);
        }
    }
    for bad in ["NULL", "*", "all", "1 OR 1=1", "0199a9c4"] {
        assert!(ScopeValue::parse(SqlType::Uuid, bad).is_err(), "{bad}");
        assert!(
            ScopeValue::parse(SqlType::BigInt, &format!("{bad};")).is_err(),
            "{bad}"
        );
    }
}

/// Without a seal, so that contexts can be written by hand that Partywall would never write.
#[tokio::test]
async fn d10_a_context_without_a_value_shows_nothing() {
    let world = World::on(
        TestDb::new(&schema_with(partywall::Seal::Off))
            .await
            .unwrap(),
    )
    .await;
    world.let_everybody_set().await;
    let list_login = login::connect(&world.test.url("blog_list")).await;
    let logins = [(&login::app(&world.test).await, false), (&list_login, true)];
    for (client, list) in logins {
        let count = async |context: &str| {
            client
                .execute(
                    "SELECT set_config('partywall.context', $1, false)",
                    &[&context],
                )
                .await?;
            client
                .query_one("SELECT count(*) FROM post", &[])
                .await?
                .try_get::<_, i64>(0)
        };
        let own = format!(r#"{{"tenant":"{}"}}"#, world.a.id);
        assert_eq!(count(&own).await.unwrap(), 3);
        for context in [
            r#"{"tenant":null}"#,
            r#"{"tenant":""}"#,
            r#"{"tenant":"all"}"#,
            r#"{"tenant":["x"]}"#,
            r#"{"tenant":{}}"#,
            r#"{}"#,
            r#"[]"#,
            r#"null"#,
            r#"{"tenant[]":null}"#,
            "not json",
        ] {
            let seen = count(context).await;
            let shows_nothing = seen.is_err() || (matches!(seen, Ok(0)) && !list);
            assert!(shows_nothing, "{context}: {seen:?}");
        }
        for context in ["", r#"{"tenant[]":[]}"#, r#"{"tenant[]":[null]}"#] {
            assert_eq!(count(context).await.unwrap(), 0, "{context}");
        }
    }
}

mod region {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "office")]
    #[scoped(region = "region")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub region: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::test]
async fn d10_texts_are_compared_and_never_read() {
    const REGION: Dimension<String> = Dimension::new("region");
    let schema = partywall::Schema::builder(partywall::Roles::named("blog"), crate::models::seal())
        .model::<region::Entity>()
        .build()
        .unwrap();
    let test = TestDb::new(&schema).await.unwrap();
    let regions = [
        "north",
        "North",
        "",
        " ",
        "'",
        "\\",
        "\"",
        "a.b",
        "%",
        "é",
        "e\u{301}",
        "]}",
        "\u{1f600}",
        "\n",
    ];
    for region in regions {
        let db = test.as_scope(&Scope::trusted([REGION.is(region)]));
        let office = region::ActiveModel {
            region: NotSet,
            ..Default::default()
        }
        .insert(&db)
        .await
        .unwrap();
        assert_eq!(office.region, region);
        let mine = region::Entity::find().all(&db).await.unwrap();
        assert_eq!(mine, [office], "{region:?}");
    }
    let all = Scope::trusted([REGION.any_of(regions.map(str::to_owned))]);
    assert_eq!(
        region::Entity::find()
            .count(&test.as_scope(&all))
            .await
            .unwrap(),
        14
    );
    let nul = Scope::trusted([REGION.is("north\0")]);
    assert!(
        region::Entity::find()
            .all(&test.as_scope(&nul))
            .await
            .is_err()
    );
}
