//! The user that PostgreSQL runs as.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Whom a server of a root program may run as, the first that exists.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// An operating system user and its group.
///
/// PostgreSQL refuses to run as root, and so do programs that go with it (PgBouncer): [`Server::user`] tells a root program
/// whom to run those as.
///
/// [`Server::user`]: crate::Server::user
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The user's number.
    #[must_use]
    pub const fn uid(self) -> u32 {
        self.uid
    }

    /// The number of the user's group.
    #[must_use]
    pub const fn gid(self) -> u32 {
        self.gid
    }

    /// Makes the command run as this user, without root's further groups.
    pub fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// The user of this program.
    pub(crate) fn current() -> io::Result<Self> {
        let lines = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name, option| status(&lines, name).map_or_else(|| id(&[option]), Ok);
        Ok(Self {
            uid: number("Uid:", "-u")?,
            gid: number("Gid:", "-g")?,
        })
    }

    pub(crate) const fn is_root(self) -> bool {
        self.uid == 0
    }

    /// The users that a root program may drop to, the preferred one first.
    pub(crate) fn unprivileged() -> Vec<Self> {
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let ask = |name| {
            Some(Self {
                uid: id(&["-u", name]).ok()?,
                gid: id(&["-g", name]).ok()?,
            })
        };
        UNPRIVILEGED
            .into_iter()
            .filter_map(|name| account(&accounts, name).or_else(|| ask(name)))
            .filter(|user| !user.is_root())
            .collect()
    }

    /// Gives a file or folder to this user.
    pub(crate) fn take(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }

    /// Whether this user may enter `folder` and everything above it. Folders that do not exist are skipped: they will be
    /// made with a mode that lets everyone pass.
    pub(crate) fn reaches(self, folder: &Path) -> bool {
        const EXECUTE: u32 = 0o1;
        folder
            .ancestors()
            .all(|folder| self.is_allowed(folder, EXECUTE))
    }

    /// Whether this user may add and remove entries in `folder` and reach it.
    pub(crate) fn writes(self, folder: &Path) -> bool {
        const WRITE: u32 = 0o2;
        self.reaches(folder) && self.is_allowed(folder, WRITE)
    }

    fn is_allowed(self, path: &Path, bit: u32) -> bool {
        let Ok(metadata) = fs::metadata(path) else {
            return true;
        };
        let shift = if metadata.uid() == self.uid {
            6
        } else if metadata.gid() == self.gid {
            3
        } else {
            0
        };
        metadata.mode() & (bit << shift) != 0
    }
}

/// The second number, the effective one, of a line of `/proc/self/status`.
fn status(text: &str, name: &str) -> Option<u32> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The account's line in `/etc/passwd`: name, password, user, group, and more.
fn account(text: &str, name: &str) -> Option<User> {
    let mut fields = text
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    Some(User {
        uid: fields.nth(1)?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

/// Asks `id`, where the files do not tell: a few milliseconds slower, but it knows every account.
fn id(arguments: &[&str]) -> io::Result<u32> {
    let output = Command::new("id").args(arguments).output()?;
    let number = String::from_utf8_lossy(&output.stdout);
    number
        .trim()
        .parse()
        .map_err(|_| io::Error::other("`id` did not print a number"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{User, account, id, status};

    #[test]
    fn the_files_say_what_id_says() {
        let me = User::current().unwrap();
        assert_eq!(
            (me.uid, me.gid),
            (id(&["-u"]).unwrap(), id(&["-g"]).unwrap())
        );
        assert_eq!(status("Name:\tx\nUid:\t1000\t33\t0\t0\n", "Uid:"), Some(33));
        let accounts = "root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104::/:/bin/sh\nbad:x:y\n";
        assert_eq!(
            account(accounts, "postgres"),
            Some(User { uid: 101, gid: 104 })
        );
        assert_eq!(account(accounts, "postgre"), None);
        assert_eq!(account(accounts, "bad"), None);
    }

    #[test]
    fn the_root_folder_is_open_and_roots_secrets_are_not() {
        let nobody = User {
            uid: 65534,
            gid: 65534,
        };
        assert!(nobody.reaches(Path::new("/usr/bin")));
        assert!(nobody.reaches(Path::new("/usr/bin/missing/folder")));
        assert!(!nobody.writes(Path::new("/usr/bin")));
        assert!(nobody.writes(Path::new("/tmp")));
    }
}
