//! What can go wrong, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::version::Version;

/// Why a server did not start or stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no PostgreSQL that runs and is new enough.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// Another process has the folder.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// The folder is one that must not be touched, or that cannot be used.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The data was made by another major version than the PostgreSQL that was found.
    #[error(transparent)]
    DataVersionDiffers(#[from] DataVersionDiffers),
    /// A parameter's name is not one that PostgreSQL can have.
    #[error("`{name}` is not the name of a server parameter: use letters, digits, `_` and `.`")]
    InvalidParameter {
        /// The name as it was given.
        name: String,
    },
    /// `initdb` failed, or the server did not come up or went down by itself.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The operating system refused something.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb: `create`, `lock`.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the operating system answered.
        source: io::Error,
    },
}

/// The kinds of [`Error`], to decide what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// PostgreSQL has to be installed or pointed at.
    NotFound,
    /// Another process has to end first.
    InUse,
    /// The settings name a folder or a parameter that does not work.
    Settings,
    /// PostgreSQL itself failed: its log says why.
    Server,
    /// The operating system failed.
    Io,
}

impl Error {
    /// The kind of this error.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::NotFound(_) => Kind::NotFound,
            Self::InUse(_) => Kind::InUse,
            Self::Refused(_) | Self::DataVersionDiffers(_) | Self::InvalidParameter { .. } => {
                Kind::Settings
            }
            Self::Failed(_) => Kind::Server,
            Self::Io { .. } => Kind::Io,
        }
    }

    /// For `map_err`: names what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// There is no PostgreSQL that runs and is new enough.
#[derive(Debug)]
pub struct NotFound {
    rejected: Vec<Rejected>,
}

/// A folder that was looked at and why it was not taken.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) bin_dir: PathBuf,
    pub(crate) reason: Reason,
}

#[derive(Debug)]
pub(crate) enum Reason {
    Incomplete,
    DoesNotRun(io::Error),
    Unreadable(String),
    TooOld(Version),
}

impl NotFound {
    pub(crate) const fn new(rejected: Vec<Rejected>) -> Self {
        Self { rejected }
    }

    /// The folders that were looked at in vain.
    pub fn rejected(&self) -> impl Iterator<Item = &Path> {
        self.rejected
            .iter()
            .map(|rejected| rejected.bin_dir.as_path())
    }
}

impl std::error::Error for NotFound {}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no PostgreSQL {} or newer found", Version::OLDEST_MAJOR)?;
        for (index, Rejected { bin_dir, reason }) in self.rejected.iter().enumerate() {
            f.write_str(if index == 0 { " (" } else { "; " })?;
            let bin_dir = bin_dir.display();
            match reason {
                Reason::Incomplete => write!(f, "`{bin_dir}` lacks `initdb` or `postgres`"),
                Reason::DoesNotRun(error) => {
                    write!(f, "`{bin_dir}/postgres` does not run: {error}")
                }
                Reason::Unreadable(said) => {
                    write!(f, "`{bin_dir}/postgres --version` said `{said}`")
                }
                Reason::TooOld(version) => write!(f, "`{bin_dir}` is version {version}"),
            }?;
        }
        if !self.rejected.is_empty() {
            f.write_str(")")?;
        }
        f.write_str(
            ": install it (`apt-get install postgresql`), or let `./run` or `./test` fetch one, or set \
             `PARTYWALL_PG_BIN` to its bin folder, or use a server that is running",
        )
    }
}

/// Another process has the folder.
#[derive(Debug)]
pub struct InUse {
    directory: PathBuf,
    holder: Holder,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder {
    Program(u32),
    Server(u32),
    Unknown,
}

impl InUse {
    pub(crate) const fn new(directory: PathBuf, holder: Holder) -> Self {
        Self { directory, holder }
    }

    /// The process that has it, if that could be found out.
    #[must_use]
    pub const fn pid(&self) -> Option<u32> {
        match self.holder {
            Holder::Program(pid) | Holder::Server(pid) => Some(pid),
            Holder::Unknown => None,
        }
    }
}

impl std::error::Error for InUse {}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        match self.holder {
            Holder::Program(pid) if pid == std::process::id() => write!(
                f,
                "`{directory}` is in use by this very process ({pid}): stop its other server first, or use another folder"
            ),
            Holder::Program(pid) => write!(
                f,
                "`{directory}` is in use by process {pid}: stop that program first, or use another folder"
            ),
            Holder::Server(pid) => write!(
                f,
                "a PostgreSQL that this program did not start runs on `{directory}`: stop it first (`kill -INT {pid}`), or \
                 use another folder"
            ),
            Holder::Unknown => write!(
                f,
                "`{directory}` is in use by another program: stop that first, or use another folder"
            ),
        }
    }
}

/// The folder is one that must not be touched, or that cannot be used.
#[derive(Debug)]
pub struct Refused {
    directory: PathBuf,
    why: Why,
}

#[derive(Debug)]
pub(crate) enum Why {
    HoldsOtherFiles,
    BelongsTo { owner: u32, user: u32 },
    PasswordMissing,
    NobodyToRunAs,
}

impl Refused {
    pub(crate) fn new(directory: &Path, why: Why) -> Self {
        Self {
            directory: directory.to_owned(),
            why,
        }
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        match self.why {
            Why::HoldsOtherFiles => {
                write!(f, "`{directory}` holds other files: use a new or an empty folder")
            }
            Why::BelongsTo { owner, user } => write!(
                f,
                "`{directory}` belongs to user id {owner}, not {user}: run as the user that made it, or use another folder"
            ),
            Why::PasswordMissing => write!(
                f,
                "`{directory}` holds data, but its file `password` is missing: put it back, or remove the folder to start \
                 anew"
            ),
            Why::NobodyToRunAs => f.write_str(
                "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`: create one, or \
                 run as another user",
            ),
        }
    }
}

/// The data was made by another major version than the PostgreSQL that was found.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{}` holds data of PostgreSQL {data}, found was {found}: install version {data}, or set `PARTYWALL_PG_BIN` to its bin \
     folder, or remove the folder to start anew",
    directory.display()
)]
pub struct DataVersionDiffers {
    pub(crate) directory: PathBuf,
    pub(crate) data: u16,
    pub(crate) found: Version,
}

/// `initdb` failed, or the server did not come up or went down by itself.
#[derive(Debug)]
pub struct Failure {
    pub(crate) stage: Stage,
    pub(crate) log: PathBuf,
    pub(crate) tail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Initialise,
    Start,
    Timeout,
    Run,
}

impl Failure {
    /// The last lines of the server's log.
    #[must_use]
    pub fn log_tail(&self) -> &str {
        &self.tail
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Initialise => "`initdb` failed",
            Stage::Start => "`postgres` ended before it was ready",
            Stage::Timeout => "`postgres` was not ready in time (see `start_timeout`)",
            Stage::Run => "`postgres` ended by itself",
        })?;
        if self.tail.is_empty() {
            return f.write_str(", and wrote nothing");
        }
        if self.log.exists() {
            write!(f, "; the end of `{}`:", self.log.display())?;
        } else {
            f.write_str("; it wrote:")?;
        }
        self.tail
            .lines()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}
