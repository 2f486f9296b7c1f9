use std::sync::Arc;

use cedar_policy::{
    Authorizer, Decision, Effect, Entities, Policy, PolicySet, PolicySetError, Request, Response,
};

use super::open::without_resource;
use crate::policy::decision::Votes;

/// Policies that decide together.
#[derive(Debug)]
pub(super) struct Rules {
    /// All of them, for when the object is there.
    whole: PolicySet,
    /// Those that do not look at it.
    certain: PolicySet,
    /// The others, without what they ask of it.
    open_permits: PolicySet,
    open_forbids: PolicySet,
}

/// A policy, and what it is when nothing is known of the resource.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) policy: Policy,
    open: Option<Policy>,
}

impl Rule {
    pub(super) fn of(policy: Policy) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let open = match without_resource(&policy.to_json()?) {
            Some(open) => Some(Policy::from_json(Some(policy.id().clone()), open)?),
            None => None,
        };
        Ok(Self { policy, open })
    }

    pub(super) fn asks_object(&self) -> bool {
        self.open.is_some()
    }
}

impl Rules {
    pub(super) fn of<'a>(
        rules: impl IntoIterator<Item = &'a Rule>,
    ) -> Result<Self, Box<PolicySetError>> {
        let mut sets = Self {
            whole: PolicySet::new(),
            certain: PolicySet::new(),
            open_permits: PolicySet::new(),
            open_forbids: PolicySet::new(),
        };
        for Rule { policy, open } in rules {
            sets.whole.add(policy.clone()).map_err(Box::new)?;
            let (set, policy) = match (open, policy.effect()) {
                (None, _) => (&mut sets.certain, policy),
                (Some(open), Effect::Permit) => (&mut sets.open_permits, open),
                (Some(open), Effect::Forbid) => (&mut sets.open_forbids, open),
            };
            set.add(policy.clone()).map_err(Box::new)?;
        }
        Ok(sets)
    }

    /// The policies that match. Without the object also those that could.
    ///
    /// An error is one of a policy that could not be evaluated.
    pub(super) fn votes(
        &self,
        request: &Request,
        entities: &Entities,
        has_object: bool,
    ) -> Result<Votes, String> {
        let ask = |policies| {
            let response = Authorizer::new().is_authorized(request, policies, entities);
            let error = response.diagnostics().errors().next();
            error.map_or_else(|| Ok(reasons(&response)), |error| Err(error.to_string()))
        };
        let mut votes = Votes::default();
        let sure = if has_object {
            &self.whole
        } else {
            &self.certain
        };
        match ask(sure)? {
            (Decision::Allow, allows) => votes.allows = allows,
            (Decision::Deny, denies) => votes.denies = denies,
        }
        if !has_object {
            votes.open_allows = ask(&self.open_permits)?.1;
            votes.open_denies = ask(&self.open_forbids)?.1;
        }
        Ok(votes)
    }
}

/// The policies that decided, ascending.
fn reasons(response: &Response) -> (Decision, Vec<Arc<str>>) {
    let reasons = response.diagnostics().reason();
    let mut names: Vec<Arc<str>> = reasons.map(|id| AsRef::<str>::as_ref(id).into()).collect();
    names.sort();
    (response.decision(), names)
}
