//! Statements inside of statements.

use crate::{plan::done, sql::literal};

/// Quotes a body with dollars, or as a literal where it has the mark in it.
pub(super) fn dollars(body: &str) -> String {
    if body.contains("$partywall$") {
        literal(body)
    } else {
        format!("$partywall$\n{body}\n$partywall$")
    }
}

/// Statements that run only when a role is there.
pub(super) fn if_role(role: &str, statements: &[String]) -> String {
    when(&done::role(role), statements)
}

/// Statements that run only when something holds.
pub(super) fn when(condition: &str, statements: &[String]) -> String {
    // Only whole statements are indented: a line can end inside of a name.
    let statements = statements.join("\n    ");
    let body = format!("BEGIN\n  IF {condition} THEN\n    {statements}\n  END IF;\nEND");
    format!("DO {};", dollars(&body))
}
