//! Asking a server to stop what a connection is running, politely.
//!
//! The driver sends its request and hangs up. That is too early twice over: the server may pass the
//! request on later, when the connection runs other work, and PgBouncer 1.18 ends altogether when
//! the asking client goes away while it passes one on. As libpq does, this waits for the server to
//! hang up, which it does when it has passed the request on.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_postgres::{
    CancelToken, Config, Error, NoTls,
    config::Host,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Sends the request and waits until the server has passed it on.
///
/// # Errors
///
/// The request could not be sent.
pub(super) async fn cancel(
    config: &Config,
    token: &CancelToken,
    tls: Option<&MakeRustlsConnect>,
) -> Result<(), Error> {
    let Some(socket) = socket(config).await else {
        // Which of several hosts the connection is to, only the driver knows.
        return match tls {
            Some(tls) => token.cancel_query(tls.clone()).await,
            None => token.cancel_query(NoTls).await,
        };
    };
    let connect = tls.and_then(|tls| {
        let domain = config.get_hosts().iter().find_map(|host| match host {
            Host::Tcp(name) => Some(name.as_str()),
            #[cfg(unix)]
            Host::Unix(_) => None,
        });
        MakeTlsConnect::<Waits<Socket>>::make_tls_connect(&mut tls.clone(), domain?).ok()
    });
    // In boxes, since the compiler does not see otherwise that the whole is `Send`.
    match connect {
        Some(connect) => {
            token
                .cancel_query_raw(Waits(socket), Wrapped(connect))
                .boxed()
                .await
        }
        None => token.cancel_query_raw(Waits(socket), NoTls).boxed().await,
    }
}

type Socket = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A socket to the one server there is.
async fn socket(config: &Config) -> Option<Socket> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match (config.get_hosts(), config.get_hostaddrs()) {
        ([Host::Unix(folder)], []) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            Some(Box::new(UnixStream::connect(path).await.ok()?))
        }
        ([Host::Tcp(name)], []) => Some(Box::new(
            TcpStream::connect((name.clone(), port)).await.ok()?,
        )),
        ([_] | [], [address]) => Some(Box::new(TcpStream::connect((*address, port)).await.ok()?)),
        _ => None,
    }
}

/// A stream that is shut down by waiting for the other side to hang up.
struct Waits<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for Waits<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Waits<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut bytes = [0; 64];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer));
            // However it hangs up, it has hung up.
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: TlsStream + Unpin> TlsStream for Waits<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.channel_binding()
    }
}

/// Makes TLS streams that wait.
struct Wrapped<T>(T);

impl<S, T> TlsConnect<S> for Wrapped<T>
where
    T: TlsConnect<S, Stream: 'static, Error: 'static, Future: Send + 'static>,
{
    type Stream = Waits<T::Stream>;
    type Error = T::Error;
    type Future = BoxFuture<'static, Result<Self::Stream, Self::Error>>;

    fn connect(self, stream: S) -> Self::Future {
        self.0.connect(stream).map_ok(Waits).boxed()
    }
}
