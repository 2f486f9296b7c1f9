//! Folders that live as long as the server.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::random;
use crate::user::User;

/// A private folder below the temporary folder.
///
/// The watchdog removes it, also when the program was killed; dropping removes it for the case that the watchdog was.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one for `user`, in the first temporary folder that takes it and whose path has at most `max_parent` bytes.
    pub(crate) fn create(user: Option<User>, max_parent: usize) -> Result<Self, Error> {
        let fits = |parent: &PathBuf| {
            parent.is_absolute()
                && parent.is_dir()
                && parent.as_os_str().len() <= max_parent
                && parent.to_str().is_some()
                && user.is_none_or(|user| user.writes(parent))
        };
        let mut last = Error::Io {
            action: "write to",
            path: PathBuf::from("/tmp"),
            source: io::Error::other("no temporary folder is open to the server's user"),
        };
        for parent in [env::temp_dir(), "/tmp".into(), "/var/tmp".into()]
            .iter()
            .filter(|p| fits(p))
        {
            match Self::create_in(parent, user) {
                Ok(scratch) => return Ok(scratch),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn create_in(parent: &Path, user: Option<User>) -> Result<Self, Error> {
        let name = random::hex::<6>().map_err(Error::io("read", Path::new("/dev/urandom")))?;
        let path = parent.join(format!("partywall-{name}"));
        // Fails if anything is there already, so nobody can slip us a folder or a link.
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(Error::io("create", &path))?;
        let scratch = Self(path);
        if let Some(user) = user {
            user.take(scratch.path())
                .map_err(Error::io("change the owner of", scratch.path()))?;
        }
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Most often the watchdog was faster; and there is nobody to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}
