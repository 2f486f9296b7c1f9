//! Columns that no model declares, and parameters whose type the server infers.

use futures_util::TryStreamExt;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, entity::prelude::*,
    sea_query::Value,
};

use super::{connect, models::Db, relation};
use crate::value::{Kinds, Param, kind_of};

async fn ask(db: &Db, sql: &str) -> Result<QueryResult, DbErr> {
    Ok(db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?
        .unwrap())
}

/// Trap 3: what SeaORM cannot carry is an error that says so.
#[tokio::test]
async fn uncarried_types_are_errors() {
    let db = Db {
        client: connect().await,
        kinds: Kinds::new(),
        whole_model: false,
    };
    for ty in [
        "tstzrange",
        "int4range",
        "nummultirange",
        "interval",
        "money",
        "bit(3)",
        "varbit",
        "xml",
        "tsvector",
        "tsquery",
        "point",
        "box",
        "polygon",
        "pg_lsn",
        "timetz",
        "macaddr8",
        "tstzrange[]",
        "regclass",
        "xid",
    ] {
        let error = ask(&db, &format!("SELECT NULL::{ty} AS during"))
            .await
            .unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("column `during` has type `"),
            "{ty}: {error}"
        );
        assert!(error.contains("cast it to text"), "{ty}: {error}");
    }
    for (expression, part) in [
        ("'infinity'::timestamptz", "infinite"),
        ("'-infinity'::date", "infinite"),
        ("'24:00'::time", "23:59:59"),
        ("'NaN'::numeric", "finite"),
        ("'Infinity'::numeric", "finite"),
        ("1e30::numeric", "96-bit"),
        ("0.123456789012345678901234567891::numeric", "digits"),
        ("ARRAY[1, NULL]", "NULL element"),
        ("ARRAY[ARRAY[1], ARRAY[2]]", "dimensions"),
        ("'5874897-12-31'::date", "range"),
        ("'294276-12-31'::timestamp", "range"),
        ("ROW(1, 2)", "cast it to text"),
    ] {
        let error = ask(&db, &format!("SELECT {expression} AS during"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(part), "{expression}: {error}");
    }
    // And the positive control.
    let row = ask(
        &db,
        "SELECT '[1,2]'::int4range::text AS during, pg_notify('a', 'b')",
    )
    .await;
    assert_eq!(
        row.unwrap().try_get::<String>("", "during").unwrap(),
        "[1,3)"
    );
    let row = ask(
        &db,
        "SELECT 1.50::numeric(40,30) AS n, '[0:1]={1,2}'::int[] AS a, 'r'::\"char\" AS c, \
         '1.2.3.0/24'::cidr AS i, 'x'::name AS x, '{}'::text[] AS e, 5::oid AS o",
    )
    .await
    .unwrap();
    assert_eq!(
        row.try_get::<Decimal>("", "n").unwrap(),
        "1.5".parse().unwrap()
    );
    assert_eq!(row.try_get::<Vec<i32>>("", "a").unwrap(), [1, 2]);
    assert_eq!(row.try_get::<i8>("", "c").unwrap(), 114);
    assert_eq!(
        row.try_get::<IpNetwork>("", "i").unwrap(),
        "1.2.3.0/24".parse().unwrap()
    );
    assert_eq!(row.try_get::<String>("", "x").unwrap(), "x");
    assert_eq!(
        row.try_get::<Vec<String>>("", "e").unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(row.try_get::<u32>("", "o").unwrap(), 5);
}

/// A parameter whose type the server inferred instead of being told.
#[tokio::test]
async fn inferred_types_are_served() {
    let client = connect().await;
    let label = |text: &str| Value::from(text);
    let sql = "DROP TYPE IF EXISTS hue; CREATE TYPE hue AS ENUM ('red', 'dark, blue')";
    client.batch_execute(sql).await.unwrap();
    for (ty, value, expected) in [
        ("smallint", Value::from(7i64), "7"),
        ("bigint", 7i8.into(), "7"),
        ("oid", 7u64.into(), "7"),
        ("numeric", 7i32.into(), "7"),
        ("numeric", 1.5f64.into(), "1.5"),
        ("float8", 0.25f32.into(), "0.25"),
        ("float4", 0.25f64.into(), "0.25"),
        ("hue", label("dark, blue"), "dark, blue"),
        (
            "hue[]",
            vec!["dark, blue".to_owned()].into(),
            "{\"dark, blue\"}",
        ),
        ("inet", label("10.0.0.1"), "10.0.0.1/32"),
        ("int4range", label("[1,4)"), "[1,4)"),
        ("interval", label("1 day"), "1 day"),
        (
            "uuid[]",
            vec![Uuid::nil().to_string()].into(),
            "{00000000-0000-0000-0000-000000000000}",
        ),
        ("int2[]", vec![1i64, 2].into(), "{1,2}"),
        ("int8[]", vec![1i16, 2].into(), "{1,2}"),
        ("json", serde_json::json!({"a": 1}).into(), "{\"a\":1}"),
        (
            "text",
            Uuid::nil().into(),
            "00000000-0000-0000-0000-000000000000",
        ),
        ("boolean", true.into(), "true"),
        ("text", true.into(), "true"),
        ("money", label("12.50"), "$12.50"),
    ] {
        let statement = client
            .prepare(&format!("SELECT ($1::{ty})::text"))
            .await
            .unwrap();
        let values = [value];
        let rows: Vec<_> = client
            .query_raw(&statement, values.iter().map(Param))
            .await
            .unwrap_or_else(|error| panic!("{ty}: {error:?}"))
            .try_collect()
            .await
            .unwrap();
        assert_eq!(rows[0].get::<_, String>(0), expected, "{ty}");
    }
    for (ty, value) in [
        ("smallint", Value::from(70_000i64)),
        ("oid", (-1i32).into()),
        ("timestamp", chrono::Utc::now().into()),
        ("text", b"bytes".to_vec().into()),
        ("\"char\"", label("ab")),
        ("text", vec![1i32].into()),
    ] {
        let statement = client
            .prepare(&format!("SELECT ($1::{ty})::text"))
            .await
            .unwrap();
        let values = [value];
        let sent = client.query_raw(&statement, values.iter().map(Param)).await;
        let error = sent.err().unwrap_or_else(|| panic!("{ty}"));
        assert!(error.as_db_error().is_none(), "{ty}: {error:?}");
    }
}

#[tokio::test]
async fn a_value_out_of_its_fields_range_is_no_none() {
    let mut db = Db {
        client: connect().await,
        kinds: Kinds::new(),
        whole_model: false,
    };
    let sql =
        "CREATE TEMPORARY TABLE narrow (n bigint, t text); INSERT INTO narrow VALUES (300, 'x')";
    db.client.batch_execute(sql).await.unwrap();
    let (oid, _) = relation(&db.client, "narrow").await;
    db.kinds.insert(oid, 1, kind_of::<Option<i16>>());
    let row = ask(&db, "SELECT n FROM narrow").await.unwrap();
    assert_eq!(row.try_get::<Option<i16>>("", "n").unwrap(), Some(300));
    db.kinds.insert(oid, 1, kind_of::<Option<u8>>());
    let error = ask(&db, "SELECT n FROM narrow")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("column `n` has type `int8` and a value that is outside"),
        "{error}"
    );
    db.kinds.insert(oid, 2, kind_of::<Option<i16>>());
    let error = ask(&db, "SELECT t FROM narrow")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("its field holds a 16-bit integer"),
        "{error}"
    );
}
