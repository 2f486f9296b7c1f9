//! One server per folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Holder, InUse};
use crate::process;

/// How long the watchdog of a program that was killed may take to stop its server.
const PATIENCE: Duration = Duration::from_secs(45);
const POLL: Duration = Duration::from_millis(5);

/// Locks `directory` for this program by the file `path` in it.
///
/// The lock belongs to the open file: it lasts until the program and the watchdog, who gets a second handle, have both closed
/// it. So it also covers the time between a program's sudden end and its server's.
pub(crate) fn acquire(path: &Path, directory: &Path) -> Result<File, Error> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(Error::io("open", path))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => {
                note_holder(&mut file).map_err(Error::io("write", path))?;
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
            Err(TryLockError::WouldBlock) => {
                let holder = holder(path);
                if let Some(pid) = holder.filter(|&pid| process::runs(pid)) {
                    return Err(InUse::new(directory.to_owned(), Holder::Program(pid)).into());
                }
                if start.elapsed() > PATIENCE {
                    return Err(InUse::new(directory.to_owned(), Holder::Unknown).into());
                }
                thread::sleep(POLL);
            }
        }
    }
}

fn note_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
