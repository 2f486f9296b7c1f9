//! Where PostgreSQL may be.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders to look at, in order. Each is found when it is asked for: `pg_config` is not run if `PATH` has the server.
pub(crate) fn all() -> impl Iterator<Item = PathBuf> {
    let lazily = |find: fn() -> Vec<PathBuf>| std::iter::once_with(find).flatten();
    lazily(on_path)
        .chain(lazily(of_pg_config))
        .chain(lazily(of_distribution))
        .chain(lazily(of_homebrew))
        .chain(lazily(fetched))
}

fn on_path() -> Vec<PathBuf> {
    let Some(path) = env::var_os("PATH") else {
        return Vec::new();
    };
    // An empty entry would mean the current folder.
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .collect()
}

fn of_pg_config() -> Vec<PathBuf> {
    let Ok(output) = Command::new("pg_config").arg("--bindir").output() else {
        return Vec::new();
    };
    let directory = String::from_utf8_lossy(&output.stdout);
    let directory = directory.trim();
    if output.status.success() && !directory.is_empty() {
        vec![directory.into()]
    } else {
        Vec::new()
    }
}

fn of_distribution() -> Vec<PathBuf> {
    newest_first("/usr/lib/postgresql", "")
}

fn of_homebrew() -> Vec<PathBuf> {
    let mut found = newest_first("/opt/homebrew/opt", "postgresql@");
    found.extend(newest_first("/usr/local/opt", "postgresql@"));
    found
}

/// What `./run` and `./test` set up, in the current folder or one above it.
fn fetched() -> Vec<PathBuf> {
    let Ok(here) = env::current_dir() else {
        return Vec::new();
    };
    here.ancestors()
        .map(|folder| folder.join(".partywall/postgresql/bin"))
        .collect()
}

/// The folders `PREFIX<number>/bin` in `parent`, the highest number first.
fn newest_first(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(Path::new(parent)) else {
        return Vec::new();
    };
    let mut found: Vec<(u16, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((number, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(number, _)| Reverse(*number));
    found.into_iter().map(|(_, folder)| folder).collect()
}
