/// Settings as a server's start-up options (`-c name=value`), which libpq reads from `PGOPTIONS`. Of a value, spaces and
/// backslashes are escaped: nothing else is special to the server when it takes them apart.
pub(crate) fn startup_options<'a>(
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    settings
        .into_iter()
        .map(|(name, value)| format!("-c {}={}", escaped(name), escaped(value)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        // What C's isspace() takes for space.
        if matches!(
            character,
            ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\\'
        ) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_value() {
        assert_eq!(
            startup_options([("app.tenant_id", "a b\\c -c role=x"), ("role", "app")]),
            "-c app.tenant_id=a\\ b\\\\c\\ -c\\ role=x -c role=app"
        );
    }
}
