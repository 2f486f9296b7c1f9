//! The folder a server lives in, made ready for the user that PostgreSQL runs as.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use crate::error::{Error, Holder, InUse, Refused, Why};
use crate::location;
use crate::lock;
use crate::log::Log;
use crate::postmaster::Postmaster;
use crate::process;
use crate::random;
use crate::scratch::Scratch;
use crate::settings::Place;
use crate::user::User;

/// The longest path of a socket's folder: 104 bytes on macOS (108 on Linux) hold the folder, `/.s.PGSQL.65535` and a zero.
const MAX_SOCKET_DIR: usize = 104 - 1 - "/.s.PGSQL.65535".len();
/// What a temporary folder's own path may take of that: the rest is for `/partywall-<12 digits>/run`.
const MAX_TEMPORARY: usize = MAX_SOCKET_DIR - "/partywall-123456789012/run".len();
const LOCK: &str = "partywall.lock";

/// A folder that this program has to itself.
#[derive(Debug)]
pub(crate) struct Home {
    directory: PathBuf,
    sockets: PathBuf,
    password: String,
    log: Log,
    user: Option<User>,
    lock: Option<File>,
    scratch: Option<Scratch>,
}

impl Home {
    pub(crate) fn prepare(place: &Place) -> Result<Self, Error> {
        let me = User::current().map_err(Error::io("run", Path::new("id")))?;
        let users = if me.is_root() {
            User::unprivileged()
        } else {
            Vec::new()
        };
        if me.is_root() && users.is_empty() {
            return Err(Refused::new(Path::new("/"), Why::NobodyToRunAs).into());
        }
        match place {
            Place::Kept(requested) => Self::kept(requested, me, &users),
            Place::Temporary => Self::temporary(users.first().copied()),
        }
    }

    fn temporary(user: Option<User>) -> Result<Self, Error> {
        let scratch = Scratch::create(user, MAX_TEMPORARY)?;
        let directory = scratch.path().to_owned();
        private_folder(&cluster(&directory), user)?;
        let sockets = directory.join("run");
        private_folder(&sockets, user)?;
        let path = directory.join("server.log");
        let log = Log::create(&path).map_err(Error::io("create", &path))?;
        let password = new_password()?;
        let scratch = Some(scratch);
        Ok(Self {
            directory,
            sockets,
            password,
            log,
            user,
            lock: None,
            scratch,
        })
    }

    fn kept(requested: &Path, me: User, users: &[User]) -> Result<Self, Error> {
        let (directory, user) = choose(requested, users)?;
        check_or_create(&directory, me, user)?;
        let lock = lock::acquire(&directory.join(LOCK), &directory)?;

        let cluster = cluster(&directory);
        if !cluster.exists() {
            private_folder(&cluster, user)?;
        }
        check_owner(&cluster, user.unwrap_or(me))?;
        let data = data(&directory);
        if let Some(found) =
            Postmaster::read(&data).filter(|found| process::serves(found.pid, &data))
        {
            return Err(InUse::new(directory, Holder::Server(found.pid)).into());
        }

        // Sockets of a server that was killed would be in the way.
        let mut sockets = directory.join("run");
        remove_folder(&sockets).map_err(Error::io("remove", &sockets))?;
        let mut scratch = None;
        if sockets.as_os_str().len() <= MAX_SOCKET_DIR && sockets.to_str().is_some() {
            private_folder(&sockets, user)?;
        } else {
            let elsewhere = Scratch::create(user, MAX_TEMPORARY)?;
            sockets = elsewhere.path().to_owned();
            scratch = Some(elsewhere);
        }

        let password = password(&directory, data.exists())?;
        let path = directory.join("server.log");
        let log = Log::create(&path).map_err(Error::io("create", &path))?;
        Ok(Self {
            directory,
            sockets,
            password,
            log,
            user,
            lock: Some(lock),
            scratch,
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn data(&self) -> PathBuf {
        data(&self.directory)
    }

    /// Where `initdb` works, beside the data folder and on the same file system.
    pub(crate) fn staging(&self) -> PathBuf {
        cluster(&self.directory).join("data.new")
    }

    pub(crate) fn sockets(&self) -> &Path {
        &self.sockets
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    pub(crate) const fn log(&self) -> &Log {
        &self.log
    }

    pub(crate) const fn user(&self) -> Option<User> {
        self.user
    }

    pub(crate) const fn lock(&self) -> Option<&File> {
        self.lock.as_ref()
    }

    /// What has to go when the server has ended.
    pub(crate) fn scratch(&self) -> Option<&Path> {
        self.scratch.as_ref().map(Scratch::path)
    }

    /// The major version of PostgreSQL that made the data, if there is data.
    pub(crate) fn data_version(&self) -> Option<u16> {
        fs::read_to_string(self.data().join("PG_VERSION"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }
}

fn cluster(directory: &Path) -> PathBuf {
    directory.join("cluster")
}

fn data(directory: &Path) -> PathBuf {
    cluster(directory).join("data")
}

/// The folder to use and, for root, the user: the one that has the data already, else the preferred one.
fn choose(requested: &Path, users: &[User]) -> Result<(PathBuf, Option<User>), Error> {
    let requested = location::resolve(requested).map_err(Error::io("find", requested))?;
    for &user in users {
        let directory = location::reachable(&requested, user);
        if fs::metadata(cluster(&directory)).is_ok_and(|found| found.uid() == user.uid()) {
            return Ok((directory, Some(user)));
        }
    }
    let user = users.first().copied();
    let directory = match user {
        Some(user) => location::reachable(&requested, user),
        None => requested,
    };
    Ok((directory, user))
}

/// Makes the folder, or makes sure that it is ours to use. Root's can be passed by PostgreSQL's user, but not listed.
fn check_or_create(directory: &Path, me: User, user: Option<User>) -> Result<(), Error> {
    let mode = if user.is_some() { 0o711 } else { 0o700 };
    if directory.exists() {
        let mut entries = fs::read_dir(directory).map_err(Error::io("read", directory))?;
        check_owner(directory, me)?;
        if !directory.join(LOCK).exists() && entries.next().is_some() {
            return Err(Refused::new(directory, Why::HoldsOtherFiles).into());
        }
    } else {
        if let Some(parent) = directory.parent() {
            location::create_passable(parent, user).map_err(Error::io("create", parent))?;
        }
        match DirBuilder::new().mode(mode).create(directory) {
            // Another program may have been faster: the lock decides which one stays.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result.map_err(Error::io("create", directory))?,
        }
    }
    if user.is_some() {
        fs::set_permissions(directory, Permissions::from_mode(mode))
            .map_err(Error::io("change the mode of", directory))?;
    }
    Ok(())
}

fn check_owner(folder: &Path, expected: User) -> Result<(), Error> {
    let owner = fs::metadata(folder)
        .map_err(Error::io("look at", folder))?
        .uid();
    if owner == expected.uid() {
        return Ok(());
    }
    Err(Refused::new(
        folder,
        Why::BelongsTo {
            owner,
            user: expected.uid(),
        },
    )
    .into())
}

fn private_folder(path: &Path, user: Option<User>) -> Result<(), Error> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(Error::io("create", path))?;
    user.map_or(Ok(()), |user| user.take(path))
        .map_err(Error::io("change the owner of", path))
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The password that the data was made with; a new one while there is no data.
fn password(directory: &Path, has_data: bool) -> Result<String, Error> {
    let path = directory.join("password");
    if has_data {
        let kept = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            result => result.map_err(Error::io("read", &path))?,
        };
        if kept.trim().is_empty() {
            return Err(Refused::new(directory, Why::PasswordMissing).into());
        }
        return Ok(kept.trim().to_owned());
    }
    let password = new_password()?;
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        writeln!(file, "{password}")?;
        // The data must not outlive its password when the machine loses power.
        file.sync_all()
    };
    write().map_err(Error::io("write", &path))?;
    Ok(password)
}

fn new_password() -> Result<String, Error> {
    random::hex::<16>().map_err(Error::io("read", Path::new("/dev/urandom")))
}
