//! Server-sent events: what becomes of a tenant's rows, told to a browser.

mod payload;
mod stream;
mod wire;

use std::fmt;

use http::HeaderMap;
use sea_orm::EntityTrait;
use serde::Serialize;

pub use stream::EventStream;

use self::payload::Readers;
use super::Problem;
use crate::{
    db::{RowChange, ScopedDb, Subscription},
    identity::{Full, RequestAccount},
    schema::Scoped,
};

/// What a browser hears of: made by [`RequestAccount::events`].
///
/// ```no_run
/// # mod note {
/// #     use partywall::Scoped;
/// #     use sea_orm::entity::prelude::*;
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
/// #     #[sea_orm(table_name = "note")]
/// #     #[scoped(tenant = "tenant_id")]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key, auto_increment = false)]
/// #         pub id: Uuid,
/// #         pub tenant_id: Uuid,
/// #         pub title: String,
/// #     }
/// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
/// #     pub enum Relation {}
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// use axum::response::IntoResponse;
/// use http::HeaderMap;
/// use partywall::{identity::RequestAccount, web::Problem};
///
/// async fn live(account: RequestAccount, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
///     account.events("note.read").of::<note::Entity>().after(&headers).open().await
/// }
/// ```
///
/// | event | data | when |
/// |---|---|---|
/// | `ready` | `{}` | the stream is open: what happens from now on is told |
/// | the table's name | `{"op":"insert","id":"…"}`, `update`, `delete` | a row was changed; `id` is a list where the key has several columns |
/// | the table's name | `{"op":"many"}` | more rows than are told one by one: read them again |
/// | `resync` | `{}` | something may have been missed: read everything again |
///
/// No history is kept, so a browser that connects again is told to `resync`.
#[must_use = "call `open`"]
pub struct Events {
    account: RequestAccount,
    permission: &'static str,
    subscription: Subscription,
    readers: Readers,
    is_again: bool,
}

impl RequestAccount {
    /// Begins an answer that tells of changes for as long as the account has a permission: it ends at
    /// most [`Settings::recheck`](crate::identity::Settings::recheck) after that is gone.
    pub fn events(&self, permission: &'static str) -> Events {
        Events {
            account: self.clone(),
            permission,
            subscription: self.changes(),
            readers: Readers::default(),
            is_again: false,
        }
    }
}

impl Events {
    /// Tells of an entity's rows, which the schema has to
    /// [announce](crate::schema::SchemaBuilder::announces), by their ids.
    pub fn of<E: EntityTrait + Scoped>(mut self) -> Self {
        self.subscription = self.subscription.of::<E>();
        self
    }

    /// Tells of an entity's rows, and what `read` makes of each that was inserted or updated: `row` in
    /// the data. It reads with [`RequestAccount::read`]. Of a row that it does not find, and where it
    /// fails, the id is told alone.
    pub fn reading<E, F, R, T, X>(mut self, read: F) -> Self
    where
        E: EntityTrait + Scoped,
        F: Fn(ScopedDb, RowChange) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<T>, X>> + Send + 'static,
        T: Serialize,
        X: fmt::Display,
    {
        self.subscription = self.subscription.of::<E>();
        self.readers.add::<E, F, R, T, X>(read);
        self
    }

    /// Looks whether the browser was connected before (`Last-Event-ID`), so that it is told to resync.
    pub fn after(mut self, headers: &HeaderMap) -> Self {
        self.is_again = headers.contains_key("last-event-id");
        self
    }

    /// Opens the stream.
    ///
    /// # Errors
    ///
    /// 403 without the permission; 429 where the account has too many streams open and 503 where the
    /// process has, or where it cannot listen at present.
    pub async fn open(self) -> Result<EventStream, Problem> {
        self.account.require(self.permission)?;
        let open = self.account.stream_open().map_err(|full| match full {
            Full::Account => Problem::too_many_streams(),
            Full::Process => Problem::busy(),
        })?;
        let changes = self.subscription.subscribe().await?;
        Ok(EventStream::new(
            &self.account,
            self.permission,
            open,
            changes,
            self.readers,
            self.is_again,
        ))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("permission", &self.permission)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}
