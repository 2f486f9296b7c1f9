use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::{Stream, stream::BoxStream};
use futures_util::{StreamExt as _, stream};
use sea_orm::EntityTrait;

use super::{
    Change,
    announcement::{Announcement, Told},
    hub::{Heard, Seat},
};
use crate::{
    db::{Db, Error},
    schema::Scoped,
    scope::{Scope, ScopeValue, Values},
};

/// Which changes to hear of. Made by [`Db::changes`]; as long as it names no entity, of none.
#[derive(Clone, Debug)]
#[must_use = "call `subscribe`"]
pub struct Subscription {
    db: Db,
    scope: Scope,
    tables: Vec<Result<Arc<Told>, &'static str>>,
}

/// What becomes of the rows of a scope, from now on and in the order of the commits.
///
/// Never anything of another scope's, never anything that was rolled back. Up to 64 statements wait for
/// a subscriber; one that falls further behind gets [`Change::Resync`], and so does everybody when the
/// connection to the database was lost and is there again.
pub struct Changes(BoxStream<'static, Change>);

impl Db {
    /// Begins to ask for what becomes of a scope's rows.
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
    /// # async fn watch(db: partywall::Db, scope: partywall::Scope) -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::StreamExt;
    /// use partywall::db::Change;
    /// use sea_orm::EntityTrait;
    /// use uuid::Uuid;
    ///
    /// let mut changes = db.changes(&scope).of::<note::Entity>().subscribe().await?;
    /// while let Some(change) = changes.next().await {
    ///     match change {
    ///         Change::Row(row) => {
    ///             let id = row.id::<Uuid>().ok_or("not an id")?;
    ///             let note = note::Entity::find_by_id(id).one(&db.scoped(&scope)).await?;
    ///             println!("{}: {note:?}", row.operation().as_str());
    ///         }
    ///         _ => println!("read all of them again"),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn changes(&self, scope: &Scope) -> Subscription {
        Subscription {
            db: self.clone(),
            scope: scope.clone(),
            tables: Vec::new(),
        }
    }
}

impl Subscription {
    /// Hears of an entity's rows, which the schema has to
    /// [announce](crate::schema::SchemaBuilder::announces).
    pub fn of<E: EntityTrait + Scoped>(mut self) -> Self {
        let known = self.db.listening().tables();
        let table = known.iter().find(|table| table.is_of::<E>()).cloned();
        self.tables
            .push(table.ok_or_else(|| E::default().table_name()));
        self
    }

    /// Begins to hear. Whatever is committed after this returns is heard of, so read what there is
    /// afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::NotAnnounced`], [`Error::Scope`] where the scope lacks a dimension of a table's,
    /// [`NoLogin::Listen`](crate::db::NoLogin::Listen), and [`Error::Connect`] when the process cannot
    /// listen at present.
    pub async fn subscribe(self) -> Result<Changes, Error> {
        let tables = self
            .tables
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::NotAnnounced)?;
        for (dimension, _) in tables.iter().flat_map(|table| &table.dimensions) {
            self.scope.require(dimension)?;
        }
        let hub = self.db.listening().hub()?;
        let filter = Arc::new(Filter {
            scope: self.scope,
            tables,
        });
        // Seats first: nothing gets lost between the two.
        let mut hearing: Vec<_> = filter
            .seats()
            .into_iter()
            .map(|tenant| hear(Seat::take(hub, tenant), filter.clone()).boxed())
            .collect();
        hub.ready().await?;
        Ok(Changes(match (hearing.pop(), hearing.is_empty()) {
            (Some(only), true) => only,
            (last, _) => stream::select_all(hearing.into_iter().chain(last)).boxed(),
        }))
    }
}

/// What a subscriber may and wants to hear of.
struct Filter {
    scope: Scope,
    tables: Vec<Arc<Told>>,
}

impl Filter {
    /// Where to sit: with each of the scope's tenants.
    fn seats(&self) -> Vec<Option<ScopeValue>> {
        match self.scope.get("tenant") {
            None => vec![None],
            Some(Values::One(one)) => vec![Some(one.clone())],
            Some(Values::List(list)) => list.iter().cloned().map(Some).collect(),
        }
    }

    fn lets_through(&self, told: &Announcement) -> bool {
        self.tables.contains(&told.table) && told.is_within(&self.scope)
    }
}

fn hear(seat: Seat, filter: Arc<Filter>) -> impl Stream<Item = Change> + Send {
    struct State {
        seat: Seat,
        filter: Arc<Filter>,
        /// An announcement with the number of its changes that have been passed on.
        begun: Option<(Arc<Announcement>, usize)>,
    }
    let state = State {
        seat,
        filter,
        begun: None,
    };
    stream::unfold(state, |mut state| async move {
        loop {
            if let Some((told, n)) = &mut state.begun {
                if let Some(change) = told.change(*n) {
                    *n += 1;
                    return Some((change, state));
                }
                state.begun = None;
            }
            match state.seat.next().await? {
                Heard::Resync => return Some((Change::Resync, state)),
                Heard::Told(told) if state.filter.lets_through(&told) => {
                    state.begun = Some((told, 0));
                }
                Heard::Told(_) => {}
            }
        }
    })
    .fuse()
}

impl Stream for Changes {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}
