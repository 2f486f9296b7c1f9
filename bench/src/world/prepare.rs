//! Making the databases: one is filled, the others are its clones.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Instant,
};

use partywall::{Schema, schema::Passwords};

use super::{
    keys::{COMMENTS, EVENTS, NOTES, TENANTS},
    load::load,
    server::{Data, OWNER, PASSWORD, PEER, World},
};
use crate::{cost::LOOPS, outcome::Outcome};

/// What others do, in its best form: one policy, one comparison, no function.
const PEER_POLICY: &str = "\
CREATE POLICY peer ON note TO bench_peer
  USING (tenant_id = (SELECT NULLIF(current_setting('peer.tenant', true), '')::uuid));
GRANT SELECT ON note TO bench_peer;
GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO bench_peer;
GRANT CONNECT ON DATABASE bench_peer TO bench_peer;
GRANT USAGE ON SCHEMA public TO bench_peer";

/// Makes the logins that do not come with a schema.
pub(super) async fn logins(world: &World) -> Outcome {
    let admin = world.superuser("postgres").await?;
    for role in [OWNER, PEER] {
        let exists = admin
            .query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])
            .await?;
        if exists.is_none() {
            admin
                .batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"))
                .await?;
        }
    }
    Ok(())
}

/// Makes the databases, unless they are there and made from the same declarations.
pub(super) async fn prepare(world: &World, fresh: bool) -> Outcome {
    let admin = world.superuser("postgres").await?;
    let version = version(world)?;
    admin
        .batch_execute("CREATE TABLE IF NOT EXISTS bench_ready (version text)")
        .await?;
    let ready = admin
        .query_opt("SELECT FROM bench_ready WHERE version = $1", &[&version])
        .await?;
    if ready.is_some() && !fresh {
        return Ok(());
    }
    let started = Instant::now();
    eprintln!("loading {NOTES} notes of {TENANTS} tenants, which takes a minute or two …");
    admin.batch_execute("DELETE FROM bench_ready").await?;
    for data in [Data::Sealed, Data::Unsealed, Data::Peer] {
        admin
            .batch_execute(&format!(
                "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                data.name()
            ))
            .await?;
    }
    let sealed = Data::Sealed.name();
    admin
        .batch_execute(&format!("CREATE DATABASE {sealed} OWNER {OWNER}"))
        .await?;
    protect(world, world.schema(Data::Sealed), Data::Sealed).await?;
    {
        let client = world.superuser(sealed).await?;
        load(&client).await?;
        client.batch_execute(LOOPS).await?;
    }
    clone(world, Data::Unsealed).await?;
    protect(world, world.schema(Data::Unsealed), Data::Unsealed).await?;
    clone(world, Data::Peer).await?;
    world
        .superuser(Data::Peer.name())
        .await?
        .batch_execute(PEER_POLICY)
        .await?;
    admin.batch_execute("CHECKPOINT").await?;
    admin
        .execute("INSERT INTO bench_ready VALUES ($1)", &[&version])
        .await?;
    eprintln!("loaded in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Puts the wall up.
async fn protect(world: &World, schema: &Schema, data: Data) -> Outcome {
    let password = || PASSWORD.to_owned();
    let passwords = Passwords {
        app: password(),
        list: password(),
        across: password(),
        identity: password(),
    };
    schema
        .bootstrap(&world.superuser_url(data, None)?, &passwords)
        .await?;
    schema.apply(&world.url(OWNER, data, None)?).await?;
    Ok(())
}

async fn clone(world: &World, data: Data) -> Outcome {
    let admin = world.superuser("postgres").await?;
    let (name, from) = (data.name(), Data::Sealed.name());
    // The connections that filled it may be closing still.
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
    admin.query(end, &[&from]).await?;
    admin
        .batch_execute(&format!(
            "CREATE DATABASE {name} TEMPLATE {from} OWNER {OWNER}"
        ))
        .await?;
    Ok(())
}

/// Changes when anything changes that the databases were made from.
fn version(world: &World) -> Outcome<String> {
    let mut hasher = DefaultHasher::new();
    for data in [Data::Sealed, Data::Unsealed] {
        world.schema(data).sql().hash(&mut hasher);
    }
    (NOTES, COMMENTS, EVENTS, PEER_POLICY, LOOPS).hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}
