//! Statements inside of statements.

use crate::{
    plan::done,
    sql::{Name, literal},
};

/// Quotes a body with dollars, or as a literal where it has the mark in it.
pub(super) fn dollars(body: &str) -> String {
    if body.contains("$partywall$") {
        literal(body)
    } else {
        format!("$partywall$\n{body}\n$partywall$")
    }
}

/// Statements that run only when a role is there.
pub(super) fn if_role(role: &str, statements: &str) -> String {
    when(&done::role(role), statements)
}

/// Statements that run only when a relation is there.
pub(super) fn if_there(relation: &Name, statements: &str) -> String {
    when(&done::exists(relation), statements)
}

pub(super) fn when(condition: &str, statements: &str) -> String {
    let indented = statements.replace('\n', "\n    ");
    let body = format!("BEGIN\n  IF {condition} THEN\n    {indented}\n  END IF;\nEND");
    format!("DO {};", dollars(&body))
}
