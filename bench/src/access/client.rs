use std::hint::black_box;

use partywall::Db;
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::{
    plain,
    query::{Query, draw},
    scoped,
    way::{Read, Way},
};
use crate::{
    delay::Delay,
    outcome::Outcome,
    world::{Data, PEER, World},
};

/// A way to the rows, with its pool. The ways of one library share one.
pub(crate) enum Client {
    TokioPostgres(deadpool_postgres::Pool),
    Sqlx(PgPool),
    SetConfig(PgPool),
    Partywall(Db, Read),
}

/// The pools of all ways, each with as many connections.
pub(crate) struct Pools {
    tokio_postgres: deadpool_postgres::Pool,
    sqlx: PgPool,
    sqlx_no_ping: PgPool,
    set_config: PgPool,
    sealed: Db,
    unsealed: Db,
}

impl Pools {
    pub(crate) async fn open(
        world: &World,
        by: Option<&Delay>,
        connections: usize,
    ) -> Outcome<Self> {
        let superuser = world.superuser_url(Data::Sealed, by)?;
        let peer = world.url(PEER, Data::Peer, by)?;
        let limit = u32::try_from(connections)?;
        let pgx = || PgPoolOptions::new().max_connections(limit);
        Ok(Self {
            tokio_postgres: plain::pool(&superuser, connections)?,
            sqlx: pgx().connect(&superuser).await?,
            sqlx_no_ping: pgx().test_before_acquire(false).connect(&superuser).await?,
            set_config: pgx().connect(&peer).await?,
            sealed: world.db(Data::Sealed, by, connections).await?,
            unsealed: world.db(Data::Unsealed, by, connections).await?,
        })
    }

    pub(crate) fn client(&self, way: Way) -> Client {
        match way {
            Way::TokioPostgres => Client::TokioPostgres(self.tokio_postgres.clone()),
            Way::Sqlx { pings: true } => Client::Sqlx(self.sqlx.clone()),
            Way::Sqlx { pings: false } => Client::Sqlx(self.sqlx_no_ping.clone()),
            Way::SetConfig => Client::SetConfig(self.set_config.clone()),
            Way::Partywall { read, sealed: true } => Client::Partywall(self.sealed.clone(), read),
            Way::Partywall {
                read,
                sealed: false,
            } => Client::Partywall(self.unsealed.clone(), read),
        }
    }

    pub(crate) async fn close(&self) {
        self.tokio_postgres.close();
        for pool in [&self.sqlx, &self.sqlx_no_ping, &self.set_config] {
            pool.close().await;
        }
    }
}

impl Client {
    /// Asks for a tenant's rows, a tenant drawn by chance, and looks that all of them came.
    pub(crate) async fn call(&self, query: Query) -> Outcome {
        let (tenant, id) = draw();
        let rows = match self {
            Self::TokioPostgres(pool) => {
                black_box(plain::tokio_postgres(pool, query, tenant, id).await?).len()
            }
            Self::Sqlx(pool) => black_box(plain::sqlx(pool, query, tenant, id).await?).len(),
            Self::SetConfig(pool) => {
                black_box(plain::set_config(pool, query, tenant, id).await?).len()
            }
            Self::Partywall(db, read) => scoped::read(db, *read, query, tenant, id).await?,
        };
        if rows as u64 == query.rows() {
            Ok(())
        } else {
            Err(format!("{rows} rows instead of {}", query.rows()).into())
        }
    }
}
