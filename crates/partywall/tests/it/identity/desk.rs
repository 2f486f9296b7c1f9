//! What the tests of people need beside the world: its mail, its rows and passwords.

use std::net::IpAddr;

use partywall::{
    Sql,
    identity::{
        Authenticated, Error, Identity, RequestUser, SessionToken, Settings, TenantSelector,
    },
};
use sha2::{Digest, Sha256};
use tokio_postgres::types::ToSql;

use super::world::{World, hex, id, permissions, token};
use crate::probe::Probe;

/// The password that [`Desk::register`] gives everybody.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody's network.
pub fn home() -> Option<IpAddr> {
    Some("192.0.2.1".parse().unwrap())
}

pub struct Desk {
    pub world: World,
    pub identity: Identity,
    pub probe: Probe,
}

impl Desk {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let world = World::new().await;
        let mut settings = Settings::new("http://127.0.0.1:8080/", "notes@example.com");
        change(&mut settings);
        let identity = Identity::new(world.test.db().clone(), permissions(), settings);
        let probe = Probe::new(&world.test).await;
        Self {
            world,
            identity,
            probe,
        }
    }

    /// Gives a person of the fixture a password.
    pub async fn register(&self, name: &str) {
        use argon2::password_hash::PasswordHasher as _;
        let hash = argon2::Argon2::default()
            .hash_password(PASSWORD.as_bytes())
            .unwrap()
            .to_string();
        self.credential(name, &hash).await;
    }

    pub async fn credential(&self, name: &str, hash: &str) {
        let sql = "INSERT INTO identity.credential (email_key, user_id, password_hash) \
                   VALUES ($1, $2::text::uuid, $3)";
        let email = format!("{name}@example.com");
        self.execute(sql, &[&email, &id(name).to_string(), &hash])
            .await;
    }

    pub async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> u64 {
        self.probe.client.execute(sql, values).await.unwrap()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {sql}");
        self.probe.client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    pub async fn text(&self, sql: &str) -> Option<String> {
        let rows = self.probe.client.query(sql, &[]).await.unwrap();
        rows.first().and_then(|row| row.get(0))
    }

    /// The mail to an address, the oldest first.
    pub async fn mail(&self, key: &str) -> Vec<(String, String)> {
        let sql = "SELECT subject, body FROM identity.outbox WHERE recipient = $1 ORDER BY id";
        let rows = self.probe.client.query(sql, &[&key]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// The secret in the last mail to an address.
    pub async fn link(&self, key: &str) -> String {
        let mail = self.mail(key).await;
        let (_, body) = mail.last().expect("there is mail");
        let (_, rest) = body.split_once("?token=").expect("there is a link");
        rest[..64].to_owned()
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SessionToken, Error> {
        let signed_in = self.identity.sign_in(email, password, home(), None, None);
        signed_in.await.map(|(token, _)| token)
    }

    pub async fn find(&self, token: &SessionToken) -> Result<Authenticated, Error> {
        let current = TenantSelector::Current;
        self.identity.authenticate(token, current, home()).await
    }

    /// The person who holds a session.
    pub async fn user(&self, token: &SessionToken) -> RequestUser {
        self.find(token).await.unwrap().user.unwrap()
    }

    /// A person of the fixture, in the session that it opened.
    pub async fn fixed(&self, name: &str) -> RequestUser {
        self.user(&token(name)).await
    }

    pub async fn is_live(&self, token: &SessionToken) -> bool {
        match self.find(token).await {
            Ok(_) => true,
            Err(Error::Anonymous) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// What the database holds of a token.
    pub fn hash(token: &SessionToken) -> String {
        hex(&Sha256::digest(token.expose()))
    }

    /// Statements that the application's login sends in a scope.
    pub fn application(&self) -> impl Sql {
        self.world.test.as_tenant(self.world.a)
    }
}
