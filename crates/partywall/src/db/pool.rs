use std::{
    fmt,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool::managed::{
    self, Metrics as Use, PoolError, RecycleError, RecycleResult, TimeoutType,
};
use tokio_postgres::{Client, error::SqlState};

use super::{Error, Event, Metrics, conn::Conn, lease::Lease};
use crate::connect::{Connector, is_refusal};

/// The connections of one login. Never leaves this crate.
#[derive(Clone)]
pub(super) struct Pool {
    objects: managed::Pool<Manager>,
    pub(super) shared: Arc<Shared>,
}

/// What the pool, its connections and their clean-up share.
pub(super) struct Shared {
    pub(super) connector: Connector,
    pub(super) metrics: Option<Arc<dyn Metrics>>,
    pub(super) limits: Limits,
}

/// Sizes and times of a pool.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) size: usize,
    pub(super) acquire: Duration,
    pub(super) connect: Duration,
    pub(super) connect_attempts: u32,
    pub(super) statement: Option<Duration>,
    pub(super) cached_statements: NonZeroUsize,
    pub(super) named_statements: bool,
    /// Whether connections of this pool enter scopes.
    pub(super) enters: bool,
    /// A query whose columns have every type of the models' own, where there are any.
    pub(super) types: Option<Arc<str>>,
    /// Whether each use of a connection is its last.
    pub(super) single_use: bool,
}

/// The call that sets the context, with its parameters' types.
pub(super) const ENTER: &str = "SELECT partywall.enter($1::text, $2::integer)";

impl Pool {
    pub(super) fn new(
        connector: Connector,
        metrics: Option<Arc<dyn Metrics>>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let size = limits.size;
        let shared = Arc::new(Shared {
            connector,
            metrics,
            limits,
        });
        let objects = managed::Pool::builder(Manager {
            shared: shared.clone(),
        })
        .max_size(size)
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| Error::Connect(error.into()))?;
        Ok(Self { objects, shared })
    }

    /// Takes a connection for exclusive use.
    pub(super) async fn acquire(&self) -> Result<Lease, Error> {
        let asked = Instant::now();
        let limits = &self.shared.limits;
        let timeouts = managed::Timeouts {
            wait: Some(limits.acquire),
            create: None,
            recycle: None,
        };
        let object = self.objects.timeout_get(&timeouts).await.map_err(|error| {
            if let PoolError::Timeout(TimeoutType::Wait) = error {
                Error::PoolExhausted(limits.acquire)
            } else if let PoolError::Backend(error) = error {
                error
            } else {
                Error::Connect(error.to_string().into())
            }
        })?;
        self.shared.record(Event::Acquired {
            login: self.login(),
            waited: asked.elapsed(),
        });
        Ok(Lease::new(object, self.shared.clone()))
    }

    pub(super) fn login(&self) -> &str {
        self.shared.connector.login()
    }
}

impl Shared {
    pub(super) fn record(&self, event: Event<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.record(event);
        }
    }
}

/// Opens connections, and refuses to hand out a closed one again.
pub(super) struct Manager {
    shared: Arc<Shared>,
}

impl managed::Manager for Manager {
    type Type = Conn;
    type Error = Error;

    async fn create(&self) -> Result<Conn, Error> {
        let limits = &self.shared.limits;
        let mut wait = Duration::from_millis(50);
        let mut attempt = 1;
        loop {
            match self.open().await {
                Err(error) if attempt < limits.connect_attempts && passes(&error) => {
                    tracing::warn!(attempt, error = %error, "cannot connect yet, trying again");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                    attempt += 1;
                }
                opened => return opened,
            }
        }
    }

    async fn recycle(&self, conn: &mut Conn, _: &Use) -> RecycleResult<Error> {
        if conn.client.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}

impl Manager {
    async fn open(&self) -> Result<Conn, Error> {
        let limits = &self.shared.limits;
        let client = tokio::time::timeout(limits.connect, self.shared.connector.connect())
            .await
            .map_err(|elapsed| Error::Connect(elapsed.into()))?
            .map_err(|error| {
                if is_refusal(&error) {
                    Error::Tls(error)
                } else {
                    Error::Connect(error.into())
                }
            })?;
        let mut conn = Conn::new(client, limits.cached_statements, limits.named_statements);
        if limits.named_statements && limits.enters {
            let enter = tokio::time::timeout(limits.connect, conn.client.prepare(ENTER))
                .await
                .map_err(|elapsed| Error::Connect(elapsed.into()))??;
            conn.enter = Some(enter);
        }
        if let Some(types) = limits.types.as_deref().filter(|_| !limits.named_statements) {
            tokio::time::timeout(limits.connect, learn(&conn.client, types))
                .await
                .map_err(|elapsed| Error::Connect(elapsed.into()))??;
        }
        Ok(conn)
    }
}

/// Makes the types known to the driver, which looks up each that it does not know through statements
/// with names. So that is done once and inside a transaction, for which a pooler keeps to one server
/// connection, and nothing of it stays there: another process may want the same names.
async fn learn(client: &Client, types: &str) -> Result<(), tokio_postgres::Error> {
    client.batch_execute("BEGIN; DEALLOCATE ALL").await?;
    client.prepare(types).await?;
    client.batch_execute("DEALLOCATE ALL; COMMIT").await
}

/// Whether trying again a little later can help.
fn passes(error: &Error) -> bool {
    let Error::Connect(source) = error else {
        return matches!(error, Error::Lost(_));
    };
    match source.downcast_ref::<tokio_postgres::Error>() {
        Some(error) => match error.code() {
            Some(code) => {
                *code == SqlState::CANNOT_CONNECT_NOW || *code == SqlState::TOO_MANY_CONNECTIONS
            }
            None => true,
        },
        None => true,
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("login", &self.login())
            .finish_non_exhaustive()
    }
}
