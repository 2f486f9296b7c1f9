use http::Method;

/// What can be done with a resource over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Act {
    /// `GET …/notes`.
    List,
    /// `GET …/notes/{note}`.
    Retrieve,
    /// `POST …/notes`.
    Create,
    /// `PUT …/notes/{note}`.
    Replace,
    /// `PATCH …/notes/{note}`.
    Update,
    /// `DELETE …/notes/{note}`.
    Delete,
    /// `POST …/notes/bulk`.
    CreateMany,
    /// `PATCH …/notes/bulk`.
    UpdateMany,
    /// `DELETE …/notes/bulk`.
    DeleteMany,
}

impl Act {
    /// Those on one row and on the list.
    pub const SINGLE: [Self; 6] = [
        Self::List,
        Self::Retrieve,
        Self::Create,
        Self::Replace,
        Self::Update,
        Self::Delete,
    ];

    /// Those on several rows at once.
    pub const BULK: [Self; 3] = [Self::CreateMany, Self::UpdateMany, Self::DeleteMany];

    /// What its endpoint is called behind the resource's name. What stands behind the last dot is the
    /// action that a policy is asked about: to replace is to update, and what is done to many at once is
    /// asked as it is for one. A policy that forbids `delete` forbids it in bulk as well.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Retrieve => "retrieve",
            Self::Create => "create",
            Self::Replace => "whole.update",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::CreateMany => "bulk.create",
            Self::UpdateMany => "bulk.update",
            Self::DeleteMany => "bulk.delete",
        }
    }

    pub(super) fn method(self) -> Method {
        match self {
            Self::List | Self::Retrieve => Method::GET,
            Self::Create | Self::CreateMany => Method::POST,
            Self::Replace => Method::PUT,
            Self::Update | Self::UpdateMany => Method::PATCH,
            Self::Delete | Self::DeleteMany => Method::DELETE,
        }
    }

    pub(super) fn is_write(self) -> bool {
        !matches!(self, Self::List | Self::Retrieve)
    }

    /// Whether it is done to the row that the address ends in.
    pub(super) fn is_on_row(self) -> bool {
        matches!(
            self,
            Self::Retrieve | Self::Replace | Self::Update | Self::Delete
        )
    }

    pub(super) fn summary(self, name: &str) -> String {
        match self {
            Self::List => format!("List each {name}, or export them"),
            Self::Retrieve => format!("Show one {name}"),
            Self::Create => format!("Make a {name}"),
            Self::Replace => format!("Replace one {name} as a whole"),
            Self::Update => format!("Change what is named of one {name}"),
            Self::Delete => format!("Remove one {name}"),
            Self::CreateMany => format!("Make several of {name}, all or none"),
            Self::UpdateMany => format!("Change several of {name}, all or none"),
            Self::DeleteMany => format!("Remove several of {name}, all or none"),
        }
    }
}
