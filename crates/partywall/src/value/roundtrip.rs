//! Round trips of every variant through a real PostgreSQL. A unit test, for the room is crate-private.
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests fail by panicking, and SeaORM's macros make entities public"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;

use futures_util::TryStreamExt;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::postgres_array::NotU8;
use sea_orm::sea_query::{Expr, Nullable, Value, ValueType};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbBackend, DbErr, ExecResult, FromQueryResult,
    IntoActiveModel, ProxyExecResult, QueryOrder, QueryResult, QuerySelect, RuntimeErr, Statement,
};
use tokio_postgres::{Client, NoTls};

use crate::value::{Kinds, Param, RowPlan, ValueError, check, declared_type, kind_of};

/// The server of these tests, gone with the process.
fn server() -> &'static partywall_embedded::Server {
    static SERVER: std::sync::OnceLock<partywall_embedded::Server> = std::sync::OnceLock::new();
    SERVER.get_or_init(|| {
        partywall_embedded::Server::start(&partywall_embedded::Settings::temporary()).unwrap()
    })
}

async fn connect() -> Client {
    let url = server().superuser_url("postgres");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("SET timezone = 'Asia/Kathmandu'")
        .await
        .unwrap();
    client
}

/// The parameters of one statement, as `db` sends them.
struct Params<'values> {
    values: &'values [Value],
    types: Vec<tokio_postgres::types::Type>,
}

impl<'values> Params<'values> {
    fn new(values: &'values [Value]) -> Result<Self, ValueError> {
        check(values)?;
        let types = values.iter().map(declared_type).collect::<Result<_, _>>()?;
        Ok(Self { values, types })
    }

    fn types(&self) -> &[tokio_postgres::types::Type] {
        &self.types
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = Param<'values>> {
        self.values.iter().map(Param)
    }

    fn typed(
        &self,
    ) -> impl ExactSizeIterator<Item = (Param<'values>, tokio_postgres::types::Type)> {
        self.iter().zip(self.types.iter().cloned())
    }
}

async fn relation(client: &Client, table: &str) -> (u32, BTreeMap<String, i16>) {
    let rows = client
        .query(
            "SELECT attrelid, attname::text, attnum FROM pg_attribute \
             WHERE attrelid = $1::text::regclass AND attnum > 0",
            &[&table],
        )
        .await
        .unwrap();
    let oid = rows[0].get(0);
    (
        oid,
        rows.iter().map(|row| (row.get(1), row.get(2))).collect(),
    )
}

/// Writes through a prepared statement and through `query_typed`, and reads both back.
async fn through(
    client: &Client,
    kinds: &Kinds,
    sql: &str,
    value: &Value,
) -> Result<[Value; 2], ValueError> {
    let values = [value.clone()];
    let params = Params::new(&values)?;
    let prepared = client.prepare_typed(sql, params.types()).await.unwrap();
    let plan = RowPlan::new(prepared.columns(), kinds, false)?;
    let rows: Vec<_> = client
        .query_raw(&prepared, params.iter())
        .await
        .unwrap_or_else(|error| panic!("{value:?}: {error:?}"))
        .try_collect()
        .await
        .unwrap();
    let typed: Vec<_> = client
        .query_typed_raw(sql, params.typed())
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    Ok([read(&plan, &rows[0])?, read(&plan, &typed[0])?])
}

fn read(plan: &RowPlan, row: &tokio_postgres::Row) -> Result<Value, ValueError> {
    let result = plan.query_result(row)?;
    Ok(result
        .try_as_proxy_row()
        .unwrap()
        .values
        .get("v")
        .unwrap()
        .clone())
}

fn same(left: &Value, right: &Value) -> bool {
    // `jsonb` keeps its keys in an order of its own, and `Value` compares JSON by its text.
    if let (Value::Json(Some(left)), Value::Json(Some(right))) = (left, right) {
        return left == right;
    }
    if let (Value::Array(_, Some(left)), Value::Array(_, Some(right))) = (left, right) {
        let pairs = left.iter().zip(right.iter());
        return left.len() == right.len()
            && pairs.into_iter().all(|(left, right)| same(left, right));
    }
    // NaN equals nothing, so it is compared by what it prints.
    left == right || format!("{left:?}") == format!("{right:?}")
}

struct Bench {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        let client = runtime.block_on(connect());
        Self { runtime, client }
    }

    fn table(&self, column: &str) -> (u32, String) {
        static NAMES: Mutex<u32> = Mutex::new(0);
        let name = {
            let mut names = NAMES.lock().unwrap();
            *names += 1;
            format!("v{names}")
        };
        let oid = self.runtime.block_on(async {
            let sql = format!("CREATE TEMPORARY TABLE {name} (v {column})");
            self.client.batch_execute(&sql).await.unwrap();
            relation(&self.client, &name).await.0
        });
        (
            oid,
            format!("INSERT INTO {name} (v) VALUES ($1) RETURNING v"),
        )
    }

    /// Every value, and null, in a column of this type.
    fn scalars<T>(&self, column: &str, strategy: impl Strategy<Value = T>)
    where
        T: ValueType + Into<Value> + Nullable + Debug + Clone,
    {
        let (oid, sql) = self.table(column);
        let mut kinds = Kinds::new();
        kinds.insert(oid, 1, kind_of::<Option<T>>());
        let run = |value: Value| {
            let read = self
                .runtime
                .block_on(through(&self.client, &kinds, &sql, &value))
                .unwrap();
            for read in read {
                assert!(
                    same(&read, &value),
                    "{column}: {value:?} came back as {read:?}"
                );
            }
        };
        run(T::null());
        TestRunner::new(Config {
            cases: 64,
            failure_persistence: None,
            ..Config::default()
        })
        .run(&strategy, |value| {
            run(value.into());
            Ok(())
        })
        .unwrap();
    }

    /// Every array, with and without null elements, the null array and the empty one.
    fn arrays<T>(&self, column: &str, strategy: impl Strategy<Value = T>)
    where
        T: ValueType + Into<Value> + Nullable + NotU8 + Debug + Clone,
    {
        let (oid, sql) = self.table(&format!("{column}[]"));
        let (mut kinds, mut roomy) = (Kinds::new(), Kinds::new());
        kinds.insert(oid, 1, kind_of::<Option<Vec<T>>>());
        roomy.insert(oid, 1, kind_of::<Vec<Option<T>>>());
        let run = |value: Value, kinds: &Kinds| {
            let read = self
                .runtime
                .block_on(through(&self.client, kinds, &sql, &value))
                .unwrap();
            for read in read {
                assert!(
                    same(&read, &value),
                    "{column}[]: {value:?} came back as {read:?}"
                );
            }
        };
        run(<Vec<T> as Nullable>::null(), &kinds);
        run(Vec::<T>::new().into(), &kinds);
        let strategy = proptest::collection::vec(proptest::option::weighted(0.8, strategy), 0..6);
        TestRunner::new(Config {
            cases: 32,
            failure_persistence: None,
            ..Config::default()
        })
        .run(&strategy, |elements| {
            let holes = elements.iter().any(Option::is_none);
            let full: Vec<T> = elements.iter().flatten().cloned().collect();
            run(full.into(), &kinds);
            let elements: Vec<Value> = elements
                .into_iter()
                .map(|e| e.map_or_else(T::null, Into::into))
                .collect();
            let value = Value::Array(T::array_type(), Some(Box::new(elements)));
            run(value.clone(), &roomy);
            if holes {
                let read = self
                    .runtime
                    .block_on(through(&self.client, &kinds, &sql, &value));
                assert!(read.unwrap_err().to_string().contains("NULL element"));
            }
            Ok(())
        })
        .unwrap();
    }

    fn both<T>(&self, column: &str, strategy: impl Strategy<Value = T> + Clone)
    where
        T: ValueType + Into<Value> + Nullable + NotU8 + Debug + Clone,
    {
        self.scalars(column, strategy.clone());
        self.arrays(column, strategy);
    }
}

fn texts() -> impl Strategy<Value = String> + Clone {
    any::<String>().prop_map(|text| text.replace('\0', "_"))
}

fn documents() -> impl Strategy<Value = serde_json::Value> + Clone {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        texts().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map(texts(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

const FIRST: i64 = -210_866_803_200_000_000; // 4714-11-24 BC, in microseconds since 1970
const YEAR_9999: i64 = 253_402_300_799_999_999;

fn instants() -> impl Strategy<Value = chrono::DateTime<chrono::Utc>> + Clone {
    let last = chrono::DateTime::<chrono::Utc>::MAX_UTC.timestamp_micros();
    prop_oneof![FIRST..=last, 0..YEAR_9999, Just(FIRST), Just(last)]
        .prop_map(|micros| chrono::DateTime::from_timestamp_micros(micros).unwrap())
}

fn offsets() -> impl Strategy<Value = time::OffsetDateTime> + Clone {
    prop_oneof![FIRST..=YEAR_9999, Just(FIRST), Just(YEAR_9999)].prop_map(|micros| {
        time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap()
    })
}

fn decimals() -> impl Strategy<Value = rust_decimal::Decimal> + Clone {
    (
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<bool>(),
        0..=28u32,
    )
        .prop_map(|(a, b, c, sign, scale)| rust_decimal::Decimal::from_parts(a, b, c, sign, scale))
}

fn big_decimals() -> impl Strategy<Value = bigdecimal::BigDecimal> + Clone {
    prop_oneof![
        ("-?[0-9]{1,80}", -60..120i64),
        Just(("1".to_owned(), 16_383)),
        Just(("-9".to_owned(), -131_000)),
    ]
    .prop_map(|(digits, scale)| bigdecimal::BigDecimal::new(digits.parse().unwrap(), scale))
}

fn networks() -> impl Strategy<Value = ipnetwork::IpNetwork> + Clone {
    prop_oneof![
        (any::<u32>(), 0..=32u8)
            .prop_map(|(ip, prefix)| (std::net::IpAddr::from(ip.to_be_bytes()), prefix)),
        (any::<u128>(), 0..=128u8)
            .prop_map(|(ip, prefix)| (std::net::IpAddr::from(ip.to_be_bytes()), prefix)),
    ]
    .prop_map(|(ip, prefix)| ipnetwork::IpNetwork::new(ip, prefix).unwrap())
}

#[test]
fn numbers_round_trip() {
    let bench = Bench::new();
    bench.both::<bool>("boolean", any::<bool>());
    bench.both::<i8>(r#""char""#, any::<i8>());
    bench.both::<i16>("smallint", any::<i16>());
    bench.both::<i32>("integer", any::<i32>());
    bench.both::<i64>("bigint", any::<i64>());
    bench.scalars::<u8>("smallint", any::<u8>());
    bench.both::<u16>("integer", any::<u16>());
    bench.both::<u32>("bigint", any::<u32>());
    bench.scalars::<u32>("oid", any::<u32>());
    bench.both::<u64>("bigint", 0..=i64::MAX as u64);
    bench.both::<f32>("real", proptest::num::f32::ANY);
    bench.both::<f64>("double precision", proptest::num::f64::ANY);
    bench.both::<rust_decimal::Decimal>("numeric", decimals());
    bench.both::<bigdecimal::BigDecimal>("numeric", big_decimals());
}

#[test]
fn texts_round_trip() {
    let bench = Bench::new();
    bench.runtime.block_on(async {
        let sql = "DROP DOMAIN IF EXISTS roundtrip_name; CREATE DOMAIN roundtrip_name AS text; \
                   CREATE EXTENSION IF NOT EXISTS citext";
        bench.client.batch_execute(sql).await.unwrap();
    });
    bench.both::<String>("text", texts());
    bench.both::<String>("varchar", texts());
    bench.both::<String>("citext", texts());
    bench.both::<String>("roundtrip_name", texts());
    bench.both::<char>("text", any::<char>().prop_filter("NUL", |c| *c != '\0'));
    bench.scalars::<char>("char(1)", any::<char>().prop_filter("NUL", |c| *c != '\0'));
    bench.scalars::<Vec<u8>>("bytea", any::<Vec<u8>>());
    bench.arrays::<Vec<u8>>("bytea", any::<Vec<u8>>());
    bench.both::<serde_json::Value>("jsonb", documents());
    bench.both::<uuid::Uuid>("uuid", any::<u128>().prop_map(uuid::Uuid::from_u128));
    bench.both::<ipnetwork::IpNetwork>("inet", networks());
    bench.both::<mac_address::MacAddress>(
        "macaddr",
        any::<[u8; 6]>().prop_map(mac_address::MacAddress::new),
    );
}

#[test]
fn moments_round_trip() {
    let bench = Bench::new();
    let times = (0..86_400u32, 0..1_000_000u32).prop_map(|(seconds, micros)| {
        chrono::NaiveTime::from_num_seconds_from_midnight_opt(seconds, micros * 1000).unwrap()
    });
    bench.both::<chrono::NaiveDate>("date", instants().prop_map(|moment| moment.date_naive()));
    bench.both::<chrono::NaiveTime>("time", times);
    bench.both::<chrono::NaiveDateTime>("timestamp", instants().prop_map(|m| m.naive_utc()));
    bench.both::<chrono::DateTime<chrono::Utc>>("timestamptz", instants());
    bench.both::<chrono::DateTime<chrono::Local>>(
        "timestamptz",
        // Local time has no room for an offset at the very end of chrono's range.
        (FIRST..=YEAR_9999).prop_map(|micros| {
            chrono::DateTime::from_timestamp_micros(micros)
                .unwrap()
                .into()
        }),
    );
    bench.both::<chrono::DateTime<chrono::FixedOffset>>(
        "timestamptz",
        (FIRST..=YEAR_9999, -86_399..86_399i32).prop_map(|(micros, offset)| {
            let offset = chrono::FixedOffset::east_opt(offset).unwrap();
            chrono::DateTime::from_timestamp_micros(micros)
                .unwrap()
                .with_timezone(&offset)
        }),
    );
    bench.both::<time::Date>("date", offsets().prop_map(|moment| moment.date()));
    bench.both::<time::Time>("time", offsets().prop_map(|moment| moment.time()));
    bench.both::<time::PrimitiveDateTime>(
        "timestamp",
        offsets().prop_map(|moment| time::PrimitiveDateTime::new(moment.date(), moment.time())),
    );
    bench.both::<time::OffsetDateTime>("timestamptz", offsets());
}

mod ticket {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "Enum", db_type = "Enum", enum_name = "mood")]
    pub(crate) enum Mood {
        #[sea_orm(string_value = "happy")]
        Happy,
        #[sea_orm(string_value = "so, so")]
        SoSo,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
    pub(crate) enum Level {
        #[sea_orm(num_value = 1)]
        Low,
        #[sea_orm(num_value = 2)]
        High,
    }

    #[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
    pub(crate) struct Tags(pub(crate) Vec<String>);

    #[derive(
        Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, FromJsonQueryResult,
    )]
    pub(crate) struct Extra {
        pub(crate) weight: i32,
    }

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "ticket")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) zid: i64,
        pub(crate) name: String,
        pub(crate) mood: Mood,
        pub(crate) moods: Vec<Mood>,
        pub(crate) maybe_mood: Option<Mood>,
        pub(crate) level: Level,
        pub(crate) age: Option<i64>,
        pub(crate) count: Option<u32>,
        pub(crate) ratio: Option<f64>,
        pub(crate) at: time::OffsetDateTime,
        pub(crate) seen: Option<time::OffsetDateTime>,
        pub(crate) price: Decimal,
        pub(crate) tags: Tags,
        pub(crate) maybe_tags: Option<Vec<String>>,
        pub(crate) extra: Option<Extra>,
        #[sea_orm(column_type = "JsonBinary")]
        pub(crate) extras: Vec<Extra>,
        pub(crate) bytes: Vec<u8>,
        pub(crate) key: Uuid,
        pub(crate) ip: Option<IpNetwork>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[derive(Debug)]
struct Db {
    client: Client,
    kinds: Kinds,
    whole_model: bool,
}

fn failed(error: impl std::fmt::Display + Debug) -> DbErr {
    DbErr::Query(RuntimeErr::Internal(format!("{error} {error:?}")))
}

impl Db {
    async fn run(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let values = stmt.values.map(|values| values.0).unwrap_or_default();
        let params = Params::new(&values).map_err(failed)?;
        let prepared = self
            .client
            .prepare_typed(&stmt.sql, params.types())
            .await
            .map_err(failed)?;
        let plan =
            RowPlan::new(prepared.columns(), &self.kinds, self.whole_model).map_err(failed)?;
        let rows = self
            .client
            .query_raw(&prepared, params.iter())
            .await
            .map_err(failed)?;
        let rows: Vec<_> = rows.try_collect().await.map_err(failed)?;
        rows.iter()
            .map(|row| plan.query_result(row).map_err(failed))
            .collect()
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        let rows = self.run(stmt).await?;
        Ok(ProxyExecResult::new(0, rows.len() as u64).into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.client.batch_execute(sql).await.map_err(failed)?;
        Ok(ProxyExecResult::default().into())
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.run(stmt).await?.into_iter().next())
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(stmt).await
    }
}

const TABLE: &str = r#"
    DROP SCHEMA IF EXISTS NAME CASCADE; CREATE SCHEMA NAME; SET search_path TO NAME, public;
    CREATE TYPE mood AS ENUM ('happy', 'so, so');
    CREATE TABLE ticket (
        zid bigint PRIMARY KEY, name varchar(40) NOT NULL, mood mood NOT NULL, moods mood[] NOT NULL,
        maybe_mood mood, level smallint NOT NULL, age integer, count bigint, ratio real,
        at timestamptz NOT NULL, seen timestamptz, price numeric NOT NULL, tags text[] NOT NULL,
        maybe_tags text[], extra json, extras jsonb NOT NULL, bytes bytea NOT NULL,
        key uuid NOT NULL, ip cidr
    )"#;

async fn tickets(schema: &str) -> Db {
    use ticket::*;
    let client = connect().await;
    client
        .batch_execute(&TABLE.replace("NAME", schema))
        .await
        .unwrap();
    let (oid, columns) = relation(&client, "ticket").await;
    let mut kinds = Kinds::new();
    for (name, kind) in [
        ("zid", kind_of::<i64>()),
        ("name", kind_of::<String>()),
        ("mood", kind_of::<Mood>()),
        ("moods", kind_of::<Vec<Mood>>()),
        ("maybe_mood", kind_of::<Option<Mood>>()),
        ("level", kind_of::<Level>()),
        ("age", kind_of::<Option<i64>>()),
        ("count", kind_of::<Option<u32>>()),
        ("ratio", kind_of::<Option<f64>>()),
        ("at", kind_of::<time::OffsetDateTime>()),
        ("seen", kind_of::<Option<time::OffsetDateTime>>()),
        ("price", kind_of::<Decimal>()),
        ("tags", kind_of::<Tags>()),
        ("maybe_tags", kind_of::<Option<Vec<String>>>()),
        ("extra", kind_of::<Option<Extra>>()),
        ("extras", kind_of::<Vec<Extra>>()),
        ("bytes", kind_of::<Vec<u8>>()),
        ("key", kind_of::<Uuid>()),
        ("ip", kind_of::<Option<IpNetwork>>()),
    ] {
        kinds.insert(oid, columns[name], kind);
    }
    Db {
        client,
        kinds,
        whole_model: false,
    }
}

fn sample() -> ticket::Model {
    use ticket::*;
    Model {
        zid: 7,
        name: "seven".into(),
        mood: Mood::SoSo,
        moods: vec![Mood::Happy, Mood::SoSo],
        maybe_mood: Some(Mood::Happy),
        level: Level::High,
        age: Some(41),
        count: Some(u32::MAX),
        ratio: Some(f64::from(0.25f32)),
        at: time::macros::datetime!(2024-02-29 12:00:00.123456 UTC),
        seen: Some(time::macros::datetime!(1999-12-31 23:59 UTC)),
        price: "12.50".parse().unwrap(),
        tags: Tags(vec!["a".into(), "b,\"c\\".into()]),
        maybe_tags: Some(vec![]),
        extra: Some(Extra { weight: 3 }),
        extras: vec![Extra { weight: 1 }, Extra { weight: 2 }],
        bytes: vec![0, 255, 7],
        key: Uuid::from_u128(9),
        ip: Some("10.0.0.0/8".parse().unwrap()),
    }
}

/// Trap 2: every `Option` that the database fills comes back filled.
#[tokio::test]
async fn a_model_survives() {
    let db = tickets("whole").await;
    let full = sample();
    let written = full
        .clone()
        .into_active_model()
        .reset_all()
        .insert(&db)
        .await
        .unwrap();
    assert_eq!(written, full);
    let empty = ticket::Model {
        zid: 8,
        maybe_mood: None,
        age: None,
        count: None,
        ratio: None,
        seen: None,
        maybe_tags: None,
        extra: None,
        ip: None,
        moods: vec![],
        extras: vec![],
        ..full.clone()
    };
    ticket::Entity::insert(empty.clone().into_active_model().reset_all())
        .exec(&db)
        .await
        .unwrap();
    let found = ticket::Entity::find()
        .order_by_asc(ticket::Column::Zid)
        .all(&db)
        .await
        .unwrap();
    assert_eq!(found, [full.clone(), empty]);
    let found = ticket::Entity::find()
        .filter(ticket::Column::Mood.is_in([ticket::Mood::SoSo]))
        .filter(ticket::Column::MaybeMood.eq(ticket::Mood::Happy))
        .filter(ticket::Column::Key.eq(full.key))
        .filter(ticket::Column::Count.gte(u32::MAX))
        .filter(ticket::Column::Ip.eq(full.ip.unwrap()))
        .one(&db)
        .await
        .unwrap();
    assert_eq!(found, Some(full.clone()));
    let mut change: ticket::ActiveModel = full.into();
    change.age = Set(Some(i64::from(i32::MAX)));
    assert_eq!(
        change.update(&db).await.unwrap().age,
        Some(i64::from(i32::MAX))
    );
    assert_eq!(ticket::Entity::find().count(&db).await.unwrap(), 2);
}

/// Trap 1: columns that are read by index are not read by the alphabet.
#[tokio::test]
async fn tuples_keep_their_order() {
    let db = tickets("tuples").await;
    sample()
        .into_active_model()
        .reset_all()
        .insert(&db)
        .await
        .unwrap();
    use ticket::Column::*;
    let select = || ticket::Entity::find().select_only();
    let found: Option<(String, i64, Option<i64>)> = select()
        .columns([Name, Zid, Age])
        .into_tuple()
        .one(&db)
        .await
        .unwrap();
    assert_eq!(found, Some(("seven".into(), 7, Some(41))));
    let found: Option<(i64, Option<i64>)> = select()
        .columns([Zid, Age])
        .into_tuple()
        .one(&db)
        .await
        .unwrap();
    assert_eq!(found, Some((7, Some(41))));
    let found: Option<(Option<i64>, i64)> = select()
        .columns([Age, Zid])
        .into_tuple()
        .one(&db)
        .await
        .unwrap();
    assert_eq!(found, Some((Some(41), 7)));
    let found: Option<(i64, i64)> = select()
        .expr(Expr::cust("1::bigint AS same"))
        .expr(Expr::cust("2::bigint AS same"))
        .into_tuple()
        .one(&db)
        .await
        .unwrap();
    assert_eq!(found, Some((1, 2)));
    // Expressions follow the models: `timestamptz` is time's here, and `numeric` a `Decimal`.
    let found: Option<(Option<time::OffsetDateTime>, Option<Decimal>)> = select()
        .column_as(Seen.max(), "z")
        .column_as(Price.sum(), "a")
        .into_tuple()
        .one(&db)
        .await
        .unwrap();
    assert_eq!(found, Some((sample().seen, Some(sample().price))));

    #[derive(Debug, PartialEq, FromQueryResult)]
    struct Partial {
        zid: i64,
        mood: ticket::Mood,
        age: Option<i64>,
        total: i64,
    }
    let found = select()
        .columns([Zid, Mood, Age])
        .column_as(Expr::cust("count(*) OVER ()"), "total")
        .into_model::<Partial>()
        .one(&db)
        .await
        .unwrap();
    let expected = Partial {
        zid: 7,
        mood: ticket::Mood::SoSo,
        age: Some(41),
        total: 1,
    };
    assert_eq!(found, Some(expected));
}

#[tokio::test]
async fn json_of_a_whole_model_has_no_positional_keys() {
    let mut db = tickets("json").await;
    let mut model = sample();
    model.bytes = b"utf-8".to_vec();
    model
        .into_active_model()
        .reset_all()
        .insert(&db)
        .await
        .unwrap();
    db.whole_model = true;
    let json = ticket::Entity::find()
        .into_json()
        .one(&db)
        .await
        .unwrap()
        .unwrap();
    println!("{json:#}");
    assert_eq!(json.as_object().unwrap().len(), 19);
    assert_eq!(json["zid"], 7);
    assert_eq!(json["mood"], "so, so");
    assert_eq!(json["age"], 41);
    assert_eq!(json["moods"], serde_json::json!(["happy", "so, so"]));
    assert_eq!(
        json["extras"],
        serde_json::json!([{ "weight": 1 }, { "weight": 2 }])
    );
}

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
