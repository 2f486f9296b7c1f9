//! Whole models, through SeaORM.

use std::fmt::Debug;

use futures_util::TryStreamExt;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbBackend, DbErr, ExecResult, FromQueryResult,
    IntoActiveModel, ProxyExecResult, QueryOrder, QueryResult, QuerySelect, RuntimeErr, Statement,
    entity::prelude::*, sea_query::Expr,
};
use tokio_postgres::Client;

use super::{connect, relation};
use crate::value::{Kinds, Param, RowPlan, check, declared_type, kind_of};

mod ticket {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "Enum", db_type = "Enum", enum_name = "mood")]
    pub enum Mood {
        #[sea_orm(string_value = "happy")]
        Happy,
        #[sea_orm(string_value = "so, so")]
        SoSo,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
    pub enum Level {
        #[sea_orm(num_value = 1)]
        Low,
        #[sea_orm(num_value = 2)]
        High,
    }

    #[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
    pub struct Tags(pub Vec<String>);

    #[derive(
        Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, FromJsonQueryResult,
    )]
    pub struct Extra {
        pub weight: i32,
    }

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "ticket")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub zid: i64,
        pub name: String,
        pub mood: Mood,
        pub moods: Vec<Mood>,
        pub maybe_mood: Option<Mood>,
        pub level: Level,
        pub age: Option<i64>,
        pub count: Option<u32>,
        pub ratio: Option<f64>,
        pub at: time::OffsetDateTime,
        pub seen: Option<time::OffsetDateTime>,
        pub price: Decimal,
        pub tags: Tags,
        pub maybe_tags: Option<Vec<String>>,
        pub extra: Option<Extra>,
        #[sea_orm(column_type = "JsonBinary")]
        pub extras: Vec<Extra>,
        pub bytes: Vec<u8>,
        pub key: Uuid,
        pub ip: Option<IpNetwork>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[derive(Debug)]
pub(super) struct Db {
    pub(super) client: Client,
    pub(super) kinds: Kinds,
    pub(super) whole_model: bool,
}

fn failed(error: impl std::fmt::Display + Debug) -> DbErr {
    DbErr::Query(RuntimeErr::Internal(format!("{error} {error:?}")))
}

impl Db {
    async fn run(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let values = stmt.values.map(|values| values.0).unwrap_or_default();
        check(&values).map_err(failed)?;
        let types = values.iter().map(declared_type).collect::<Result<Vec<_>, _>>();
        let types = types.map_err(failed)?;
        let prepared = self.client.prepare_typed(&stmt.sql, &types).await.map_err(failed)?;
        let plan =
            RowPlan::new(prepared.columns(), &self.kinds, self.whole_model).map_err(failed)?;
        let rows = self
            .client
            .query_raw(&prepared, values.iter().map(Param))
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
