use std::{any::Any, fmt, sync::Arc};

use sea_orm::{Condition, Value, sea_query::Expr};

use super::Sight;
use crate::{identity::RequestAccount, web::Problem};

/// A row, whatever its type.
pub type AnyRow = dyn Any + Send + Sync;

type Permits = Arc<dyn Fn(&AnyRow) -> Result<(), Problem> + Send + Sync>;

/// What the central check found out about a request, as far as an action needs it: who asks, which rows
/// and fields they see, and the rows that the address leads through.
#[derive(Clone)]
pub struct Access {
    account: RequestAccount,
    sight: Sight,
    rows: Option<Condition>,
    permits: Permits,
    parents: Vec<Arc<AnyRow>>,
    under: Option<Value>,
    lasting: Option<&'static str>,
}

impl Access {
    /// An account that sees all fields and rows of its tenant. Whether it may act at all was asked
    /// before.
    #[must_use]
    pub fn new(account: RequestAccount) -> Self {
        Self {
            account,
            sight: Sight::default(),
            rows: None,
            permits: Arc::new(|_| Ok(())),
            parents: Vec::new(),
            under: None,
            lasting: None,
        }
    }

    /// Hides and freezes fields.
    #[must_use]
    pub fn with_sight(mut self, sight: Sight) -> Self {
        self.sight = sight;
        self
    }

    /// Narrows lists to the rows that the account may see of the tenant's.
    #[must_use]
    pub fn with_rows(mut self, rows: Condition) -> Self {
        self.rows = Some(match self.rows {
            Some(others) => Condition::all().add(others).add(rows),
            None => rows,
        });
        self
    }

    /// Shows no row in lists.
    #[must_use]
    pub fn without_rows(self) -> Self {
        self.with_rows(Condition::all().add(Expr::cust("FALSE")))
    }

    /// Says of a single row whether the action is permitted, for actions on several rows, which the
    /// central check did not see.
    #[must_use]
    pub fn with_permits(
        mut self,
        permits: impl Fn(&AnyRow) -> Result<(), Problem> + Send + Sync + 'static,
    ) -> Self {
        self.permits = Arc::new(permits);
        self
    }

    /// Adds a row that the address leads through.
    #[must_use]
    pub fn with_parent(mut self, row: Arc<AnyRow>) -> Self {
        self.parents.push(row);
        self
    }

    /// Says under which row the list stands: the value that its
    /// [parent's column](super::Resource::parent_column) has in each of its rows.
    #[must_use]
    pub fn under(mut self, id: impl Into<Value>) -> Self {
        self.under = Some(id.into());
        self
    }

    /// The permission without which a long answer ends.
    #[must_use]
    pub fn while_permitted(mut self, permission: &'static str) -> Self {
        self.lasting = Some(permission);
        self
    }

    /// Who asks.
    #[must_use]
    pub fn account(&self) -> &RequestAccount {
        &self.account
    }

    /// Which fields they see.
    #[must_use]
    pub fn sight(&self) -> &Sight {
        &self.sight
    }

    pub(super) fn rows(&self) -> Option<&Condition> {
        self.rows.as_ref()
    }

    pub(super) fn permits(&self, row: &AnyRow) -> Result<(), Problem> {
        (self.permits)(row)
    }

    /// A row that the address leads through, by its type: the nearest, where there are several.
    #[must_use]
    pub fn parent<M: Any>(&self) -> Option<&M> {
        self.parents.iter().rev().find_map(|row| row.downcast_ref())
    }

    pub(super) fn lasting(&self) -> Option<&'static str> {
        self.lasting
    }

    pub(super) fn under_id(&self) -> Option<&Value> {
        self.under.as_ref()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}
