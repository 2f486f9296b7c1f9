use std::{fmt, sync::Arc};

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// It allows, if nothing denies.
    Allow,
    /// It denies, whatever allows.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

/// A statement that decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Decided {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub effect: Effect,
    /// Whether it waits for the object.
    pub needs_object: bool,
}

/// Allowed or denied, and by which statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    policy: Arc<str>,
    action: String,
    outcome: Outcome,
    statements: Vec<Decided>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Allowed,
    Denied,
    /// Denied for want of the object.
    Open,
    /// Denied, since it could not be decided.
    Failed(String),
}

/// The statements that match, by what they do.
#[derive(Debug, Default)]
pub(super) struct Votes {
    pub(super) allows: Vec<Arc<str>>,
    pub(super) denies: Vec<Arc<str>>,
    /// Those that would match some objects.
    pub(super) open_allows: Vec<Arc<str>>,
    pub(super) open_denies: Vec<Arc<str>>,
}

impl Votes {
    /// A deny wins, nothing matching denies, and what waits for an object is no yes.
    pub(super) fn decide(self, policy: &Arc<str>, action: &str) -> Decision {
        let Self {
            allows,
            denies,
            open_allows,
            open_denies,
        } = self;
        let listed = |names: Vec<Arc<str>>, effect, needs_object| {
            names.into_iter().map(move |name| Decided {
                name,
                effect,
                needs_object,
            })
        };
        let is_possible = !(allows.is_empty() && open_allows.is_empty());
        let (outcome, statements) = if !denies.is_empty() {
            let denies = listed(denies, Effect::Deny, false);
            (Outcome::Denied, denies.collect())
        } else if is_possible && !open_denies.is_empty() {
            let denies = listed(open_denies, Effect::Deny, true);
            let allows = listed(open_allows, Effect::Allow, true);
            (Outcome::Open, denies.chain(allows).collect())
        } else if !allows.is_empty() {
            let allows = listed(allows, Effect::Allow, false);
            (Outcome::Allowed, allows.collect())
        } else if !open_allows.is_empty() {
            let allows = listed(open_allows, Effect::Allow, true);
            (Outcome::Open, allows.collect())
        } else {
            (Outcome::Denied, Vec::new())
        };
        Decision {
            policy: policy.clone(),
            action: action.to_owned(),
            outcome,
            statements,
        }
    }
}

/// Tells the log that something could not be decided. Strangers are told nothing.
pub(super) fn report(policy: &str, action: &str, why: &str) {
    tracing::error!(policy, action, why, "a policy could not decide");
}

impl Decision {
    /// Denies because it could not be decided, and tells the log.
    pub(super) fn failing(policy: &Arc<str>, action: &str, why: impl Into<String>) -> Self {
        let why = why.into();
        report(policy, action, &why);
        Self {
            policy: policy.clone(),
            action: action.to_owned(),
            outcome: Outcome::Failed(why),
            statements: Vec::new(),
        }
    }

    /// Whether it is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }

    /// Whether it is denied only because there is no object to look at: ask again with one.
    #[must_use]
    pub fn needs_object(&self) -> bool {
        self.outcome == Outcome::Open
    }

    /// Whether it is denied because it could not be decided: a mistake of the application's, which the
    /// log tells. Not a denial for the visitor to mend.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// The statements that decided, with their effect: those that deny, or else those that allow. None
    /// where nothing matches.
    #[must_use]
    pub fn statements(&self) -> &[Decided] {
        &self.statements
    }

    /// Why, for logs. Not for strangers: it names statements.
    #[must_use]
    pub fn reason(&self) -> String {
        let Self { policy, action, .. } = self;
        let names = |effect| {
            let all = self.statements.iter().filter(|s| s.effect == effect);
            let names: Vec<_> = all.map(|s| format!("`{}`", s.name)).collect();
            names.join(", ")
        };
        match &self.outcome {
            Outcome::Allowed => {
                format!(
                    "{policy}: `{action}` is allowed by {}",
                    names(Effect::Allow)
                )
            }
            Outcome::Denied if self.statements.is_empty() => {
                format!("{policy}: `{action}` is denied: no statement allows it")
            }
            Outcome::Denied => format!("{policy}: `{action}` is denied by {}", names(Effect::Deny)),
            Outcome::Open => {
                let all: Vec<_> = self.statements.iter().map(|s| &*s.name).collect();
                format!(
                    "{policy}: `{action}` is denied: `{}` asks for the object and there is none",
                    all.join("`, `")
                )
            }
            Outcome::Failed(why) => format!("{policy}: `{action}` is denied: {why}"),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}
