use std::net::IpAddr;

use sea_orm::{EntityTrait as _, FromQueryResult};
use uuid::Uuid;

use super::{
    Authenticated, EmailAddress, Error, Identity, SessionToken, TenantSelector, USER,
    authenticate::seconds, model::credential, password::Checked, secret::Secret,
};
use crate::{
    db::{Sql as _, Tx},
    scope::Scope,
};

/// The greatest length of what is kept of a visitor's `User-Agent`, in characters.
const AGENT: usize = 200;

#[derive(FromQueryResult)]
struct Landing {
    account_id: Uuid,
    tenant_id: Uuid,
}

/// A password that was found right: whose it is, and the hash that says so.
pub(super) struct Proven {
    pub(super) user: Uuid,
    stored: String,
    renewed: Option<String>,
}

impl Identity {
    /// Opens a session. Its token is new, and the session that the request came with, if any, is
    /// ended.
    ///
    /// An unknown address, a wrong password and a person who was deactivated are one answer, which
    /// takes the same time. A password whose hash is weaker than today's is hashed anew.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCredentials`], [`Error::Throttled`], and what the database reports.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        address: Option<IpAddr>,
        agent: Option<&str>,
        previous: Option<&SessionToken>,
    ) -> Result<(SessionToken, Authenticated), Error> {
        let email = EmailAddress::parse(email).ok();
        let proven = self.prove(email.as_ref(), password, address).await?;
        let email = email.ok_or(Error::WrongCredentials)?;
        if let Some(previous) = previous {
            self.session_end(previous).await?;
        }
        let user = proven.user;
        // Trusted: the password was found right.
        let scope = Scope::trusted([USER.is(user), email.rows()]);
        let tx = self.begin(&scope).await?;
        proven.hold(&tx).await?;
        let token = SessionToken(Secret::generate()?);
        let landing: Option<Landing> = tx
            .optional(
                "SELECT * FROM partywall.identity_first_account($1)",
                [user.into()],
            )
            .await?;
        let agent = agent.map(|agent| {
            let shown = agent.chars().filter(|c| !c.is_control());
            shown.take(AGENT).collect::<String>()
        });
        tx.execute_sql(
            "INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, \
               expires_at, current_account, current_tenant, address, agent) \
             VALUES ($1, $2, $3, now(), now(), now() + make_interval(secs => $4), $5, $6, $7, $8)",
            [
                Uuid::now_v7().into(),
                user.into(),
                token.0.hash().into(),
                f64::from(seconds(self.settings().absolute)).into(),
                landing.as_ref().map(|landing| landing.account_id).into(),
                landing.as_ref().map(|landing| landing.tenant_id).into(),
                address.map(|address| address.to_string()).into(),
                agent.into(),
            ],
        )
        .await?;
        tx.commit().await?;
        let found = self
            .authenticate(&token, TenantSelector::Current, address)
            .await?;
        Ok((token, found))
    }

    /// Checks a password, not too often.
    pub(super) async fn prove(
        &self,
        email: Option<&EmailAddress>,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<Proven, Error> {
        let attempt = self.inner.sign_ins.attempt(email, address)?;
        let known = match email {
            // Trusted with what belongs to the address: it is for comparing with the password.
            Some(email) => {
                let view = self.inner.db.identity(&Scope::trusted([email.rows()]));
                credential::Entity::find().one(&view.read_only()).await?
            }
            None => None,
        };
        let stored = known.as_ref().map(|known| known.password_hash.as_str());
        let checked = self.inner.passwords.check(password, stored).await?;
        match (known, checked) {
            (Some(known), Checked::Right { renewed }) => {
                attempt.forgive();
                Ok(Proven {
                    user: known.user_id,
                    stored: known.password_hash,
                    renewed,
                })
            }
            (None, _) | (_, Checked::Wrong) => Err(Error::WrongCredentials),
        }
    }
}

impl Proven {
    /// Makes sure that what was found right still is, and holds it until the transaction ends: a
    /// password that is set anew, or a person who is deactivated meanwhile, waits for the
    /// transaction and ends the session that it opens.
    pub(super) async fn hold(&self, tx: &Tx) -> Result<(), Error> {
        let renewed = self.renewed.as_ref().unwrap_or(&self.stored);
        let is_same = tx
            .execute_sql(
                "UPDATE identity.credential SET password_hash = $2 WHERE password_hash = $1",
                [self.stored.clone().into(), renewed.clone().into()],
            )
            .await?;
        let is_active = tx
            .rows(
                "SELECT 1 FROM identity.\"user\" WHERE id = $1 AND deactivated_at IS NULL FOR SHARE",
                [self.user.into()],
            )
            .await?;
        if is_same == 1 && is_active.len() == 1 {
            Ok(())
        } else {
            Err(Error::WrongCredentials)
        }
    }
}
