use std::{any::Any, fmt, sync::Arc};

use super::{Action, Decision, Fields, RequestFacts, Rows, Subject};

/// Says what somebody may do. [`Policy`](super::Policy) is the way to write one; `CedarPolicy` of the
/// feature `cedar` is another.
pub trait Decide: fmt::Debug + Send + Sync {
    /// Allows or denies, with the statements that decided.
    fn decide(&self, question: &Question<'_>) -> Decision;

    /// Which rows of a list the subject may see, or which of many it may change: by the same
    /// statements as [`decide`](Self::decide), and never more than it allows one by one. The object of
    /// the question does not matter.
    fn rows(&self, question: &Question<'_>) -> Rows;

    /// The fields that are hidden and frozen for the subject. What hangs on the object is both where
    /// there is none.
    fn fields(&self, question: &Question<'_>) -> Fields;

    /// The permissions that it names, so that a route can refuse to start when one is not declared.
    fn permissions(&self) -> Vec<String>;

    /// The policy as a table in Markdown: for a committed snapshot, and for auditors.
    fn table(&self) -> String;

    /// A short name for docs and logs: `note`.
    fn name(&self) -> &str;
}

/// What a policy is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub subject: &'a Subject,
    /// What for.
    pub action: &'a Action,
    /// By which request.
    pub request: &'a RequestFacts,
    /// On which object, a model of the policy's type, once it is known.
    pub object: Option<&'a (dyn Any + Send + Sync)>,
}

impl<'a> Question<'a> {
    /// The same question about an object.
    #[must_use]
    pub fn about<'b>(&self, object: &'b (dyn Any + Send + Sync)) -> Question<'b>
    where
        'a: 'b,
    {
        Question {
            object: Some(object),
            ..*self
        }
    }
}

impl<P: Decide + ?Sized> Decide for Arc<P> {
    fn decide(&self, question: &Question<'_>) -> Decision {
        (**self).decide(question)
    }

    fn rows(&self, question: &Question<'_>) -> Rows {
        (**self).rows(question)
    }

    fn fields(&self, question: &Question<'_>) -> Fields {
        (**self).fields(question)
    }

    fn permissions(&self) -> Vec<String> {
        (**self).permissions()
    }

    fn table(&self) -> String {
        (**self).table()
    }

    fn name(&self) -> &str {
        (**self).name()
    }
}
