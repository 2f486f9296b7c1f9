//! The one place where access is checked.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{DefaultBodyLimit, Request},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, any},
};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use tower::{Layer as _, ServiceExt as _};

use super::{
    super::{Problem, account::check, authenticated::authenticate},
    Access, Answers, Endpoint, TenantSource,
    access::TenantState,
    admitted::{Admitted, Held, Permitted},
    chain::{Chain, Lock},
    check::{Group, allow},
    endpoint::{About, Service},
    parameter::Thing,
    pattern::{Pattern, Raw},
    tenant,
};
use crate::{
    identity::{Identity, RequestAccount},
    policy::{Action, RequestFacts, Subject},
};

/// What stands before the endpoints of one path.
pub(super) struct Gate {
    pattern: Pattern,
    chain: Chain,
    doors: Vec<(Method, Door)>,
    allow: HeaderValue,
    sources: Arc<[TenantSource]>,
    identity: Identity,
}

/// An endpoint that is ready to be used.
struct Door {
    access: Access,
    action: Arc<Action>,
    about: About,
    asks_again: bool,
    in_transaction: bool,
    time_limit: Option<Duration>,
    service: Service,
}

impl Gate {
    pub(super) fn new<S: Clone>(
        group: Group<S>,
        sources: Arc<[TenantSource]>,
        identity: Identity,
        state: &S,
        answers: &Answers,
    ) -> Self {
        let methods = group
            .endpoints
            .iter()
            .map(|endpoint| endpoint.method.clone());
        let allow = HeaderValue::try_from(allow(methods))
            .unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"));
        let doors = group
            .endpoints
            .iter()
            .filter_map(|endpoint| {
                let door = Door::new(endpoint, state, answers)?;
                Some((endpoint.method.clone(), door))
            })
            .collect();
        Self {
            pattern: group.pattern,
            chain: group.chain,
            doors,
            allow,
            sources,
            identity,
        }
    }

    /// The route that lets through it.
    pub(super) fn into_route(self) -> MethodRouter {
        let gate = Arc::new(self);
        any(move |request: Request| {
            let gate = gate.clone();
            async move { gate.answer(request).await }
        })
    }

    async fn answer(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let door = self.door(&parts.method);
        let admitted = match self.admit(&mut parts, door).await {
            Ok(admitted) => admitted,
            Err(problem) => return problem.into_response(),
        };
        let Some(door) = door else {
            return self.without_method(&parts.method);
        };
        let tx = admitted.as_ref().and_then(|admitted| admitted.tx.clone());
        if let Some(admitted) = admitted {
            parts.extensions.insert(admitted);
        }
        let answer = door.open(Request::from_parts(parts, body)).await;
        let done = answer.status().is_success() || answer.status().is_redirection();
        if done && tx.is_some_and(|tx| tx.was_forgotten()) {
            tracing::error!(
                path = self.pattern.text(),
                "a handler answered with success and did not commit"
            );
            return Problem::internal().into_response();
        }
        answer
    }

    /// The endpoint of a method. HEAD is answered by GET's, without the body.
    fn door(&self, method: &Method) -> Option<&Door> {
        let find = |wanted: &Method| self.doors.iter().find(|(method, _)| method == wanted);
        find(method)
            .or_else(|| find(&Method::GET).filter(|_| method == Method::HEAD))
            .map(|(_, door)| door)
    }

    /// Whether somebody may know that there is something here, and use this method of it. Where the
    /// path has no such method, they may know if they may use any.
    async fn admit(
        &self,
        parts: &mut Parts,
        door: Option<&Door>,
    ) -> Result<Option<Admitted>, Problem> {
        let least = |door: &&Door| match door.access {
            Access::Public { .. } => 0,
            Access::SignedIn => 1,
            Access::Account { .. } => 2,
        };
        let doors = || self.doors.iter().map(|(_, door)| door);
        let Some(asked) = door.or_else(|| doors().min_by_key(least)) else {
            return Err(Problem::not_found());
        };
        let raw = self.pattern.read(parts.uri.path());
        let tenant = match &asked.access {
            Access::Public { .. } => {
                self.chain.ids(&raw)?;
                return Ok(None);
            }
            Access::SignedIn => {
                let found = authenticate(parts, &self.identity, tenant::Said::Nothing.selector());
                let found = found.await?;
                // A program's key is nobody.
                if found.user.is_none() {
                    return Err(crate::identity::Error::Anonymous.into());
                }
                self.chain.ids(&raw)?;
                return Ok(None);
            }
            Access::Account { tenant, .. } => *tenant,
        };
        let said = tenant::said(&self.sources, parts, &raw)?;
        let found = authenticate(parts, &self.identity, said.selector()).await?;
        let account = match tenant {
            TenantState::Open => found.account()?,
            TenantState::Any => found.account_of_closed()?,
        };
        check(parts, &account, !matches!(said, tenant::Said::Nothing)).await?;
        let tx = match asked.in_transaction && door.is_some() {
            true => Some(account.write().await?),
            false => None,
        };
        let things = self.things(&account, &raw, tx.as_ref()).await?;
        let subject = Arc::new(Subject::from(&account));
        let request = Arc::new(facts(parts, raw, account.address()));
        let candidates = self.doors.iter().map(|(_, any)| any);
        for candidate in candidates.filter(|any| door.is_none_or(|door| std::ptr::eq(*any, door))) {
            let Some(policy) = candidate.access.policy() else {
                continue;
            };
            let permitted = Permitted {
                policy: policy.clone(),
                subject: subject.clone(),
                action: candidate.action.clone(),
                request: request.clone(),
                object: self.object(candidate, &things),
            };
            let decision = policy.decide(&permitted.question());
            if decision.is_allowed() || candidate.asks_again && decision.needs_object() {
                return Ok(Some(Admitted {
                    account,
                    things,
                    permitted,
                    tx: tx.map(|tx| Arc::new(Held::new(tx))),
                }));
            }
            let path = self.pattern.text();
            tracing::debug!(path, reason = %decision, "access was denied");
        }
        Err(Problem::forbidden())
    }

    /// What the path names.
    async fn things(
        &self,
        account: &RequestAccount,
        raw: &Raw,
        tx: Option<&crate::Tx>,
    ) -> Result<Vec<Thing>, Problem> {
        let mut things = Vec::new();
        if self.chain.has_rows() {
            let scope = account.scope();
            things = match tx {
                Some(tx) => self.chain.rows(tx, scope, raw, self.lock()).await?,
                None => {
                    let reading = account.read();
                    self.chain.rows(&reading, scope, raw, Lock::None).await?
                }
            };
        }
        things.extend(self.chain.found(account, raw).await?);
        self.chain.ids(raw)?;
        Ok(things)
    }

    /// What the path ends in is what is written to; what it is only below is not.
    fn lock(&self) -> Lock {
        let last = self.chain.0.last().map(|parameter| parameter.name);
        if last.is_some() && last == self.pattern.last_parameter() {
            Lock::Last
        } else {
            Lock::None
        }
    }

    /// What the policy of an endpoint looks at.
    fn object(&self, door: &Door, things: &[Thing]) -> Option<Thing> {
        let last = self.chain.0.last().map(|parameter| parameter.name);
        let is_named = last.is_some() && last == self.pattern.last_parameter();
        match door.about {
            About::What if is_named => things.last().cloned(),
            About::What => None,
            About::Above => things.last().cloned(),
        }
    }

    fn without_method(&self, method: &Method) -> Response {
        let mut answer = if method == Method::OPTIONS {
            StatusCode::NO_CONTENT.into_response()
        } else {
            Problem::method_not_allowed().into_response()
        };
        answer
            .headers_mut()
            .insert(header::ALLOW, self.allow.clone());
        answer
    }
}

impl Door {
    fn new<S: Clone>(endpoint: &Endpoint<S>, state: &S, answers: &Answers) -> Option<Self> {
        let limit = endpoint.body_limit.unwrap_or(answers.body_limit);
        let service = (endpoint.make)(state.clone());
        Some(Self {
            access: endpoint.access.clone()?,
            action: Arc::new(endpoint.action()),
            about: endpoint.about,
            asks_again: endpoint.asks_again,
            in_transaction: endpoint.in_transaction,
            time_limit: endpoint.time_limit.unwrap_or(answers.time_limit),
            service: Service::new(DefaultBodyLimit::max(limit).layer(service)),
        })
    }

    async fn open(&self, request: Request) -> Response {
        let answer = self.service.clone().oneshot(request);
        let Some(limit) = self.time_limit else {
            return answered(answer.await);
        };
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answered(answer),
            Err(_) => Problem::late().into_response(),
        }
    }
}

fn answered(answer: Result<Response, std::convert::Infallible>) -> Response {
    match answer {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// What policies may know of the request.
fn facts(parts: &Parts, raw: Raw, address: Option<IpAddr>) -> RequestFacts {
    let facts = RequestFacts::new(parts.method.as_str(), parts.uri.path()).with_address(address);
    raw.into_pairs()
        .into_iter()
        .fold(facts, |facts, (name, value)| {
            facts.with_parameter(name, value)
        })
}
