use crate::{
    catalogue::{Catalogue, Column, ConstraintKind, Identity, Oid, Relation},
    check::reach::phrase,
};

/// `int2`, `int4`, `int8`, `uuid` (pg_type.dat).
const INTEGERS: [Oid; 3] = [21, 23, 20];
const UUID: Oid = 2950;

/// Whether a value says nothing by itself: nobody collides with one that the server made up, and to guess it
/// tells of nothing but that it is taken. Its meaning is that of the row, not of what somebody entered.
pub(crate) fn is_surrogate(catalogue: &Catalogue, table: &Relation, column: &Column) -> bool {
    depth(catalogue, table, column, 0)
}

fn depth(catalogue: &Catalogue, table: &Relation, column: &Column, level: usize) -> bool {
    if column.type_oid == UUID || column.identity != Identity::No {
        return true;
    }
    let is_key = table.constraints.iter().any(|constraint| {
        constraint.kind == ConstraintKind::Primary && constraint.columns == [column.number]
    });
    // A default that calls something makes the key: a sequence, a generator of random texts.
    let made = column
        .default
        .as_deref()
        .is_some_and(|default| !column.generated && !phrase::calls(default).is_empty());
    if is_key && (made || is_integer(column)) || made && is_integer(column) {
        return true;
    }
    level < 8
        && table.foreign_keys().any(|(constraint, reference)| {
            constraint
                .columns
                .iter()
                .zip(&reference.columns)
                .filter(|(own, _)| **own == column.number)
                .any(|(_, theirs)| {
                    catalogue
                        .relations
                        .get(&reference.relation)
                        .and_then(|other| Some((other, other.column(*theirs)?)))
                        .is_some_and(|(other, theirs)| depth(catalogue, other, theirs, level + 1))
                })
        })
}

pub(super) fn is_integer(column: &Column) -> bool {
    INTEGERS.contains(&column.type_oid)
}

/// Whether a value is a secret that a machine made, as far as its name tells: `token`, `key_hash`. The hash of
/// something that people know (`email_hash`) is none.
pub(super) fn is_secret(column: &Column) -> bool {
    const SECRETS: [&str; 3] = ["token", "secret", "nonce"];
    const HASHES: [&str; 3] = ["hash", "digest", "hmac"];
    const HASHED: [&str; 9] = [
        "token",
        "secret",
        "key",
        "session",
        "reset",
        "refresh",
        "invite",
        "invitation",
        "password",
    ];
    let mut words = words(&column.name);
    let Some(last) = words.pop() else {
        return false;
    };
    SECRETS.contains(&last.as_str())
        || (HASHES.contains(&last.as_str())
            && words
                .last()
                .is_some_and(|word| HASHED.contains(&word.as_str())))
}

/// `keyHash` and `key_hash` are two words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c.is_uppercase() || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
