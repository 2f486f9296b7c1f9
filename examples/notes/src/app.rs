//! The running application: its state, its listener and its end.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::extract::FromRef;
use partywall::{
    Db,
    db::ConnectError,
    identity::{self, Identity, Mailer, Settings},
    jobs::{Waker, Worker},
    policy::PolicyError,
    web::{
        RoutesError,
        resource::{CursorKey, CursorKeyError, ResourceError, idempotency},
    },
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{database::Database, exports, permissions::permissions, playground, web};

/// What every handler may use.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) identity: Identity,
    /// The playground's own connections, where it is on.
    pub(crate) playground: Option<Db>,
    pub(crate) mailer: Mailer,
    /// What signs the cursors of lists.
    pub(crate) cursors: CursorKey,
    /// Tells the worker that there is a job.
    pub(crate) jobs: Waker,
}

impl FromRef<App> for Identity {
    fn from_ref(app: &App) -> Self {
        app.identity.clone()
    }
}

/// Limits and times of accounts, for an application that is reached at an address.
#[must_use]
pub fn settings(address: SocketAddr) -> Settings {
    Settings::new(format!("http://{address}"), "notes@example.com")
}

/// The application, listening.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    /// Everything ends when this is dropped.
    stop: watch::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

/// Why the application did not start, or did not stop as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Somebody else has the port.
    #[error("port {0} is in use: set PORT to another one, or stop what listens there")]
    PortInUse(u16),
    /// The port cannot be listened on for another reason.
    #[error("cannot listen on port {port}: set PORT to another one")]
    Listen {
        /// Which port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The playground has no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The permissions are declared wrongly.
    #[error(transparent)]
    Permissions(#[from] identity::Error),
    /// A policy is written wrongly.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A resource is declared wrongly.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// The secrets are too short to sign with.
    #[error(transparent)]
    Cursors(#[from] CursorKeyError),
    /// An endpoint is open to nobody knows whom, or not to be told from another.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// The server failed while it ran.
    #[error("the server failed")]
    Serve(#[from] io::Error),
}

/// How long requests may take that are under way when the application is told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// How long jobs may take that run then. Others wait for the next start.
const LAST_JOBS: Duration = Duration::from_secs(4);

/// How often jobs are looked for that nobody told of: those of another process, and second tries.
const WORK_EVERY: Duration = Duration::from_secs(5);

/// How often the outbox is looked into.
const MAIL_EVERY: Duration = Duration::from_secs(1);

/// How often deleted tenants are looked for whose time of grace is over, and old idempotency keys.
const PURGE_EVERY: Duration = Duration::from_secs(60 * 60);

async fn purge_run(identity: &Identity) -> Infallible {
    loop {
        match identity.tenants_purge(|_| ()).await {
            Ok(purged) => {
                for (tenant, error) in purged.failed {
                    tracing::error!(%tenant, %error, "a deleted tenant cannot be removed");
                }
            }
            Err(error) => tracing::error!(%error, "deleted tenants cannot be looked for"),
        }
        tokio::time::sleep(PURGE_EVERY).await;
    }
}

/// Removes the keys of requests that nobody sends again.
async fn idempotency_keys_expire(db: &Db) -> Infallible {
    loop {
        tokio::time::sleep(PURGE_EVERY).await;
        if let Err(error) = idempotency::purge(db).await {
            tracing::warn!(%error, "old idempotency keys could not be removed");
        }
    }
}

/// How often expired sessions are removed, which open nothing in the meantime.
const EXPIRE_EVERY: Duration = Duration::from_secs(5 * 60);

async fn sessions_expire(identity: &Identity) -> Infallible {
    loop {
        tokio::time::sleep(EXPIRE_EVERY).await;
        if let Err(error) = identity.sessions_expire().await {
            tracing::warn!(%error, "expired sessions could not be removed");
        }
    }
}

async fn work(worker: Worker, stopped: impl Future<Output = ()> + Send) {
    let worker = worker.poll(WORK_EVERY).grace(LAST_JOBS);
    if let Err(error) = worker.run(stopped).await {
        tracing::error!(%error, "no jobs are run");
    }
}

async fn told(mut stopped: watch::Receiver<()>) {
    let _ = stopped.changed().await;
}

impl Serving {
    /// Takes a port of this machine, 0 for any that is free. Nothing else is touched.
    ///
    /// # Errors
    ///
    /// [`StartError::PortInUse`] and [`StartError::Listen`].
    pub async fn bind(port: u16) -> Result<TcpListener, StartError> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|source| {
                if source.kind() == io::ErrorKind::AddrInUse {
                    StartError::PortInUse(port)
                } else {
                    StartError::Listen { port, source }
                }
            })
    }

    /// Begins to answer.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(
        listener: TcpListener,
        database: &Database,
        with_playground: bool,
        settings: Settings,
        mailer: Mailer,
    ) -> Result<Self, StartError> {
        let playground = match with_playground {
            true => Some(playground::connect(database).await?),
            false => None,
        };
        let identity = Identity::new(database.db().clone(), permissions()?, settings);
        let worker = exports::worker(&identity);
        let app = App {
            identity: identity.clone(),
            playground,
            mailer,
            cursors: database.cursor_key()?,
            jobs: worker.waker(),
        };
        let address = listener.local_addr()?;
        let (mailer, db) = (app.mailer.clone(), database.db().clone());
        let (stop, stopped) = watch::channel(());
        // Who is limited by their address has to be known by it.
        let service = web::router(app)?.into_make_service_with_connect_info::<SocketAddr>();
        let serve = axum::serve(listener, service).with_graceful_shutdown(told(stopped.clone()));
        Ok(Self {
            address,
            stop,
            task: tokio::spawn(async move {
                let mail = identity.mail_run(&mailer, MAIL_EVERY);
                let expire = sessions_expire(&identity);
                let answer =
                    async { tokio::join!(serve.into_future(), work(worker, told(stopped))).0 };
                tokio::select! {
                    served = answer => served,
                    never = mail => match never {},
                    never = purge_run(&identity) => match never {},
                    never = expire => match never {},
                    never = idempotency_keys_expire(&db) => match never {},
                }
            }),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Finishes the requests and the jobs under way and ends.
    ///
    /// # Errors
    ///
    /// [`StartError::Serve`].
    pub async fn stop(self) -> Result<(), StartError> {
        let _ = self.stop.send(());
        match tokio::time::timeout(LAST_REQUESTS, self.task).await {
            Ok(Ok(served)) => Ok(served?),
            // A browser may keep its connection open for as long as it likes.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}
