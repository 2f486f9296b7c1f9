use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use tower_http::cors::CorsLayer;

use super::{Answers, Endpoint, Parameter, RoutesError, TenantSource, answers, check, dispatch};
use crate::identity::{Identity, Permissions};

/// Everything that an application answers: a value that lists its endpoints.
///
/// It becomes an axum [`Router`] with [`router`](Self::router), which refuses when an endpoint has no
/// policy, two are the same address, or a nested row lacks its parent.
#[derive(Clone, Debug)]
pub struct Routes<S> {
    pub(super) endpoints: Vec<Endpoint<S>>,
    pub(in crate::web) parameters: Vec<Parameter>,
    pub(super) sources: Vec<TenantSource>,
    pub(super) bare: Vec<(Bare, Router<S>)>,
    pub(super) answers: Answers,
    pub(super) cors: Option<CorsLayer>,
}

/// A router that was merged as it is: nothing here checks who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bare {
    /// Below which path.
    pub at: String,
    /// Why.
    pub why: &'static str,
}

impl<S> Default for Routes<S> {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            parameters: Vec::new(),
            sources: Vec::new(),
            bare: Vec::new(),
            answers: Answers::default(),
            cors: None,
        }
    }
}

impl<S> Routes<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an endpoint.
    #[must_use]
    pub fn route(mut self, endpoint: Endpoint<S>) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Adds endpoints.
    #[must_use]
    pub fn extend(mut self, endpoints: impl IntoIterator<Item = Endpoint<S>>) -> Self {
        self.endpoints.extend(endpoints);
        self
    }

    /// Says what a parameter of the paths stands for.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Adds the endpoints and parameters of other routes. Their settings are left out.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.endpoints.extend(other.endpoints);
        self.parameters.extend(other.parameters);
        self.bare.extend(other.bare);
        self
    }

    /// Adds the endpoints of other routes below a path: `nest("/api", routes)`.
    #[must_use]
    pub fn nest(self, at: &str, mut other: Self) -> Self {
        for endpoint in &mut other.endpoints {
            endpoint.path = match endpoint.path.as_str() {
                "/" => at.to_owned(),
                path => format!("{at}{path}"),
            };
        }
        for (bare, _) in &mut other.bare {
            bare.at = format!("{at}{}", bare.at);
        }
        self.merge(other)
    }

    /// Adds a router as it is: files, a page of documentation. Nothing here checks who may use it, so
    /// it is counted, with the reason.
    #[must_use]
    pub fn bare(mut self, at: &str, why: &'static str, router: Router<S>) -> Self {
        let at = at.to_owned();
        self.bare.push((Bare { at, why }, router));
        self
    }

    /// Says where else than in the path a request may name its tenant.
    #[must_use]
    pub fn tenant_from(mut self, source: TenantSource) -> Self {
        self.sources.push(source);
        self
    }

    /// Sets limits and headers for all answers.
    #[must_use]
    pub fn answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    /// Lets pages of other sites read answers. Off unless it is set.
    #[must_use]
    pub fn cors(mut self, cors: CorsLayer) -> Self {
        self.cors = Some(cors);
        self
    }

    /// The endpoints, in the order in which they were added.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint<S>> {
        self.endpoints.iter()
    }

    /// Whether a parameter of the paths names something that is looked up: a row, or what a function
    /// finds.
    #[must_use]
    pub fn looks_up(&self, parameter: &str) -> bool {
        let mut known = self.parameters.iter();
        known.any(|known| known.name() == parameter && known.is_thing())
    }

    /// What was merged as it is. An application's test counts them.
    pub fn bare_routers(&self) -> impl Iterator<Item = &Bare> {
        self.bare.iter().map(|(bare, _)| bare)
    }

    /// Checks that every endpoint has a policy, that no two collide, and that every nested row has its
    /// parent. [`router`](Self::router) does this as well.
    ///
    /// # Errors
    ///
    /// [`RoutesError`], for the first that is wrong.
    pub fn check(&self, permissions: &Permissions) -> Result<(), RoutesError> {
        check::groups(self, permissions).map(drop)
    }

    /// Makes the router that serves them.
    ///
    /// # Errors
    ///
    /// [`RoutesError`], for the first that is wrong.
    pub fn router(self, state: S, identity: &Identity) -> Result<Router, RoutesError> {
        let groups = check::groups(&self, identity.permissions())?;
        let sources: Arc<[TenantSource]> = self.sources.into();
        let mut router = Router::new();
        for group in groups {
            let path = group.pattern.text().to_owned();
            let gate = dispatch::Gate::new(
                group,
                sources.clone(),
                identity.clone(),
                &state,
                &self.answers,
            );
            router = router.route(&path, gate.into_route());
        }
        let mut bare = BTreeMap::new();
        for (known, other) in self.bare {
            let router: &mut Router<S> = bare.entry(known.at).or_default();
            *router = std::mem::take(router).merge(other);
        }
        for (at, other) in bare {
            let other = other.with_state(state.clone());
            router = match at.as_str() {
                "" | "/" => router.merge(other),
                at => router.nest(at, other),
            };
        }
        Ok(answers::around(router, self.answers, self.cors))
    }
}
