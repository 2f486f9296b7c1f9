use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::way::EVENTS;
use crate::{outcome::Outcome, requests::Visitor};

/// How long the first event may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who listens to a stream: a socket, which takes no memory of this process.
pub(super) struct Listener(TcpStream);

impl Listener {
    /// Opens a stream and waits for its first event.
    pub(super) fn open(address: SocketAddr, visitor: &Visitor) -> Outcome<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let path = EVENTS.replace("{tenant}", &visitor.tenant.to_string());
        let cookie = &visitor.token;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\ncookie: __Host-session={cookie}\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut read = Vec::new();
        let mut part = [0; 1024];
        while !contains(&read, b"event: ready") {
            let length = stream.read(&mut part)?;
            read.extend_from_slice(part.get(..length).unwrap_or_default());
            let refused = read.len() > 12 && !read.starts_with(b"HTTP/1.1 200");
            if length == 0 || refused {
                let text = String::from_utf8_lossy(&read);
                return Err(format!("no stream but {text}").into());
            }
        }
        stream.set_nonblocking(true)?;
        Ok(Self(stream))
    }

    /// How many notes it has told of.
    pub(super) fn notes(&self) -> usize {
        let mut waiting = [0; 4096];
        let length = self.0.peek(&mut waiting).unwrap_or_default();
        let waiting = waiting.get(..length).unwrap_or_default();
        let told = b"event: note";
        waiting
            .windows(told.len())
            .filter(|part| part == told)
            .count()
    }

    /// Whether the stream has not ended.
    pub(super) fn is_open(&self) -> bool {
        match self.0.peek(&mut [0]) {
            Ok(length) => length > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
