//! Imports run downwards only: ARCHITECTURE.md says in which order, and this checks it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// From the ground up. A room may import from those before it.
const ROOMS: [&str; 10] = [
    "scope", "value", "connect", "schema", "db", "identity", "policy", "jobs", "web", "testing",
];

/// The files of a room, which is a folder or, while it is small, one file.
fn files(room: &Path) -> Vec<PathBuf> {
    if !room.is_dir() {
        return vec![room.with_extension("rs")];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(room).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The rooms that a file's code imports from: its comments and its unit tests may name what they like.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .collect()
}

/// `use crate::{db::…, scope::…}` over several lines names its rooms one level in.
fn grouped(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for group in text.split("crate::{").skip(1) {
        let mut depth = 1;
        let mut word = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ if depth == 1 && (c.is_ascii_alphanumeric() || c == '_') => word.push(c),
                _ => {
                    if depth == 1 && c == ':' && !word.is_empty() {
                        found.push(word.clone());
                    }
                    word.clear();
                }
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

#[test]
fn imports_run_downwards() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    let mut upward = Vec::new();
    for (height, room) in ROOMS.iter().enumerate() {
        for file in files(&source.join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for import in imports(&text).into_iter().chain(grouped(&text)) {
                checked += 1;
                let Some(of) = ROOMS.iter().position(|known| *known == import) else {
                    continue;
                };
                if of > height {
                    upward.push(format!("{} imports from `{import}`", file.display()));
                }
            }
        }
    }
    assert!(
        checked > 30,
        "only {checked} imports were found: the check itself is broken"
    );
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn every_folder_is_a_known_room() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !path.is_dir() || ROOMS.contains(&name),
            "`{name}` has no place in the order of rooms"
        );
    }
}

#[test]
fn the_check_sees_both_forms_of_import() {
    assert_eq!(imports("use crate::db::Db;\n// use crate::x;\n"), ["db"]);
    assert_eq!(
        grouped("use crate::{\n    db::{Db, Tx},\n    scope::Scope,\n};"),
        ["db", "scope"]
    );
}
