use std::path::{Path, PathBuf};

use partywall_audit::{Map, MapError, Options};
use serde::Deserialize;

use crate::{
    args::{Common, Known},
    check::Level,
    failure::Failure,
};

/// The name of the file that is read if there is one.
pub(crate) const FILE: &str = "partywall.toml";

/// What `partywall.toml` says.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// Where it was read from.
    pub(crate) path: Option<PathBuf>,
    /// What belongs to whom.
    pub(crate) map: Option<Map>,
    /// How `check` is to judge.
    pub(crate) check: CheckConfig,
}

/// The section `[check]`, which is the command line's and no part of the map.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct CheckConfig {
    /// As `--baseline`; relative to the file.
    pub(crate) baseline: Option<PathBuf>,
    /// As `--fail-on`.
    pub(crate) fail_on: Option<Level>,
    /// As `--strict`.
    pub(crate) strict: bool,
}

impl Config {
    /// Reads the file that is named, or the one in the current folder if there is one.
    pub(crate) fn read(common: &Common) -> Result<Self, Failure> {
        let path = match &common.config {
            Some(path) => path.clone(),
            None if Path::new(FILE).is_file() => PathBuf::from(FILE),
            None => return Ok(Self::default()),
        };
        Self::read_file(&path)
    }

    /// Reads a file.
    pub(crate) fn read_file(path: &Path) -> Result<Self, Failure> {
        let path = path.to_owned();
        let text = std::fs::read_to_string(&path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                return Failure::invalid(
                    format!("there is no file `{}`", path.display()),
                    "`partywall plan` writes one; leave --config out to have everything inferred",
                );
            }
            Failure::File {
                doing: "read",
                path: path.clone(),
                source,
            }
        })?;
        let (map, mut check) = parse(&text).map_err(|source| Failure::Config {
            path: path.clone(),
            source,
        })?;
        if let (Some(baseline), Some(folder)) = (&mut check.baseline, path.parent()) {
            *baseline = folder.join(&*baseline);
        }
        Ok(Self {
            path: Some(path),
            map: Some(map),
            check,
        })
    }

    /// What is known of the database: what the command line says takes the place of what the file says.
    pub(crate) fn options(&self, common: &Common, known: &Known) -> Options {
        let mut options = self.map.as_ref().map(Map::options).unwrap_or_default();
        let given = |given: &[String], it: &mut Vec<String>| {
            if !given.is_empty() {
                *it = given.to_vec();
            }
        };
        given(&known.tenant_columns, &mut options.tenant_columns);
        given(&known.app_roles, &mut options.app_roles);
        given(&known.contexts, &mut options.contexts);
        given(&common.schemas, &mut options.schemas);
        options.globals.extend(known.globals.iter().cloned());
        options
    }
}

/// Parts the command line's section from the map, which refuses what it does not know.
fn parse(text: &str) -> Result<(Map, CheckConfig), MapError> {
    let mut table: toml::Table = toml::from_str(text)?;
    match table.remove("check") {
        // Errors name the line only where the text is read as it stands.
        None => Ok((Map::read(text)?, CheckConfig::default())),
        Some(section) => {
            let check = section.try_into()?;
            let rest = toml::to_string(&table).unwrap_or_default();
            Ok((Map::read(&rest)?, check))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_of_the_command_line_is_no_part_of_the_map() {
        let (map, check) = parse(
            "version = 1\n[tenant]\ncolumns = [\"org_id\"]\n[check]\nfail-on = \"high\"\nbaseline = \"b.toml\"\n",
        )
        .unwrap();
        assert_eq!(map.tenant.columns, ["org_id"]);
        assert_eq!(check.fail_on, Some(Level::High));
        assert_eq!(check.baseline.as_deref(), Some(Path::new("b.toml")));
    }

    #[test]
    fn what_is_not_known_is_refused_in_both() {
        assert!(parse("version = 1\nnonsense = 1\n").is_err());
        assert!(parse("version = 1\n[check]\nfail-in = \"high\"\n").is_err());
        assert!(parse("version = 2\n").is_err());
    }

    #[test]
    fn an_error_names_the_line() {
        let error = parse("version = 1\n\n[tenant]\ncolumns = 3\n").unwrap_err();
        assert!(error.to_string().contains("line 4"), "{error}");
    }
}
