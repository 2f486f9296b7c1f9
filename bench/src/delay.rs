//! A slow wire: a proxy in front of the server's socket that hands everything on later.
//!
//! What is read gets a time at which it is due and goes to the end of one queue; a thread of its own
//! waits for the first in the queue and writes it. Since every chunk waits equally long, that queue
//! is in order for all connections and both directions at once, and nothing waits for anything but
//! its time: a hundred statements in flight are each late by the same, not by a hundred times that.

use std::{
    io::ErrorKind,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tokio::{
    io::AsyncReadExt,
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{cpu::DELAY_THREAD, outcome::Outcome};

/// Longer than any chunk can wait, and shorter than anything that is measured.
const FULL: Duration = Duration::from_micros(50);

/// The proxy. It ends with the program.
#[derive(Debug)]
pub(crate) struct Delay {
    directory: PathBuf,
    counts: Arc<Counts>,
}

/// What crossed the wire.
#[derive(Debug, Default)]
struct Counts {
    round_trips: AtomicU64,
    bursts: AtomicU64,
}

/// What crossed the wire between two looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossed {
    /// How often the client spoke after the server had, and so waited for it.
    pub(crate) round_trips: u64,
    /// How often the client's bytes arrived, whether it waited or not.
    pub(crate) bursts: u64,
}

/// Bytes on their way.
struct Chunk {
    due: Instant,
    to: Arc<OwnedWriteHalf>,
    bytes: BytesMut,
}

impl Delay {
    /// Listens in a folder of its own for connections to a server's socket, and delays each
    /// direction by half of a round trip.
    pub(crate) fn start(server: PathBuf, round_trip: Duration) -> Outcome<Self> {
        let directory =
            std::env::temp_dir().join(format!("partywall-bench-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let socket = directory.join(server.file_name().ok_or("the socket has no name")?);
        let _ = std::fs::remove_file(&socket);
        let listener = std::os::unix::net::UnixListener::bind(socket)?;
        listener.set_nonblocking(true)?;
        let counts = Arc::new(Counts::default());
        let (queue, due) = channel();
        let line = Line {
            server,
            one_way: round_trip / 2,
            queue,
            counts: counts.clone(),
        };
        let named = || thread::Builder::new().name(DELAY_THREAD.to_owned());
        named().spawn(move || deliver(&due))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        named().spawn(move || runtime.block_on(line.listen(listener)))?;
        Ok(Self { directory, counts })
    }

    /// The folder to connect to in place of the server's.
    pub(crate) fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// What crossed so far.
    pub(crate) fn crossed(&self) -> Crossed {
        Crossed {
            round_trips: self.counts.round_trips.load(Ordering::Relaxed),
            bursts: self.counts.bursts.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Line {
    server: PathBuf,
    one_way: Duration,
    queue: Sender<Chunk>,
    counts: Arc<Counts>,
}

impl Line {
    async fn listen(self, listener: std::os::unix::net::UnixListener) -> std::io::Result<()> {
        let listener = UnixListener::from_std(listener)?;
        loop {
            let (client, _) = listener.accept().await?;
            let line = self.clone();
            tokio::spawn(async move {
                // A server that is full closes the connection, and the client reports it.
                if let Ok(server) = UnixStream::connect(&line.server).await {
                    line.connect(client, server).await;
                }
            });
        }
    }

    async fn connect(&self, client: UnixStream, server: UnixStream) {
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let answered = AtomicBool::new(true);
        let up = self.carry(from_client, to_server, || {
            self.counts.bursts.fetch_add(1, Ordering::Relaxed);
            if answered.swap(false, Ordering::Relaxed) {
                self.counts.round_trips.fetch_add(1, Ordering::Relaxed);
            }
        });
        let down = self.carry(from_server, to_client, || {
            answered.store(true, Ordering::Relaxed)
        });
        futures_util::future::join(up, down).await;
    }

    /// Queues what arrives. The writing half closes when the last chunk that holds it is gone.
    async fn carry(&self, mut from: OwnedReadHalf, to: OwnedWriteHalf, note: impl Fn()) {
        let to = Arc::new(to);
        loop {
            let mut bytes = BytesMut::with_capacity(16 * 1024);
            match from.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => note(),
            }
            let due = Instant::now() + self.one_way;
            if self
                .queue
                .send(Chunk {
                    due,
                    to: to.clone(),
                    bytes,
                })
                .is_err()
            {
                return;
            }
        }
    }
}

/// Writes what is due. The sockets do not block; a full one is tried again, at the price of those
/// behind it, which does not happen with answers of a few kilobytes.
fn deliver(queue: &Receiver<Chunk>) {
    while let Ok(chunk) = queue.recv() {
        thread::sleep(chunk.due.saturating_duration_since(Instant::now()));
        let mut rest: &[u8] = &chunk.bytes;
        while !rest.is_empty() {
            match chunk.to.try_write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(FULL),
                Err(_) => break,
            }
        }
    }
}
