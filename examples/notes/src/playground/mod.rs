//! Any SQL, in one tenant's scope.
//!
//! There is no list of what is forbidden: whatever is typed runs as the application login under the
//! tenant's sealed context, one statement in one transaction, and its connection is closed after it.

use std::time::Duration;

use axum::http::StatusCode;
use partywall::{
    Db, Scope,
    db::{ConnectError, Error, TextLimits},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{database::Database, web::Problem};

/// What came of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SqlAnswer)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) affected: u64,
    /// Whether there was more than is shown.
    pub(crate) truncated: bool,
}

const TIME: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 4;
/// Bytes of a statement, at most.
pub(crate) const LONGEST: usize = 10_000;
const LIMITS: TextLimits = TextLimits {
    rows: 200,
    bytes: 256 * 1024,
};

/// Connections of the playground's own, so that whatever runs there delays nobody else.
pub(crate) async fn connect(database: &Database) -> Result<Db, ConnectError> {
    let config = database
        .config()
        .pool_size(CONNECTIONS)
        .acquire_timeout(TIME * 2)
        .statement_timeout(Some(TIME))
        .single_use();
    Db::connect(config).await
}

/// Runs one statement, and keeps what it did.
pub(crate) async fn statement_run(db: &Db, scope: &Scope, sql: &str) -> Result<Answer, Problem> {
    if sql.len() > LONGEST {
        return Err(Problem::invalid(format!(
            "the statement is longer than {LONGEST} bytes"
        )));
    }
    if sql.contains('\0') {
        return Err(Problem::invalid("the statement holds a NUL character"));
    }
    let shown = db
        .scoped(scope)
        .text(sql, LIMITS)
        .await
        .map_err(|error| refusal(&error))?;
    Ok(Answer {
        columns: shown.columns,
        rows: shown.rows,
        affected: shown.affected,
        truncated: shown.truncated,
    })
}

/// The visitor wrote the statement, so what PostgreSQL says of it is theirs to read.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what else goes wrong is ours, also what is new"
)]
fn refusal(error: &Error) -> Problem {
    if let Some(reported) = error.database() {
        return statement(reported.code(), reported.message());
    }
    let code = match error {
        Error::Scope(_) => "scope",
        Error::Refused(_) | Error::Value(_) => "refused",
        Error::Timeout => "timeout",
        Error::PoolExhausted(_) => return Problem::busy(),
        // The statement ended its own connection, and nobody else's.
        Error::Lost(_) => "connection_lost",
        _ => {
            tracing::error!(error = %error, "a statement of the playground failed");
            return Problem::internal();
        }
    };
    statement(code, &error.to_string())
}

/// A visitor's own statement failed. A message can quote what the statement made.
fn statement(code: &str, message: &str) -> Problem {
    let brief: String = message.chars().take(1_000).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code.to_owned(), brief)
}
