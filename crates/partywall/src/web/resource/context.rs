use std::any::Any;

use super::{Connection, Granted};
use crate::{db::Tx, identity::RequestAccount, scope::Scope, web::Problem};

/// What a resource's own code has at hand: who asks, the rows that the address leads through, and a way
/// to the tenant's rows.
#[derive(Debug)]
pub struct Context<'a> {
    granted: &'a Granted,
    db: Connection<'a>,
}

impl<'a> Context<'a> {
    pub(super) fn reading(granted: &'a Granted) -> Self {
        let db = Connection::reading(granted.account().read());
        Self { granted, db }
    }

    pub(super) fn writing(granted: &'a Granted, tx: &'a Tx) -> Self {
        let db = Connection::writing(tx);
        Self { granted, db }
    }

    pub(super) fn granted(&self) -> &'a Granted {
        self.granted
    }

    /// Who asks.
    #[must_use]
    pub fn account(&self) -> &'a RequestAccount {
        self.granted.account()
    }

    /// The tenant's scope, for [`Within`](crate::Within).
    #[must_use]
    pub fn scope(&self) -> &'a Scope {
        self.granted.account().scope()
    }

    /// The tenant's rows. In a write this is its transaction.
    #[must_use]
    pub fn db(&self) -> &Connection<'a> {
        &self.db
    }

    /// A row that the address leads through: the note of `/notes/{note}/comments`.
    ///
    /// # Errors
    ///
    /// 500 where the address leads through no row of this type.
    pub fn parent<M: Any>(&self) -> Result<&'a M, Problem> {
        self.granted.parent().ok_or_else(|| {
            tracing::error!(
                row = std::any::type_name::<M>(),
                "the address of this endpoint leads through no such row"
            );
            Problem::internal()
        })
    }
}
