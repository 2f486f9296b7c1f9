//! Who asks, as a request would find out; what was mailed; and people beyond the four.

use partywall::{
    Sql,
    identity::{ErrorKind, RequestAccount, RequestUser, SessionToken, TenantSelector},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::world::{World, hex, id, token};

impl World {
    pub async fn user_by(&self, token: &SessionToken) -> RequestUser {
        let selector = TenantSelector::Current;
        let found = self.identity.authenticate(token, selector, None).await;
        found.unwrap().user.unwrap()
    }

    pub async fn try_account(
        &self,
        token: &SessionToken,
        tenant: Uuid,
    ) -> Result<RequestAccount, ErrorKind> {
        let selector = TenantSelector::Id(tenant);
        let found = self.identity.authenticate(token, selector, None).await;
        found
            .and_then(|found| found.account())
            .map_err(|error| error.kind())
    }

    /// Adds people who have signed up and are in no tenant.
    pub async fn newcomers(&self, names: &[String]) {
        let mut sql = String::new();
        for name in names {
            let (person, session) = (id(name), id(&format!("session of {name}")));
            let hash = hex(&Sha256::digest(token(name).expose()));
            sql += &format!(
                "INSERT INTO identity.\"user\" (id, email, name, created_at) VALUES ('{person}', '{name}@example.com', '{name}', now());\
                 INSERT INTO identity.credential (email_key, user_id, password_hash) VALUES ('{name}@example.com', '{person}', 'x');\
                 INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at) \
                 VALUES ('{session}', '{person}', '{hash}', now(), now(), now() + interval '1 hour');"
            );
        }
        self.sql(&sql).await;
    }

    pub async fn newcomer(&self, name: &str) {
        self.newcomers(&[name.to_owned()]).await;
    }

    /// Makes somebody's session one in which sue acts as them, in tenant `a`.
    pub async fn sue_acts_as(&self, name: &str) {
        let (sue, own) = (id("sue"), id("session of sue"));
        self.sql(&format!(
            "INSERT INTO identity.staff_entry (id, tenant_id, user_id, session_id, reason, created_at, expires_at) \
             VALUES (gen_random_uuid(), '{a}', '{sue}', '{own}', 'x', now(), now() + interval '1 hour'); \
             UPDATE identity.session SET impersonator = '{sue}', confined_to = '{a}', parked = '{own}' \
             WHERE user_id = '{}'",
            id(name),
            a = self.a,
        ))
        .await;
    }

    /// Past the wall.
    pub async fn sql(&self, sql: &str) {
        self.test.as_superuser(sql).await.unwrap();
    }

    /// The tokens of the links that wait to be mailed to an address, in the order of writing.
    pub async fn mailed(&self, recipient: &str) -> Vec<String> {
        let across = self.test.db().across("a test reads mail").await.unwrap();
        let sql = "SELECT body FROM identity.outbox WHERE recipient = $1 ORDER BY id";
        let rows = across.rows(sql, [recipient.into()]).await.unwrap();
        let bodies = rows
            .iter()
            .map(|row| row.try_get_by_index::<String>(0).unwrap());
        bodies
            .filter_map(|body| Some(body.split_once("?token=")?.1.get(..64)?.to_owned()))
            .collect()
    }

    pub async fn invited(&self, by: &RequestAccount, email: &str, role: &str) -> String {
        let email = partywall::identity::EmailAddress::parse(email).unwrap();
        by.invite(&email, role).await.unwrap();
        self.mailed(email.key()).await.pop().unwrap()
    }

    /// The actions in a tenant's audit log, the oldest first.
    pub async fn actions(&self, tenant: Uuid) -> Vec<String> {
        let across = self.test.db().across("a test reads a log").await.unwrap();
        let sql = "SELECT action FROM identity.audit WHERE tenant_id = $1 ORDER BY id";
        let rows = across.rows(sql, [tenant.into()]).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }
}
