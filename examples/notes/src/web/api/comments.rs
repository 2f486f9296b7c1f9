//! A note's comments as a resource: what goes out, what comes in, and what a list may be asked.

use partywall::web::{
    Routes,
    resource::{
        Actions, Choice, Context, CursorKey, List, Op, Patch, Related, Resource, ResourceEndpoints,
    },
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::{App, StartError},
    models::{comment, note},
    notes::{CommentDraft, CommentView, comment_new},
    policies::Policies,
    web::Problem,
};

#[derive(Debug)]
struct Comments;

#[derive(Deserialize, garde::Validate, ToSchema)]
struct NewComment {
    #[garde(custom(is_comment))]
    body: String,
}

/// What is absent stays.
#[derive(Deserialize, garde::Validate, ToSchema)]
struct CommentChange {
    #[serde(default)]
    #[garde(inner(custom(is_comment)))]
    #[schema(value_type = Option<String>)]
    body: Patch<String>,
    /// Another note of the tenant's, to move it there.
    #[serde(default)]
    #[garde(skip)]
    #[schema(value_type = Option<Uuid>)]
    note: Patch<Choice<note::Entity>>,
}

pub(super) fn routes(policies: &Policies, cursors: &CursorKey) -> Result<Routes<App>, StartError> {
    let path = "/tenants/{tenant}/notes/{note}/comments";
    let actions = Actions::new(Comments, cursors.clone())?;
    let endpoints = ResourceEndpoints::new(actions, path, policies.comment.clone())?;
    Ok(endpoints.with_bulk().routes())
}

fn is_comment(body: &str, (): &()) -> garde::Result {
    let draft = CommentDraft::new(body);
    draft
        .map(drop)
        .map_err(|problem| garde::Error::new(problem.detail()))
}

impl Resource for Comments {
    type Entity = comment::Entity;
    type Output = CommentView;
    type Create = NewComment;
    type Change = CommentChange;

    const NAME: &'static str = "comment";

    /// The oldest first, where nothing is said: ids are in the order of writing.
    fn list() -> List<comment::Entity> {
        List::new()
            .filter("id", comment::Column::Id, Op::ONE_OF)
            .filter("author", comment::Column::Author, [Op::Eq, Op::Contains])
            .filter("author_id", comment::Column::AuthorId, Op::ONE_OF)
            .filter("author_id", comment::Column::AuthorId, [Op::IsNull])
            .filter("created_at", comment::Column::CreatedAt, Op::RANGE)
            .search([comment::Column::Body])
            .sort("author", comment::Column::Author)
            .sort("created_at", comment::Column::CreatedAt)
    }

    fn parent_column() -> Option<comment::Column> {
        Some(comment::Column::NoteId)
    }

    fn field_of(column: comment::Column) -> &'static str {
        use sea_orm::IdenStatic as _;
        match column {
            comment::Column::NoteId => "note",
            comment::Column::Id
            | comment::Column::Author
            | comment::Column::Body
            | comment::Column::CreatedAt
            | comment::Column::AuthorId => column.as_str(),
        }
    }

    async fn output(
        &self,
        _: &Context<'_>,
        rows: Vec<comment::Model>,
    ) -> Result<Vec<CommentView>, Problem> {
        Ok(rows.into_iter().map(CommentView::from).collect())
    }

    fn related_to_update<'a>(&self, change: &'a CommentChange) -> Related<'a> {
        Related::none().maybe("note", change.note.as_ref().given())
    }

    async fn create(
        &self,
        context: &Context<'_>,
        input: NewComment,
    ) -> Result<comment::ActiveModel, Problem> {
        let draft = CommentDraft::new(&input.body)?;
        Ok(comment_new(context.account(), draft))
    }

    /// What was said, and not who said it.
    async fn replace(
        &self,
        _: &Context<'_>,
        _: &comment::Model,
        input: NewComment,
    ) -> Result<comment::ActiveModel, Problem> {
        Ok(comment::ActiveModel {
            body: Set(CommentDraft::new(&input.body)?.body),
            ..Default::default()
        })
    }

    async fn update(
        &self,
        _: &Context<'_>,
        _: &comment::Model,
        change: CommentChange,
    ) -> Result<comment::ActiveModel, Problem> {
        let mut row = comment::ActiveModel::default();
        if let Patch::Given(body) = change.body {
            row.body = Set(CommentDraft::new(&body)?.body);
        }
        if let Patch::Given(note) = change.note {
            row.note_id = Set(note.id()?);
        }
        Ok(row)
    }
}
