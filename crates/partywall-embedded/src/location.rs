//! Where a folder that was asked for really is.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::user::User;

/// Where root keeps what PostgreSQL's user could not reach at the place that was asked for.
///
/// Only root can write there, unlike `/var/tmp`, where another user could lay out a folder for us.
const ELSEWHERE: &str = "/var/lib/partywall";

/// Makes the path absolute and follows the links in the part of it that exists.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for ancestor in path.ancestors() {
        match fs::canonicalize(ancestor) {
            Ok(real) => {
                let missing = path.strip_prefix(ancestor).map_err(io::Error::other)?;
                // Joining an empty path would add a slash at the end.
                let is_whole = missing.as_os_str().is_empty();
                return Ok(if is_whole { real } else { real.join(missing) });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}

/// The folder itself if `user` can get there, else the one that stands in for it.
pub(crate) fn reachable(folder: &Path, user: User) -> PathBuf {
    if folder.parent().is_none_or(|parent| user.reaches(parent)) {
        return folder.to_owned();
    }
    let mut name = folder.file_name().map(OsString::from).unwrap_or_default();
    name.push(format!("-{:016x}", fnv1a(folder.as_os_str().as_bytes())));
    Path::new(ELSEWHERE).join(name)
}

/// Makes a folder and those above it; for root such that every user may pass, whatever the umask says.
pub(crate) fn create_passable(folder: &Path, user: Option<User>) -> io::Result<()> {
    if user.is_none() {
        return fs::create_dir_all(folder);
    }
    if folder.exists() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_passable(parent, user)?;
    }
    match DirBuilder::new().create(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// FNV-1a with 64 bits: unlike the standard library's hasher, it gives the same number for ever.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn fnv1a_as_published() {
        // Test vectors of draft-eastlake-fnv, appendix C.
        assert_eq!(super::fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(super::fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn missing_parts_stay() {
        let path = Path::new("/usr/missing/part");
        assert_eq!(super::resolve(path).unwrap(), path);
        assert_eq!(
            super::resolve(Path::new("/usr/./bin/"))
                .unwrap()
                .file_name()
                .unwrap(),
            "bin"
        );
    }
}
