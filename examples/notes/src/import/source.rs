//! A file as UTF-8 with plain line ends, whatever it was.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use encoding_rs::{CoderResult, Decoder, Encoding};

use super::ImportError;

/// Stands for what could not be decoded. A file that holds it was damaged before it came here.
pub(super) const UNDECODABLE: char = '\u{fffd}';

/// Decodes as it reads. Every line ends in a single LF, the last one too.
pub(super) struct Decoded<R> {
    from: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Decoded and not yet read.
    text: String,
    read: usize,
    after_cr: bool,
    last: u8,
    ended: bool,
}

const CHUNK: usize = 64 * 1024;

pub(super) fn open(path: &Path) -> Result<File, ImportError> {
    let failed = |source| ImportError::Open {
        path: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    match file.metadata().map_err(failed)?.is_dir() {
        true => Err(failed(io::ErrorKind::IsADirectory.into())),
        false => Ok(file),
    }
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(from: R, encoding: &'static Encoding) -> Self {
        Self {
            from,
            decoder: encoding.new_decoder(),
            raw: vec![0; CHUNK],
            text: String::new(),
            read: 0,
            after_cr: false,
            last: b'\n',
            ended: false,
        }
    }

    /// What separates the columns: whichever of the usual three the first line has most of.
    pub(super) fn delimiter(&mut self) -> io::Result<u8> {
        while self.text.is_empty() && !self.ended {
            self.fill()?;
        }
        let mut quoted = false;
        let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
        for byte in self.text.bytes() {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => break,
                _ if quoted => {}
                byte => {
                    for (delimiter, count) in &mut counts {
                        *count += usize::from(byte == *delimiter);
                    }
                }
            }
        }
        // The first of equals wins: without any, the comma.
        counts.reverse();
        Ok(counts
            .iter()
            .max_by_key(|(_, count)| *count)
            .map_or(b',', |(delimiter, _)| *delimiter))
    }

    fn fill(&mut self) -> io::Result<()> {
        let length = self.from.read(&mut self.raw)?;
        let last = length == 0;
        let mut raw = self.raw.get(..length).unwrap_or_default();
        self.text.clear();
        self.read = 0;
        loop {
            let wanted = self
                .decoder
                .max_utf8_buffer_length(raw.len())
                .unwrap_or(CHUNK);
            self.text.reserve(wanted.max(16));
            let (result, used, _) = self.decoder.decode_to_string(raw, &mut self.text, last);
            raw = raw.get(used..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        if self.after_cr && self.text.starts_with('\n') {
            self.text.remove(0);
        }
        if let Some(end) = self.text.as_bytes().last() {
            self.after_cr = *end == b'\r';
        }
        if self.text.contains('\r') {
            self.text = self.text.replace("\r\n", "\n").replace('\r', "\n");
        }
        self.last = self.text.as_bytes().last().copied().unwrap_or(self.last);
        if last {
            self.ended = true;
            if self.last != b'\n' {
                self.text.push('\n');
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.fill()?;
        }
        let mut left = self.text.as_bytes().get(self.read..).unwrap_or_default();
        let length = left.read(into)?;
        self.read += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> (u8, String) {
        let mut source = Decoded::new(bytes, encoding);
        let delimiter = source.delimiter().unwrap();
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        (delimiter, text)
    }

    #[test]
    fn every_line_ends_alike() {
        let (_, text) = decoded(b"\xef\xbb\xbfa,b\r\n\r\"x\ny\"\r", encoding_rs::UTF_8);
        assert_eq!(text, "a,b\n\n\"x\ny\"\n");
        assert_eq!(decoded(b"a", encoding_rs::UTF_8).1, "a\n");
        assert_eq!(decoded(b"", encoding_rs::UTF_8).1, "");
    }

    #[test]
    fn encodings_by_name() {
        assert_eq!(
            decoded(b"caf\xe9 \x80", encoding_rs::WINDOWS_1252).1,
            "café €\n"
        );
        assert_eq!(decoded(b"a\0\xe9\0", encoding_rs::UTF_16LE).1, "aé\n");
        assert!(
            decoded(b"caf\xe9", encoding_rs::UTF_8)
                .1
                .contains(UNDECODABLE)
        );
    }

    #[test]
    fn the_first_line_tells_the_delimiter() {
        for (line, delimiter) in [
            ("a;b,c;d", b';'),
            ("a\tb", b'\t'),
            ("\"a;b;c\",d", b','),
            ("a", b','),
            ("a,b;c", b','),
        ] {
            assert_eq!(
                decoded(line.as_bytes(), encoding_rs::UTF_8).0,
                delimiter,
                "{line}"
            );
        }
    }
}
