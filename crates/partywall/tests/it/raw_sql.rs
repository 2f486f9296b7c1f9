//! D3–D5: raw SQL, streams and COPY, with and without a scope.

use futures_util::{StreamExt, TryStreamExt, future};
use partywall::{
    Scope, Sql,
    db::{Error, ErrorKind},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, LoaderTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, StreamTrait,
};
use uuid::Uuid;

use crate::{
    login,
    models::{World, comment, post, post_tag, tag},
};

/// Ways to find out that rows exist, each of which answers with a number.
const PROBES: [&str; 9] = [
    "SELECT count(*) FROM post",
    "SELECT coalesce(sum(1), 0)::bigint FROM post WHERE title <> ''",
    "SELECT CASE WHEN EXISTS (SELECT FROM post) THEN 3 ELSE 0 END::bigint",
    "WITH all_posts AS MATERIALIZED (SELECT * FROM post) SELECT count(*) FROM all_posts",
    "SELECT count(*) FROM post AS p LEFT JOIN post_tag AS t ON t.post_id = p.id AND false",
    "SELECT count(*) FROM (SELECT id FROM post UNION SELECT id FROM post) AS ids",
    "SELECT count(*) FROM generate_series(1, 1), LATERAL (SELECT * FROM post OFFSET 0) AS p",
    "SELECT count(*) FROM (TABLE post) AS p WHERE $1::boolean IS NULL OR true",
    "SELECT count(DISTINCT id) FROM post WHERE id::text LIKE '%'",
];

#[tokio::test]
async fn d4_every_probe_counts_own_rows() {
    let world = World::new().await;
    for own in [&world.a, &world.b] {
        let db = world.test.as_scope(&own.scope);
        let tx = world.test.db().begin(&own.scope).await.unwrap();
        for probe in PROBES {
            let parameters = || probe.contains("$1").then(|| None::<bool>.into());
            let alone: i64 = db.scalar(probe, parameters()).await.unwrap();
            let inside: i64 = tx.scalar(probe, parameters()).await.unwrap();
            assert_eq!((alone, inside), (3, 3), "{probe}");
        }
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn d3_the_database_shows_nothing_without_a_scope() {
    let world = World::new().await;
    let client = login::app(&world.test).await;
    // Never set, set to nothing, and as a transaction leaves it that had set it.
    for reset in [
        "SELECT 1",
        "SET partywall.context = ''",
        "BEGIN; SET LOCAL partywall.context = 'x'; COMMIT",
    ] {
        client.batch_execute(reset).await.unwrap();
        for probe in PROBES {
            let row = match probe.contains("$1") {
                true => client.query_one(probe, &[&None::<bool>]).await.unwrap(),
                false => client.query_one(probe, &[]).await.unwrap(),
            };
            assert_eq!(row.get::<_, i64>(0), 0, "{probe} after {reset}");
        }
        for table in ["post", "comment", "reaction", "tag", "post_tag"] {
            let rows = client
                .query(&format!("SELECT * FROM {table}"), &[])
                .await
                .unwrap();
            assert!(rows.is_empty(), "{table}");
            let copied = client
                .copy_out(&format!("COPY {table} TO STDOUT"))
                .await
                .unwrap();
            assert_eq!(
                copied.try_collect::<Vec<_>>().await.unwrap().len(),
                0,
                "{table}"
            );
        }
        let plan = client
            .query("EXPLAIN ANALYZE SELECT * FROM post", &[])
            .await
            .unwrap();
        let scan: String = plan[0].get(0);
        assert!(scan.contains("rows=0 loops=1"), "{scan}");
    }
}

/// D3 for whatever is not a plain query: by nobody each is refused and names the dimension, by somebody
/// each answers.
#[tokio::test]
async fn d4_nothing_runs_for_nobody() {
    let world = World::new().await;
    let db = world.test.db();
    let posts = post::Entity::find()
        .all(&world.test.as_scope(&world.a.scope))
        .await
        .unwrap();
    for (scope, runs) in [(&Scope::trusted([]), false), (&world.a.scope, true)] {
        let scoped = world.test.as_scope(scope);
        let check = |what: &str, done: Result<usize, String>| match done {
            Ok(rows) => assert!(runs && rows > 0, "{what}: {rows} rows for {scope}"),
            Err(told) => assert!(!runs && told.contains("`tenant`"), "{what}: {told}"),
        };
        let told = |error: Error| error.to_string();
        let through_orm = |error: sea_orm::DbErr| error.to_string();
        for probe in PROBES {
            let parameters = probe.contains("$1").then(|| None::<bool>.into());
            let done = scoped.rows(probe, parameters).await;
            check(probe, done.map(|rows| rows.len()).map_err(told));
        }
        let explain = "EXPLAIN ANALYZE SELECT * FROM post";
        let done = scoped.rows(explain, []).await;
        check(explain, done.map(|rows| rows.len()).map_err(told));
        let total = post::Entity::find()
            .select_only()
            .column_as(post::Column::Views.sum(), "total")
            .into_tuple::<Option<i64>>()
            .all(&scoped)
            .await;
        check("a sum", total.map(|rows| rows.len()).map_err(through_orm));
        let loaded = posts.load_many(comment::Entity, &scoped).await;
        check(
            "a loader",
            loaded.map(|all| all[0].len()).map_err(through_orm),
        );
        let loaded = posts
            .load_many_to_many(tag::Entity, post_tag::Entity, &scoped)
            .await;
        check(
            "two loaders",
            loaded.map(|all| all[0].len()).map_err(through_orm),
        );
        let joined = post::Entity::find()
            .inner_join(comment::Entity)
            .all(&scoped);
        check(
            "a join",
            joined.await.map(|all| all.len()).map_err(through_orm),
        );
        let streamed = match scoped.stream_sql("SELECT * FROM post", []).await {
            Ok(rows) => rows.try_collect::<Vec<_>>().await.map_err(through_orm),
            Err(error) => Err(told(error)),
        };
        check("a stream", streamed.map(|rows| rows.len()));
        let tx = db.begin(scope).await.unwrap();
        let copied = match tx.copy_out("COPY post TO STDOUT").await {
            Ok(lines) => lines.try_collect::<Vec<_>>().await.map_err(told),
            Err(error) => Err(told(error)),
        };
        check("a COPY", copied.map(|lines| lines.len()));
    }
}

#[tokio::test]
async fn d5_blind_statements_reach_own_rows() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let (own, foreign) = (world.test.as_scope(&a.scope), world.test.as_scope(&b.scope));
    assert_eq!(own.rows("SELECT * FROM post", []).await.unwrap().len(), 3);
    assert_eq!(
        own.execute_sql("UPDATE post SET title = 'mine'", [])
            .await
            .unwrap(),
        3
    );
    let titles = own
        .rows("UPDATE post SET title = 'mine' RETURNING title", [])
        .await
        .unwrap();
    assert_eq!(titles.len(), 3);
    let tx = world.test.db().begin(&a.scope).await.unwrap();
    assert_eq!(
        tx.rows("DELETE FROM post RETURNING *", [])
            .await
            .unwrap()
            .len(),
        3
    );
    tx.rollback().await.unwrap();
    assert_eq!(own.execute_sql("DELETE FROM post", []).await.unwrap(), 3);
    let left: Vec<String> = foreign
        .rows("SELECT title FROM post ORDER BY title", [])
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();
    assert_eq!(left, ["b 0", "b 1", "b 2"]);
}

#[tokio::test]
async fn d5_blind_statements_of_sea_orm_reach_own_rows() {
    let world = World::new().await;
    let own = world.test.as_scope(&world.a.scope);
    let run = async |sql: &str| {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        own.execute_raw(statement).await.unwrap().rows_affected()
    };
    assert_eq!(run("UPDATE post SET views = views + 1").await, 3);
    assert_eq!(
        own.execute_unprepared("DELETE FROM comment")
            .await
            .unwrap()
            .rows_affected(),
        2
    );
    assert_eq!(
        post::Entity::delete_many()
            .exec(&own)
            .await
            .unwrap()
            .rows_affected,
        3
    );
    let foreign = world.test.as_scope(&world.b.scope);
    let left: i64 = foreign
        .scalar("SELECT sum(1 - views) FROM post", [])
        .await
        .unwrap();
    assert_eq!(left, 3);
}

#[tokio::test]
async fn d5_joining_other_tables_reaches_own_rows() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let db = world.test.as_scope(&a.scope);
    let touched = db
        .execute_sql(
            "UPDATE post SET title = p.title FROM post AS p WHERE p.id = $1",
            [b.posts[0].into()],
        )
        .await
        .unwrap();
    assert_eq!(touched, 0);
    let deleted = "DELETE FROM comment USING post WHERE post.title LIKE $1";
    assert_eq!(db.execute_sql(deleted, ["b%".into()]).await.unwrap(), 0);
    assert_eq!(db.execute_sql(deleted, ["a%".into()]).await.unwrap(), 2);
    let cte = "WITH gone AS (DELETE FROM post RETURNING id) SELECT count(*) FROM gone";
    assert_eq!(db.scalar::<i64, _>(cte, []).await.unwrap(), 3);
    let rest: i64 = world
        .test
        .as_scope(&b.scope)
        .scalar(PROBES[0], [])
        .await
        .unwrap();
    assert_eq!(rest, 3);
}

#[tokio::test]
async fn d4_explain_counts_own_rows() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let rows = db
        .rows("EXPLAIN ANALYZE SELECT * FROM post", [])
        .await
        .unwrap();
    let plan: Vec<String> = rows
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();
    let scan = plan.iter().find(|line| line.contains(" on post")).unwrap();
    assert!(scan.contains("actual") && scan.contains("rows=3"), "{scan}");
}

#[tokio::test]
async fn d4_streams_show_own_rows() {
    let world = World::new().await;
    for own in [&world.a, &world.b] {
        let db = world.test.as_scope(&own.scope);
        let sorted = || post::Entity::find().order_by_asc(post::Column::Id);
        let alone: Vec<post::Model> = sorted()
            .stream(&db)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(
            alone.iter().map(|post| post.id).collect::<Vec<_>>(),
            own.posts
        );
        let tx = world.test.db().begin(&own.scope).await.unwrap();
        let inside: Vec<Uuid> = tx
            .stream_sql("SELECT id FROM post ORDER BY id", [])
            .await
            .unwrap()
            .and_then(|row| future::ready(row.try_get_by_index::<Uuid>(0)))
            .try_collect()
            .await
            .unwrap();
        assert_eq!(inside, own.posts);
        let raw = Statement::from_string(DbBackend::Postgres, "DELETE FROM post RETURNING id");
        let deleted = tx
            .stream_raw(raw)
            .await
            .unwrap()
            .try_collect::<Vec<_>>()
            .await
            .unwrap();
        assert_eq!(deleted.len(), 3);
        tx.rollback().await.unwrap();
    }
    let tuples: Vec<(Uuid,)> = post::Entity::find()
        .select_only()
        .column(post::Column::Id)
        .filter(sea_orm::ColumnTrait::eq(
            &post::Column::TenantId,
            world.b.id,
        ))
        .into_tuple::<(Uuid,)>()
        .stream(&world.test.as_scope(&world.a.scope))
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert!(tuples.is_empty());
}

#[tokio::test]
async fn d4_copy_out_is_filtered() {
    let world = World::new().await;
    for (own, mark) in [(&world.a, "a "), (&world.b, "b ")] {
        let tx = world.test.db().begin(&own.scope).await.unwrap();
        for sql in [
            "COPY post (title) TO STDOUT",
            "COPY (SELECT title FROM post) TO STDOUT WITH (FORMAT csv)",
            "/* all of it */ copy (table post) to stdout",
        ] {
            let chunks: Vec<_> = tx.copy_out(sql).await.unwrap().try_collect().await.unwrap();
            let text = String::from_utf8(chunks.concat()).unwrap();
            assert_eq!(text.lines().count(), 3, "{sql}: {text}");
            assert!(
                text.lines().all(|line| line.contains(mark)),
                "{sql}: {text}"
            );
        }
        // A failure on the way is the last of it.
        let inner = tx.nested().unwrap();
        let fails = "COPY (SELECT 1 / (2 - n) FROM generate_series(1, 3) n) TO STDOUT";
        let lines = inner.copy_out(fails).await.unwrap().take(9);
        let lines: Vec<bool> = lines.map(|line| line.is_ok()).collect().await;
        assert_eq!(lines, [true, false]);
        drop(inner);
        // The transaction goes on.
        assert_eq!(tx.scalar::<i64, _>(PROBES[0], []).await.unwrap(), 3);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn d12_copy_in_is_refused() {
    let world = World::new().await;
    let db = world.test.as_scope(&world.a.scope);
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    let sql = "COPY post (id, slug, title) FROM STDIN";
    assert!(matches!(
        db.execute_sql(sql, []).await,
        Err(Error::Refused(_))
    ));
    assert!(matches!(
        tx.execute_sql(sql, []).await,
        Err(Error::Refused(_))
    ));
    assert!(matches!(
        tx.copy_out(sql).await.map(drop),
        Err(Error::Refused(_))
    ));
    let program = tx
        .copy_out("COPY (SELECT 'to stdout') TO PROGRAM 'cat'")
        .await
        .map(drop);
    assert_eq!(program.unwrap_err().kind(), ErrorKind::Denied);
    tx.rollback().await.unwrap();
    // PostgreSQL refuses it as well, whoever sends it.
    let client = login::app(&world.test).await;
    let refused = client.copy_in::<_, &[u8]>(sql).await.map(drop).unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "0A000");
}
