use sea_orm::{EntityTrait, IdenStatic, Iterable, Value};
use tokio_postgres::NoTls;

use super::TestDb;
use crate::{
    db::{Error, ErrorKind, Sql, Tx},
    schema::{Ownership, Scoped, Source, ident},
    scope::{Dimension, DimensionValue, Scope, Values},
};

/// Asserts that two tenants, each of which has rows of `E`, cannot read or change each other's.
///
/// As each of the two: lists its rows without a WHERE; updates and deletes without a WHERE, and
/// copies its rows to the other where the table has the owner's column, in transactions that are
/// rolled back. The positive control is that each tenant has rows and reaches all of its own that
/// way.
///
/// # Panics
///
/// When a row crosses, and when either tenant has no row, since then nothing was shown.
pub async fn assert_isolated<E: EntityTrait + Scoped>(
    test: &TestDb,
    one: impl DimensionValue,
    other: impl DimensionValue,
) {
    assert_isolated_between::<E>(test, &tenant(one), &tenant(other)).await;
}

/// Like [`assert_isolated`], for two scopes: what a model with further dimensions needs.
///
/// # Panics
///
/// When a row crosses, and when either scope has no row, since then nothing was shown.
pub async fn assert_isolated_between<E: EntityTrait + Scoped>(
    test: &TestDb,
    one: &Scope,
    other: &Scope,
) {
    for (mine, theirs) in [(one, other), (other, one)] {
        let table = Subject::of::<E>();
        let own = table.rows(test, mine).await;
        assert!(
            !own.is_empty(),
            "{}: {mine} has no row, so nothing is shown: insert some first",
            table.name
        );
        let foreign = table.rows(test, theirs).await;
        assert!(
            own.iter().all(|row| !foreign.contains(row)),
            "{}: {mine} and {theirs} see the same row",
            table.name
        );
        for (verb, sql) in table.blind_writes() {
            let touched = table.attempt(test, mine, &sql, Vec::new()).await;
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
        if let Some((sql, owners)) = table.copy_to(theirs) {
            let copied = table.attempt(test, mine, &sql, owners).await;
            let reached = copied
                .as_ref()
                .map_or_else(Error::kind, |_| ErrorKind::Unique);
            assert!(
                !matches!(reached, ErrorKind::Unique | ErrorKind::ForeignKey),
                "{}: an INSERT as {mine} got past the policies with rows for {theirs}",
                table.name
            );
        }
        assert_eq!(
            foreign,
            table.rows(test, theirs).await,
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
            // SET takes no parameters, and a hardened database lets nobody call set_config.
            client
                .batch_execute(&format!("SET partywall.context = '{context}'"))
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
    columns: Vec<String>,
    ownership: Ownership,
}

impl Subject {
    fn of<E: EntityTrait + Scoped>() -> Self {
        let entity = E::default();
        let schema = entity.schema_name().unwrap_or("public");
        Self {
            name: format!("{}.{}", ident(schema), ident(entity.table_name())),
            columns: E::Column::iter()
                .map(|column| column.as_str().to_owned())
                .collect(),
            ownership: E::ownership(),
        }
    }

    /// The places of a scope's rows. The ids would not do: two tenants may use the same one.
    async fn rows(&self, test: &TestDb, scope: &Scope) -> Vec<String> {
        let owned = matches!(self.ownership, Ownership::Owned(_));
        assert!(owned, "{}: a global table is everybody's", self.name);
        let sql = format!(
            "SELECT tableoid::text || ctid::text FROM {} ORDER BY 1",
            self.name
        );
        let rows = test
            .as_scope(scope)
            .rows(&sql, [])
            .await
            .expect("the scope lists its rows");
        rows.iter()
            .map(|row| row.try_get_by_index(0).expect("a place is text"))
            .collect()
    }

    /// Statements that read nothing of the rows they change, so that no policy for reading applies.
    fn blind_writes(&self) -> Vec<(&'static str, String)> {
        let name = &self.name;
        let mut writes = vec![("DELETE", format!("DELETE FROM {name}"))];
        writes.extend(self.columns.iter().map(|column| {
            let column = ident(column);
            let sql = format!("UPDATE {name} SET {column} = (SELECT {column} FROM {name} LIMIT 1)");
            ("UPDATE", sql)
        }));
        writes
    }

    /// Inserts the visible rows once more, as somebody else's.
    fn copy_to(&self, other: &Scope) -> Option<(String, Vec<Value>)> {
        let Ownership::Owned(all) = &self.ownership else {
            return None;
        };
        let mut owners = Vec::new();
        let mut values: Vec<String> = self.columns.iter().map(|column| ident(column)).collect();
        for owned in all {
            let Source::Column {
                column: owner,
                sql_type,
            } = owned.source()
            else {
                continue;
            };
            let Some(Values::One(value)) = other.get(owned.dimension()) else {
                continue;
            };
            owners.push(value.to_parameter());
            let parameter = format!("${}::{sql_type}", owners.len());
            let columns = self.columns.iter().zip(&mut values);
            columns
                .filter(|(column, _)| column == owner)
                .for_each(|(_, value)| *value = parameter.clone());
        }
        let columns: Vec<String> = self.columns.iter().map(|column| ident(column)).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let sql = format!(
            "INSERT INTO {0} ({columns}) SELECT {values} FROM {0}",
            self.name
        );
        (!owners.is_empty()).then_some((sql, owners))
    }

    async fn attempt(
        &self,
        test: &TestDb,
        scope: &Scope,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<u64, Error> {
        let tx: Tx = test.db().begin(scope).await?;
        let touched = tx.execute_sql(sql, parameters).await;
        tx.rollback().await?;
        touched
    }
}
