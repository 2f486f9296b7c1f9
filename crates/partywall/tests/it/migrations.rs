//! Bringing databases of all ages to the declared state.

use partywall::{
    Db, Roles, Schema, Scope, Seal, SealKey, Sql, TENANT,
    db::{ConnectError, Error, ErrorKind},
    schema::{Applied, ApplyError},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};
use uuid::Uuid;

use crate::{
    blank::Blank,
    models::{comment, country, post, seal},
};

/// The first version of a model.
mod note {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "note")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        pub title: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What became of it: columns, a unique, an index and a foreign key.
mod grown_note {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "note")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        #[sea_orm(unique)]
        pub title: String,
        #[sea_orm(default_value = 7)]
        pub stars: i32,
        #[sea_orm(indexed)]
        pub colour: Option<String>,
        pub folder_id: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::folder::Entity",
            from = "Column::FolderId",
            to = "super::folder::Column::Id"
        )]
        Folder,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod folder {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "folder")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn posts(application: &str, seal: Seal) -> Schema {
    Schema::builder(Roles::named(application), seal)
        .model::<post::Entity>()
        .model::<comment::Entity>()
        .model::<country::Entity>()
        .build()
        .unwrap()
}

fn tenant() -> (Uuid, Scope) {
    let id = Uuid::now_v7();
    (id, Scope::trusted([TENANT.is(id)]))
}

async fn insert_post(db: &Db, scope: &Scope, slug: &str) -> Result<post::Model, sea_orm::DbErr> {
    let row = post::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(slug.to_owned()),
        title: Set("a".to_owned()),
        ..Default::default()
    };
    row.insert(&db.scoped(scope)).await
}

async fn count(db: &Db, scope: &Scope) -> u64 {
    post::Entity::find().count(&db.scoped(scope)).await.unwrap()
}

#[tokio::test]
async fn d37_applying_again_changes_nothing() {
    let schema = posts("again", seal());
    let blank = Blank::bootstrapped(&schema).await;
    let error = Db::connect(blank.config(&schema)).await.unwrap_err();
    insta::assert_snapshot!(error, @"the database does not have this version of the schema: run `Schema::apply` with the owner's login");
    let first = schema.apply(&blank.owner_url()).await.unwrap();
    assert!(
        first.changed && first.mended.is_empty() && first.accepted.is_empty(),
        "{first:?}"
    );
    let state = blank.state().await;
    for _ in 0..2 {
        assert_eq!(
            schema.apply(&blank.owner_url()).await.unwrap(),
            Applied::default()
        );
        // Bootstrapping again is harmless as well.
        blank.bootstrap(&schema).await;
        similar(&blank.state().await, &state);
    }
    blank.connect(&schema).await;
}

/// Equal but for the difference, so that a failure is readable.
fn similar(is: &str, was: &str) {
    let lost: Vec<&str> = was
        .lines()
        .filter(|line| !is.lines().any(|other| other == *line))
        .collect();
    let new: Vec<&str> = is
        .lines()
        .filter(|line| !was.lines().any(|other| other == *line))
        .collect();
    assert!(
        lost.is_empty() && new.is_empty(),
        "lost: {lost:#?}\nnew: {new:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d37_two_at_once_take_turns() {
    let schema = posts("turns", seal());
    let blank = Blank::bootstrapped(&schema).await;
    let url = blank.owner_url();
    let applied = (0..4).map(|_| {
        let (schema, url) = (schema.clone(), url.clone());
        tokio::spawn(async move { schema.apply(&url).await })
    });
    let mut changed = 0;
    for one in futures_util::future::join_all(applied).await {
        changed += usize::from(one.unwrap().unwrap().changed);
    }
    assert_eq!(changed, 1, "one does the work, and the others find it done");
    blank.connect(&schema).await;
}

#[tokio::test]
async fn d37_every_earlier_version_rolls_forward() {
    let schema = posts("forward", seal());
    for versions in 0..=6 {
        let blank = Blank::bootstrapped(&schema).await;
        schema
            .install_versions(&blank.owner_url(), versions)
            .await
            .unwrap();
        let installed: i64 = blank
            .admin
            .query_one("SELECT count(*) FROM partywall.migration", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(usize::try_from(installed).unwrap(), versions);
        let applied = schema.apply(&blank.owner_url()).await.unwrap();
        assert!(applied.changed, "{applied:?}");
        // All versions there are: a new one makes the list above longer.
        let latest: i32 = blank
            .admin
            .query_one("SELECT max(version) FROM partywall.migration", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(latest, 6);
        let db = blank.connect(&schema).await;
        let ((_, a), (_, b)) = (tenant(), tenant());
        insert_post(&db, &a, "one").await.unwrap();
        assert_eq!((count(&db, &a).await, count(&db, &b).await), (1, 0));
        assert_eq!(
            schema.apply(&blank.owner_url()).await.unwrap(),
            Applied::default()
        );
    }
    // The other direction is refused: a newer release has been here.
    let blank = Blank::bootstrapped(&schema).await;
    schema.apply(&blank.owner_url()).await.unwrap();
    let newer = "INSERT INTO partywall.migration (name, version, checksum) VALUES ('x', 4711, '')";
    blank.admin.batch_execute(newer).await.unwrap();
    let error = schema.apply(&blank.owner_url()).await.unwrap_err();
    assert!(matches!(error, ApplyError::Newer(4711)), "{error}");
}

#[tokio::test]
async fn d37_model_that_grew_keeps_its_rows() {
    let build = |grown: bool| {
        let builder = Schema::builder(Roles::named("grown"), seal());
        if grown {
            builder
                .model::<folder::Entity>()
                .model::<grown_note::Entity>()
                .build()
                .unwrap()
        } else {
            builder.model::<note::Entity>().build().unwrap()
        }
    };
    let (young, grown) = (build(false), build(true));
    let blank = Blank::bootstrapped(&young).await;
    young.apply(&blank.owner_url()).await.unwrap();
    let db = blank.connect(&young).await;
    let ((_, a), (_, b)) = (tenant(), tenant());
    for scope in [&a, &b] {
        let row = note::ActiveModel {
            id: Set(Uuid::now_v7()),
            title: Set("same".to_owned()),
            ..Default::default()
        };
        row.insert(&db.scoped(scope)).await.unwrap();
    }
    let error = Db::connect(blank.config(&grown)).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotApplied), "{error}");
    let applied = grown.apply(&blank.owner_url()).await.unwrap();
    assert!(applied.changed && applied.mended.is_empty(), "{applied:?}");
    let db = blank.connect(&grown).await;
    for scope in [&a, &b] {
        let kept = grown_note::Entity::find()
            .all(&db.scoped(scope))
            .await
            .unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].stars, kept[0].title.as_str()), (7, "same"));
    }
    // The unique is the tenant's, and so is the key.
    let scoped = db.scoped(&a);
    let twice = scoped.execute_sql(
        "INSERT INTO note (id, title) VALUES (gen_random_uuid(), 'same')",
        [],
    );
    assert_eq!(
        twice.await.unwrap_err().kind(),
        partywall::db::ErrorKind::Unique
    );
    let folder_id = Uuid::now_v7();
    let foreign = folder::ActiveModel {
        id: Set(folder_id),
        ..Default::default()
    };
    foreign.insert(&db.scoped(&b)).await.unwrap();
    let link = "UPDATE note SET folder_id = $1";
    let refused = scoped
        .execute_sql(link, [folder_id.into()])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), partywall::db::ErrorKind::ForeignKey);
    assert_eq!(
        db.scoped(&b)
            .execute_sql(link, [folder_id.into()])
            .await
            .unwrap(),
        1
    );
    let index: i64 = blank
        .admin
        .query_one(
            "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%(tenant_id, colour)'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(index, 1);
    assert_eq!(
        grown.apply(&blank.owner_url()).await.unwrap(),
        Applied::default()
    );
}

const BEFORE: &str = "
    CREATE TABLE country (code varchar PRIMARY KEY, name varchar NOT NULL);
    CREATE TABLE post (id uuid PRIMARY KEY, tenant_id uuid, slug varchar NOT NULL,
                       title varchar NOT NULL, views integer NOT NULL DEFAULT 0, country varchar);
    CREATE TABLE comment (id uuid PRIMARY KEY, post_id uuid NOT NULL REFERENCES post (id),
                          body varchar NOT NULL);
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;";

/// Makes the tables as they were before anybody thought of isolation, with rows of two tenants.
async fn old_tables(blank: &Blank, a: Uuid, b: Uuid) {
    let owner = crate::probe::session(&blank.owner_url()).await;
    owner.batch_execute(BEFORE).await.unwrap();
    for tenant in [a, b] {
        for n in 0..3 {
            let post = Uuid::now_v7();
            let insert = "INSERT INTO post (id, tenant_id, slug, title) VALUES ($1, $2, $3, 'old')";
            owner
                .execute(insert, &[&post, &tenant, &format!("slug {n}")])
                .await
                .unwrap();
            let insert = "INSERT INTO comment VALUES (gen_random_uuid(), $1, 'old')";
            owner.execute(insert, &[&post]).await.unwrap();
        }
    }
}

mod counted {
    use partywall::Scoped;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "counted")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub tenant_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A `serial` column counts by a sequence with rights of its own.
#[tokio::test]
async fn d37_adopted_serial_columns_count_on() {
    let schema = Schema::builder(Roles::named("counting"), seal())
        .migration(
            "old",
            "CREATE TABLE counted (id serial PRIMARY KEY, tenant_id uuid)",
        )
        .model::<counted::Entity>()
        .build()
        .unwrap();
    let blank = Blank::bootstrapped(&schema).await;
    schema.apply(&blank.owner_url()).await.unwrap();
    let db = blank.connect(&schema).await;
    let (id, scope) = tenant();
    let made = <counted::ActiveModel as Default>::default()
        .insert(&db.scoped(&scope))
        .await;
    assert_eq!(made.unwrap().tenant_id, id);
}

#[tokio::test]
async fn d37_tables_with_rows_are_adopted() {
    let schema = posts("adopted", seal());
    let blank = Blank::bootstrapped(&schema).await;
    let ((a, in_a), (b, in_b)) = (tenant(), tenant());
    old_tables(&blank, a, b).await;
    schema.apply(&blank.owner_url()).await.unwrap();
    let db = blank.connect(&schema).await;
    for (id, scope) in [(a, &in_a), (b, &in_b)] {
        let seen = post::Entity::find().all(&db.scoped(scope)).await.unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|post| post.tenant_id == id));
        // The copy of the tenant was filled in from the parent.
        let comments = comment::Entity::find()
            .count(&db.scoped(scope))
            .await
            .unwrap();
        assert_eq!(comments, 3);
        let comment = comment::ActiveModel {
            id: Set(Uuid::now_v7()),
            post_id: Set(seen[0].id),
            body: Set("new".to_owned()),
        };
        comment.insert(&db.scoped(scope)).await.unwrap();
    }
    let forced: bool = blank
        .admin
        .query_one("SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname IN ('post', 'comment')", &[])
        .await
        .unwrap()
        .get(0);
    assert!(forced);
    assert_eq!(
        schema.apply(&blank.owner_url()).await.unwrap(),
        Applied::default()
    );
}

#[tokio::test]
async fn d37_failed_apply_leaves_the_database_as_it_was() {
    let schema = posts("failed", seal());
    let blank = Blank::bootstrapped(&schema).await;
    let ((a, _), (b, _)) = (tenant(), tenant());
    old_tables(&blank, a, b).await;
    let before = blank.state().await;
    // A row without a tenant, two rows where one is allowed, a table of nobody's.
    for (damage, repair) in [
        (
            "UPDATE post SET tenant_id = NULL WHERE slug = 'slug 1'",
            format!("UPDATE post SET tenant_id = '{a}' WHERE tenant_id IS NULL"),
        ),
        ("UPDATE post SET slug = 'same'", "SELECT 1".to_owned()),
        (
            "CREATE TABLE stray (tenant_id uuid)",
            "DROP TABLE stray".to_owned(),
        ),
    ] {
        blank.admin.batch_execute(damage).await.unwrap();
        let damaged = blank.state().await;
        let error = schema.apply(&blank.owner_url()).await.unwrap_err();
        assert!(
            matches!(error, ApplyError::Database(_) | ApplyError::Undeclared(_)),
            "{error:?}"
        );
        similar(&blank.state().await, &damaged);
        blank.admin.batch_execute(&repair).await.unwrap();
    }
    assert!(!before.contains("partywall.applied"));
    // The control: mended, it applies.
    blank
        .admin
        .batch_execute("UPDATE post SET slug = id::text")
        .await
        .unwrap();
    schema.apply(&blank.owner_url()).await.unwrap();
    blank.connect(&schema).await;
}

#[tokio::test]
async fn d37_migrations_of_the_application_run_once_and_do_not_change() {
    let build = |migrations: &[(&str, &str)]| {
        let mut builder = Schema::builder(Roles::named("moved"), seal()).model::<note::Entity>();
        for (name, sql) in migrations {
            builder = builder.migration(*name, *sql);
        }
        builder.build().unwrap()
    };
    let one = ("one", "CREATE SEQUENCE ran; SELECT nextval('ran')");
    let first = build(&[one]);
    let blank = Blank::bootstrapped(&first).await;
    let ran = async || -> i64 {
        blank
            .admin
            .query_one("SELECT last_value FROM ran", &[])
            .await
            .unwrap()
            .get(0)
    };
    let applied = first.apply(&blank.owner_url()).await.unwrap();
    assert_eq!(applied.migrations, ["one"]);
    assert_eq!(
        first.apply(&blank.owner_url()).await.unwrap(),
        Applied::default()
    );
    assert_eq!(ran().await, 1);
    // Another one, which makes a trigger: declared that way, it is expected.
    let two = (
        "two",
        "SELECT nextval('ran'); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql \
         AS 'BEGIN RETURN NEW; END'; REVOKE ALL ON FUNCTION f() FROM PUBLIC; \
         CREATE TRIGGER t BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION f()",
    );
    let second = build(&[one, two]);
    let error = Db::connect(blank.config(&second)).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotApplied), "{error}");
    let applied = second.apply(&blank.owner_url()).await.unwrap();
    assert_eq!(applied.migrations, ["two"]);
    assert_eq!(ran().await, 2);
    blank.connect(&second).await;
    // One that has run may not change, and nothing of what follows it is done.
    let state = blank.state().await;
    let three = ("three", "SELECT nextval('ran')");
    let changed = build(&[("one", "SELECT 1"), two, three]);
    let error = changed.apply(&blank.owner_url()).await.unwrap_err();
    insta::assert_snapshot!(error, @"the migration `one` has run and was changed since: add a new one instead");
    similar(&blank.state().await, &state);
    // One that fails is named, and nothing of it stays.
    let broken = build(&[one, two, ("broken", "CREATE TABLE half (); SELECT 1 / 0")]);
    let error = broken.apply(&blank.owner_url()).await.unwrap_err();
    insta::assert_snapshot!(error, @"the migration `broken` failed");
    similar(&blank.state().await, &state);
    // The control.
    let third = build(&[one, two, three]);
    assert_eq!(
        third.apply(&blank.owner_url()).await.unwrap().migrations,
        ["three"]
    );
    assert_eq!(ran().await, 3);
}

#[tokio::test]
async fn d37_missing_login_is_named() {
    let schema = posts("ghost", seal());
    let blank = Blank::new().await;
    let error = schema.apply(&blank.owner_url()).await.unwrap_err();
    insta::assert_snapshot!(error, @r#"the login `ghost_app` does not exist and the owner may not create it: run `CREATE ROLE "ghost_app" LOGIN NOINHERIT PASSWORD '…'` as a role that may, or `Schema::bootstrap` as a superuser"#);
    blank.bootstrap(&schema).await;
    schema.apply(&blank.owner_url()).await.unwrap();
}

fn key(byte: u8) -> SealKey {
    SealKey::new(&[byte; 32]).unwrap()
}

#[tokio::test]
async fn d37_seal_keys_are_rotated() {
    let old = posts("rotated", Seal::on(key(1)));
    let both = posts("rotated", Seal::On(vec![key(2), key(1)]));
    let new = posts("rotated", Seal::on(key(2)));
    let blank = Blank::bootstrapped(&old).await;
    old.apply(&blank.owner_url()).await.unwrap();
    let running = blank.connect(&old).await;
    let (_, scope) = tenant();
    insert_post(&running, &scope, "one").await.unwrap();
    // With both, instances with the old key and with the new one work side by side.
    assert!(both.apply(&blank.owner_url()).await.unwrap().changed);
    let rolled_out = blank.connect(&both).await;
    assert_eq!(
        (
            count(&running, &scope).await,
            count(&rolled_out, &scope).await
        ),
        (1, 1)
    );
    // With the new one alone, a context sealed with the old one is refused, for reading and writing.
    assert!(new.apply(&blank.owner_url()).await.unwrap().changed);
    let error = Db::connect(blank.config(&old)).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotApplied), "{error}");
    let after = blank.connect(&new).await;
    assert_eq!(
        (
            count(&after, &scope).await,
            count(&rolled_out, &scope).await
        ),
        (1, 1)
    );
    let read = post::Entity::find().count(&running.scoped(&scope)).await;
    let written = insert_post(&running, &scope, "two").await;
    for error in [read.unwrap_err(), written.unwrap_err()] {
        assert_eq!(Error::kind_behind(&error), ErrorKind::Context, "{error}");
    }
    let keys: i64 = blank
        .admin
        .query_one("SELECT count(*) FROM partywall.seal_key", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(keys, 1);
}

#[tokio::test]
async fn d37_seal_is_switched_off_and_on() {
    let off = posts("switched", Seal::Off);
    let on = posts("switched", Seal::on(key(3)));
    let blank = Blank::bootstrapped(&off).await;
    let (_, scope) = tenant();
    for (n, schema) in [&off, &on, &off, &on].into_iter().enumerate() {
        assert!(schema.apply(&blank.owner_url()).await.unwrap().changed);
        let db = blank.connect(schema).await;
        insert_post(&db, &scope, &format!("slug {n}"))
            .await
            .unwrap();
        assert_eq!(count(&db, &scope).await, u64::try_from(n).unwrap() + 1);
        // The other schema's instances, where they come back, are told.
        let other = if n % 2 == 0 { &on } else { &off };
        let error = Db::connect(blank.config(other)).await.unwrap_err();
        assert!(matches!(error, ConnectError::NotApplied), "{error}");
    }
    // Sealed, a context that anybody can write down is refused; unsealed, it reads.
    let plain = format!(
        "SET partywall.context = '{{\"tenant\":\"{}\"}}'",
        scope.to_string().split_once('=').unwrap().1
    );
    for (schema, sealed) in [(&on, true), (&off, false)] {
        schema.apply(&blank.owner_url()).await.unwrap();
        let raw = crate::probe::session(&blank.url("switched_app")).await;
        raw.batch_execute(&plain).await.unwrap();
        match raw.query("SELECT FROM post", &[]).await {
            Ok(rows) => assert!(!sealed && rows.len() == 4, "{rows:?}"),
            Err(error) => assert!(sealed && error.code().unwrap().code() == "PW002", "{error}"),
        }
    }
}
