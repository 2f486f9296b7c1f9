//! Names and values as SQL text. Names come from the catalogues and can be anything at all.

use std::fmt;

/// Quotes a name, whatever it holds: `"` is doubled, and nothing else is special inside quotes.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a name where it needs it, as `quote_ident` does, so that what people read stays readable.
pub(crate) fn tidy(name: &str) -> String {
    let plain = name
        .chars()
        .enumerate()
        .all(|(at, c)| matches!(c, 'a'..='z' | '_') || (at > 0 && c.is_ascii_digit()));
    if plain && !name.is_empty() && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        ident(name)
    }
}

/// Writes a value as a string literal. With a backslash in it, as an `E''` string, which reads the same
/// whatever `standard_conforming_strings` says.
pub(crate) fn literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// Words that PostgreSQL 13 to 18 reserve in some place where a name may stand (SQL key words, appendix C).
#[rustfmt::skip]
const RESERVED: [&str; 141] = [
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast",
    "char", "character", "check", "coalesce", "collate", "collation", "column", "concurrently",
    "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists",
    "extract", "false", "fetch", "float", "for", "foreign", "freeze", "from", "full", "grant",
    "greatest", "group", "grouping", "having", "ilike", "in", "initially", "inner", "inout",
    "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "lateral",
    "leading", "least", "left", "like", "limit", "localtime", "localtimestamp", "national",
    "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric",
    "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing",
    "position", "precision", "primary", "real", "references", "returning", "right", "row",
    "select", "session_user", "setof", "similar", "smallint", "some", "substring", "symmetric",
    "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat", "trim",
    "true", "union", "unique", "user", "using", "values", "varchar", "variadic", "verbose",
    "when", "where", "window", "with", "xmlattributes",
];

/// The name of something in a schema, as SQL: `public.invoices`, `"Odd"."na""me"`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) schema: String,
    pub(crate) name: String,
}

impl Name {
    pub(crate) fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", tidy(&self.schema), tidy(&self.name))
    }
}

/// Whether a text looks like the name of a setting that is not PostgreSQL's own: `app.is_admin`.
pub(crate) fn is_setting_name(text: &str) -> bool {
    let mut parts = text.split('.');
    let good = |part: &str| {
        part.chars()
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text.contains('.') && parts.all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_need_it() {
        assert_eq!(tidy("invoices_2"), "invoices_2");
        assert_eq!(tidy("Invoices"), "\"Invoices\"");
        assert_eq!(tidy("user"), "\"user\"");
        assert_eq!(tidy("2nd"), "\"2nd\"");
        assert_eq!(tidy(""), "\"\"");
        assert_eq!(
            Name::new("public", "x\"; DROP TABLE y; --").to_string(),
            "public.\"x\"\"; DROP TABLE y; --\""
        );
    }

    #[test]
    fn values_are_literals() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }

    #[test]
    fn settings_are_dotted_names() {
        assert!(is_setting_name("app.is_admin") && is_setting_name("request.jwt.claims"));
        assert!(
            !is_setting_name("app")
                && !is_setting_name("a@b.c")
                && !is_setting_name("1.2")
                && !is_setting_name("a.")
        );
    }
}
