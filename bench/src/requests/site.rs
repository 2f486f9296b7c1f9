use partywall::{
    Config, Roles, Schema, Seal, SealKey,
    identity::{BuiltIn, Identity, Permissions},
};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    delay::Delay,
    model::{comment_copy, draft, note, topic},
    outcome::Outcome,
    people::town,
    world::{BEGINNING, Database, NOTES, TENANTS, World, warm_notes},
};

const DATABASE: &str = "bench_requests";
const LOAD: &str = include_str!("load.sql");

/// As many people as tenants, each with an account in ten.
const PEOPLE: u64 = TENANTS;

/// The database of the applications: tenants, people and notes.
pub(crate) struct Site<'a> {
    world: &'a World,
    database: Database<'a>,
    /// One for all: what a connection used that ends meanwhile would be missing from the server's time.
    superuser: Client,
}

/// Somebody with a session, and a tenant that they are a member of.
pub(crate) struct Visitor {
    pub(crate) number: u64,
    pub(crate) tenant: Uuid,
    pub(crate) token: String,
}

impl<'a> Site<'a> {
    /// Makes and fills the database where it is missing.
    pub(crate) async fn open(world: &'a World, fresh: bool) -> Outcome<Self> {
        let seal = Seal::on(SealKey::new(&[11; 32])?);
        let schema = Identity::tables(Schema::builder(Roles::named(DATABASE), seal))
            .model::<note::Entity>()
            .model::<draft::Entity>()
            .model::<topic::Entity>()
            .model::<comment_copy::Entity>()
            .announces::<note::Entity>()
            .build()?;
        let notes = LOAD
            .replace("{tenants}", &TENANTS.to_string())
            .replace("{notes}", &NOTES.to_string())
            .replace("{beginning}", &BEGINNING.to_string());
        let load = town::load(TENANTS, PEOPLE) + &notes;
        let database = Database::new(world, DATABASE, schema);
        database.fill(&load, "", fresh).await?;
        let superuser = world.superuser(DATABASE).await?;
        // Sessions end, and those of yesterday's run are to be used again.
        superuser
            .batch_execute(
                "UPDATE identity.session SET created_at = now(), seen_at = now() + interval '1 day', \
                 expires_at = now() + interval '2 days'",
            )
            .await?;
        superuser.batch_execute("VACUUM identity.session").await?;
        warm_notes(&superuser).await?;
        Ok(Self {
            world,
            database,
            superuser,
        })
    }

    /// How an application of Partywall's connects.
    pub(crate) fn config(&self, by: Option<&Delay>, pool: usize) -> Outcome<Config> {
        self.database.config(by, pool)
    }

    /// How one connects that no policy holds.
    pub(crate) fn superuser_url(&self, by: Option<&Delay>) -> Outcome<String> {
        self.world.superuser_url_of(DATABASE, by)
    }

    /// Throws away what was created, and tells how much it was.
    pub(crate) async fn clear(&self) -> Outcome<u64> {
        let count = "SELECT count(*) FROM draft";
        let row = self.superuser.query_one(count, &[]).await?;
        self.superuser.batch_execute("TRUNCATE draft").await?;
        Ok(u64::try_from(row.try_get::<_, i64>(0)?)?)
    }

    /// Changes one note of a tenant.
    pub(crate) async fn touch(&self, tenant: Uuid) -> Outcome {
        let sql = "UPDATE note SET title = title WHERE tenant_id = $1 \
                   AND id = (SELECT id FROM note WHERE tenant_id = $1 ORDER BY id LIMIT 1)";
        match self.superuser.execute(sql, &[&tenant]).await? {
            1 => Ok(()),
            other => Err(format!("{other} notes were changed instead of one").into()),
        }
    }

    /// How many connections its database has, but the one that asks.
    pub(crate) async fn connections(&self) -> Outcome<i64> {
        let sql = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        Ok(self.superuser.query_one(sql, &[]).await?.try_get(0)?)
    }
}

/// What its members may do.
pub(crate) fn permissions() -> Outcome<Permissions> {
    Ok(Permissions::new()
        .declare("note.read", BuiltIn::Viewer)?
        .declare("note.write", BuiltIn::Member)?)
}

impl Visitor {
    /// Somebody, in one of their tenants.
    pub(crate) fn draw() -> Outcome<Self> {
        Self::of(fastrand::u64(..PEOPLE), fastrand::u64(..town::ACCOUNTS))
    }

    /// A person by number, in one of their tenants.
    pub(crate) fn of(person: u64, account: u64) -> Outcome<Self> {
        let number = town::joined(TENANTS, person, account);
        Ok(Self {
            number,
            tenant: town::id("tenant", number)?,
            token: town::token(person)?.expose().to_owned(),
        })
    }
}
