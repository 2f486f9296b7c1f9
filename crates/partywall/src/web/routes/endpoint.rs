use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use axum::{extract::Request, handler::Handler, response::Response};
use http::{Method, StatusCode};
use tower::util::BoxCloneSyncService;

use super::{Access, Body, Query, access::TenantState};
use crate::policy::{self, Action, Decide};

/// A handler with its state.
pub(super) type Service = BoxCloneSyncService<Request, Response, Infallible>;

/// What the policy of an endpoint looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The thing that the path ends in; nothing where it ends otherwise.
    What,
    /// The last thing that the path names, though something follows.
    Above,
}

/// One method of one path: what is done, who may do it, and what goes in and comes out.
///
/// ```
/// # use partywall::{identity::{Identity, RequestAccount}, web::Endpoint};
/// # async fn publish(_: RequestAccount) {}
/// let publish: Endpoint<Identity> = Endpoint::post("/tenants/{tenant}/notes/{note}/publish", publish)
///     .named("note.publish")
///     .require("note.publish")
///     .summary("Shows a note to everybody");
/// ```
#[derive(Clone)]
pub struct Endpoint<S> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) name: Option<String>,
    pub(super) access: Option<Access>,
    pub(super) current_account: bool,
    pub(super) in_transaction: bool,
    pub(super) about: About,
    pub(super) asks_again: bool,
    pub(super) summary: String,
    pub(super) tag: Option<String>,
    pub(super) query: Option<Query>,
    pub(super) inputs: Vec<Body>,
    pub(super) outputs: Vec<(StatusCode, Option<Body>)>,
    pub(super) body_limit: Option<usize>,
    pub(super) time_limit: Option<Option<Duration>>,
    pub(super) make: Arc<dyn Fn(S) -> Service + Send + Sync>,
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name<H, T>(path: impl Into<String>, handler: H) -> Self
        where
            H: Handler<T, S>,
            T: 'static,
        {
            Self::new(Method::$method, path, handler)
        }
    )+};
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// An endpoint of any method. HEAD is answered by GET's.
    pub fn new<H, T>(method: Method, path: impl Into<String>, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        Self {
            method,
            path: path.into(),
            name: None,
            access: None,
            current_account: false,
            in_transaction: false,
            about: About::What,
            asks_again: false,
            summary: String::new(),
            tag: None,
            query: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            body_limit: None,
            time_limit: None,
            make: Arc::new(move |state| Service::new(handler.clone().with_state(state))),
        }
    }

    methods! {
        /// `GET`, and `HEAD` with it. It changes nothing.
        get = GET;
        /// `POST`.
        post = POST;
        /// `PUT`.
        put = PUT;
        /// `PATCH`.
        patch = PATCH;
        /// `DELETE`.
        delete = DELETE;
    }

    /// Whether everything is done in one transaction, which [`Writing`](super::Writing) hands to the
    /// handler: the account is held in it, the rows of the path are read in it, and the one that the
    /// path ends in is locked.
    ///
    /// For what runs under the application's login. What [`identity`](crate::identity) does runs in
    /// transactions of its own, which would wait for this one.
    #[must_use]
    pub fn in_transaction(mut self) -> Self {
        self.in_transaction = true;
        self
    }

    /// Lets the policy look at the last thing that the path names, though something follows: for
    /// `/notes/{note}/publish`, which is done to the note. Without it the object of a policy is the
    /// thing that the path ends in.
    #[must_use]
    pub fn on_parent(mut self) -> Self {
        self.about = About::Above;
        self
    }

    /// Says that the handler asks [`Permitted`](super::Permitted) again, for the rows of its list or
    /// for the row that it has made, where the policy cannot decide without looking at one. Without it
    /// such a request is refused.
    #[must_use]
    pub fn asks_again(mut self) -> Self {
        self.asks_again = true;
        self
    }

    /// Its name, which is also the name of the action that policies ask for: what stands behind the
    /// last dot. `note.update` is the action `update`. Without a name it is that of the method:
    /// `get`, `post`.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Who may use it: an account in the tenant, as far as the policy allows it.
    #[must_use]
    pub fn policy(mut self, policy: Arc<dyn Decide>) -> Self {
        self.access = Some(Access::Account {
            policy,
            tenant: TenantState::Open,
        });
        self
    }

    /// Who may use it: an account in the tenant that holds a permission.
    #[must_use]
    pub fn require(self, permission: &str) -> Self {
        self.policy(Arc::new(policy::require(permission)))
    }

    /// Who may use it: whoever is signed in, whatever their accounts.
    #[must_use]
    pub fn signed_in(mut self) -> Self {
        self.access = Some(Access::SignedIn);
        self
    }

    /// Who may use it: everybody. `why` goes into the table of the routes.
    #[must_use]
    pub fn public(mut self, why: &'static str) -> Self {
        self.access = Some(Access::Public { why });
        self
    }

    /// Lets it be used in a tenant that is suspended or deleted as well: to bring it back.
    #[must_use]
    pub fn of_closed_tenant(mut self) -> Self {
        if let Some(Access::Account { tenant, .. }) = &mut self.access {
            *tenant = TenantState::Any;
        }
        self
    }

    /// Takes the session's current account, or the tenant of a program's key, where the request names no
    /// tenant. Without it such a request is 404.
    #[must_use]
    pub fn of_current_account(mut self) -> Self {
        self.current_account = true;
        self
    }

    /// What it does, in a line.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Under what heading it is described. Without one it is what stands before the name's last dot.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// The shape of its query.
    #[must_use]
    pub fn query(mut self, query: Query) -> Self {
        self.query = Some(query);
        self
    }

    /// The shape of its body; more than one where it reads several forms.
    #[must_use]
    pub fn input(mut self, body: Body) -> Self {
        self.inputs.push(body);
        self
    }

    /// The shape of an answer: `.output(200, Body::json::<NoteView>())`.
    #[must_use]
    pub fn output(mut self, status: StatusCode, body: Body) -> Self {
        self.outputs.push((status, Some(body)));
        self
    }

    /// An answer without a body: `204`, `303`.
    #[must_use]
    pub fn answers(mut self, status: StatusCode) -> Self {
        self.outputs.push((status, None));
        self
    }

    /// The longest body that it reads, in bytes.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = Some(bytes);
        self
    }

    /// How long it may take to begin its answer; `None` for as long as it likes.
    #[must_use]
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.time_limit = Some(limit);
        self
    }
}

impl<S> Endpoint<S> {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The pattern of its path: `/tenants/{tenant}/notes`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Who may use it.
    #[must_use]
    pub fn access(&self) -> Option<&Access> {
        self.access.as_ref()
    }

    /// What policies call it.
    #[must_use]
    pub fn action(&self) -> Action {
        let name = self.name.as_deref().map_or_else(
            || self.method.as_str().to_ascii_lowercase(),
            |name| name.rsplit('.').next().unwrap_or(name).to_owned(),
        );
        Action::new(name, self.method.as_str())
    }

    /// What it does, in a line.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.summary
    }

    /// Under what heading it is described.
    #[must_use]
    pub fn heading(&self) -> Option<&str> {
        let prefix = |name| str::rsplit_once(name, '.').map(|(prefix, _)| prefix);
        self.tag
            .as_deref()
            .or_else(|| self.name.as_deref().and_then(prefix))
    }

    /// The shape of its query.
    #[must_use]
    pub fn query_shape(&self) -> Option<&Query> {
        self.query.as_ref()
    }

    /// The shapes of its body.
    pub fn inputs(&self) -> impl Iterator<Item = &Body> {
        self.inputs.iter()
    }

    /// The shapes of its answers.
    pub fn outputs(&self) -> impl Iterator<Item = (StatusCode, Option<&Body>)> {
        let outputs = self.outputs.iter();
        outputs.map(|(status, body)| (*status, body.as_ref()))
    }
}

impl<S> fmt::Display for Endpoint<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl<S> fmt::Debug for Endpoint<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("name", &self.name)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
