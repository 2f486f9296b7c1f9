use std::{fmt, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest as _, FromRequestParts as _, OriginalUri, Request},
    handler::Handler,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use sea_orm::{EntityTrait, PrimaryKeyTrait};
use utoipa::ToSchema;

use super::{
    Act, Actions, Call, Granted, ModelOf, Outcome, Resource, ResourceError,
    list::query_parameters,
    page::{Identified, Items, Page},
};
use crate::{
    policy::Decide,
    web::{
        Body, CanonicalId, Endpoint, Found, Parameter, Problem, Query, Routes, Writing,
        routes::TENANT,
    },
};

/// A resource as endpoints below one address, all under one policy.
///
/// Each action is an [`Act`]. Any can be left out, or be answered by a handler of the application's own,
/// which runs after the same check and may call [`Actions`] itself.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use partywall::{policy::Decide, web::{Routes, resource::{Act, Actions, Resource, ResourceEndpoints, ResourceError}}};
/// # use sea_orm::{EntityTrait, PrimaryKeyTrait};
/// # fn routes<R>(notes: Arc<Actions<R>>, policy: Arc<dyn Decide>) -> Result<Routes<()>, ResourceError>
/// # where R: Resource<Entity: EntityTrait<PrimaryKey: PrimaryKeyTrait<ValueType = uuid::Uuid>>> {
/// let routes = ResourceEndpoints::new(notes, "/tenants/{tenant}/notes", policy)?
///     .with_bulk()
///     .without([Act::Replace])
///     .answered_by(Act::Delete, async || "not today")
///     .routes();
/// # Ok(routes) }
/// ```
pub struct ResourceEndpoints<R: Resource, S> {
    actions: Arc<Actions<R>>,
    path: &'static str,
    policy: Arc<dyn Decide>,
    endpoints: Vec<(Act, Endpoint<S>)>,
}

impl<R, S> ResourceEndpoints<R, S>
where
    R: Resource,
    S: Clone + Send + Sync + 'static,
    <<R::Entity as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType: CanonicalId,
{
    /// Those on one row and on the list, which stands at `path`: `/tenants/{tenant}/notes`. A row's
    /// address is below it, `{note}`, the resource's name; [`routes`](Self::routes) declares the parameter.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Parent`] where the path leads through a row that the resource has no column for,
    /// or the other way round.
    pub fn new(
        actions: Arc<Actions<R>>,
        path: &'static str,
        policy: Arc<dyn Decide>,
    ) -> Result<Self, ResourceError> {
        if above(path).is_some() != R::parent_column().is_some() {
            return Err(ResourceError::Parent(path));
        }
        let mut new = Self {
            actions,
            path,
            policy,
            endpoints: Vec::new(),
        };
        for act in Act::SINGLE {
            new = new.with(act);
        }
        Ok(new)
    }

    /// Adds those on several rows at once.
    #[must_use]
    pub fn with_bulk(mut self) -> Self {
        for act in Act::BULK {
            self = self.with(act);
        }
        self
    }

    /// Leaves some out. Their methods are answered with 405, or 404 where nothing is left.
    #[must_use]
    pub fn without(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        for left in acts {
            self.endpoints.retain(|(act, _)| *act != left);
        }
        self
    }

    /// Has an action answered by a handler of the application's own, after the same check and in the
    /// same transaction. Where the policy cannot decide without a row that the address does not end in,
    /// the request is refused, unless the endpoint [asks again](Endpoint::asks_again).
    #[must_use]
    pub fn answered_by<H, T>(self, act: Act, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let endpoint = self.endpoint(act, handler);
        self.put(act, endpoint)
    }

    /// Changes an endpoint: its limits, its summary, its policy.
    #[must_use]
    pub fn configured(mut self, act: Act, change: impl FnOnce(Endpoint<S>) -> Endpoint<S>) -> Self {
        if let Some(at) = self.endpoints.iter().position(|(known, _)| *known == act) {
            let (_, endpoint) = self.endpoints.remove(at);
            self.endpoints.insert(at, (act, change(endpoint)));
        }
        self
    }

    /// The actions, for handlers of the application's own.
    #[must_use]
    pub fn actions(&self) -> &Arc<Actions<R>> {
        &self.actions
    }

    /// The endpoints, with the parameter of a row's address.
    #[must_use]
    pub fn routes(self) -> Routes<S> {
        let parameter = match (above(self.path), R::parent_column()) {
            (Some(parent), Some(column)) => {
                Parameter::row_under::<R::Entity>(R::NAME, parent, column)
            }
            _ => Parameter::row::<R::Entity>(R::NAME),
        };
        let endpoints = self.endpoints.into_iter().map(|(_, endpoint)| endpoint);
        let is_on_row = Routes::new().extend(endpoints);
        is_on_row.parameter(parameter)
    }

    fn with(self, act: Act) -> Self {
        let actions = Arc::clone(&self.actions);
        let handler = move |request: Request| {
            let actions = Arc::clone(&actions);
            async move {
                match answer(&actions, act, request).await {
                    Ok(response) => response,
                    Err(problem) => problem.into_response(),
                }
            }
        };
        let mut endpoint = self.endpoint(act, handler);
        if !act.is_on_row() {
            // The actions narrow lists, and ask about each row that they make or find.
            endpoint = endpoint.asks_again();
        }
        self.put(act, endpoint)
    }

    fn put(mut self, act: Act, endpoint: Endpoint<S>) -> Self {
        match self.endpoints.iter_mut().find(|(known, _)| *known == act) {
            Some((_, known)) => *known = endpoint,
            None => self.endpoints.push((act, endpoint)),
        }
        self
    }

    fn endpoint<H, T>(&self, act: Act, handler: H) -> Endpoint<S>
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let path = match act {
            Act::List | Act::Create => self.path.to_owned(),
            Act::CreateMany | Act::UpdateMany | Act::DeleteMany => format!("{}/bulk", self.path),
            Act::Retrieve | Act::Replace | Act::Update | Act::Delete => {
                format!("{}/{{{}}}", self.path, R::NAME)
            }
        };
        let endpoint = Endpoint::new(act.method(), path, handler)
            .named(format!("{}.{}", R::NAME, act.name()))
            .tag(R::NAME)
            .summary(act.summary(R::NAME))
            .policy(Arc::clone(&self.policy));
        let endpoint = match act.is_write() {
            true => endpoint.in_transaction(),
            false => endpoint,
        };
        described::<R, S>(endpoint, act)
    }
}

/// The shapes of what goes in and comes out.
fn described<R: Resource, S: Clone + Send + Sync + 'static>(
    endpoint: Endpoint<S>,
    act: Act,
) -> Endpoint<S> {
    let one = || Body::json::<R::Output>();
    let many = || Body::json::<Items<R::Output>>().called(made_of::<R::Output>("Items"));
    let page = || Body::json::<Page<R::Output>>().called(made_of::<R::Output>("Page"));
    let changes =
        || Body::json::<Items<Identified<R::Change>>>().called(made_of::<R::Change>("Items"));
    match act {
        Act::List => endpoint
            .query(Query::with(query_parameters::<R>))
            .output(StatusCode::OK, page()),
        Act::Retrieve => endpoint.output(StatusCode::OK, one()),
        Act::Create => endpoint
            .input(Body::json::<R::Create>())
            .output(StatusCode::CREATED, one()),
        Act::Replace => endpoint
            .input(Body::json::<R::Create>())
            .output(StatusCode::OK, one()),
        Act::Update => endpoint
            .input(Body::json::<R::Change>())
            .output(StatusCode::OK, one()),
        Act::Delete | Act::DeleteMany => endpoint.answers(StatusCode::NO_CONTENT),
        Act::CreateMany => endpoint
            .input(Body::json::<Items<R::Create>>().called(made_of::<R::Create>("Items")))
            .output(StatusCode::CREATED, many()),
        Act::UpdateMany => endpoint.input(changes()).output(StatusCode::OK, many()),
    }
}

/// The name of a shape that is made of another: `NotePage`.
fn made_of<T: ToSchema>(what: &str) -> String {
    format!("{}{what}", T::name())
}

/// The parameter of the row that a path leads through last.
fn above(path: &'static str) -> Option<&'static str> {
    let mut parameters = path
        .rsplit('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parameters.find(|name| *name != TENANT)
}

/// Answers a request that was let through.
async fn answer<R: Resource>(
    actions: &Arc<Actions<R>>,
    act: Act,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let granted = Granted::from_request_parts(&mut parts, &()).await?;
    let row = match act.is_on_row() {
        true => {
            let found = Found::<ModelOf<R>>::from_request_parts(&mut parts, &()).await;
            Some(found?.0)
        }
        false => None,
    };
    let writing = match act.is_write() {
        true => Some(Writing::from_request_parts(&mut parts, &()).await?),
        false => None,
    };
    let body = match act.is_write() {
        true => {
            let request = Request::from_parts(parts.clone(), body);
            Bytes::from_request(request, &()).await.map_err(|refused| {
                if refused.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    let detail = "the body is too long";
                    return Problem::new(refused.status(), "too_large", detail);
                }
                let detail = "the body did not arrive whole";
                Problem::new(StatusCode::BAD_REQUEST, "unreadable", detail)
            })?
        }
        false => Bytes::new(),
    };
    // Inside of a nested router the address lacks what it was nested at.
    let whole = parts.extensions.get::<OriginalUri>().map(|whole| &whole.0);
    let uri = whole.unwrap_or(&parts.uri);
    let call = Call {
        method: &parts.method,
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    match (act, row, writing) {
        (Act::List, ..) => actions.list(&granted, &call).await,
        (Act::Retrieve, Some(row), _) => actions.retrieve(&granted, &call, row).await,
        (_, row, Some(writing)) => {
            let outcome = write(actions, act, &granted, &call, &writing, row).await?;
            writing.commit().await?;
            Ok(outcome.into_response())
        }
        (_, _, None) => Err(Problem::internal()),
    }
}

async fn write<R: Resource>(
    actions: &Actions<R>,
    act: Act,
    granted: &Granted,
    call: &Call<'_>,
    tx: &Writing,
    row: Option<ModelOf<R>>,
) -> Result<Outcome, Problem> {
    match (act, row) {
        (Act::Create, _) => actions.create(granted, call, tx).await,
        (Act::CreateMany, _) => actions.create_many(granted, call, tx).await,
        (Act::UpdateMany, _) => actions.update_many(granted, call, tx).await,
        (Act::DeleteMany, _) => actions.delete_many(granted, call, tx).await,
        (Act::Replace, Some(row)) => actions.replace(granted, call, tx, row).await,
        (Act::Update, Some(row)) => actions.update(granted, call, tx, row).await,
        (Act::Delete, Some(row)) => actions.delete(granted, call, tx, row).await,
        (Act::List | Act::Retrieve | Act::Replace | Act::Update | Act::Delete, _) => {
            Err(Problem::internal())
        }
    }
}

impl<R: Resource, S> fmt::Debug for ResourceEndpoints<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceEndpoints")
            .field("resource", &R::NAME)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
