use super::{
    ApplyError, Schema,
    apply::connect,
    path,
    sql::{ident, literal},
};
use crate::connect::Tls;

/// The passwords of the logins.
#[derive(Clone)]
pub struct Passwords {
    /// Of the application login.
    pub app: String,
    /// Of the list login.
    pub list: String,
    /// Of the login for the way across.
    pub across: String,
    /// Of the identity login. Not used where the schema has no accounts.
    pub identity: String,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords(…)")
    }
}

/// The statement that creates a login with the least rights.
pub(super) fn create_role(role: &str) -> String {
    format!(
        "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT",
        ident(role)
    )
}

impl Schema {
    /// Prepares a database as a superuser: creates the logins with their passwords, and takes from
    /// everybody what PostgreSQL gives to everybody and only a superuser can take back.
    ///
    /// [`Schema::apply`] does without this; SECURITY.md lists what then stays open to somebody who
    /// can run arbitrary SQL: seeing and stopping other sessions of the same login, large objects,
    /// `DO` blocks that catch their own cancellation. Can be repeated without harm.
    ///
    /// # Errors
    ///
    /// [`ApplyError`].
    pub async fn bootstrap(
        &self,
        superuser_url: &str,
        passwords: &Passwords,
    ) -> Result<(), ApplyError> {
        self.bootstrap_with(superuser_url, passwords, &Tls::default())
            .await
    }

    /// Like [`bootstrap`](Self::bootstrap), with TLS of one's own.
    ///
    /// # Errors
    ///
    /// [`ApplyError`].
    pub async fn bootstrap_with(
        &self,
        superuser_url: &str,
        passwords: &Passwords,
        tls: &Tls,
    ) -> Result<(), ApplyError> {
        let client = connect(superuser_url, tls).await?;
        let logins = self.roles.all().into_iter().zip([
            &passwords.app,
            &passwords.list,
            &passwords.across,
            &passwords.identity,
        ]);
        client
            .batch_execute(&format!("BEGIN; {}", path::SAFE))
            .await?;
        for (role, password) in logins {
            let exists = client
                .query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])
                .await?
                .is_some();
            if !exists {
                client.batch_execute(&create_role(role)).await?;
            }
            // The verifier is computed here, so that the password reaches no server log.
            let verifier = postgres_protocol::password::scram_sha_256(password.as_bytes());
            client
                .batch_execute(&format!(
                    "ALTER ROLE {} PASSWORD {}",
                    ident(role),
                    literal(&verifier)
                ))
                .await?;
        }
        client.batch_execute(include_str!("sql/harden.sql")).await?;
        client.batch_execute("COMMIT").await?;
        Ok(())
    }
}
