/// What is wrong with a policy. Found when it is built, before it decides anything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Something is wrong with a statement or the rule of a field.
    #[error("policy `{policy}`, `{statement}`: {source}")]
    In {
        /// The policy.
        policy: String,
        /// The statement or field.
        statement: String,
        /// What is wrong.
        source: Box<PolicyError>,
    },
    /// Two statements of a policy share a name, so a decision could not say which decided.
    #[error("the name is another statement's already: give it one of its own")]
    Duplicate,
    /// A policy, statement or field has an empty name.
    #[error("the name is empty")]
    Nameless,
    /// A list that must name something names nothing.
    #[error("the list of {0} is empty: name at least one")]
    Empty(&'static str),
    /// An action is none of the known ones.
    #[error("there is no action `{0}`: declare it, or mend the name")]
    UnknownAction(String),
    /// A method is not in capitals.
    #[error("`{0}` is no method of HTTP: write it in capitals")]
    Method(String),
    /// A field is none of the known ones.
    #[error("there is no field of this name: declare it, or mend the name")]
    UnknownField,
    /// A permission is not declared, so that nobody holds it.
    #[error("the permission `{0}` is not declared: declare it in `Permissions`, or mend the name")]
    UnknownPermission(String),
    /// A network cannot be read.
    #[error("`{0}` is no network: write an address and the length of its prefix, `10.0.0.0/8`")]
    Network(String),
    /// Policies in another language cannot be read, or do not fit their schema.
    #[error("policy `{policy}`: {source}")]
    Policies {
        /// The policy.
        policy: String,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A statement in another language cannot be used here.
    #[error("{0}")]
    Unusable(&'static str),
}

/// The kinds of [`PolicyError`], for matching without the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// A name is taken or empty.
    Name,
    /// A list is empty.
    Empty,
    /// An action, field or permission is not known.
    Unknown,
    /// A value cannot be read.
    Malformed,
}

impl PolicyError {
    /// The kind, without the data.
    #[must_use]
    pub fn kind(&self) -> PolicyErrorKind {
        match self {
            Self::In { source, .. } => source.kind(),
            Self::Duplicate | Self::Nameless => PolicyErrorKind::Name,
            Self::Empty(_) => PolicyErrorKind::Empty,
            Self::UnknownAction(_) | Self::UnknownField | Self::UnknownPermission(_) => {
                PolicyErrorKind::Unknown
            }
            Self::Method(_) | Self::Network(_) | Self::Policies { .. } | Self::Unusable(_) => {
                PolicyErrorKind::Malformed
            }
        }
    }

    pub(super) fn within(self, policy: &str, statement: &str) -> Self {
        Self::In {
            policy: policy.to_owned(),
            statement: statement.to_owned(),
            source: Box::new(self),
        }
    }
}
