use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// What psql runs before its first prompt: the sealed context, in a file that nobody else can read, and that goes with
/// this value.
pub(super) struct Rc {
    folder: PathBuf,
    file: PathBuf,
}

impl Rc {
    pub(super) fn write(context: &str) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("partywall-{}", std::process::id()));
        let failed = |source| Failure::File {
            doing: "write",
            path: folder.clone(),
            source,
        };
        make_private(&folder).map_err(failed)?;
        let file = folder.join("psqlrc");
        let rc = Self {
            folder: folder.clone(),
            file,
        };
        // A user's own comes first, as if this were not here.
        let own = std::env::var_os("PSQLRC")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".psqlrc")))
            .filter(|path| path.is_file());
        let own = own.map_or_else(String::new, |path| {
            format!(
                "\\i '{}'\n",
                path.display()
                    .to_string()
                    .replace('\\', "\\\\")
                    .replace('\'', "''")
            )
        });
        let literal = context.replace('\'', "''");
        let quote = if literal.contains('\\') { "E" } else { "" };
        let literal = literal.replace('\\', "\\\\");
        let text = format!(
            "{own}\\set ON_ERROR_ROLLBACK interactive\n\\set QUIET 1\nBEGIN;\nSELECT partywall.enter({quote}'{literal}', 0) \\g /dev/null\n\\unset QUIET\n"
        );
        fs::write(&rc.file, text).map_err(failed)?;
        Ok(rc)
    }

    pub(super) fn path(&self) -> &Path {
        &self.file
    }
}

/// Makes a folder of our own; one that is there already is somebody else's.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

impl Drop for Rc {
    fn drop(&mut self) {
        // It expires within a minute, whatever becomes of it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
