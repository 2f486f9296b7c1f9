use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use partywall::schema::Passwords;
use serde::{Deserialize, Serialize};

use super::OpenError;

/// What is made at random at the first start and kept beside the data, for the owner's eyes only.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) seal_key: String,
    pub(super) owner: String,
    pub(super) app: String,
    pub(super) list: String,
    pub(super) across: String,
    pub(super) identity: String,
    /// What the sample users sign in with.
    pub(super) password: String,
}

impl Secrets {
    /// Reads the secrets, or makes them. Tells whether they are new.
    pub(super) fn keep(folder: &Path, anew: bool) -> Result<(Self, bool), OpenError> {
        let path = folder.join("secrets.json");
        let failed = |what| {
            let path = path.display().to_string();
            move |source| OpenError::Secrets { path, what, source }
        };
        if anew
            && let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(failed("removed")(error));
        }
        let read = || -> io::Result<Self> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // It is JSON, and something is missing that this version needs.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(OpenError::Outdated(folder.display().to_string()));
            }
            kept => return Ok((kept.map_err(failed("read"))?, false)),
        }
        let made = Self::generate()?;
        match made.write(folder, &path) {
            // Another instance was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok((read().map_err(failed("read"))?, false))
            }
            written => written.map(|()| (made, true)).map_err(failed("written")),
        }
    }

    fn generate() -> Result<Self, getrandom::Error> {
        Ok(Self {
            seal_key: hex::<32>()?,
            owner: hex::<16>()?,
            app: hex::<16>()?,
            list: hex::<16>()?,
            across: hex::<16>()?,
            identity: hex::<16>()?,
            password: hex::<5>()?,
        })
    }

    /// Writes a whole file or none, and never over another.
    fn write(&self, folder: &Path, path: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let draft = folder.join(format!("secrets.{}", std::process::id()));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked
    }

    pub(super) fn logins(&self) -> Passwords {
        Passwords {
            app: self.app.clone(),
            list: self.list.clone(),
            across: self.across.clone(),
            identity: self.identity.clone(),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

fn hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
