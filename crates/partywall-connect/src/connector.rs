use std::{future::poll_fn, pin::pin};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
};
use tokio_postgres::{
    AsyncMessage, CancelToken, Client, Config, Connection, Error, NoTls, config::SslMode,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Tls, TlsError, cancel::cancel};

/// Opens connections for one login.
#[derive(Clone)]
pub struct Connector {
    config: Config,
    /// Absent where the connection string rules TLS out.
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// Prepares to connect as the configuration says.
    ///
    /// # Errors
    ///
    /// [`TlsError`] when TLS is wanted and cannot be set up.
    pub fn new(config: Config, tls: &Tls) -> Result<Self, TlsError> {
        let local = config.get_hosts().iter().all(|host| match host {
            #[cfg(unix)]
            tokio_postgres::config::Host::Unix(_) => true,
            tokio_postgres::config::Host::Tcp(_) => false,
        }) && config.get_hostaddrs().is_empty();
        let wanted = config.get_ssl_mode() != SslMode::Disable && !local;
        let tls = wanted
            .then(|| tls.client_config())
            .transpose()?
            .map(MakeRustlsConnect::new);
        Ok(Self { config, tls })
    }

    /// Opens a connection and spawns the task that drives it. The task ends when the client is
    /// dropped or the server goes away.
    ///
    /// # Errors
    ///
    /// The server is not to be reached, or refuses the login.
    pub async fn connect(&self) -> Result<Client, Error> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(drive(connection));
                Ok(client)
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(drive(connection));
                Ok(client)
            }
        }
    }

    /// Opens a connection of which the payload of each notification is heard, with the task that drives
    /// it. Hearing must not block.
    ///
    /// # Errors
    ///
    /// Like [`connect`](Self::connect).
    pub async fn connect_hearing(
        &self,
        hear: impl FnMut(&str) + Send + 'static,
    ) -> Result<(Client, JoinHandle<()>), Error> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                Ok((client, tokio::spawn(drive_hearing(connection, hear))))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok((client, tokio::spawn(drive_hearing(connection, hear))))
            }
        }
    }

    /// Asks the server to stop what a connection is running. When this returns the server has
    /// signalled the backend, unless the connection string names several servers.
    ///
    /// # Errors
    ///
    /// The request could not be sent.
    pub async fn cancel(&self, token: &CancelToken) -> Result<(), Error> {
        cancel(&self.config, token, self.tls.as_ref()).await
    }

    /// Whom it connects as.
    #[must_use]
    pub fn login(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }
}

async fn drive(connection: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = %error, "a database connection ended");
    }
}

async fn drive_hearing<S, T>(connection: Connection<S, T>, mut hear: impl FnMut(&str))
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = pin!(connection);
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => hear(notification.payload()),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(error = %error, "a database connection ended");
                return;
            }
            None => return,
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("login", &self.login())
            .finish_non_exhaustive()
    }
}
