use std::future::{Future, ready};

use garde::Validate;
use sea_orm::{
    ActiveModelBehavior, EntityTrait, FromQueryResult, IdenStatic as _, IntoActiveModel, ModelTrait,
};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{Context, List, Related, Settings};
use crate::{schema::Scoped, web::Problem};

/// The rows of a resource.
pub type ModelOf<R> = <<R as Resource>::Entity as EntityTrait>::Model;

/// A row that a resource is about to write.
pub type ActiveModelOf<R> = <<R as Resource>::Entity as EntityTrait>::ActiveModel;

/// A column of a resource.
pub type ColumnOf<R> = <<R as Resource>::Entity as EntityTrait>::Column;

/// A kind of thing that a tenant has, as its API shows it: what goes out, what comes in, what a list may
/// be asked, and how an input becomes a row.
///
/// Everything runs inside the scope of the account that asks; nothing here filters by tenant. Types that
/// come in say what they take, and everything else is refused: `id`, `tenant_id` and their like are the
/// server's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no resource",
    note = "a resource says what goes out, what comes in, and how an input becomes a row: implement `Resource`"
)]
pub trait Resource: Send + Sync + Sized + 'static {
    /// The rows.
    type Entity: EntityTrait<
            Model: ModelTrait<Entity = Self::Entity>
                       + FromQueryResult
                       + IntoActiveModel<<Self::Entity as EntityTrait>::ActiveModel>
                       + Send
                       + Sync
                       + 'static,
            ActiveModel: ActiveModelBehavior<Entity = Self::Entity> + Send + 'static,
        > + Scoped;
    /// What goes out: a struct with named fields.
    type Output: Serialize + ToSchema + Send + 'static;
    /// What makes a row, or replaces one as a whole.
    type Create: DeserializeOwned + Validate<Context = ()> + ToSchema + Send + Sync + 'static;
    /// What changes a row: a struct of [`Patch`](super::Patch)es, say.
    type Change: DeserializeOwned + Validate<Context = ()> + ToSchema + Send + Sync + 'static;

    /// The name of one of them: `note`.
    const NAME: &'static str;

    /// What a list may be asked.
    fn list() -> List<Self::Entity>;

    /// Limits, and what is demanded of clients.
    fn settings(&self) -> Settings {
        Settings::default()
    }

    /// Under which name outputs and inputs know a column. Where it is hidden from somebody, so are the
    /// filters, orders and searches of the column.
    #[must_use]
    fn field_of(column: ColumnOf<Self>) -> &'static str {
        column.as_str()
    }

    /// The field that a constraint of the database's own is about. Those of the model are known.
    #[must_use]
    fn field_of_constraint(_constraint: &str) -> Option<&'static str> {
        None
    }

    /// The column that holds the row under which a list stands: `note_id` for the comments of a note.
    /// Lists are narrowed to it, and new rows get it.
    #[must_use]
    fn parent_column() -> Option<ColumnOf<Self>> {
        None
    }

    /// What goes out for rows, in their order. Whatever else it takes is loaded here for all of them
    /// at once, by `context.db()`.
    fn output(
        &self,
        context: &Context<'_>,
        rows: Vec<ModelOf<Self>>,
    ) -> impl Future<Output = Result<Vec<Self::Output>, Problem>> + Send;

    /// What an input refers to. A [`Choice`](super::Choice) that is not named here cannot be used.
    fn related<'a>(&self, _input: &'a Self::Create) -> Related<'a> {
        Related::none()
    }

    /// What a change refers to.
    fn related_to_update<'a>(&self, _change: &'a Self::Change) -> Related<'a> {
        Related::none()
    }

    /// The row that an input makes.
    fn create(
        &self,
        context: &Context<'_>,
        input: Self::Create,
    ) -> impl Future<Output = Result<ActiveModelOf<Self>, Problem>> + Send;

    /// What becomes of a row that an input replaces. The primary key stays, whatever is said here.
    fn replace(
        &self,
        context: &Context<'_>,
        row: &ModelOf<Self>,
        input: Self::Create,
    ) -> impl Future<Output = Result<ActiveModelOf<Self>, Problem>> + Send;

    /// What becomes of a row that is changed. The primary key stays, whatever is said here.
    fn update(
        &self,
        context: &Context<'_>,
        row: &ModelOf<Self>,
        change: Self::Change,
    ) -> impl Future<Output = Result<ActiveModelOf<Self>, Problem>> + Send;

    /// How a row is removed. An error keeps it.
    fn delete(
        &self,
        _context: &Context<'_>,
        _row: &ModelOf<Self>,
    ) -> impl Future<Output = Result<Removal<ActiveModelOf<Self>>, Problem>> + Send {
        ready(Ok(Removal::Row))
    }

    /// What is done after a row was written, in the same transaction. An error undoes all of it.
    fn saved(
        &self,
        _context: &Context<'_>,
        _what: Saved<'_, ModelOf<Self>>,
    ) -> impl Future<Output = Result<(), Problem>> + Send {
        ready(Ok(()))
    }
}

/// How a row is removed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Removal<A> {
    /// It is deleted.
    Row,
    /// It stays, marked as removed; the model's base filter hides it from lists.
    Mark(A),
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved<'a, M> {
    /// A new row.
    Created(&'a M),
    /// A row as it was and as it is.
    Changed {
        /// As it was.
        before: &'a M,
        /// As it is.
        after: &'a M,
    },
    /// The row that was removed.
    Removed(&'a M),
}
