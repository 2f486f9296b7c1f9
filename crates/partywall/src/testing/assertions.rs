use sea_orm::{EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn};
use tokio_postgres::NoTls;

use super::TestDb;
use crate::{
    db::{Error, Sql, Tx},
    schema::{Ownership, Scoped},
    scope::{Dimension, DimensionValue, Scope},
};

/// Asserts that two tenants, each of which has rows of `E`, cannot read or change each other's.
///
/// As each of the two: lists its rows and counts them without a WHERE; updates, deletes and copies
/// to the other tenant without a WHERE, in transactions that are rolled back. The positive control
/// is that each tenant has rows and reaches all of its own that way.
///
/// # Panics
///
/// When a row crosses, and when either tenant has no row, since then nothing was shown.
pub async fn assert_isolated<E: EntityTrait + Scoped>(
    test: &TestDb,
    one: impl DimensionValue,
    other: impl DimensionValue,
) {
    let (one, other) = (tenant(one), tenant(other));
    for (mine, theirs) in [(&one, &other), (&other, &one)] {
        let table = Subject::of::<E>();
        let own = table.keys(test, mine).await;
        assert!(
            !own.is_empty(),
            "{}: the tenant {mine} has no row, so nothing is shown: insert some first",
            table.name
        );
        let foreign = table.keys(test, theirs).await;
        assert!(
            own.iter().all(|key| !foreign.contains(key)),
            "{}: {mine} and {theirs} see the same row",
            table.name
        );
        for (verb, sql) in table.blind_writes() {
            let touched = table.attempt(test, mine, &sql).await;
            if let Ok(touched) = &touched {
                assert_eq!(
                    usize::try_from(*touched).ok(),
                    Some(own.len()),
                    "{}: {verb} without WHERE as {mine} touched other rows than its own",
                    table.name
                );
            }
            let denied = matches!(&touched, Err(Error::Denied(_) | Error::Database(_)));
            assert!(
                touched.is_ok() || denied,
                "{}: {verb} as {mine} failed: {touched:?}",
                table.name
            );
        }
        assert_eq!(
            foreign,
            table.keys(test, theirs).await,
            "{}: the rows of {theirs} changed",
            table.name
        );
    }
}

/// Asserts that the application login reads and writes nothing in any declared table when its
/// session has no context, an empty one, or one that somebody made up.
///
/// # Panics
///
/// When a row shows or is written.
pub async fn assert_blocks_without_scope(test: &TestDb) {
    let (client, connection) =
        tokio_postgres::connect(&test.url(test.schema().roles().app()), NoTls)
            .await
            .expect("the application login connects");
    tokio::spawn(connection);
    let forged = r#"{"tenant":"00000000-0000-0000-0000-000000000000"}"#;
    for context in [None, Some(""), Some(forged), Some("garbage")] {
        if let Some(context) = context {
            client
                .execute(
                    "SELECT set_config('partywall.context', $1, false)",
                    &[&context],
                )
                .await
                .expect("a setting can be set");
        }
        for table in test
            .schema()
            .tables
            .iter()
            .filter(|table| !table.is_global())
        {
            let name = table.name.sql();
            let seen = client
                .query(&format!("SELECT 1 FROM {name} LIMIT 1"), &[])
                .await;
            assert!(
                seen.as_ref().map_or(true, Vec::is_empty),
                "{}: rows show with the context {context:?}",
                table.name
            );
            let deleted = client.execute(&format!("DELETE FROM {name}"), &[]).await;
            assert!(
                matches!(deleted, Ok(0) | Err(_)),
                "{}: rows can be deleted with the context {context:?}",
                table.name
            );
        }
    }
}

/// Asserts that the database is as the schema says: row-level security on and forced, the policies,
/// rights and functions unaltered, no other table in reach.
///
/// # Panics
///
/// When anything differs, with the list.
pub async fn assert_enforced(test: &TestDb) {
    let config = test.config().expect("the configuration is good");
    if let Err(error) = crate::Db::connect(config).await {
        panic!("the wall is not as it should be: {error}");
    }
}

fn tenant<T: DimensionValue>(value: T) -> Scope {
    Scope::trusted([Dimension::<T>::new("tenant").is(value)])
}

/// A table under test.
struct Subject {
    name: String,
    key: String,
    columns: Vec<String>,
    owned: bool,
}

impl Subject {
    fn of<E: EntityTrait + Scoped>() -> Self {
        let entity = E::default();
        let schema = entity.schema_name().unwrap_or("public").to_owned();
        let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        Self {
            name: format!("{}.{}", quote(&schema), quote(entity.table_name())),
            key: E::PrimaryKey::iter()
                .map(|key| format!("{}::text", quote(key.into_column().as_str())))
                .collect::<Vec<_>>()
                .join(" || '/' || "),
            columns: E::Column::iter()
                .map(|column| quote(column.as_str()))
                .collect(),
            owned: matches!(E::ownership(), Ownership::Owned(_)),
        }
    }

    async fn keys(&self, test: &TestDb, scope: &Scope) -> Vec<String> {
        assert!(self.owned, "{}: a global table is everybody's", self.name);
        let sql = format!("SELECT {} AS key FROM {} ORDER BY 1", self.key, self.name);
        let rows = test
            .as_scope(scope)
            .rows(&sql, [])
            .await
            .expect("the tenant lists its rows");
        rows.iter()
            .map(|row| row.try_get_by_index(0).expect("a key is text"))
            .collect()
    }

    fn blind_writes(&self) -> Vec<(&'static str, String)> {
        let mut writes = vec![("DELETE", format!("DELETE FROM {}", self.name))];
        writes.extend(self.columns.iter().map(|column| {
            (
                "UPDATE",
                format!("UPDATE {} SET {column} = {column}", self.name),
            )
        }));
        writes
    }

    async fn attempt(&self, test: &TestDb, scope: &Scope, sql: &str) -> Result<u64, Error> {
        let tx: Tx = test.db().begin(scope).await?;
        let touched = tx.execute_sql(sql, []).await;
        tx.rollback().await?;
        touched
    }
}
