use std::{fmt, sync::Arc};

use tokio::sync::{OnceCell, broadcast};

use super::{
    Event, Permissions, Settings,
    event::WAITING,
    model,
    password::Passwords,
    throttle::{TenantThrottle, Throttle},
};
use crate::{
    db::{Across, Db},
    schema::{Rights, SchemaBuilder},
};

/// Users, accounts and sessions over one database. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) db: Db,
    pub(super) permissions: Permissions,
    pub(super) settings: Settings,
    pub(super) events: broadcast::Sender<Event>,
    /// The way across, for the mail of everybody: taken once.
    pub(super) mail: OnceCell<Across>,
    pub(super) passwords: Passwords,
    pub(super) sign_ins: Throttle,
    pub(super) sign_ups: Throttle,
    pub(super) resets: Throttle,
    pub(super) domains: TenantThrottle,
    #[cfg(feature = "web")]
    pub(super) streams: Arc<super::streams::Streams>,
}

impl Identity {
    /// Begins to answer for a database whose schema has [the tables](Self::tables).
    #[must_use]
    pub fn new(db: Db, permissions: Permissions, settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                permissions,
                events: broadcast::Sender::new(WAITING),
                mail: OnceCell::new(),
                passwords: Passwords::new(settings.password_checks),
                sign_ins: Throttle::new(&settings),
                sign_ups: Throttle::new(&settings),
                resets: Throttle::new(&settings),
                domains: TenantThrottle::new(&settings),
                #[cfg(feature = "web")]
                streams: Arc::default(),
                settings,
            }),
        }
    }

    /// Adds the tables to a schema.
    ///
    /// Their rows are worked with under a login of their own. The application's statements may read
    /// their tenant's row and its accounts, and add to its audit log.
    pub fn tables(schema: SchemaBuilder) -> SchemaBuilder {
        schema
            .identity_model::<model::user::Entity>(None)
            .identity_model::<model::credential::Entity>(None)
            .identity_model::<model::sign_up::Entity>(None)
            .identity_model::<model::session::Entity>(None)
            .identity_model::<model::staff::Entity>(None)
            .identity_model::<model::outbox::Entity>(None)
            .identity_model::<model::tenant::Entity>(Some(Rights::ReadOnly))
            .identity_model::<model::account::Entity>(Some(Rights::ReadOnly))
            .identity_model::<model::role::Entity>(None)
            .identity_model::<model::role_inclusion::Entity>(None)
            .identity_model::<model::account_role::Entity>(None)
            .identity_model::<model::account_grant::Entity>(None)
            .identity_model::<model::account_group::Entity>(None)
            .identity_model::<model::group_member::Entity>(None)
            .identity_model::<model::group_role::Entity>(None)
            .identity_model::<model::invitation::Entity>(None)
            .identity_model::<model::api_key::Entity>(None)
            .identity_model::<model::domain::Entity>(None)
            .identity_model::<model::staff_entry::Entity>(None)
            .identity_model::<model::audit::Entity>(Some(Rights::AppendOnly))
            .routines(include_str!("sql/lookups.sql"))
    }

    /// What can be permitted.
    #[must_use]
    pub fn permissions(&self) -> &Permissions {
        &self.inner.permissions
    }

    /// Limits and times.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.inner.db
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("db", &self.inner.db)
            .finish_non_exhaustive()
    }
}
