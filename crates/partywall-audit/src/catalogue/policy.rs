use super::Oid;
use crate::expression::Node;

/// What a statement does, as policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Command {
    Select,
    Insert,
    Update,
    Delete,
}

impl Command {
    pub(crate) const ALL: [Self; 4] = [Self::Select, Self::Insert, Self::Update, Self::Delete];

    pub(crate) const fn keyword(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// An expression of the catalogues, as text and as the tree that PostgreSQL made of it.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    /// As `pg_get_expr` writes it, with all names qualified.
    pub(crate) text: String,
    pub(crate) tree: Node,
}

/// A policy of a table.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) permissive: bool,
    /// `None` for ALL.
    pub(crate) command: Option<Command>,
    /// Roles, or [`PUBLIC`](super::PUBLIC).
    pub(crate) roles: Vec<Oid>,
    pub(crate) using: Option<Expression>,
    pub(crate) check: Option<Expression>,
}

impl Policy {
    pub(crate) fn covers(&self, command: Command) -> bool {
        self.command.is_none_or(|own| own == command)
    }

    /// What a new row must meet: its own check or, without one, what USING says.
    pub(crate) fn effective_check(&self) -> Option<&Expression> {
        self.check.as_ref().or(self.using.as_ref())
    }

    pub(crate) const fn command_keyword(&self) -> &'static str {
        match self.command {
            None => "ALL",
            Some(command) => command.keyword(),
        }
    }
}
