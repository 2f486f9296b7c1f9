//! GUC_DEFAULT: the context has a value before anybody set one.

use std::collections::BTreeSet;

use super::Audit;
use crate::{Fault, Finding, catalogue::Setting, expression, sql::tidy};

pub(super) fn find(audit: &Audit<'_>, settings: &BTreeSet<&str>, found: &mut Vec<Finding>) {
    let is_context = |name: &str| settings.contains(name.to_lowercase().as_str());
    for setting in &audit.catalogue.settings {
        if is_context(&setting.name) && !is_nobody(&setting.value) && concerns(audit, setting) {
            found.push(finding(audit, setting));
        }
    }
    for (name, value) in &audit.catalogue.file_settings {
        if is_context(name) && !is_nobody(value) {
            found.push(Finding::new(
                Fault::GucDefault,
                format!("setting {name}"),
                format!(
                    "the server's configuration files give `{name}` a value, so on a fresh connection `{}` reads as that tenant before any context is set",
                    example(audit)
                ),
                format!("ALTER SYSTEM RESET {};", setting_name(name)),
            ));
        }
    }
}

/// Whether a value is one that no tenant has.
fn is_nobody(value: &str) -> bool {
    let value = value.trim();
    let value = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    expression::is_nobody(value)
}

/// Whether the application's connections begin with it: it is for all, for its role, or for a login that becomes
/// its role.
fn concerns(audit: &Audit<'_>, setting: &Setting) -> bool {
    let roles = &audit.catalogue.roles;
    setting.role.is_none_or(|role| {
        audit.subject.app_roles.iter().any(|app| {
            role == *app
                || roles
                    .get(role)
                    .is_some_and(|login| login.login && !login.superuser)
                    && roles.get(*app).is_some_and(|app| !app.login)
                    && roles.reachable(role).contains(app)
        })
    })
}

fn finding(audit: &Audit<'_>, setting: &Setting) -> Finding {
    let database = tidy(&audit.catalogue.server.database);
    let name = setting_name(&setting.name);
    let (object, fix) = match (setting.role, setting.in_database) {
        (Some(role), in_database) => {
            let role = tidy(audit.catalogue.roles.name(role));
            let place = if in_database {
                format!(" IN DATABASE {database}")
            } else {
                String::new()
            };
            (
                format!("role {role}"),
                format!("ALTER ROLE {role}{place} RESET {name};"),
            )
        }
        (None, true) => (
            format!("database {database}"),
            format!("ALTER DATABASE {database} RESET {name};"),
        ),
        (None, false) => (
            "all roles".to_owned(),
            format!("ALTER ROLE ALL RESET {name};"),
        ),
    };
    let why = format!(
        "{object} has a default of `{}`, so on a fresh connection `{}` reads the rows of that tenant before any context is set",
        setting.name,
        example(audit)
    );
    let tables = audit.guarded().filter(|relation| {
        audit
            .subject
            .comparisons
            .get(&relation.oid)
            .into_iter()
            .flatten()
            .any(|comparison| {
                comparison
                    .with
                    .reads()
                    .settings
                    .contains(&setting.name.to_lowercase())
            })
    });
    Finding::new(Fault::GucDefault, object, why, fix)
        .tables(tables.map(|relation| relation.name.to_string()))
}

fn example(audit: &Audit<'_>) -> String {
    audit.guarded().next().map_or_else(
        || "SELECT …".to_owned(),
        |relation| format!("SELECT * FROM {}", relation.name),
    )
}

/// The name of a setting, as `SET` wants it: each part quoted where it needs it.
pub(super) fn setting_name(name: &str) -> String {
    let parts: Vec<String> = name.split('.').map(tidy).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_no_tenant() {
        for value in [
            "",
            "0",
            "-1",
            "00000000-0000-0000-0000-000000000000",
            "\"\"",
            "off",
        ] {
            assert!(is_nobody(value), "{value}");
        }
        for value in ["1", "acme", "00000000-0000-0000-0000-000000000001"] {
            assert!(!is_nobody(value), "{value}");
        }
        assert_eq!(setting_name("app.Tenant"), "app.\"Tenant\"");
    }
}
