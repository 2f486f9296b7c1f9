use std::sync::Arc;

use super::{Actions, Effect, PolicyError, Principal, Rows, Rule, rule::Case, truth::Truth};

/// Who, which actions, allowed or denied, on what condition.
#[derive(Debug)]
pub(super) struct Statement<M> {
    pub(super) name: Arc<str>,
    pub(super) effect: Effect,
    pub(super) principal: Principal,
    pub(super) actions: Actions,
    pub(super) rule: Option<Rule<M>>,
}

impl<M> Statement<M> {
    fn is_about(&self, case: &Case<'_, M>) -> bool {
        self.actions.includes(case.question.action) && self.principal.is(case.question.subject)
    }

    pub(super) fn matches(&self, case: &Case<'_, M>) -> Truth {
        if !self.is_about(case) {
            return Truth::No;
        }
        self.rule
            .as_ref()
            .map_or(Truth::Yes, |rule| rule.holds(case))
    }

    /// The rows that it surely matches, or surely does not.
    pub(super) fn rows(&self, case: &Case<'_, M>, wanted: bool) -> Rows {
        if !self.is_about(case) {
            return Rows::from(!wanted);
        }
        self.rule
            .as_ref()
            .map_or(Rows::from(wanted), |rule| rule.rows(case, wanted))
    }

    pub(super) fn check(&self, actions: Option<&[String]>) -> Result<(), PolicyError> {
        if self.name.is_empty() {
            return Err(PolicyError::Nameless);
        }
        self.principal.check()?;
        self.actions.check(actions)?;
        self.rule
            .as_ref()
            .map_or(Ok(()), |rule| rule.check(actions))
    }
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Veil {
    Hidden,
    Frozen,
}

/// A field that is hidden or frozen, for whom, on what condition.
#[derive(Debug)]
pub(super) struct FieldRule<M> {
    pub(super) field: Arc<str>,
    pub(super) veil: Veil,
    pub(super) principal: Principal,
    pub(super) rule: Option<Rule<M>>,
}

impl<M> FieldRule<M> {
    /// Whether it applies, or whether it might.
    pub(super) fn applies(&self, case: &Case<'_, M>) -> bool {
        self.principal.is(case.question.subject)
            && self
                .rule
                .as_ref()
                .is_none_or(|rule| rule.holds(case) != Truth::No)
    }

    pub(super) fn check(
        &self,
        fields: Option<&[String]>,
        actions: Option<&[String]>,
    ) -> Result<(), PolicyError> {
        if self.field.is_empty() {
            return Err(PolicyError::Nameless);
        }
        if fields.is_some_and(|known| !known.iter().any(|one| **one == *self.field)) {
            return Err(PolicyError::UnknownField);
        }
        self.principal.check()?;
        self.rule
            .as_ref()
            .map_or(Ok(()), |rule| rule.check(actions))
    }
}
