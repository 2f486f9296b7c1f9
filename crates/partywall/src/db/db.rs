use std::{fmt, future::Future, panic::Location, sync::Arc};

use super::{
    Across, Config, ConnectError, Error, Event, NoLogin, OnDrift, Refused, ScopedDb, Sql, Tx,
    changes::Listening,
    guard,
    pool::{Limits, Pool},
    scoped::BEGIN,
    session::Session,
};
use crate::{
    connect::Connector,
    schema::{Schema, Seal},
    scope::{Scope, ScopeError},
    value::Kinds,
};

/// The database, inside the wall. Cheap to clone.
///
/// There is no way from here to a connection, a pool or a statement without a scope, but
/// [`across`](Db::across):
///
/// ```compile_fail
/// # async fn f(db: partywall::Db) { let pool = db.pool; } // private
/// ```
///
/// ```compile_fail
/// # use partywall::Sql;
/// # async fn f(db: partywall::Db) {
/// db.rows("SELECT * FROM note", []).await; // no scope, no query
/// # }
/// ```
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    app: Pool,
    list: Option<Pool>,
    across: Option<Pool>,
    #[cfg_attr(
        not(feature = "identity"),
        expect(dead_code, reason = "only the `identity` room works under this login")
    )]
    identity: Option<Pool>,
    listening: Listening,
    kinds: Arc<Kinds>,
    seal: Arc<Seal>,
    schema: Arc<Schema>,
}

impl Db {
    /// Connects, and makes sure that PostgreSQL will enforce.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: the login could get around the policies, the schema was not applied, or the
    /// database was altered since. The message says how to mend it.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let schema = config.schema.clone();
        let pool = |login, limits: &Limits| -> Result<Pool, ConnectError> {
            let connector = Connector::new(login, &config.tls)?;
            Ok(Pool::new(
                connector,
                config.metrics.clone(),
                limits.clone(),
            )?)
        };
        let mut limits = Limits {
            enters: false,
            ..config.limits.clone()
        };
        // The inspecting connections enter no scope, so that they can tell what is missing.
        let roles = schema.roles();
        let others = [
            (&config.list, roles.list()),
            (&config.across, roles.across()),
            (&config.identity, roles.identity().unwrap_or_default()),
            (&config.listen, roles.listening()),
        ];
        for (login, wanted) in others {
            if let Some(login) = login {
                guard::check_login(&pool(login.clone(), &limits)?, &schema, wanted).await?;
            }
        }
        let guard::Inspected {
            kinds,
            drift,
            types,
        } = guard::inspect(&pool(config.app.clone(), &limits)?, &schema).await?;
        limits.enters = true;
        limits.types = types;
        match (drift.findings().is_empty(), config.drift) {
            (true, _) => {}
            (false, OnDrift::Refuse) => return Err(ConnectError::Drift(drift)),
            (false, OnDrift::Warn) => {
                tracing::warn!(%drift, "the database is not as it was applied");
            }
        }
        if config.audited {
            let connector = Connector::new(config.app.clone(), &config.tls)?;
            super::audit::audit(&connector, &schema).await?;
        }
        let optional =
            |login: &Option<_>| login.clone().map(|login| pool(login, &limits)).transpose();
        let listen = config
            .listener()
            .map(|login| Connector::new(login, &config.tls));
        let listen = listen.transpose()?;
        let db = Self {
            inner: Arc::new(Inner {
                listening: Listening::new(listen, &schema, config.limits.connect),
                app: pool(config.app.clone(), &limits)?,
                list: optional(&config.list)?,
                across: optional(&config.across)?,
                identity: optional(&config.identity)?,
                kinds: Arc::new(kinds),
                seal: Arc::new(schema.seal.clone()),
                schema,
            }),
        };
        drop(db.inner.app.acquire().await?);
        Ok(db)
    }

    /// The scope's view of the database, for single statements.
    ///
    /// A scope that holds a list runs under the list login; where none is configured, each statement
    /// answers [`NoLogin::List`].
    #[must_use]
    pub fn scoped(&self, scope: &Scope) -> ScopedDb {
        ScopedDb::new(self.session(scope))
    }

    /// The ambient scope's view of the database.
    ///
    /// # Errors
    ///
    /// [`ScopeErrorKind::Unset`](crate::scope::ScopeErrorKind::Unset) when the task has no scope.
    pub fn ambient(&self) -> Result<ScopedDb, ScopeError> {
        Ok(self.scoped(&Scope::current()?))
    }

    /// Begins a transaction. Nothing is sent yet: BEGIN and the context ride with the first
    /// statement.
    ///
    /// # Errors
    ///
    /// [`Error::PoolExhausted`], [`Error::Connect`] or [`Error::NoLogin`].
    pub async fn begin(&self, scope: &Scope) -> Result<Tx, Error> {
        self.scoped(scope).begin_with(BEGIN).await
    }

    /// The one way across: every tenant's rows, for what the service itself has to do.
    ///
    /// The reason and the place of the call are written to `partywall.crossing` before anything can
    /// be read, in a transaction of their own, so that no rollback undoes it. The login that reads is
    /// not the application's, and no statement of the application's login leads to it.
    ///
    /// # Errors
    ///
    /// [`Refused::Reason`] without a reason, [`NoLogin::Across`] without a login, and whatever keeps
    /// the audit row from being written.
    #[track_caller]
    pub fn across<'a>(
        &'a self,
        reason: &'a str,
    ) -> impl Future<Output = Result<Across, Error>> + Send + 'a {
        self.across_at(reason, Location::caller())
    }

    /// The same for a place that is further up than whoever asks.
    pub(crate) async fn across_at(
        &self,
        reason: &str,
        place: &'static Location<'static>,
    ) -> Result<Across, Error> {
        if reason.trim().is_empty() {
            return Err(Refused::Reason.into());
        }
        let pool = self.inner.across.clone().ok_or(NoLogin::Across)?;
        let across = Across(ScopedDb::new(Ok(Session {
            pool: pool.clone(),
            kinds: self.inner.kinds.clone(),
            seal: self.inner.seal.clone(),
            scope: None,
            begin: BEGIN,
        })));
        let line = i32::try_from(place.line()).unwrap_or(i32::MAX);
        let row = [reason.into(), place.file().into(), line.into()];
        across
            .rows("SELECT partywall.cross($1, $2, $3)", row)
            .await?;
        tracing::info!(reason, file = place.file(), line, "the way across is taken");
        pool.shared.record(Event::Across {
            file: place.file(),
            line: place.line(),
        });
        Ok(across)
    }

    /// The identity login's view of a scope. No statement of the application's runs under it.
    #[cfg(feature = "identity")]
    pub(crate) fn identity(&self, scope: &Scope) -> ScopedDb {
        let session = self.inner.identity.as_ref().ok_or(NoLogin::Identity);
        ScopedDb::new(session.map(|pool| Session {
            pool: pool.clone(),
            kinds: self.inner.kinds.clone(),
            seal: self.inner.seal.clone(),
            scope: Some(scope.clone()),
            begin: BEGIN,
        }))
    }

    /// The schema that the database was connected with.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    pub(super) fn listening(&self) -> &Listening {
        &self.inner.listening
    }

    fn session(&self, scope: &Scope) -> Result<Session, NoLogin> {
        let pool = if scope.has_list() {
            self.inner.list.as_ref().ok_or(NoLogin::List)?
        } else {
            &self.inner.app
        };
        Ok(Session {
            pool: pool.clone(),
            kinds: self.inner.kinds.clone(),
            seal: self.inner.seal.clone(),
            scope: Some(scope.clone()),
            begin: BEGIN,
        })
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("login", &self.inner.app.login())
            .finish_non_exhaustive()
    }
}
