use std::time::Duration;

use chrono::Utc;
use partywall::{Db, Scope, Sql, db::Error};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, DbErr, EntityTrait as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::models::{SESSION, session};

/// How long a session lasts.
pub(super) const LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// 256 random bits, known to the browser alone.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// A token as a cookie holds it; anything else is no token.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_token = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_token.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn id(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// Whoever has the token may touch its session.
    fn scope(&self) -> Scope {
        Scope::trusted([SESSION.is(self.id())])
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Signs a person in.
pub(super) async fn session_open(db: &Db, person_id: Uuid) -> Result<Token, DbErr> {
    let token = Token::generate().map_err(|error| DbErr::Custom(error.to_string()))?;
    let session = session::ActiveModel {
        id: Set(token.id()),
        person_id: Set(person_id),
        expires_at: Set(Utc::now() + LIFETIME),
    };
    session.insert(&db.scoped(&token.scope())).await?;
    Ok(token)
}

/// Whose session it is, while it lasts.
pub(super) async fn session_find(db: &Db, token: &Token) -> Result<Option<Uuid>, DbErr> {
    let session = session::Entity::find()
        .one(&db.scoped(&token.scope()))
        .await?;
    Ok(session
        .filter(|session| session.expires_at > Utc::now())
        .map(|session| session.person_id))
}

/// Signs out.
pub(crate) async fn session_close(db: &Db, token: &Token) -> Result<(), DbErr> {
    session::Entity::delete_many()
        .exec(&db.scoped(&token.scope()))
        .await?;
    Ok(())
}

/// Removes the sessions that are over.
pub(crate) async fn session_expire(db: &Db) -> Result<u64, Error> {
    let across = db.across("sessions that are over are removed").await?;
    across
        .execute_sql("DELETE FROM session WHERE expires_at <= now()", [])
        .await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
