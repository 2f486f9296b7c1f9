//! What the one who asks said, held against what is there.

use std::collections::BTreeSet;

use super::near;
use crate::{
    AuditError, Options,
    catalogue::{Catalogue, Oid, Relation},
    sql::is_setting_name,
};

/// The options, found in the catalogues.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) app_roles: Vec<Oid>,
    pub(super) globals: BTreeSet<Oid>,
    pub(super) tenant_columns: Vec<String>,
    /// In lower case, as settings are compared.
    pub(super) contexts: BTreeSet<String>,
}

impl Given {
    pub(super) fn of(
        catalogue: &Catalogue,
        options: &Options,
        read: &BTreeSet<String>,
    ) -> Result<Self, AuditError> {
        for name in &options.schemas {
            if !catalogue
                .namespaces
                .values()
                .any(|schema| schema.name == *name)
            {
                let schemas = catalogue
                    .namespaces
                    .values()
                    .map(|schema| schema.name.as_str());
                return Err(unknown("schema", name, schemas));
            }
        }
        let mut app_roles = Vec::new();
        for name in &options.app_roles {
            let role = catalogue.roles.named(name).ok_or_else(|| {
                // Those of the server itself are never the application's.
                let roles = catalogue.roles.iter().map(|role| role.name.as_str());
                unknown("role", name, roles.filter(|role| !role.starts_with("pg_")))
            })?;
            if !app_roles.contains(&role.oid) {
                app_roles.push(role.oid);
            }
        }
        for name in &options.tenant_columns {
            let tables = || {
                catalogue
                    .relations
                    .values()
                    .filter(|relation| holds_rows(relation))
            };
            if !tables().any(|relation| relation.column_named(name).is_some()) {
                let columns = tables().flat_map(|relation| &relation.columns);
                return Err(unknown(
                    "column",
                    name,
                    columns.map(|column| column.name.as_str()),
                ));
            }
        }
        let mut globals = BTreeSet::new();
        for name in &options.globals {
            globals.insert(table(catalogue, name)?);
        }
        let contexts: BTreeSet<String> = options
            .contexts
            .iter()
            .map(|name| name.to_lowercase())
            .collect();
        if let Some(name) = contexts
            .iter()
            .find(|name| !read.is_empty() && !read.contains(*name))
        {
            return Err(unknown(
                "policy that reads the setting",
                name,
                read.iter().map(String::as_str),
            ));
        }
        // What policies read is a setting, whatever its name.
        for name in contexts.iter().filter(|name| !read.contains(*name)) {
            must_be_a_setting(name)?;
        }
        Ok(Self {
            app_roles,
            globals,
            tenant_columns: options.tenant_columns.clone(),
            contexts,
        })
    }
}

/// That a session can be given a setting of this name (`valid_custom_variable_name` in PostgreSQL's `guc.c`).
pub(crate) fn must_be_a_setting(name: &str) -> Result<(), AuditError> {
    if is_setting_name(name) {
        return Ok(());
    }
    Err(AuditError::Unknown {
        kind: "setting",
        name: name.to_owned(),
        hint: "a setting of one's own has a dot in its name, such as `app.tenant_id`".to_owned(),
    })
}

/// Whether rows can be in it that are somebody's.
pub(super) fn holds_rows(relation: &Relation) -> bool {
    use crate::catalogue::RelationKind as Kind;
    matches!(
        relation.kind,
        Kind::Table | Kind::Partitioned | Kind::MaterializedView | Kind::Foreign
    )
}

/// The table of a name: `countries`, `public.countries`, `public."Countries"`.
fn table(catalogue: &Catalogue, name: &str) -> Result<Oid, AuditError> {
    let tables = || {
        catalogue
            .relations
            .values()
            .filter(|relation| holds_rows(relation))
    };
    let parts = parts(name);
    let found: Vec<&Relation> = tables()
        .filter(|relation| {
            let full = &relation.name;
            let plain = name
                .strip_prefix(full.schema.as_str())
                .and_then(|rest| rest.strip_prefix('.'))
                == Some(full.name.as_str());
            let quoted = match parts.as_deref() {
                Some([table]) => *table == full.name,
                Some([schema, table]) => *schema == full.schema && *table == full.name,
                Some(_) | None => false,
            };
            plain || quoted || full.name == name
        })
        .collect();
    match found.as_slice() {
        [one] => Ok(one.oid),
        [] => {
            let names: Vec<String> = tables().map(|relation| relation.name.to_string()).collect();
            Err(unknown("table", name, names.iter().map(String::as_str)))
        }
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|relation| format!("`{}`", relation.name))
                .collect();
            Err(AuditError::Unknown {
                kind: "single table",
                name: name.to_owned(),
                hint: format!("say which of {}", names.join(", ")),
            })
        }
    }
}

/// The parts of a name as SQL writes it, without their quotes. `None` if the quotes do not fit.
fn parts(name: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => parts.last_mut()?.push('"'),
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut()?.push(c),
        }
    }
    (!quoted).then_some(parts)
}

fn unknown<'a>(kind: &'static str, name: &str, there: impl Iterator<Item = &'a str>) -> AuditError {
    AuditError::Unknown {
        kind,
        name: name.to_owned(),
        hint: near::hint(name, kind, there),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_sql_writes_them() {
        for (name, expected) in [
            ("countries", Some(vec!["countries"])),
            ("public.countries", Some(vec!["public", "countries"])),
            ("\"a.b\".\"c\"\"d\"", Some(vec!["a.b", "c\"d"])),
            ("a\"b", None),
        ] {
            let expected: Option<Vec<String>> =
                expected.map(|parts| parts.into_iter().map(str::to_owned).collect());
            assert_eq!(parts(name), expected, "{name}");
        }
    }
}
