//! Signing in, out and over, until the library does it.

use argon2::{
    Argon2,
    password_hash::{self, PasswordVerifier as _, phc::PasswordHash},
};
use partywall::{
    Sql as _,
    identity::{EmailAddress, Error, RequestUser, SessionToken},
};
use sea_orm::FromQueryResult;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{app::App, seed};

/// Checks passwords, a few at a time: each takes 19 MiB and some tens of milliseconds on purpose.
#[derive(Debug)]
pub(crate) struct Passwords {
    /// A hash of nobody's password, so that an unknown address takes as long as a known one.
    nobody: String,
    turns: Semaphore,
}

/// One of a person's accounts.
#[derive(Debug, FromQueryResult)]
pub(crate) struct MyAccount {
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) slug: String,
    pub(crate) tenant_name: String,
}

#[derive(FromQueryResult)]
struct Known {
    user_id: Uuid,
    password_hash: String,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, password_hash::Error> {
        Ok(Self {
            nobody: seed::hash("nobody")?,
            turns: Semaphore::new(2),
        })
    }

    async fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let Ok(_turn) = self.turns.acquire().await else {
            return false;
        };
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let password = password.to_owned();
        let matches = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash)
                .map(|hash| Argon2::default().verify_password(password.as_bytes(), &hash))
                .is_ok_and(|verified| verified.is_ok())
        });
        matches.await.unwrap_or(false) && known
    }
}

/// Checks an address and its password, and opens a session.
pub(crate) async fn sign_in(app: &App, email: &str, password: &str) -> Result<SessionToken, Error> {
    let across = app.identity.db().across("somebody signs in").await?;
    let known: Option<Known> = match EmailAddress::parse(email) {
        Ok(email) => {
            across
                .optional(
                    "SELECT c.user_id, c.password_hash FROM identity.credential c \
                     JOIN identity.\"user\" u ON u.id = c.user_id AND u.deactivated_at IS NULL \
                     WHERE c.email_key = $1",
                    [email.key().into()],
                )
                .await?
        }
        Err(_) => None,
    };
    let hash = known.as_ref().map(|known| known.password_hash.as_str());
    let is_good = app.passwords.verify(password, hash).await;
    let user = known.filter(|_| is_good).ok_or(Error::WrongCredentials)?;
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    let token = SessionToken::parse(&hex(&bytes)).ok_or(Error::WrongCredentials)?;
    let lasts = app.identity.settings().absolute.as_secs_f64();
    across
        .execute_sql(
            "INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, \
               expires_at, current_account, current_tenant) \
             SELECT $1, u.id, $2, now(), now(), now() + make_interval(secs => $3), a.id, a.tenant_id \
             FROM identity.\"user\" u LEFT JOIN identity.account a \
               ON a.user_id = u.id AND a.deactivated_at IS NULL AND (a.id = u.last_account OR 1 = \
                 (SELECT count(*) FROM identity.account o \
                  WHERE o.user_id = u.id AND o.deactivated_at IS NULL)) \
             WHERE u.id = $4",
            [
                Uuid::now_v7().into(),
                hex(&Sha256::digest(token.expose())).into(),
                lasts.into(),
                user.user_id.into(),
            ],
        )
        .await?;
    Ok(token)
}

/// Ends the session.
pub(crate) async fn sign_out(app: &App, user: &RequestUser) -> Result<(), Error> {
    let across = app.identity.db().across("somebody signs out").await?;
    let sql = "DELETE FROM identity.session WHERE id = $1";
    across.execute_sql(sql, [user.session_id.into()]).await?;
    Ok(())
}

/// The accounts of a person, by the names of the tenants.
pub(crate) async fn account_list(app: &App, user: &RequestUser) -> Result<Vec<MyAccount>, Error> {
    let across = app.identity.db().across("somebody's accounts").await?;
    Ok(across
        .all(
            "SELECT a.id, t.id AS tenant_id, t.slug, t.name AS tenant_name \
             FROM identity.account a JOIN identity.tenant t ON t.id = a.tenant_id \
             WHERE a.user_id = $1 AND a.deactivated_at IS NULL AND t.delete_after IS NULL \
             ORDER BY t.name, t.id",
            [user.id.into()],
        )
        .await?)
}

/// Makes an account of one's own the current one, in this session only. Tells its tenant's slug.
pub(crate) async fn account_switch(
    app: &App,
    user: &RequestUser,
    account: &str,
) -> Result<String, Error> {
    let mine = account_list(app, user).await?;
    let found = mine.into_iter().find(|mine| mine.id.to_string() == account);
    let account = found.ok_or(Error::NotFound)?;
    let across = app.identity.db().across("somebody switches").await?;
    across
        .execute_sql(
            "UPDATE identity.session SET current_account = $1, current_tenant = $2 WHERE id = $3",
            [
                account.id.into(),
                account.tenant_id.into(),
                user.session_id.into(),
            ],
        )
        .await?;
    Ok(account.slug)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
