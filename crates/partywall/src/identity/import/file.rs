//! The lines of a file.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt as _;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value as Json;

use super::{
    super::export::{FORMAT, VERSION},
    ImportError,
};

/// Bytes of a line, at most.
const LONGEST: usize = 64 << 20;

/// The lines of a stream of bytes, numbered from 1.
pub(super) struct Lines<S> {
    stream: S,
    buffer: BytesMut,
    /// Where the search for the next line break goes on.
    searched: usize,
    number: u64,
    is_at_end: bool,
}

impl<S, E> Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(super) fn of(stream: S) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            searched: 0,
            number: 0,
            is_at_end: false,
        }
    }

    /// The next line and its number. The last one needs no line break.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, String)>, ImportError> {
        loop {
            let unseen = self.buffer.iter().skip(self.searched);
            if let Some(at) = unseen.clone().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + at);
                self.buffer.advance(1);
                return self.line(&line).map(Some);
            }
            self.searched = self.buffer.len();
            if self.searched > LONGEST {
                return Err(ImportError::TooLong(self.number + 1));
            }
            if self.is_at_end {
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                let line = self.buffer.split();
                return self.line(&line).map(Some);
            }
            match self.stream.next().await {
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(error)) => return Err(ImportError::Read(error.into())),
                None => self.is_at_end = true,
            }
        }
    }

    fn line(&mut self, line: &BytesMut) -> Result<(u64, String), ImportError> {
        self.searched = 0;
        self.number += 1;
        let text =
            String::from_utf8(line.to_vec()).map_err(|_| ImportError::Malformed(self.number))?;
        Ok((self.number, text))
    }
}

/// The first line.
#[derive(Deserialize)]
pub(super) struct Header {
    format: String,
    version: u64,
    pub(super) tenant: Origin,
    pub(super) schema: String,
}

/// The tenant that a file was written from.
#[derive(Deserialize)]
pub(super) struct Origin {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) seats: Option<i32>,
}

pub(super) async fn header_read<S, E>(lines: &mut Lines<S>) -> Result<Header, ImportError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (_, text) = lines.next().await?.ok_or(ImportError::Header)?;
    let known: Json = serde_json::from_str(&text).map_err(|_| ImportError::Header)?;
    match (
        known.get("format"),
        known.get("version").and_then(Json::as_u64),
    ) {
        (Some(format), Some(version)) if format == FORMAT => {
            if version != VERSION {
                return Err(ImportError::Version(version));
            }
        }
        (_, _) => return Err(ImportError::Header),
    }
    let header: Header = serde_json::from_value(known).map_err(|_| ImportError::Header)?;
    debug_assert!(header.format == FORMAT && header.version == VERSION);
    Ok(header)
}

/// A line behind the first.
pub(super) enum Line {
    /// A row, and the names of its columns, ascending.
    Row {
        table: String,
        columns: BTreeSet<String>,
    },
    /// The last: how many rows each table has.
    End(BTreeMap<String, u64>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parsed {
    table: Option<String>,
    row: Option<BTreeMap<String, IgnoredAny>>,
    rows: Option<BTreeMap<String, u64>>,
}

/// Reads a line. Values stay text: PostgreSQL reads them, with nothing lost on the way.
pub(super) fn line(number: u64, text: &str) -> Result<Line, ImportError> {
    match serde_json::from_str(text) {
        Ok(Parsed {
            table: Some(table),
            row: Some(row),
            rows: None,
        }) => Ok(Line::Row {
            table,
            columns: row.into_keys().collect(),
        }),
        Ok(Parsed {
            table: None,
            row: None,
            rows: Some(rows),
        }) => Ok(Line::End(rows)),
        Ok(_) | Err(_) => Err(ImportError::Malformed(number)),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    async fn lines(chunks: &[&str]) -> Vec<(u64, String)> {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk.as_bytes())))
            .collect();
        let mut lines = Lines::of(stream::iter(chunks));
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn a_line_may_come_in_pieces() {
        let whole = lines(&["one\ntwo\n\nfour"]).await;
        let numbered: Vec<(u64, &str)> = whole.iter().map(|(n, t)| (*n, t.as_str())).collect();
        assert_eq!(numbered, [(1, "one"), (2, "two"), (3, ""), (4, "four")]);
        assert_eq!(lines(&["o", "ne\ntw", "", "o\n\nfo", "ur"]).await, whole);
    }

    #[test]
    fn a_line_is_a_row_or_the_end() {
        let read = |text: &str| line(7, text);
        assert!(matches!(
            read(r#"{"table":"a.b","row":{"x":1e999,"y":null}}"#),
            Ok(Line::Row { .. })
        ));
        assert!(matches!(read(r#"{"rows":{"a.b":1}}"#), Ok(Line::End(_))));
        for text in ["", "{}", "[]", r#"{"table":"a.b"}"#, r#"{"rows":{},"x":1}"#] {
            assert!(
                matches!(read(text), Err(ImportError::Malformed(7))),
                "{text}"
            );
        }
    }
}
