use serde_json::{Map, Value};
use tokio_postgres::{
    Client, SimpleQueryMessage,
    types::{ToSql, Type},
};

use super::{outcome::Outcome, transaction};
use crate::{
    database::Session,
    failure::{Failure, said},
    interrupt::Interrupt,
    tenant::Door,
};

/// SQL to run for each tenant.
pub(super) struct Statements {
    sql: String,
    dry_run: bool,
}

/// Why it failed for one.
enum Failed {
    Sql(tokio_postgres::Error),
    Said(String),
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl Statements {
    pub(super) fn new(sql: String, dry_run: bool) -> Result<Self, Failure> {
        if sql.trim().is_empty() {
            return Err(Failure::invalid(
                "there is no SQL to run",
                "give --sql 'SELECT …' or --file FILE",
            ));
        }
        if let Some(word) = transaction::ends(&sql) {
            return Err(Failure::invalid(
                format!(
                    "`{word}` would begin or end a transaction, and the tenant's context ends with its own"
                ),
                "leave it out: the SQL runs in one transaction for each tenant",
            ));
        }
        Ok(Self { sql, dry_run })
    }

    /// Runs it for one tenant, on a connection that is opened anew when the last one broke.
    pub(super) async fn run(
        &self,
        door: &Door,
        session: &mut Option<Session>,
        tenant: &str,
        interrupt: &Interrupt,
    ) -> Outcome {
        if session
            .as_ref()
            .is_none_or(|session| session.client.is_closed())
        {
            match door.login_within(&[]).connect(interrupt).await {
                Ok(opened) => *session = Some(opened),
                Err(failure) => return Outcome::failed(tenant, explained(&failure)),
            }
        }
        let Some(open) = session.as_ref() else {
            return Outcome::failed(tenant, "there is no connection");
        };
        let settings = match door.settings(tenant).await {
            Ok(settings) => settings,
            Err(failure) => return Outcome::failed(tenant, explained(&failure)),
        };
        let done = self
            .transaction(&open.client, door.is_partywall(), &settings, tenant)
            .await;
        done.unwrap_or_else(|failed| {
            // Whatever state it is in, nobody else is to find it.
            *session = None;
            Outcome::failed(
                tenant,
                match failed {
                    Failed::Sql(error) => said(&error),
                    Failed::Said(what) => what,
                },
            )
        })
    }

    async fn transaction(
        &self,
        client: &Client,
        is_partywall: bool,
        settings: &[(String, String)],
        tenant: &str,
    ) -> Result<Outcome, Failed> {
        client.batch_execute("BEGIN").await?;
        let answer = self.within(client, is_partywall, settings, tenant).await;
        match answer {
            Ok(outcome) if self.dry_run => {
                client.batch_execute("ROLLBACK").await?;
                Ok(outcome)
            }
            Ok(outcome) => {
                client.batch_execute("COMMIT").await?;
                Ok(outcome)
            }
            Err(failed) => {
                // A connection that broke rolls back by itself.
                let _ = client.batch_execute("ROLLBACK").await;
                Err(failed)
            }
        }
    }

    async fn within(
        &self,
        client: &Client,
        is_partywall: bool,
        settings: &[(String, String)],
        tenant: &str,
    ) -> Result<Outcome, Failed> {
        for (name, value) in settings {
            // Without names of prepared statements, which a pooler would mix up.
            if is_partywall {
                let sql = "SELECT partywall.enter($1, 0)";
                client.query_typed(sql, &[(value, Type::TEXT)]).await?;
            } else {
                let sql = "SELECT pg_catalog.set_config($1, $2, true)";
                let values: [(&(dyn ToSql + Sync), Type); 2] =
                    [(name, Type::TEXT), (value, Type::TEXT)];
                client.query_typed(sql, &values).await?;
            }
        }
        let mut outcome = Outcome::done(tenant);
        for message in client.simple_query(&self.sql).await? {
            match message {
                SimpleQueryMessage::Row(row) => {
                    let fields = row.columns().iter().enumerate().map(|(at, column)| {
                        let value = row
                            .get(at)
                            .map_or(Value::Null, |value| Value::String(value.to_owned()));
                        (column.name().to_owned(), value)
                    });
                    outcome.rows.push(fields.collect::<Map<_, _>>());
                }
                SimpleQueryMessage::CommandComplete(count) => outcome.count = Some(count),
                SimpleQueryMessage::RowDescription(_) | _ => {}
            }
        }
        // COMMIT in the SQL would have ended the tenant's context with the transaction.
        for (name, value) in settings {
            let sql = "SELECT pg_catalog.current_setting($1, true)";
            let rows = client.query_typed(sql, &[(name, Type::TEXT)]).await?;
            let is: Option<String> = match rows.first() {
                Some(row) => row.try_get(0)?,
                None => None,
            };
            if is.as_ref() != Some(value) {
                return Err(Failed::Said(
                    "the SQL ended its transaction or changed the tenant's context: leave BEGIN, COMMIT, ROLLBACK and SET out".to_owned(),
                ));
            }
        }
        Ok(outcome)
    }
}

/// A failure in one line.
fn explained(failure: &Failure) -> String {
    use std::error::Error as _;
    let cause = failure
        .source()
        .and_then(|source| source.downcast_ref::<tokio_postgres::Error>())
        .map(|error| format!(": {}", said(error)));
    format!("{failure}{}", cause.unwrap_or_default())
}
