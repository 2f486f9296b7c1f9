//! The one place where access is checked.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequestParts as _, RawPathParams, Request},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, any},
};
use futures_util::{future, stream};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Limited};
use tower::{Layer as _, ServiceExt as _};

use super::{
    super::{Problem, account::check, authenticated::authenticate},
    Access, Answers, Endpoint, Parameter, TenantSource,
    access::TenantState,
    admitted::{Admitted, Held, Permitted},
    chain::{Chain, Lock},
    check::{Group, allow},
    endpoint::{About, Service},
    parameter::Thing,
    pattern::{Pattern, Raw},
    tenant::{self, Said},
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
    /// For methods that the path does not have.
    time_limit: Option<Duration>,
}

/// An endpoint that is ready to be used.
struct Door {
    access: Access,
    action: Arc<Action>,
    about: About,
    asks_again: bool,
    current_account: bool,
    in_transaction: bool,
    body_limit: usize,
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
            time_limit: answers.time_limit,
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
        let door = self.door(request.method());
        let answer = self.answer_by(door, request);
        match door.map_or(self.time_limit, |door| door.time_limit) {
            None => answer.await,
            Some(limit) => tokio::time::timeout(limit, answer)
                .await
                .unwrap_or_else(|_| Problem::late().into_response()),
        }
    }

    async fn answer_by(&self, door: Option<&Door>, request: Request) -> Response {
        let (mut parts, mut body) = request.into_parts();
        let admitted = match self.admit(&mut parts, &mut body, door).await {
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
        body: &mut Body,
        door: Option<&Door>,
    ) -> Result<Option<Admitted>, Problem> {
        let least = |door: &&Door| match door.access {
            Access::Public { .. } => 0,
            Access::SignedIn => 1,
            Access::Account {
                tenant: TenantState::Open,
                ..
            } => 2,
            Access::Account { .. } => 3,
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
                let found = authenticate(parts, &self.identity, Said::Nothing.selector());
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
        let said = match tenant::said(&self.sources, parts, &raw) {
            Ok(said) => said,
            Err(problem) => {
                // Nobody is told so before they say who they are.
                authenticate(parts, &self.identity, Said::Nothing.selector()).await?;
                return Err(problem);
            }
        };
        let mut account = self.account(parts, asked, &said, tenant).await?;
        check(parts, &account, !matches!(said, Said::Nothing)).await?;
        let writing = door.filter(|door| door.in_transaction);
        if let Some(door) = writing {
            // Whoever sends slowly holds no connection and no lock meanwhile. The body is as unknown
            // as before: what is wrong with it, the handler says.
            let began = Instant::now();
            *body = whole(std::mem::take(body), door.body_limit).await;
            if began.elapsed() > self.identity.settings().recheck {
                account = self.account(parts, asked, &said, tenant).await?;
            }
        }
        // What functions look up takes connections of its own, so it is looked up before.
        let found = self.chain.found(&account, &raw).await;
        let tx = match writing {
            Some(_) => Some(account.write().await?),
            None => None,
        };
        let rows = self.rows(&account, &raw, tx.as_ref()).await?;
        let things = self.chain.in_order(rows, found?);
        self.chain.ids(&raw)?;
        let subject = Arc::new(Subject::from(&account));
        let request = Arc::new(self.facts(parts, account.address()).await?);
        let mut denied = Problem::forbidden();
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
            if decision.failed() {
                denied = Problem::internal();
            }
        }
        Err(denied)
    }

    /// Who asks, in the tenant that the request names.
    async fn account(
        &self,
        parts: &mut Parts,
        door: &Door,
        said: &Said,
        tenant: TenantState,
    ) -> Result<RequestAccount, Problem> {
        let found = authenticate(parts, &self.identity, said.selector()).await?;
        if matches!(said, Said::Nothing) && !door.current_account {
            return Err(Problem::not_found());
        }
        Ok(match tenant {
            TenantState::Open => found.account()?,
            TenantState::Any => found.account_of_closed()?,
        })
    }

    /// The rows that the path names.
    async fn rows(
        &self,
        account: &RequestAccount,
        raw: &Raw,
        tx: Option<&crate::Tx>,
    ) -> Result<Vec<Thing>, Problem> {
        if !self.chain.has_rows() {
            return Ok(Vec::new());
        }
        let scope = account.scope();
        match tx {
            Some(tx) => self.chain.rows(tx, scope, raw, self.lock()).await,
            None => {
                let reading = account.read();
                self.chain.rows(&reading, scope, raw, Lock::None).await
            }
        }
    }

    /// The parameter that the path ends in.
    fn last(&self) -> Option<&Parameter> {
        let name = self.pattern.last_parameter()?;
        self.chain.0.last().filter(|last| last.name == name)
    }

    /// What the path ends in is what is written to; what it is only below is not.
    fn lock(&self) -> Lock {
        match self.last() {
            Some(last) if last.is_row() => Lock::Last,
            Some(_) | None => Lock::None,
        }
    }

    /// What the policy of an endpoint looks at.
    fn object(&self, door: &Door, things: &[Thing]) -> Option<Thing> {
        let is_named = self.last().is_some_and(Parameter::is_thing);
        match door.about {
            About::What if is_named => things.last().cloned(),
            About::What => None,
            About::Above => things.last().cloned(),
        }
    }

    /// What policies may know of the request. They read its parameters as handlers do, decoded: who
    /// writes one in another way is not to pass a statement about it.
    async fn facts(
        &self,
        parts: &mut Parts,
        address: Option<IpAddr>,
    ) -> Result<RequestFacts, Problem> {
        let facts = RequestFacts::new(parts.method.as_str(), parts.uri.path());
        let facts = facts.with_address(address);
        if self.pattern.parameters().next().is_none() {
            return Ok(facts);
        }
        let read = RawPathParams::from_request_parts(parts, &()).await;
        let read = read.map_err(|_| Problem::not_found())?;
        Ok(read.iter().fold(facts, |facts, (name, value)| {
            facts.with_parameter(name, value)
        }))
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
        let service = (endpoint.make)(state.clone());
        Some(Self {
            access: endpoint.access.clone()?,
            action: Arc::new(endpoint.action()),
            about: endpoint.about,
            asks_again: endpoint.asks_again,
            current_account: endpoint.current_account,
            in_transaction: endpoint.in_transaction,
            body_limit: endpoint.body_limit.unwrap_or(answers.body_limit),
            time_limit: endpoint.time_limit.unwrap_or(answers.time_limit),
            // The body itself has the limit, also for a handler that reads it bare.
            service: Service::new(DefaultBodyLimit::disable().layer(service)),
        })
    }

    async fn open(&self, request: Request) -> Response {
        let request = match self.in_transaction {
            // It was read whole.
            true => request,
            false => request.map(|body| Body::new(Limited::new(body, self.body_limit))),
        };
        match self.service.clone().oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

/// A body that has arrived whole; or one that fails as this did, for whoever reads it.
async fn whole(body: Body, limit: usize) -> Body {
    match Limited::new(body, limit).collect().await {
        Ok(read) => Body::from(read.to_bytes()),
        Err(error) => Body::from_stream(stream::once(future::ready(Err::<Bytes, _>(error)))),
    }
}
