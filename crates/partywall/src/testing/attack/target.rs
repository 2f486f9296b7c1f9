use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use super::Case;

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Caller {
    /// Nobody who is signed in.
    Anonymous,
    /// A member of B who has no account in A.
    Other,
    /// A member of A who may do everything there, and has no account in B.
    Member,
    /// A member of A who has no permission.
    Powerless,
    /// A member of the suspended tenant who may do everything there.
    Suspended,
}

/// Whose rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Side {
    /// A's.
    Own,
    /// B's.
    Foreign,
    /// The suspended tenant's.
    Suspended,
}

/// The running application, with two tenants that have rows.
#[async_trait]
pub trait Target: Sync {
    /// Sends a request as it is.
    async fn send(&self, request: Request<Bytes>) -> Response<Bytes>;

    /// The headers that say who sends: a cookie, a key. None for [`Caller::Anonymous`].
    fn credentials(&self, caller: Caller) -> HeaderMap;

    /// What stands for a parameter of a path on one side: the tenant's slug for `tenant`, the id of one
    /// of its notes for `note`. None where the parameter names nothing that a tenant owns.
    ///
    /// The rows of one side belong together: the comment is one of the note.
    async fn value(&self, side: Side, parameter: &str) -> Option<String>;

    /// How the endpoint of a name is used rightly by A. Asked for anew whenever it is used, since using
    /// it may use it up. An endpoint without one fails.
    async fn case(&self, endpoint: &str) -> Option<Case>;

    /// A text that differs if any row differs which a request may not change: see
    /// [`fingerprint`](super::fingerprint()).
    async fn rows(&self) -> String;
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "anonymous",
            Self::Other => "other tenant",
            Self::Member => "member",
            Self::Powerless => "no permission",
            Self::Suspended => "suspended",
        })
    }
}
