//! A map as text for people: sorted, one line for each table, with the reason behind it.

use std::fmt::Write;

use super::{Map, TableMap};

const HEAD: &str = "\
# Whose the rows of each table are. Review it: what it says wins over what would be inferred.
#
#   { tenant = \"tenant_id\" }    this column says it
#   { through = \"invoice_id\" }  the row that this foreign key refers to says it
#   { global = \"why\" }          nobody's: every tenant reads it, and no policy protects it
#   { undecided = \"why\" }       left alone until a person decides
";

impl Map {
    /// Writes `partywall.toml`: the same map gives the same text, and reading it gives the same map.
    #[must_use]
    pub fn toml(&self) -> String {
        let mut text = String::from(HEAD);
        let _ = writeln!(text, "\nversion = {}\n\n[tenant]", self.version);
        for (key, value) in [("table", &self.tenant.table), ("key", &self.tenant.key)] {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {}", string(value));
            }
        }
        let _ = writeln!(text, "columns = {}", list(&self.tenant.columns));
        let _ = writeln!(
            text,
            "contexts = {}\n\n[roles]",
            list(&self.tenant.contexts)
        );
        if let Some(owner) = &self.roles.owner {
            let _ = writeln!(text, "owner = {}", string(owner));
        }
        let _ = writeln!(text, "app = {}\n\n[tables]", list(&self.roles.app));
        for (name, table) in &self.tables {
            let (kind, value) = match table {
                TableMap::Tenant(column) => ("tenant", column),
                TableMap::Through(columns) => ("through", columns),
                TableMap::Global(why) => ("global", why),
                TableMap::Undecided(why) => ("undecided", why),
            };
            let _ = write!(text, "{} = {{ {kind} = {} }}", string(name), string(value));
            match self.remarks.of(name) {
                Some(remark) => {
                    let _ = writeln!(text, " # {}", line(remark));
                }
                None => text.push('\n'),
            }
        }
        text
    }
}

fn list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| string(value)).collect();
    format!("[{}]", values.join(", "))
}

/// A basic string of TOML.
pub(super) fn string(value: &str) -> String {
    let mut text = String::from('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text + "\""
}

/// Names are in remarks, and a name can hold a line's end.
fn line(remark: &str) -> String {
    remark
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z_]{1,8}",
            any::<String>(),
            Just("a\"] = 1\n[x".to_owned()),
            Just("'''\"\"\"\\".to_owned()),
            Just("\u{7f}\u{85}\u{2028}#\r\n".to_owned()),
        ]
    }

    fn table() -> impl Strategy<Value = TableMap> {
        (0..4, name()).prop_map(|(kind, text)| match kind {
            0 => TableMap::Tenant(text),
            1 => TableMap::Through(text),
            2 => TableMap::Global(text),
            _ => TableMap::Undecided(text),
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_equal(
            table_of_tenants in proptest::option::of(name()),
            lists in proptest::collection::vec(proptest::collection::vec(name(), 0..3), 3),
            owner in proptest::option::of(name()),
            tables in proptest::collection::vec((name(), table(), name()), 0..6),
        ) {
            let mut map = Map::new();
            map.tenant.key.clone_from(&table_of_tenants);
            map.tenant.table = table_of_tenants;
            map.tenant.columns.clone_from(&lists[0]);
            map.tenant.contexts.clone_from(&lists[1]);
            map.roles.app.clone_from(&lists[2]);
            map.roles.owner = owner;
            for (name, table, remark) in tables {
                map = map.table(name, table, remark);
            }
            let text = map.toml();
            let read = Map::read(&text).unwrap();
            prop_assert_eq!(&read, &map);
            // The remarks are gone, and nothing else.
            prop_assert_eq!(Map::read(&read.toml()).unwrap(), map);
        }
    }

    #[test]
    fn a_map_is_read_by_its_version_first() {
        let later = "version = 2\nshards = 3\n";
        assert!(matches!(Map::read(later), Err(crate::MapError::Version(2))));
        let wrong = Map::read("version = 1\n[tables]\n\"public.x\" = { tenannt = \"id\" }\n");
        let message = wrong.unwrap_err().to_string();
        assert!(
            message.contains("line 3") && message.contains("tenannt"),
            "{message}"
        );
    }
}
