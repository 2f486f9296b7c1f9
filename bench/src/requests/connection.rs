use std::net::SocketAddr;

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::outcome::Outcome;

/// The most headers that an answer may have.
const HEADERS: usize = 64;

/// A kept connection of an HTTP/1.1 client that does as little as it can: it shares the cores with
/// what is measured.
pub(crate) struct Connection {
    stream: TcpStream,
    read: BytesMut,
}

/// An answer, as long as no other is asked for.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a str,
}

/// What the head of an answer says.
struct Head {
    status: u16,
    end: usize,
    length: usize,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: BytesMut::with_capacity(64 * 1024),
        })
    }

    /// Sends a request as it is written, and waits for the whole answer.
    pub(crate) async fn send(&mut self, request: &str) -> Outcome<Answer<'_>> {
        self.read.clear();
        self.stream.write_all(request.as_bytes()).await?;
        let head = loop {
            self.more().await?;
            if let Some(head) = head(&self.read)? {
                break head;
            }
        };
        let whole = head.end + head.length;
        while self.read.len() < whole {
            self.more().await?;
        }
        let body = self
            .read
            .get(head.end..)
            .filter(|body| body.len() == head.length)
            .ok_or("more came than one answer")?;
        Ok(Answer {
            status: head.status,
            body: std::str::from_utf8(body)?,
        })
    }

    async fn more(&mut self) -> Outcome {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err("the connection was closed within an answer".into()),
            _ => Ok(()),
        }
    }
}

fn head(read: &[u8]) -> Outcome<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = answer.parse(read)? else {
        return Ok(None);
    };
    let length = answer
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .ok_or("the answer has no length")?;
    Ok(Some(Head {
        status: answer.code.ok_or("the answer has no status")?,
        end,
        length: std::str::from_utf8(length.value)?.parse()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{";
        for cut in 0..text.len() - 1 {
            assert!(head(&text[..cut]).unwrap().is_none(), "{cut}");
        }
        let head = head(text).unwrap().unwrap();
        assert_eq!((head.status, head.length), (201, 12));
        assert_eq!(&text[head.end..], b"{");
    }

    #[test]
    fn an_answer_without_a_length_is_an_error() {
        assert!(head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_ok());
        assert!(head(b"SSH-2.0-OpenSSH\r\n").is_err());
    }
}
