//! Every type that SeaORM has a variant for, in a column of its own: any value, null, and arrays.

use std::{fmt::Debug, sync::Mutex};

use futures_util::TryStreamExt;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sea_orm::sea_query::{Nullable, Value, ValueType, postgres_array::NotU8};
use tokio_postgres::Client;

use super::{connect, relation};
use crate::value::{Kinds, Param, RowPlan, ValueError, check, declared_type, kind_of};

/// Writes through a prepared statement and through `query_typed`, and reads both back.
async fn through(
    client: &Client,
    kinds: &Kinds,
    sql: &str,
    value: &Value,
) -> Result<[Value; 2], ValueError> {
    let values = [value.clone()];
    check(&values)?;
    let types = [declared_type(value)?];
    let prepared = client.prepare_typed(sql, &types).await.unwrap();
    let plan = RowPlan::new(prepared.columns(), kinds, false)?;
    let rows: Vec<_> = client
        .query_raw(&prepared, values.iter().map(Param))
        .await
        .unwrap_or_else(|error| panic!("{value:?}: {error:?}"))
        .try_collect()
        .await
        .unwrap();
    let typed: Vec<_> = client
        .query_typed_raw(sql, values.iter().map(Param).zip(types))
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
