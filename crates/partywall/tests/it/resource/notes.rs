//! Notes, folders and replies as resources.

use chrono::Utc;
use partywall::web::{
    Problem,
    resource::{Choice, Context, List, Op, Patch, Related, Removal, Resource, Saved, Settings},
};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{folder, note, reply};

/// A title that fails whatever is written after the row was.
pub const UNLUCKY: &str = "unlucky";

#[derive(Debug)]
pub struct Notes {
    pub settings: Settings,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NoteView {
    pub id: Uuid,
    pub title: String,
    pub body: Option<String>,
    pub stars: i32,
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    pub secret: Option<String>,
    pub created_at: String,
}

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
    #[schema(value_type = Option<Uuid>)]
    pub folder: Option<Choice<folder::Entity>>,
    #[serde(default)]
    #[garde(skip)]
    pub secret: Option<String>,
    #[serde(default)]
    #[garde(skip)]
    pub is_private: bool,
}

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
    #[garde(skip)]
    #[schema(value_type = Option<Uuid>)]
    pub folder: Patch<Option<Choice<folder::Entity>>>,
    #[garde(skip)]
    #[schema(value_type = Option<String>)]
    pub secret: Patch<Option<String>>,
}

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
            .filter("body", note::Column::Body, [Op::Ne, Op::IsNull])
            .filter("stars", note::Column::Stars, Op::RANGE)
            .filter("stars", note::Column::Stars, [Op::Eq])
            .filter("price", note::Column::Price, [Op::Gte])
            .filter("state", note::Column::State, Op::ONE_OF)
            .filter("folder", note::Column::FolderId, Op::ONE_OF)
            .filter("secret", note::Column::Secret, [Op::Eq])
            .filter("private", note::Column::IsPrivate, [Op::Eq])
            .filter("created_at", note::Column::CreatedAt, Op::RANGE)
            .search([
                note::Column::Title,
                note::Column::Body,
                note::Column::Secret,
            ])
            .sort("title", note::Column::Title)
            .sort("body", note::Column::Body)
            .sort("stars", note::Column::Stars)
            .sort("price", note::Column::Price)
            .sort("state", note::Column::State)
            .sort("secret", note::Column::Secret)
            .sort("created_at", note::Column::CreatedAt)
            .default_sort("title")
            .page(3, 10)
    }

    fn settings(&self) -> Settings {
        self.settings.clone()
    }

    fn field_of(column: note::Column) -> &'static str {
        use sea_orm::IdenStatic as _;
        match column {
            note::Column::FolderId => "folder",
            other => other.as_str(),
        }
    }

    /// One query for the folders of all rows.
    async fn output(
        &self,
        context: &Context<'_>,
        rows: Vec<note::Model>,
    ) -> Result<Vec<NoteView>, Problem> {
        let ids: Vec<Uuid> = rows.iter().filter_map(|note| note.folder_id).collect();
        let folders = if ids.is_empty() {
            Vec::new()
        } else {
            folder::Entity::find()
                .filter(folder::Column::Id.is_in(ids))
                .all(context.db())
                .await?
        };
        let name = |id: Uuid| {
            folders
                .iter()
                .find(|folder| folder.id == id)
                .map(|f| f.name.clone())
        };
        Ok(rows
            .into_iter()
            .map(|note| NoteView {
                id: note.id,
                title: note.title,
                body: note.body,
                stars: note.stars,
                state: format!("{:?}", note.state).to_lowercase(),
                folder: note.folder_id.and_then(name),
                secret: note.secret,
                created_at: note.created_at.to_rfc3339(),
            })
            .collect())
    }

    fn related<'a>(&self, input: &'a NewNote) -> Related<'a> {
        Related::none().maybe("folder", input.folder.as_ref())
    }

    fn related_to_update<'a>(&self, change: &'a ChangeNote) -> Related<'a> {
        let folder = change.folder.as_ref().given();
        Related::none().maybe("folder", folder.and_then(Option::as_ref))
    }

    async fn create(&self, _: &Context<'_>, input: NewNote) -> Result<note::ActiveModel, Problem> {
        Ok(note::ActiveModel {
            id: Set(Uuid::now_v7()),
            title: Set(input.title),
            body: Set(input.body),
            stars: Set(input.stars),
            price: Set(None),
            state: Set(note::State::Draft),
            folder_id: Set(input.folder.map(|folder| folder.id()).transpose()?),
            is_private: Set(input.is_private),
            secret: Set(input.secret),
            created_at: Set(Utc::now()),
            ..Default::default()
        })
    }

    async fn replace(
        &self,
        _: &Context<'_>,
        _: &note::Model,
        input: NewNote,
    ) -> Result<note::ActiveModel, Problem> {
        Ok(note::ActiveModel {
            // Not what it becomes.
            id: Set(Uuid::nil()),
            title: Set(input.title),
            body: Set(input.body),
            stars: Set(input.stars),
            folder_id: Set(input.folder.map(|folder| folder.id()).transpose()?),
            secret: Set(input.secret),
            ..Default::default()
        })
    }

    async fn update(
        &self,
        _: &Context<'_>,
        _: &note::Model,
        change: ChangeNote,
    ) -> Result<note::ActiveModel, Problem> {
        let mut row = note::ActiveModel::default();
        change.title.apply(&mut row.title);
        change.body.apply(&mut row.body);
        change.stars.apply(&mut row.stars);
        change.secret.apply(&mut row.secret);
        if let Patch::Given(folder) = change.folder {
            row.folder_id = Set(folder.map(|folder| folder.id()).transpose()?);
        }
        Ok(row)
    }

    async fn saved(&self, _: &Context<'_>, what: Saved<'_, note::Model>) -> Result<(), Problem> {
        match what {
            Saved::Created(note) | Saved::Changed { after: note, .. } if note.title == UNLUCKY => {
                Err(Problem::busy())
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
pub struct Replies;

#[derive(Debug, Serialize, ToSchema)]
pub struct ReplyView {
    pub id: Uuid,
    pub note: String,
    pub text: String,
}

#[derive(Debug, Deserialize, garde::Validate, ToSchema)]
pub struct NewReply {
    #[garde(length(min = 1))]
    pub text: String,
}

impl Resource for Replies {
    type Entity = reply::Entity;
    type Output = ReplyView;
    type Create = NewReply;
    type Change = NewReply;

    const NAME: &'static str = "reply";

    fn list() -> List<reply::Entity> {
        List::new().sort("text", reply::Column::Text).page(2, 10)
    }

    fn parent_column() -> Option<reply::Column> {
        Some(reply::Column::NoteId)
    }

    async fn output(
        &self,
        context: &Context<'_>,
        rows: Vec<reply::Model>,
    ) -> Result<Vec<ReplyView>, Problem> {
        let note = &context.parent::<note::Model>()?.title;
        let view = |reply: reply::Model| ReplyView {
            id: reply.id,
            note: note.clone(),
            text: reply.text,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Says nothing of the note.
    async fn create(
        &self,
        _: &Context<'_>,
        input: NewReply,
    ) -> Result<reply::ActiveModel, Problem> {
        Ok(reply::ActiveModel {
            id: Set(Uuid::now_v7()),
            text: Set(input.text),
            ..Default::default()
        })
    }

    async fn replace(
        &self,
        context: &Context<'_>,
        row: &reply::Model,
        input: NewReply,
    ) -> Result<reply::ActiveModel, Problem> {
        self.update(context, row, input).await
    }

    async fn update(
        &self,
        _: &Context<'_>,
        _: &reply::Model,
        input: NewReply,
    ) -> Result<reply::ActiveModel, Problem> {
        Ok(reply::ActiveModel {
            text: Set(input.text),
            ..Default::default()
        })
    }

    /// A reply that says so stays as a mark.
    async fn delete(
        &self,
        _: &Context<'_>,
        row: &reply::Model,
    ) -> Result<Removal<reply::ActiveModel>, Problem> {
        if row.text != "keep" {
            return Ok(Removal::Row);
        }
        Ok(Removal::Mark(reply::ActiveModel {
            text: Set("removed".to_owned()),
            ..Default::default()
        }))
    }
}

#[derive(Debug)]
pub struct Folders;

#[derive(Debug, Serialize, ToSchema)]
pub struct FolderView {
    pub id: Uuid,
    pub name: String,
}

#[derive(Debug, Deserialize, garde::Validate, ToSchema)]
pub struct NewFolder {
    #[garde(skip)]
    pub name: String,
}

impl Resource for Folders {
    type Entity = folder::Entity;
    type Output = FolderView;
    type Create = NewFolder;
    type Change = NewFolder;

    const NAME: &'static str = "folder";

    fn list() -> List<folder::Entity> {
        List::new()
    }

    async fn output(
        &self,
        _: &Context<'_>,
        rows: Vec<folder::Model>,
    ) -> Result<Vec<FolderView>, Problem> {
        let view = |folder: folder::Model| FolderView {
            id: folder.id,
            name: folder.name,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    async fn create(
        &self,
        _: &Context<'_>,
        input: NewFolder,
    ) -> Result<folder::ActiveModel, Problem> {
        Ok(folder::ActiveModel {
            id: Set(Uuid::now_v7()),
            name: Set(input.name),
            ..Default::default()
        })
    }

    async fn replace(
        &self,
        context: &Context<'_>,
        row: &folder::Model,
        input: NewFolder,
    ) -> Result<folder::ActiveModel, Problem> {
        self.update(context, row, input).await
    }

    async fn update(
        &self,
        _: &Context<'_>,
        _: &folder::Model,
        input: NewFolder,
    ) -> Result<folder::ActiveModel, Problem> {
        Ok(folder::ActiveModel {
            name: Set(input.name),
            ..Default::default()
        })
    }
}
