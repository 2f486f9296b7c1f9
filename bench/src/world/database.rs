use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Instant,
};

use partywall::{Config, Schema, schema::Passwords};

use super::server::{OWNER, PASSWORD, World};
use crate::{delay::Delay, outcome::Outcome};

/// A database with people in it, beside those that have none. Its logins are named after it.
pub(crate) struct Database<'a> {
    world: &'a World,
    name: &'static str,
    schema: Schema,
}

impl<'a> Database<'a> {
    pub(crate) fn new(world: &'a World, name: &'static str, schema: Schema) -> Self {
        Self {
            world,
            name,
            schema,
        }
    }

    /// Makes it and fills it with what `load` inserts, unless that was done with the same `load` and
    /// the same `version`.
    pub(crate) async fn fill(&self, load: &str, version: &str, fresh: bool) -> Outcome {
        let name = self.name;
        let admin = self.world.superuser("postgres").await?;
        let mut hasher = DefaultHasher::new();
        (self.schema.sql(), load, version).hash(&mut hasher);
        let version = format!("{:016x}", hasher.finish());
        let comment =
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1";
        let known: Option<Option<String>> = admin
            .query_opt(comment, &[&name])
            .await?
            .map(|row| row.try_get(0))
            .transpose()?;
        if known.flatten().as_ref() == Some(&version) && !fresh {
            return Ok(());
        }
        let started = Instant::now();
        eprintln!("loading {name}, which takes a minute or two …");
        for sql in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} OWNER {OWNER}"),
        ] {
            admin.batch_execute(&sql).await?;
        }
        let password = || PASSWORD.to_owned();
        let passwords = Passwords {
            app: password(),
            list: password(),
            across: password(),
            identity: password(),
        };
        self.schema
            .bootstrap(&self.world.superuser_url_of(name, None)?, &passwords)
            .await?;
        self.schema
            .apply(&self.world.url_of(OWNER, name, None)?)
            .await?;
        let client = self.world.superuser(name).await?;
        client.batch_execute(load).await?;
        client.batch_execute("VACUUM (FREEZE, ANALYZE)").await?;
        admin
            .batch_execute(&format!(
                "COMMENT ON DATABASE {name} IS '{version}'; CHECKPOINT"
            ))
            .await?;
        eprintln!("loaded in {:.0} s", started.elapsed().as_secs_f64());
        Ok(())
    }

    /// How an application connects to it.
    pub(crate) fn config(&self, by: Option<&Delay>, pool: usize) -> Outcome<Config> {
        let roles = self.schema.roles();
        let url = |login: &str| self.world.url_of(login, self.name, by);
        Ok(Config::new(&self.schema, &url(roles.app())?)?
            .across_login(&url(roles.across())?)?
            .identity_login(&url(roles.identity().unwrap_or_default())?)?
            .pool_size(pool))
    }
}
