use std::fmt;

use super::PolicyError;

/// What is asked for: an action by its name, and the method it came by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Action {
    name: String,
    method: String,
}

impl Action {
    /// An action: `Action::new("update", "PATCH")`.
    pub fn new(name: impl Into<String>, method: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            method: method.into(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The method of HTTP, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Whether it changes nothing: by GET, HEAD or OPTIONS.
    #[must_use]
    pub fn read_only(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// The actions that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    ReadOnly,
    Writes,
    Named(Vec<String>),
    Methods(Vec<String>),
}

impl Actions {
    /// Every action.
    #[must_use]
    pub fn any() -> Self {
        Self(Kind::Any)
    }

    /// Those that change nothing: by GET, HEAD or OPTIONS.
    #[must_use]
    pub fn read_only() -> Self {
        Self(Kind::ReadOnly)
    }

    /// Those that are not [read-only](Self::read_only).
    #[must_use]
    pub fn writes() -> Self {
        Self(Kind::Writes)
    }

    /// Those of these names.
    pub fn named(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Kind::Named(names.into_iter().map(Into::into).collect()))
    }

    /// Those by these methods of HTTP, in capitals.
    pub fn methods(methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Kind::Methods(methods.into_iter().map(Into::into).collect()))
    }

    /// Whether an action is among them.
    #[must_use]
    pub fn includes(&self, action: &Action) -> bool {
        match &self.0 {
            Kind::Any => true,
            Kind::ReadOnly => action.read_only(),
            Kind::Writes => !action.read_only(),
            Kind::Named(names) => names.contains(&action.name),
            Kind::Methods(methods) => methods.contains(&action.method),
        }
    }

    /// Refuses what could never match, which a deny would hide. `known` are all names there are, if
    /// that is told.
    pub(super) fn check(&self, known: Option<&[String]>) -> Result<(), PolicyError> {
        match &self.0 {
            Kind::Any | Kind::ReadOnly | Kind::Writes => Ok(()),
            Kind::Named(list) | Kind::Methods(list) if list.is_empty() => {
                Err(PolicyError::Empty("actions"))
            }
            Kind::Named(names) => match names
                .iter()
                .find(|name| known.is_some_and(|known| !known.contains(name)))
            {
                Some(unknown) => Err(PolicyError::UnknownAction(unknown.clone())),
                None => Ok(()),
            },
            Kind::Methods(methods) => match methods
                .iter()
                .find(|method| method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase()))
            {
                Some(method) => Err(PolicyError::Method(method.clone())),
                None => Ok(()),
            },
        }
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Any => f.write_str("any"),
            Kind::ReadOnly => f.write_str("read-only"),
            Kind::Writes => f.write_str("writes"),
            Kind::Named(list) | Kind::Methods(list) => f.write_str(&list.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_tell_what_only_reads() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert!(Action::new("list", method).read_only(), "{method}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND", ""] {
            assert!(!Action::new("list", method).read_only(), "{method}");
        }
    }

    #[test]
    fn each_kind_includes_its_own() {
        let (list, update) = (Action::new("list", "GET"), Action::new("update", "PATCH"));
        for (actions, includes_list, includes_update) in [
            (Actions::any(), true, true),
            (Actions::read_only(), true, false),
            (Actions::writes(), false, true),
            (Actions::named(["update", "delete"]), false, true),
            (Actions::methods(["GET"]), true, false),
        ] {
            assert_eq!(actions.includes(&list), includes_list, "{actions}");
            assert_eq!(actions.includes(&update), includes_update, "{actions}");
        }
    }

    #[test]
    fn what_never_matches_is_refused() {
        let known = ["list".to_owned()];
        assert!(matches!(
            Actions::named(["lst"]).check(Some(&known)),
            Err(PolicyError::UnknownAction(name)) if name == "lst"
        ));
        assert!(Actions::named(["list"]).check(Some(&known)).is_ok());
        assert!(Actions::named(["lst"]).check(None).is_ok());
        assert!(matches!(
            Actions::methods(["patch"]).check(None),
            Err(PolicyError::Method(_))
        ));
        let none: [&str; 0] = [];
        for empty in [Actions::named(none), Actions::methods(none)] {
            assert!(matches!(empty.check(None), Err(PolicyError::Empty(_))));
        }
    }
}
