use std::fmt::Write as _;

use super::{Policy, statement::Veil};

/// A row of a table in Markdown. A bar inside of a cell would end it.
pub(super) fn row(text: &mut String, cells: &[&str]) {
    for cell in cells {
        let cell = cell.replace('|', "\\|").replace(['\n', '\r'], " ");
        // Writing to a text does not fail.
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

pub(super) fn table<M>(policy: &Policy<M>) -> String {
    let mut text = format!("## {}\n\n", policy.name);
    row(&mut text, &["statement", "effect", "who", "actions", "if"]);
    row(&mut text, &["---"; 5]);
    for statement in &policy.statements {
        let rule = statement.rule.as_ref().map(ToString::to_string);
        row(
            &mut text,
            &[
                &statement.name,
                &statement.effect.to_string(),
                &statement.principal.to_string(),
                &statement.actions.to_string(),
                &rule.unwrap_or_default(),
            ],
        );
    }
    if policy.fields.is_empty() {
        return text;
    }
    text.push('\n');
    row(&mut text, &["field", "is", "for", "if"]);
    row(&mut text, &["---"; 4]);
    for field in &policy.fields {
        let veil = match field.veil {
            Veil::Hidden => "hidden",
            Veil::Frozen => "frozen",
        };
        let rule = field.rule.as_ref().map(ToString::to_string);
        row(
            &mut text,
            &[
                &field.field,
                veil,
                &field.principal.to_string(),
                &rule.unwrap_or_default(),
            ],
        );
    }
    text
}
