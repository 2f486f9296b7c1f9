//! Names for what a plan makes: free, no longer than PostgreSQL keeps, and the same each time.

use sha2::{Digest, Sha256};

/// How many bytes of a name PostgreSQL keeps.
const LONGEST: usize = 63;

/// Joins parts by `_`. What is too long is cut, and told apart by a hash of the whole.
pub(super) fn joined(parts: &[&str]) -> String {
    fitted(parts.join("_"))
}

/// The first of `name`, `name_1`, `name_2` … that is not taken.
pub(super) fn free(parts: &[&str], taken: impl Fn(&str) -> bool) -> String {
    let name = joined(parts);
    if !taken(&name) {
        return name;
    }
    (1_u32..)
        .map(|number| fitted(format!("{}_{number}", parts.join("_"))))
        .find(|name| !taken(name))
        .unwrap_or(name)
}

fn fitted(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let hash = Sha256::digest(name.as_bytes());
    let mark: String = hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let room = LONGEST - 1 - mark.len();
    let mut kept = String::new();
    for c in name.chars() {
        if kept.len() + c.len_utf8() > room {
            break;
        }
        kept.push(c);
    }
    format!("{kept}_{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stay_apart_and_fit() {
        let long = "ü".repeat(40);
        let (one, two) = (joined(&[&long, "a"]), joined(&[&long, "b"]));
        assert!(one.len() <= LONGEST && two.len() <= LONGEST && one != two);
        assert_eq!(one, joined(&[&long, "a"]));
        assert_eq!(free(&["t", "key"], |name| name == "t_key"), "t_key_1");
    }
}
