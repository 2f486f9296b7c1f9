//! The people: 100,000 tenants and a million accounts, in a database of their own.

use argon2::password_hash::PasswordHasher as _;
use partywall::{
    Db, Roles, Schema, Seal, SealKey,
    identity::{BuiltIn, Identity, Permissions, SessionToken, Settings},
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    delay::Delay,
    outcome::Outcome,
    world::{Database, World},
};

pub(crate) const DATABASE: &str = "bench_people";

pub(super) const TENANTS: u64 = 100_000;
/// Everybody has ten accounts, and one has a thousand.
pub(super) const PEOPLE: u64 = 100_000;
pub(crate) const ACCOUNTS: u64 = 10;
pub(super) const MANY: u64 = 1_000;

/// Users and tenants are numbered; their ids are computed in the server alike.
const LOAD: &str = "
SET session_replication_role = replica;
SET synchronous_commit = off;
CREATE FUNCTION pg_temp.id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
  AS $$ SELECT substr(encode(sha256(convert_to(kind || number, 'UTF8')), 'hex'), 1, 32)::uuid $$;
INSERT INTO identity.tenant (id, slug, name, created_at)
  SELECT pg_temp.id('tenant', n), 'tenant-' || n, 'Tenant ' || n, now() FROM generate_series(0, {tenants} - 1) n;
INSERT INTO identity.role (id, tenant_id, name, builtin, permissions)
  SELECT pg_temp.id(role, n), pg_temp.id('tenant', n), role, role, '{}'
  FROM generate_series(0, {tenants} - 1) n, unnest(ARRAY['viewer', 'member', 'admin', 'owner']) role;
INSERT INTO identity.\"user\" (id, email, name, created_at)
  SELECT pg_temp.id('user', n), 'user-' || n || '@example.com', 'User ' || n, now() FROM generate_series(0, {people}) n;
INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at)
  SELECT pg_temp.id('session', n), pg_temp.id('user', n),
         encode(sha256(convert_to(encode(sha256(convert_to('token ' || n, 'UTF8')), 'hex'), 'UTF8')), 'hex'),
         now(), now() + interval '1 day', now() + interval '2 days'
  FROM generate_series(0, {people}) n;
CREATE TEMP TABLE joined AS
  SELECT u AS person, (u * 7919 + n * 104729) % {tenants} AS tenant
  FROM generate_series(0, {people} - 1) u, generate_series(0, {accounts} - 1) n
  UNION ALL
  SELECT {people}, n * ({tenants} / {many}) FROM generate_series(0, {many} - 1) n;
INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at)
  SELECT pg_temp.id('account ' || person || ' ', tenant), pg_temp.id('tenant', tenant), pg_temp.id('user', person),
         'User ' || person, 'user-' || person || '@example.com', now()
  FROM joined;
INSERT INTO identity.account_role (account_id, role_id, tenant_id)
  SELECT pg_temp.id('account ' || person || ' ', tenant), pg_temp.id('member', tenant), pg_temp.id('tenant', tenant)
  FROM joined;
RESET session_replication_role;
";

/// The database, and how to reach it.
pub(super) struct Town<'a> {
    world: &'a World,
    database: Database<'a>,
}

impl<'a> Town<'a> {
    /// Makes and fills the database where it is missing.
    pub(super) async fn open(world: &'a World, fresh: bool) -> Outcome<Self> {
        let key = SealKey::new(&[9; 32])?;
        let builder = Schema::builder(Roles::named(DATABASE), Seal::on(key));
        let schema = Identity::tables(builder).build()?;
        // Sessions end: what was loaded yesterday signs nobody in.
        let today = chrono::Utc::now().date_naive().to_string();
        let database = Database::new(world, DATABASE, schema);
        database.fill(&load(TENANTS, PEOPLE), &today, fresh).await?;
        Ok(Self { world, database })
    }

    /// Gives somebody a password.
    pub(super) async fn set_password(&self, email: &str, password: &str) -> Outcome {
        let hash = argon2::Argon2::default().hash_password(password.as_bytes())?;
        self.world
            .superuser(DATABASE)
            .await?
            .execute(
                "INSERT INTO identity.credential (email_key, user_id, password_hash) \
                 SELECT $1, id, $2 FROM identity.\"user\" WHERE email = $1 \
                 ON CONFLICT (email_key) DO UPDATE SET password_hash = excluded.password_hash",
                &[&email, &hash.to_string()],
            )
            .await?;
        Ok(())
    }

    /// Connects as an application does.
    pub(super) async fn identity(&self, by: Option<&Delay>, pool: usize) -> Outcome<Identity> {
        let permissions = Permissions::new().declare("note.read", BuiltIn::Viewer)?;
        Ok(Identity::new(
            Db::connect(self.database.config(by, pool)?).await?,
            permissions,
            settings(),
        ))
    }
}

/// Who tries to sign in is not held up.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new("http://127.0.0.1:8080", "bench@example.com");
    settings.attempts = u32::MAX;
    settings
}

/// What makes tenants, and people with accounts in them.
pub(crate) fn load(tenants: u64, people: u64) -> String {
    LOAD.replace("{tenants}", &tenants.to_string())
        .replace("{people}", &people.to_string())
        .replace("{accounts}", &ACCOUNTS.to_string())
        .replace("{many}", &MANY.to_string())
}

/// The tenant of a person's account, by its number: one of those with ten.
pub(crate) fn joined(tenants: u64, person: u64, number: u64) -> u64 {
    (person * 7_919 + number * 104_729) % tenants
}

/// The token of a person's session.
pub(crate) fn token(person: u64) -> Outcome<SessionToken> {
    let bytes = Sha256::digest(format!("token {person}"));
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SessionToken::parse(&text).ok_or("a hash is a token")?)
}

/// The slug of a tenant that a person has an account in.
pub(super) fn slug(person: u64, number: u64) -> String {
    let tenant = if person == PEOPLE {
        number * (TENANTS / MANY)
    } else {
        joined(TENANTS, person, number)
    };
    format!("tenant-{tenant}")
}

/// What the database holds of a token.
pub(super) fn token_hash(person: u64) -> Outcome<String> {
    let bytes = Sha256::digest(token(person)?.expose());
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The id of a tenant, by its slug.
pub(super) fn tenant(slug: &str) -> Outcome<Uuid> {
    let number = slug
        .strip_prefix("tenant-")
        .ok_or("a tenant has a number")?;
    id("tenant", number)
}

/// The id of a row, as the server computes it.
pub(crate) fn id(kind: &str, number: impl std::fmt::Display) -> Outcome<Uuid> {
    let hash = Sha256::digest(format!("{kind}{number}"));
    Ok(Uuid::from_slice(hash.get(..16).unwrap_or_default())?)
}
