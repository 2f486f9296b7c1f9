use std::{
    fs, io,
    path::{Path, PathBuf},
};

use partywall_audit::Plan;

use crate::{config::FILE, failure::Failure};

/// The steps.
pub(crate) const PLAN: &str = "plan.sql";

/// The way back.
const UNDO: &str = "undo.sql";

/// What marks a file that nobody changed since it was written.
const MARK: &str = "-- partywall:";

/// The texts that are written.
pub(super) struct Files {
    map: String,
    plan: String,
    undo: String,
}

impl Files {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            map: plan.map.toml(),
            plan: marked(&plan.sql()),
            undo: marked(&plan.undo_sql()),
        }
    }

    /// Writes them. A map that was reviewed stays as it is; SQL that somebody changed by hand is not overwritten.
    pub(super) fn write(
        &self,
        folder: &Path,
        reviewed: Option<&Path>,
        force: bool,
    ) -> Result<Vec<PathBuf>, Failure> {
        let mut files = vec![
            (folder.join(PLAN), &self.plan),
            (folder.join(UNDO), &self.undo),
        ];
        if reviewed.is_none() {
            files.insert(0, (folder.join(FILE), &self.map));
        }
        // All are looked at before the first is written.
        for (path, _) in &files {
            if !force && Kept::at(path)? == Kept::Changed {
                return Err(Failure::refused(
                    format!("`{}` was changed by hand", path.display()),
                    "move it away, write elsewhere with --out, or overwrite it with --force",
                ));
            }
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Failure::File {
                doing: "write",
                path,
                source,
            }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        for (path, text) in &files {
            fs::write(path, text).map_err(failed(path))?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }
}

/// What there is in a file's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nothing.
    Absent,
    /// The text that was written there.
    AsWritten,
    /// Something else.
    Changed,
}

impl Kept {
    /// Looks.
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        match fs::read_to_string(path) {
            Ok(text) if is_as_written(&text) => Ok(Self::AsWritten),
            Ok(_) => Ok(Self::Changed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Absent),
            Err(source) => Err(Failure::File {
                doing: "read",
                path: path.to_owned(),
                source,
            }),
        }
    }
}

/// Adds a line by which a change can be told.
fn marked(text: &str) -> String {
    format!("{text}\n{MARK} {:016x}\n", checksum(text))
}

fn is_as_written(text: &str) -> bool {
    text.trim_end()
        .rsplit_once('\n')
        .and_then(|(before, mark)| Some((before, mark.strip_prefix(MARK)?.trim())))
        .is_some_and(|(before, mark)| format!("{:016x}", checksum(before)) == mark)
}

/// FNV-1a. It tells a slip from what was written, and nothing hangs on it that somebody would forge.
fn checksum(text: &str) -> u64 {
    text.trim_end()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_by_hand_is_noticed() {
        let text = marked("-- a plan\nSELECT 1;\n");
        assert!(is_as_written(&text));
        assert!(is_as_written(&format!("{text}\n")));
        assert!(!is_as_written(&text.replace("SELECT 1", "SELECT 2")));
        assert!(!is_as_written(&format!("{text}SELECT 2;\n")));
        assert!(!is_as_written("SELECT 1;\n"));
    }
}
