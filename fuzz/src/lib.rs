//! A resource of each kind of column, for the targets.

use partywall::{
    Scoped,
    web::{
        Problem,
        resource::{Choice, Context, List, ModelOf, Op, Patch, Resource},
    },
};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub mod note {
    //! The rows.

    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
    #[sea_orm(table_name = "note")]
    #[scoped(tenant = "tenant_id")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        pub title: String,
        pub body: Option<String>,
        pub stars: i32,
        pub is_private: bool,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What goes out.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteView {
    pub id: Uuid,
    pub title: String,
    pub body: Option<String>,
    pub stars: i32,
}

/// What comes in.
#[derive(Debug, Deserialize, garde::Validate, ToSchema)]
pub struct NewNote {
    #[garde(length(chars, min = 1, max = 50))]
    pub title: String,
    #[serde(default)]
    #[garde(inner(length(max = 1_000)))]
    pub body: Option<String>,
    #[serde(default)]
    #[garde(range(min = 0, max = 5))]
    pub stars: i32,
    #[serde(default)]
    #[garde(skip)]
    pub tags: Vec<String>,
    #[serde(default)]
    #[garde(skip)]
    #[schema(value_type = Option<Uuid>)]
    pub parent: Option<Choice<note::Entity>>,
}

/// What changes.
#[derive(Debug, Default, Deserialize, garde::Validate, ToSchema)]
#[serde(default)]
pub struct ChangeNote {
    #[garde(inner(length(chars, min = 1, max = 50)))]
    #[schema(value_type = Option<String>)]
    pub title: Patch<String>,
    #[garde(inner(inner(length(max = 1_000))))]
    #[schema(value_type = Option<String>)]
    pub body: Patch<Option<String>>,
    #[garde(inner(range(min = 0, max = 5)))]
    #[schema(value_type = Option<i32>)]
    pub stars: Patch<i32>,
}

/// Notes. Nothing is ever written: only what strangers send is read.
#[derive(Debug)]
pub struct Notes;

impl Resource for Notes {
    type Entity = note::Entity;
    type Output = NoteView;
    type Create = NewNote;
    type Change = ChangeNote;

    const NAME: &'static str = "note";

    fn list() -> List<note::Entity> {
        List::new()
            .filter("id", note::Column::Id, Op::ONE_OF)
            .filter(
                "title",
                note::Column::Title,
                [Op::Eq, Op::Ne, Op::Contains, Op::StartsWith],
            )
            .filter("body", note::Column::Body, [Op::IsNull])
            .filter("stars", note::Column::Stars, Op::RANGE)
            .filter("private", note::Column::IsPrivate, [Op::Eq])
            .filter("created_at", note::Column::CreatedAt, Op::RANGE)
            .search([note::Column::Title, note::Column::Body])
            .sort("title", note::Column::Title)
            .sort("stars", note::Column::Stars)
            .sort("created_at", note::Column::CreatedAt)
            .default_sort("-created_at")
    }

    async fn output(
        &self,
        _: &Context<'_>,
        rows: Vec<ModelOf<Self>>,
    ) -> Result<Vec<NoteView>, Problem> {
        let view = |note: note::Model| NoteView {
            id: note.id,
            title: note.title,
            body: note.body,
            stars: note.stars,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    async fn create(&self, _: &Context<'_>, _: NewNote) -> Result<note::ActiveModel, Problem> {
        Err(Problem::not_found())
    }

    async fn replace(
        &self,
        _: &Context<'_>,
        _: &note::Model,
        _: NewNote,
    ) -> Result<note::ActiveModel, Problem> {
        Err(Problem::not_found())
    }

    async fn update(
        &self,
        _: &Context<'_>,
        _: &note::Model,
        _: ChangeNote,
    ) -> Result<note::ActiveModel, Problem> {
        Err(Problem::not_found())
    }
}

/// Whether bytes can be a header's value.
#[must_use]
pub fn is_header(value: &[u8]) -> bool {
    let fits = |byte: &u8| *byte == b'\t' || (*byte >= 32 && *byte != 127);
    value.iter().all(fits)
}
