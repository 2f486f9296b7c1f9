//! How the application's role is become.

use tokio_postgres::{Client, IsolationLevel, Transaction, error::SqlState};

use super::{context::set, step::Answer};
use crate::{
    AuditError,
    catalogue::{Catalogue, Oid},
    sql::{ident, literal},
};

/// From where statements of the application's role are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The administrator's connection, by SET SESSION AUTHORIZATION: SET ROLE alone would leave a session user
    /// who can become anybody.
    Authorization,
    /// A connection of the application's login itself.
    Login,
    /// The same, of a login that becomes the role by SET ROLE.
    LoginSetRole,
}

/// What a login of a role finds: values that `ALTER ROLE … SET` and `ALTER DATABASE … SET` give it.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The statement that gives a session that logged in as somebody else the role's search path.
    pub(super) path: String,
    /// And the statements that give it the role's settings.
    pub(super) statements: Vec<String>,
    /// Those among them that give a context.
    pub(super) settings: Vec<(String, String)>,
}

impl Start {
    /// Of a role in this database. More special settings come later, and win.
    pub(super) fn of(catalogue: &Catalogue, role: Oid) -> Self {
        let mut settings: Vec<_> = catalogue
            .settings
            .iter()
            .filter(|setting| setting.role.is_none_or(|of| of == role))
            .filter(|setting| setting.name.contains('.') || setting.name == "search_path")
            .collect();
        settings.sort_by_key(|setting| (setting.role.is_some(), setting.in_database));
        let mut start = Self {
            path: "SET LOCAL search_path TO DEFAULT".to_owned(),
            statements: Vec::new(),
            settings: Vec::new(),
        };
        for setting in settings {
            if setting.name == "search_path" {
                // A list, as the server keeps it: `set_config` takes it as it is.
                start.path = format!(
                    "SELECT pg_catalog.set_config('search_path', {}, true)",
                    literal(&setting.value)
                );
            } else {
                start.statements.push(set(&setting.name, &setting.value));
                start
                    .settings
                    .push((setting.name.to_lowercase(), setting.value.clone()));
            }
        }
        start
    }
}

/// Begins a transaction that can only be rolled back by its guard.
pub(super) async fn begin(
    client: &mut Client,
    read_only: bool,
) -> Result<Transaction<'_>, AuditError> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .read_only(read_only)
        .start()
        .await
        .map_err(AuditError::doing("begin"))
}

/// Refuses a connection that is inside a transaction already: rolling back would end somebody else's.
pub(super) async fn idle(client: &Client, whose: &'static str) -> Result<(), AuditError> {
    // The simple protocol: in the extended one each message has a time of its own.
    let is_idle = match client
        .simple_query("SELECT now() = statement_timestamp()")
        .await
    {
        Ok(messages) => Answer::last(messages).text() == Some("t"),
        Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => false,
        Err(error) => {
            return Err(AuditError::Sql {
                doing: "begin",
                source: error,
            });
        }
    };
    if is_idle {
        Ok(())
    } else {
        Err(AuditError::Busy(whose))
    }
}

/// The statements by which the administrator becomes a role, from whatever it was.
pub(super) fn become_role(role: &str) -> String {
    format!(
        "{}; SET LOCAL SESSION AUTHORIZATION {}",
        become_admin("origin"),
        ident(role)
    )
}

/// The statements by which it is itself again. Nothing that a tenant made is found by its names, and with
/// `replica` no trigger of anybody's runs with its rights.
pub(super) fn become_admin(replication_role: &str) -> String {
    format!(
        "SET LOCAL ROLE NONE; SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog, pg_temp; \
         SET LOCAL row_security = on; SET LOCAL session_replication_role = {replication_role}"
    )
}
