use std::net::IpAddr;

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{
    EmailAddress, Error, Event, Identity, RequestUser, SessionToken, USER,
    authenticate::{nobody, seconds},
    outbox::{Mail, mail_queue},
    password::NewPassword,
    secret::Secret,
};
use crate::{
    db::{Sql as _, Tx},
    scope::Scope,
};

#[derive(FromQueryResult)]
struct Found {
    email_key: Option<String>,
    user_id: Option<Uuid>,
}

impl Identity {
    /// Mails a link for a new password, `{public_url}/reset?token=…`. An earlier link is void.
    ///
    /// Where nobody has the address, the mail says so. The answer and the time that it takes are the
    /// same.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what is no address, [`Error::Throttled`], and what the database
    /// reports.
    pub async fn reset_request(&self, email: &str, address: Option<IpAddr>) -> Result<(), Error> {
        let email = EmailAddress::parse(email)?;
        let _counts = self.inner.resets.attempt(Some(&email), address)?;
        let token = Secret::generate()?;
        // Trusted with what belongs to the address: nothing of it is told to the visitor, only to
        // whoever reads the mail.
        let tx = self.begin(&Scope::trusted([email.rows()])).await?;
        let is_known = tx
            .execute_sql(
                "UPDATE identity.credential SET reset_hash = $1, \
                   reset_expires_at = now() + make_interval(secs => $2)",
                [
                    token.hash().into(),
                    f64::from(seconds(self.settings().link)).into(),
                ],
            )
            .await?
            == 1;
        let mail = if is_known {
            self.reset_mail(&email, &token)
        } else {
            self.unknown_mail(&email)
        };
        mail_queue(&tx, mail).await?;
        Ok(tx.commit().await?)
    }

    /// Sets a new password by a mailed link, and ends all sessions of the person.
    ///
    /// # Errors
    ///
    /// [`Error::BadLink`] for a link that is unknown, expired, used or replaced by a later one,
    /// [`Error::Invalid`] for the field `password`, and what the database reports.
    pub async fn reset_confirm(&self, token: &str, password: &str) -> Result<(), Error> {
        let hash = Secret::parse(token).ok_or(Error::BadLink)?.hash();
        let password = NewPassword::parse("password", password)?;
        let view = self.inner.db.identity(&nobody()).read_only();
        let found: Found = view
            .one(
                "SELECT * FROM partywall.identity_reset($1)",
                [hash.clone().into()],
            )
            .await?;
        let (Some(key), Some(user)) = (found.email_key, found.user_id) else {
            return Err(Error::BadLink);
        };
        let email = EmailAddress::parse(&key)?;
        let password_hash = self.inner.passwords.hash(password).await?;
        // Trusted: the secret that was mailed to the address has just been brought.
        let scope = Scope::trusted([email.rows(), USER.is(user)]);
        let tx = self.begin(&scope).await?;
        let set = tx
            .execute_sql(
                "UPDATE identity.credential \
                 SET password_hash = $2, reset_hash = NULL, reset_expires_at = NULL \
                 WHERE reset_hash = $1 AND reset_expires_at > now()",
                [hash.into(), password_hash.into()],
            )
            .await?;
        let is_active = tx
            .rows(
                "SELECT 1 FROM identity.\"user\" WHERE deactivated_at IS NULL FOR SHARE",
                [],
            )
            .await?;
        if set == 0 || is_active.is_empty() {
            return Err(Error::BadLink);
        }
        tx.execute_sql(
            "DELETE FROM identity.session WHERE user_id = $1",
            [user.into()],
        )
        .await?;
        self.password_changed(&tx, &email).await?;
        tx.commit().await?;
        self.emit(Event::PasswordChanged { user });
        Ok(())
    }

    /// Changes the password of whoever asks. Their session goes on under a new token, which is
    /// returned; all their others end. A mailed link for a new password is void.
    ///
    /// # Errors
    ///
    /// [`Error::WrongCredentials`] when `old` is wrong, [`Error::Invalid`] for the field `new`,
    /// [`Error::Throttled`], [`Error::Impersonating`], [`Error::Anonymous`] when the session has
    /// ended meanwhile, and what the database reports.
    pub async fn password_change(
        &self,
        user: &RequestUser,
        old: &str,
        new: &str,
    ) -> Result<SessionToken, Error> {
        user.require_self()?;
        let password = NewPassword::parse("new", new)?;
        let email = EmailAddress::parse(&user.email)?;
        let proven = self.prove(Some(&email), old, user.address).await?;
        if proven.user != user.id {
            return Err(Error::WrongCredentials);
        }
        let password_hash = self.inner.passwords.hash(password).await?;
        let token = SessionToken(Secret::generate()?);
        // Trusted: the person is signed in, and the address is theirs.
        let scope = Scope::trusted([email.rows(), USER.is(user.id)]);
        let tx = self.begin(&scope).await?;
        proven.hold(&tx).await?;
        tx.execute_sql(
            "UPDATE identity.credential \
             SET password_hash = $1, reset_hash = NULL, reset_expires_at = NULL",
            [password_hash.into()],
        )
        .await?;
        let kept = tx
            .execute_sql(
                "UPDATE identity.session SET token_hash = $3 WHERE id = $1 AND token_hash = $2",
                [
                    user.session_id.into(),
                    user.token.0.hash().into(),
                    token.0.hash().into(),
                ],
            )
            .await?;
        if kept == 0 {
            return Err(Error::Anonymous);
        }
        tx.execute_sql(
            "DELETE FROM identity.session WHERE user_id = $1 AND id <> $2",
            [user.id.into(), user.session_id.into()],
        )
        .await?;
        self.password_changed(&tx, &email).await?;
        tx.commit().await?;
        self.emit(Event::PasswordChanged { user: user.id });
        Ok(token)
    }

    /// Tells the person, whoever did it.
    async fn password_changed(&self, tx: &Tx, to: &EmailAddress) -> Result<(), Error> {
        let url = self.url();
        let mail = Mail {
            to,
            subject: "Your password was changed".to_owned(),
            body: format!(
                "The password of your account at {url} was changed.\n\n\
                 If it was not you, ask for a new password there at once.\n"
            ),
        };
        mail_queue(tx, mail).await
    }

    fn reset_mail<'a>(&self, to: &'a EmailAddress, token: &Secret) -> Mail<'a> {
        let (link, url) = (self.link("reset", token), self.url());
        Mail {
            to,
            subject: "Choose a new password".to_owned(),
            body: format!(
                "Somebody wants to set a new password for your account at {url}.\n\n\
                 If that was you, choose one within {}:\n\n{link}\n\n\
                 If it was not, do nothing: your password stays as it is.\n",
                self.link_time()
            ),
        }
    }

    fn unknown_mail<'a>(&self, to: &'a EmailAddress) -> Mail<'a> {
        let url = self.url();
        Mail {
            to,
            subject: "No account has this address".to_owned(),
            body: format!(
                "Somebody wants to set a new password at {url} for this address, which has no \
                 account there.\n\n\
                 If that was you, you signed up with another address. If it was not, do nothing.\n"
            ),
        }
    }
}
