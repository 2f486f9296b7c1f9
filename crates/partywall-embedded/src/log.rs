//! What the server wrote, for error messages.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const TAIL_BYTES: u64 = 8 * 1024;
const TAIL_LINES: usize = 15;

/// The log of one run.
///
/// It is read through the file that was opened at the start: the folder around it may be gone (temporary) or belong to
/// another user.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Starts a new log; the one of the run before stays beside it as `….old`.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut old = path.as_os_str().to_owned();
        old.push(".old");
        match fs::rename(path, old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// A second handle, to write to.
    pub(crate) fn writer(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The last lines, without a line break at the end; empty if nothing was written.
    pub(crate) fn tail(&self) -> String {
        let length = self.file.metadata().map_or(0, |metadata| metadata.len());
        let start = length.saturating_sub(TAIL_BYTES);
        let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(0)];
        let read = self.file.read_at(&mut bytes, start).unwrap_or(0);
        bytes.truncate(read);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let skipped = lines.len().saturating_sub(TAIL_LINES);
        lines
            .iter()
            .skip(skipped)
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    }
}
