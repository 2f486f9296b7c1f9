use crate::sql::{ident, literal};

/// How a session tells the database which tenant it works for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// Settings and their values; none at all is no context.
    Settings(Vec<(String, String)>),
    /// `partywall.enter`, and what the people who read it may see of it: a seal is a secret while it lasts.
    Entered { text: String, shown: String },
}

impl Context {
    pub(super) const NONE: Self = Self::Settings(Vec::new());

    /// The statements that set it, for this transaction alone.
    pub(super) fn statements(&self) -> Vec<String> {
        match self {
            Self::Settings(pairs) => pairs.iter().map(|(name, value)| set(name, value)).collect(),
            Self::Entered { text, .. } => vec![enter(text)],
        }
    }

    /// The same for people.
    pub(super) fn shown(&self) -> Vec<String> {
        match self {
            Self::Settings(_) => self.statements(),
            Self::Entered { shown, .. } => vec![enter(shown)],
        }
    }

    /// The names of its settings.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Settings(pairs) => pairs.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Entered { .. } => vec!["partywall.context"],
        }
    }

    /// The same settings with another value in each.
    pub(super) fn with(&self, value: &str) -> Self {
        match self {
            Self::Settings(pairs) => Self::Settings(
                pairs
                    .iter()
                    .map(|(name, _)| (name.clone(), value.to_owned()))
                    .collect(),
            ),
            Self::Entered { .. } => Self::Entered {
                text: value.to_owned(),
                shown: value.to_owned(),
            },
        }
    }

    /// For a proof's first lines.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        match self {
            Self::Settings(pairs) => pairs.clone(),
            Self::Entered { shown, .. } => vec![("partywall.context".to_owned(), shown.clone())],
        }
    }
}

fn enter(text: &str) -> String {
    format!("SELECT partywall.enter({}, 0)", literal(text))
}

/// Sets a setting for this transaction. SET, not `set_config`, which may have been taken away from everybody.
pub(super) fn set(name: &str, value: &str) -> String {
    let name: Vec<String> = name.split('.').map(ident).collect();
    format!("SET LOCAL {} = {}", name.join("."), literal(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_quoted() {
        assert_eq!(
            set("app.x\"; DROP TABLE t", "it's"),
            "SET LOCAL \"app\".\"x\"\"; DROP TABLE t\" = 'it''s'"
        );
    }

    #[test]
    fn a_seal_is_not_shown() {
        let context = Context::Entered {
            text: "secret".to_owned(),
            shown: "sealed".to_owned(),
        };
        assert_eq!(context.shown(), ["SELECT partywall.enter('sealed', 0)"]);
        assert_eq!(
            context.statements(),
            ["SELECT partywall.enter('secret', 0)"]
        );
    }
}
