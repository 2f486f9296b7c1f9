//! PostgreSQL's programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::candidates;
use crate::error::{Error, NotFound, Reason, Rejected};
use crate::settings::Settings;
use crate::user::User;
use crate::version::Version;

/// A folder with `initdb` and `postgres` that run.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    directory: PathBuf,
    version: Version,
}

impl Binaries {
    /// Finds them: the settings' or the environment's choice if there is one, else the first that fits.
    ///
    /// Where data of a `wanted` major version exists, the first of that version is better than the first of all.
    pub(crate) fn find(
        settings: &Settings,
        user: Option<User>,
        wanted: Option<u16>,
    ) -> Result<Self, Error> {
        let oldest = match settings.chosen_bin_dir() {
            Some(_) if settings.takes_any_version() => 0,
            _ => Version::OLDEST_MAJOR,
        };
        let chosen = settings.chosen_bin_dir().map(Path::to_owned).or_else(|| {
            env::var_os("PARTYWALL_PG_BIN")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        });
        let is_explicit = chosen.is_some();
        let places: Box<dyn Iterator<Item = PathBuf>> = match chosen {
            Some(bin_dir) => Box::new(std::iter::once(bin_dir)),
            None => Box::new(candidates::all()),
        };

        let mut second_best = None;
        let mut rejected = Vec::new();
        for bin_dir in places {
            match Self::check(&bin_dir, user, oldest) {
                Ok(found) if wanted.is_none_or(|major| major == found.version.major()) => {
                    return Ok(found);
                }
                Ok(found) => second_best = second_best.or(Some(found)),
                // Most folders of `PATH` have no PostgreSQL: that is no news.
                Err(Reason::Incomplete) if !is_explicit => {}
                Err(reason) => rejected.push(Rejected { bin_dir, reason }),
            }
        }
        second_best.ok_or_else(|| NotFound::new(rejected).into())
    }

    fn check(bin_dir: &Path, user: Option<User>, oldest: u16) -> Result<Self, Reason> {
        let directory = real_folder(bin_dir).ok_or(Reason::Incomplete)?;
        let mut command = Command::new(directory.join("postgres"));
        command.arg("--version").current_dir("/");
        if let Some(user) = user {
            // Root may run what the user cannot reach.
            user.apply(&mut command);
        }
        let output = command.output().map_err(Reason::DoesNotRun)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = Version::parse(&said)
            .filter(|_| output.status.success())
            .ok_or_else(|| {
                let all = [said.as_ref(), &String::from_utf8_lossy(&output.stderr)].concat();
                Reason::Unreadable(all.trim().chars().take(200).collect())
            })?;
        if version.major() < oldest {
            return Err(Reason::TooOld(version));
        }
        Ok(Self { directory, version })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }
}

/// The folder that holds both programs, behind the links that `bin_dir` may consist of.
fn real_folder(bin_dir: &Path) -> Option<PathBuf> {
    let is_complete =
        |folder: &Path| folder.join("postgres").is_file() && folder.join("initdb").is_file();
    if !is_complete(bin_dir) {
        return None;
    }
    let real = fs::canonicalize(bin_dir.join("postgres")).ok()?;
    let real = real
        .parent()
        .filter(|folder| is_complete(folder))
        .map(Path::to_owned);
    real.or_else(|| fs::canonicalize(bin_dir).ok())
}
