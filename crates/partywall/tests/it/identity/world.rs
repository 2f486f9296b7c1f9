//! Two tenants and their people, written past the wall: ann owns A and views B, bob is a member of A,
//! eve owns B, sue is of the staff.

use partywall::{
    Roles, Schema, Seal, SealKey,
    identity::{
        Authenticated, BuiltIn, Error, Identity, Permissions, RequestAccount, RequestUser,
        SessionToken, Settings, TenantSelector,
    },
    testing::TestDb,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::note;

pub struct World {
    pub test: TestDb,
    pub identity: Identity,
    pub a: Uuid,
    pub b: Uuid,
}

pub fn schema() -> Schema {
    let key = SealKey::new(&[7; 32]).unwrap();
    Identity::tables(Schema::builder(Roles::named("people"), Seal::on(key)))
        .model::<note::Entity>()
        .model::<note::comment::Entity>()
        .model::<note::poll::Entity>()
        .model::<note::vote::Entity>()
        .announces::<note::Entity>()
        .announces::<note::comment::Entity>()
        .build()
        .unwrap()
}

pub fn permissions() -> Permissions {
    Permissions::new()
        .declare("note.read", BuiltIn::Viewer)
        .and_then(|all| all.declare("note.write", BuiltIn::Member))
        .and_then(|all| all.declare("note.publish", BuiltIn::Admin))
        .unwrap()
}

/// The id of somebody or something that the fixture names.
pub fn id(name: &str) -> Uuid {
    let hash = Sha256::digest(name);
    Uuid::from_slice(&hash[..16]).unwrap()
}

/// The token of a session that the fixture opens for a person.
pub fn token(name: &str) -> SessionToken {
    SessionToken::parse(&hex(&Sha256::digest(format!("session of {name}")))).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl World {
    pub async fn new() -> Self {
        Self::on(TestDb::new(&schema()).await.unwrap(), permissions()).await
    }

    /// On another schema, which has the tables as well.
    pub async fn on(test: TestDb, permissions: Permissions) -> Self {
        let mut sql = String::new();
        for tenant in ["a", "b"] {
            sql += &format!(
                "INSERT INTO identity.tenant (id, slug, name, created_at) VALUES ('{0}', '{tenant}', 'Tenant {tenant}', now());",
                id(tenant)
            );
            for role in BuiltIn::ALL.map(BuiltIn::name) {
                sql += &format!(
                    "INSERT INTO identity.role (id, tenant_id, name, builtin, permissions) VALUES ('{}', '{}', '{role}', '{role}', '{{}}');",
                    id(&format!("{tenant} {role}")),
                    id(tenant)
                );
            }
        }
        for name in ["ann", "bob", "eve", "sue"] {
            let person = id(name);
            sql += &format!(
                "INSERT INTO identity.\"user\" (id, email, name, created_at) VALUES ('{person}', '{name}@example.com', '{name}', now());\
                 INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at) \
                 VALUES ('{}', '{person}', '{}', now(), now(), now() + interval '1 hour');",
                id(&format!("session of {name}")),
                hex(&Sha256::digest(token(name).expose())),
            );
        }
        sql += &format!(
            "INSERT INTO identity.staff (user_id) VALUES ('{}');",
            id("sue")
        );
        for (name, tenant, role) in [
            ("ann", "a", "owner"),
            ("ann", "b", "viewer"),
            ("bob", "a", "member"),
            ("eve", "b", "owner"),
        ] {
            let account = id(&format!("{name} in {tenant}"));
            sql += &format!(
                "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) VALUES ('{account}', '{t}', '{}', '{name}', '{name}@example.com', now());\
                 INSERT INTO identity.account_role (account_id, role_id, tenant_id) VALUES ('{account}', '{}', '{t}');",
                id(name),
                id(&format!("{tenant} {role}")),
                t = id(tenant),
            );
        }
        test.as_superuser(&sql).await.unwrap();
        let settings = Settings::new("http://127.0.0.1:8080", "notes@example.com");
        let identity = Identity::new(test.db().clone(), permissions, settings);
        Self {
            test,
            identity,
            a: id("a"),
            b: id("b"),
        }
    }
}

impl World {
    /// What a person's session finds in a tenant, as the next request would.
    pub async fn authenticated(&self, name: &str, tenant: Uuid) -> Authenticated {
        self.identity
            .authenticate(&token(name), TenantSelector::Id(tenant), None)
            .await
            .unwrap()
    }

    pub async fn user(&self, name: &str) -> RequestUser {
        self.authenticated(name, self.a).await.user.unwrap()
    }

    pub async fn account_or(&self, name: &str, tenant: Uuid) -> Result<RequestAccount, Error> {
        self.authenticated(name, tenant).await.account()
    }

    pub async fn account(&self, name: &str, tenant: Uuid) -> RequestAccount {
        self.account_or(name, tenant).await.unwrap()
    }

    /// A further person with a session and, in tenant `a`, an account that has a built-in role.
    pub async fn joins(&self, name: &str, role: &str) -> Uuid {
        let account = id(&format!("{name} in a"));
        let sql = format!(
            "INSERT INTO identity.\"user\" (id, email, name, created_at) \
             VALUES ('{person}', '{name}@example.com', '{name}', now());\
             INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at) \
             VALUES ('{session}', '{person}', '{hash}', now(), now(), now() + interval '1 hour');\
             INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) \
             VALUES ('{account}', '{a}', '{person}', '{name}', '{name}@example.com', now());\
             INSERT INTO identity.account_role (account_id, role_id, tenant_id) \
             VALUES ('{account}', '{role}', '{a}');",
            person = id(name),
            session = id(&format!("session of {name}")),
            hash = hex(&Sha256::digest(token(name).expose())),
            role = id(&format!("a {role}")),
            a = self.a,
        );
        self.test.as_superuser(&sql).await.unwrap();
        account
    }

    /// One number that a superuser reads.
    pub async fn count(&self, sql: &str) -> i64 {
        let url = self.test.superuser_url();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let driver = tokio::spawn(connection);
        let count = client.query_one(sql, &[]).await.unwrap().get(0);
        drop(client);
        driver.await.unwrap().unwrap();
        count
    }
}
