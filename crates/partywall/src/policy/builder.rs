use std::{collections::BTreeSet, sync::Arc};

use super::{
    Actions, Effect, Policy, PolicyError, Principal, Rule,
    statement::{FieldRule, Statement, Veil},
};
use crate::identity::Permissions;

/// A policy that is being written.
#[derive(Debug)]
#[must_use = "it decides nothing before it is built"]
pub struct PolicyBuilder<M = ()> {
    name: Arc<str>,
    statements: Vec<Statement<M>>,
    field_rules: Vec<FieldRule<M>>,
    fields: Option<Vec<String>>,
    actions: Option<Vec<String>>,
    permissions: Option<BTreeSet<String>>,
}

impl<M> PolicyBuilder<M> {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            statements: Vec::new(),
            field_rules: Vec::new(),
            fields: None,
            actions: None,
            permissions: None,
        }
    }

    /// Allows actions to a principal, if nothing denies them.
    pub fn allow(self, name: &str, principal: Principal, actions: Actions) -> Self {
        self.statement(name, Effect::Allow, principal, actions, None)
    }

    /// The same on a condition.
    pub fn allow_if(
        self,
        name: &str,
        principal: Principal,
        actions: Actions,
        rule: Rule<M>,
    ) -> Self {
        self.statement(name, Effect::Allow, principal, actions, Some(rule))
    }

    /// Denies actions to a principal, whatever allows them.
    pub fn deny(self, name: &str, principal: Principal, actions: Actions) -> Self {
        self.statement(name, Effect::Deny, principal, actions, None)
    }

    /// The same on a condition. On the object it denies also where there is none, a creation for
    /// instance: name the actions that it is about.
    pub fn deny_if(
        self,
        name: &str,
        principal: Principal,
        actions: Actions,
        rule: Rule<M>,
    ) -> Self {
        self.statement(name, Effect::Deny, principal, actions, Some(rule))
    }

    /// Hides a field from everybody: absent on read, refused on write.
    pub fn hide(self, field: &str) -> Self {
        self.field(field, Veil::Hidden, Principal::anyone(), None)
    }

    /// Hides a field from everybody else.
    pub fn hide_unless(self, field: &str, principal: Principal) -> Self {
        self.field(field, Veil::Hidden, !principal, None)
    }

    /// Hides a field from a principal on a condition, and where that cannot be told.
    pub fn hide_if(self, field: &str, principal: Principal, rule: Rule<M>) -> Self {
        self.field(field, Veil::Hidden, principal, Some(rule))
    }

    /// Freezes a field for everybody: shown, refused on write.
    pub fn freeze(self, field: &str) -> Self {
        self.field(field, Veil::Frozen, Principal::anyone(), None)
    }

    /// Freezes a field for everybody else.
    pub fn freeze_unless(self, field: &str, principal: Principal) -> Self {
        self.field(field, Veil::Frozen, !principal, None)
    }

    /// Freezes a field for a principal on a condition, and where that cannot be told. For some
    /// actions alone: by [`Rule::action`].
    pub fn freeze_if(self, field: &str, principal: Principal, rule: Rule<M>) -> Self {
        self.field(field, Veil::Frozen, principal, Some(rule))
    }

    /// Tells which fields there are: a rule for another one is an error then.
    pub fn fields(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Tells which actions there are: a statement about another one is an error then.
    pub fn actions(mut self, actions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.actions = Some(actions.into_iter().map(Into::into).collect());
        self
    }

    /// Tells which permissions are declared: another one is an error then.
    pub fn permissions(mut self, declared: &Permissions) -> Self {
        self.permissions = Some(declared.all().map(|(name, _)| name.to_owned()).collect());
        self
    }

    /// Checks the policy and makes it.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], with the statement or field, for names that are empty or there twice, lists of
    /// nothing, and what cannot be read or is not known.
    pub fn build(self) -> Result<Policy<M>, PolicyError> {
        if self.name.is_empty() {
            return Err(PolicyError::Nameless);
        }
        let mut names = BTreeSet::new();
        for statement in &self.statements {
            self.check_statement(statement)
                .and_then(|()| match names.insert(&statement.name) {
                    true => Ok(()),
                    false => Err(PolicyError::Duplicate),
                })
                .map_err(|error| error.within(&self.name, &statement.name))?;
        }
        for rule in &self.field_rules {
            rule.check(self.fields.as_deref(), self.actions.as_deref())
                .and_then(|()| self.check_permissions(&rule.principal))
                .map_err(|error| error.within(&self.name, &rule.field))?;
        }
        Ok(self.unchecked())
    }

    fn check_statement(&self, statement: &Statement<M>) -> Result<(), PolicyError> {
        statement.check(self.actions.as_deref())?;
        self.check_permissions(&statement.principal)
    }

    fn check_permissions(&self, principal: &Principal) -> Result<(), PolicyError> {
        let Some(declared) = &self.permissions else {
            return Ok(());
        };
        match principal
            .permissions()
            .into_iter()
            .find(|named| !declared.contains(*named))
        {
            Some(unknown) => Err(PolicyError::UnknownPermission(unknown.to_owned())),
            None => Ok(()),
        }
    }

    /// What has no mistake by the way it was made.
    pub(super) fn unchecked(self) -> Policy<M> {
        Policy {
            name: self.name,
            statements: self.statements,
            fields: self.field_rules,
        }
    }

    fn statement(
        mut self,
        name: &str,
        effect: Effect,
        principal: Principal,
        actions: Actions,
        rule: Option<Rule<M>>,
    ) -> Self {
        self.statements.push(Statement {
            name: name.into(),
            effect,
            principal,
            actions,
            rule,
        });
        self
    }

    fn field(
        mut self,
        field: &str,
        veil: Veil,
        principal: Principal,
        rule: Option<Rule<M>>,
    ) -> Self {
        self.field_rules.push(FieldRule {
            field: field.into(),
            veil,
            principal,
            rule,
        });
        self
    }
}
