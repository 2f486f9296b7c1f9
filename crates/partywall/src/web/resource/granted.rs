use std::{any::Any, fmt, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;
use sea_orm::{Condition, sea_query::Expr};

use super::Sight;
use crate::{
    identity::RequestAccount,
    policy::{Rows, Subject},
    web::{
        Permitted, Problem,
        routes::{Admitted, TENANT},
    },
};

/// A row, whatever its type.
pub type AnyRow = dyn Any + Send + Sync;

/// What the central check found out about a request, as far as an action needs it: who asks, which rows
/// and fields they see, and the rows that the address leads through.
///
/// An extractor, for handlers of the application's own that call [`Actions`](super::Actions).
#[derive(Clone)]
pub struct Granted {
    account: RequestAccount,
    permitted: Option<Permitted>,
    sight: Sight,
    rows: Rows,
    parents: Vec<Arc<AnyRow>>,
    /// The parameters of the path and what stands there, without the tenant's.
    parameters: Vec<(String, String)>,
}

impl Granted {
    /// An account that sees all fields and rows of its tenant, and may do what it does: for code that no
    /// route leads to.
    #[must_use]
    pub fn trusted(account: RequestAccount) -> Self {
        Self {
            account,
            permitted: None,
            sight: Sight::default(),
            rows: Rows::All,
            parents: Vec::new(),
            parameters: Vec::new(),
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
    pub fn with_rows(mut self, rows: Rows) -> Self {
        self.rows = rows;
        self
    }

    /// Adds a row that the address leads through, by the name of its parameter and by its id.
    #[must_use]
    pub fn under(mut self, name: &str, id: impl fmt::Display, row: Arc<AnyRow>) -> Self {
        self.parameters.push((name.to_owned(), id.to_string()));
        self.parents.push(row);
        self
    }

    /// Who asks.
    #[must_use]
    pub fn account(&self) -> &RequestAccount {
        &self.account
    }

    /// Which fields they see: of the row that the address ends in, or else of any.
    #[must_use]
    pub fn sight(&self) -> &Sight {
        &self.sight
    }

    /// Which fields of a row they see.
    pub(super) fn sight_of(&self, row: &AnyRow) -> Sight {
        match &self.permitted {
            Some(permitted) => {
                let question = permitted.question();
                permitted.policy().fields(&question.about(row)).into()
            }
            None => self.sight.clone(),
        }
    }

    /// The rows of a list that they see. A policy that shows none denies the list.
    pub(super) fn visible(&self) -> Result<Condition, Problem> {
        match &self.rows {
            Rows::All => Ok(Condition::all()),
            Rows::None => Err(Problem::forbidden()),
            // As an expression: a condition of nothing would be left out, and show everything.
            Rows::Where(condition) => Ok(Condition::all().add(Expr::from(condition.clone()))),
        }
    }

    /// Asks about a single row, which the check before the action did not see.
    pub(super) fn permits(&self, row: &AnyRow) -> Result<(), Problem> {
        match &self.permitted {
            Some(permitted) => permitted.check(row),
            None => Ok(()),
        }
    }

    /// Whether the account as it is now may still have what it was given then: it is allowed the same,
    /// shows the same rows and hides the same fields.
    pub(super) fn still_holds(&self) -> impl Fn(&RequestAccount) -> bool + Send + Sync + use<> {
        let permitted = self.permitted.clone();
        move |account| {
            let Some(permitted) = &permitted else {
                return true;
            };
            let subject = Subject::from(account);
            let then = permitted.question();
            let now = crate::policy::Question {
                subject: &subject,
                ..then
            };
            let policy = permitted.policy();
            let decision = policy.decide(&now);
            (decision.is_allowed() || decision.needs_object())
                && policy.rows(&now) == policy.rows(&then)
                && policy.fields(&now) == policy.fields(&then)
        }
    }

    /// A row that the address leads through, by its type: the nearest, where there are several.
    #[must_use]
    pub fn parent<M: Any>(&self) -> Option<&M> {
        self.parents.iter().rev().find_map(|row| row.downcast_ref())
    }

    /// The id of the row under which those called `name` stand, as it stands in the address.
    pub(super) fn above(&self, name: &str) -> Option<&str> {
        let mut others = self
            .parameters
            .iter()
            .rev()
            .filter(|(known, _)| known != name);
        others.next().map(|(_, id)| id.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Granted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let permitted = Permitted::from_request_parts(parts, state).await?;
        let admitted = parts.extensions.get::<Admitted>();
        let admitted = admitted.ok_or_else(Problem::internal)?;
        let question = permitted.question();
        let parameters = question
            .request
            .parameters()
            .filter(|(name, _)| *name != TENANT)
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        Ok(Self {
            account: admitted.account.clone(),
            sight: permitted.fields().into(),
            rows: permitted.rows(),
            parents: admitted.things.clone(),
            parameters,
            permitted: Some(permitted),
        })
    }
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}
