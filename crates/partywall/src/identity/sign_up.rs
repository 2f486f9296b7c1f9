use std::net::IpAddr;

use chrono::Utc;
use sea_orm::{ActiveValue::Set, EntityTrait as _, FromQueryResult};
use uuid::Uuid;

use super::{
    EmailAddress, Error, Event, Identity, USER,
    authenticate::{nobody, seconds},
    model::user,
    outbox::{Mail, mail_queue},
    password::NewPassword,
    secret::Secret,
};
use crate::{db::Sql as _, scope::Scope};

/// The greatest length of a person's name, in characters.
const MOST: usize = 100;

#[derive(FromQueryResult)]
struct Pending {
    token_hash: String,
    email: String,
    name: String,
    password_hash: String,
    is_good: bool,
}

impl Identity {
    /// Signs somebody up, as far as that goes before they have shown that the address is theirs: a
    /// link is mailed to it, `{public_url}/verify?token=…`, for
    /// [`sign_up_confirm`](Self::sign_up_confirm).
    ///
    /// Where the address has an account already, the mail says so instead. The answer and the time
    /// that it takes are the same. The address alone is told.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for the fields `email`, `name` and `password`, [`Error::Throttled`], and
    /// what the database reports.
    pub async fn sign_up(
        &self,
        email: &str,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<(), Error> {
        let email = EmailAddress::parse(email)?;
        let name = person_name(name)?;
        let password = NewPassword::parse("password", password)?;
        let _counts = self.inner.sign_ups.attempt(Some(&email), address)?;
        let password_hash = self.inner.passwords.hash(password).await?;
        let token = Secret::generate()?;
        // Trusted with what belongs to the address: nothing of it is told to the visitor, only to
        // whoever reads the mail.
        let tx = self.begin(&Scope::trusted([email.rows()])).await?;
        let is_new = tx
            .execute_sql(
                "INSERT INTO identity.sign_up \
                   (email_key, token_hash, email, name, password_hash, expires_at) \
                 SELECT $1, $2, $3, $4, $5, now() + make_interval(secs => $6) \
                 WHERE NOT EXISTS (SELECT 1 FROM identity.credential WHERE email_key = $1)",
                [
                    email.key().into(),
                    token.hash().into(),
                    email.as_typed().into(),
                    name.into(),
                    password_hash.into(),
                    f64::from(seconds(self.settings().link)).into(),
                ],
            )
            .await?
            == 1;
        let mail = if is_new {
            self.sign_up_mail(&email, &token)
        } else {
            self.known_mail(&email)
        };
        mail_queue(&tx, mail).await?;
        Ok(tx.commit().await?)
    }

    /// Makes the person who signed up, now that they have shown the address to be theirs. What else
    /// was pending for it is void. Returns the person's id; they sign in next.
    ///
    /// # Errors
    ///
    /// [`Error::BadLink`] for a link that is unknown, expired or used, or whose address got an
    /// account meanwhile, and what the database reports.
    pub async fn sign_up_confirm(&self, token: &str) -> Result<Uuid, Error> {
        let hash = Secret::parse(token).ok_or(Error::BadLink)?.hash();
        let view = self.inner.db.identity(&nobody()).read_only();
        let key: Option<String> = view
            .scalar(
                "SELECT partywall.identity_sign_up($1)",
                [hash.clone().into()],
            )
            .await?;
        let email = EmailAddress::parse(&key.ok_or(Error::BadLink)?)?;
        let id = Uuid::now_v7();
        // Trusted: the secret that was mailed to the address has just been brought, and the id is
        // new.
        let scope = Scope::trusted([email.rows(), USER.is(id)]);
        let tx = self.begin(&scope).await?;
        // All that is pending is locked in one order: of two confirmations at once the second sees
        // what the first has left.
        let pending: Vec<Pending> = tx
            .all(
                "SELECT token_hash, email, name, password_hash, expires_at > now() AS is_good \
                 FROM identity.sign_up WHERE email_key = $1 ORDER BY token_hash FOR UPDATE",
                [email.key().into()],
            )
            .await?;
        let is_meant = |row: &Pending| row.token_hash == hash && row.is_good;
        let pending = pending.into_iter().find(is_meant).ok_or(Error::BadLink)?;
        let person = user::ActiveModel {
            id: Set(id),
            email: Set(pending.email),
            name: Set(pending.name),
            created_at: Set(Utc::now()),
            deactivated_at: Set(None),
            last_account: Set(None),
        };
        user::Entity::insert(person)
            .exec_without_returning(&tx)
            .await?;
        let made = tx
            .execute_sql(
                "INSERT INTO identity.credential (email_key, user_id, password_hash) \
                 VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                [email.key().into(), id.into(), pending.password_hash.into()],
            )
            .await?;
        if made == 0 {
            return Err(Error::BadLink);
        }
        tx.execute_sql(
            "DELETE FROM identity.sign_up WHERE email_key = $1",
            [email.key().into()],
        )
        .await?;
        tx.commit().await?;
        self.emit(Event::UserCreated { user: id });
        Ok(id)
    }

    fn sign_up_mail<'a>(&self, to: &'a EmailAddress, token: &Secret) -> Mail<'a> {
        let (link, url) = (self.link("verify", token), self.url());
        Mail {
            to,
            subject: "Confirm your e-mail address".to_owned(),
            body: format!(
                "Somebody wants to sign up at {url} with this address.\n\n\
                 If that was you, confirm within {}:\n\n{link}\n\n\
                 If it was not, do nothing: without the link nobody can use your address.\n",
                self.link_time()
            ),
        }
    }

    fn known_mail<'a>(&self, to: &'a EmailAddress) -> Mail<'a> {
        let url = self.url();
        Mail {
            to,
            subject: "You already have an account".to_owned(),
            body: format!(
                "Somebody wants to sign up at {url} with this address, which has an account \
                 there.\n\n\
                 If that was you, sign in; if you forgot the password, ask for a new one.\n\
                 If it was not, do nothing: nothing was changed, and they were not told.\n",
            ),
        }
    }

    /// A link with a secret.
    pub(super) fn link(&self, page: &str, token: &Secret) -> String {
        format!("{}/{page}?token={}", self.url(), token.as_str())
    }

    pub(super) fn url(&self) -> &str {
        self.settings().public_url.trim_end_matches('/')
    }

    pub(super) fn link_time(&self) -> String {
        match self.settings().link.as_secs().div_ceil(60) {
            1 => "a minute".to_owned(),
            60 => "an hour".to_owned(),
            minutes => format!("{minutes} minutes"),
        }
    }
}

pub(super) fn person_name(typed: &str) -> Result<String, Error> {
    let name = typed.trim();
    let is_good =
        !name.is_empty() && name.chars().nth(MOST).is_none() && !name.chars().any(char::is_control);
    if is_good {
        Ok(name.to_owned())
    } else {
        let message = format!("a name has from 1 to {MOST} characters, all on one line");
        Err(Error::invalid("name", message))
    }
}
