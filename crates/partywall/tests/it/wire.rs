//! A wire to the server that counts round trips.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use futures_util::future::join;
use partywall::testing::server;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use uuid::Uuid;

/// A proxy in front of the server's socket. Counts exactly where the test runs on one thread and does
/// one thing at a time: what is queued on one poll is then written at once.
pub struct Wire {
    folder: PathBuf,
    round_trips: Arc<AtomicU64>,
}

impl Wire {
    pub fn start() -> Self {
        let server = server().unwrap();
        let folder = std::env::temp_dir().join(format!("pw-{}", Uuid::now_v7().simple()));
        std::fs::create_dir(&folder).unwrap();
        let name = format!(".s.PGSQL.{}", server.port());
        let listener = UnixListener::bind(folder.join(&name)).unwrap();
        let to = server.socket_dir().join(name);
        let round_trips = Arc::new(AtomicU64::new(0));
        let counted = round_trips.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = UnixStream::connect(&to).await.unwrap();
                tokio::spawn(carry_both(client, server, counted.clone()));
            }
        });
        Self {
            folder,
            round_trips,
        }
    }

    /// The same login, through this wire.
    pub fn url(&self, direct: &str) -> String {
        let encoded = |path: &Path| path.to_str().unwrap().replace('/', "%2F");
        let (from, to) = (server().unwrap().socket_dir(), &self.folder);
        let url = direct.replace(&encoded(from), &encoded(to));
        assert_ne!(url, direct, "the connection string names the socket");
        url
    }

    /// What something takes in round trips: how often the client spoke after the server had.
    pub async fn count<T>(&self, work: impl Future<Output = T>) -> (T, u64) {
        let before = self.round_trips.load(Ordering::SeqCst);
        let done = work.await;
        (done, self.round_trips.load(Ordering::SeqCst) - before)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn carry_both(client: UnixStream, server: UnixStream, round_trips: Arc<AtomicU64>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let answered = AtomicBool::new(true);
    let up = carry(from_client, to_server, || {
        if answered.swap(false, Ordering::SeqCst) {
            round_trips.fetch_add(1, Ordering::SeqCst);
        }
    });
    let down = carry(from_server, to_client, || {
        answered.store(true, Ordering::SeqCst);
    });
    join(up, down).await;
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, note: impl Fn()) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        note();
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
