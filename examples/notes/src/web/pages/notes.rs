use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use partywall::identity::RequestAccount;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    notes::{
        Change, CommentDraft, CommentView, Draft, Items, MAX_TITLE, NoteView, comment_add,
        comment_list, note_add, note_change, note_find, note_list, note_remove, split_tags,
        tag_list,
    },
    web::{
        Problem,
        fields::{Fields, NoteId, Part},
    },
};

#[derive(Template)]
#[template(path = "notes.html")]
struct ListPage {
    top: Top,
    search: String,
    tag: String,
    tags: Vec<String>,
    notes: Items<NoteView>,
    is_first: bool,
}

#[derive(Template)]
#[template(path = "note.html")]
struct NotePage {
    top: Top,
    note: NoteView,
    /// Absent for whoever may not read them.
    comments: Option<Items<CommentView>>,
    /// Whether the comments are those from the first one on.
    is_first: bool,
}

#[derive(Template)]
#[template(path = "write.html")]
struct WritePage {
    top: Top,
    /// Absent for a new one.
    id: Option<String>,
    title: String,
    body: String,
    tags: String,
    problem: Option<Wrong>,
    longest: usize,
}

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage {
    top: Top,
    note: NoteView,
}

#[derive(Deserialize)]
pub(super) struct Written {
    title: String,
    body: String,
    #[serde(default)]
    tags: String,
}

#[derive(Deserialize)]
pub(super) struct Comment {
    body: String,
}

pub(super) async fn list(
    State(app): State<App>,
    account: RequestAccount,
    part: Part,
) -> Result<Page<impl Template>, Problem> {
    account.require("note.read")?;
    let query = part.read()?;
    let notes = note_list(&account, &query).await?;
    let tags = tag_list(&account.read(), account.scope()).await?;
    Ok(Page(ListPage {
        top: Top::new(&account, &app),
        is_first: query.after.is_none(),
        search: query.search.unwrap_or_default(),
        tag: query.tag.unwrap_or_default(),
        tags,
        notes,
    }))
}

pub(super) async fn new(
    State(app): State<App>,
    account: RequestAccount,
) -> Result<Page<impl Template>, Problem> {
    account.require("note.create")?;
    Ok(Page(WritePage {
        top: Top::new(&account, &app),
        id: None,
        title: String::new(),
        body: String::new(),
        tags: String::new(),
        problem: None,
        longest: MAX_TITLE,
    }))
}

pub(super) async fn add(
    State(app): State<App>,
    account: RequestAccount,
    fields: Fields<Written>,
) -> Result<Response, Problem> {
    account.require("note.create")?;
    let written = fields.read()?;
    match Draft::new(&written.title, &written.body, &split_tags(&written.tags)) {
        Ok(draft) => {
            let tx = account.write().await?;
            let note = note_add(&tx, &account, draft).await?;
            tx.commit().await?;
            Ok(to_note(&account, &format!("{}#saved", note.id)).into_response())
        }
        Err(problem) => Ok(again(&app, &account, None, written, &problem)),
    }
}

pub(super) async fn show(
    State(app): State<App>,
    account: RequestAccount,
    NoteId(note): NoteId,
    part: Part,
) -> Result<Page<impl Template>, Problem> {
    let note = note_find(&account.read(), note).await?;
    account.require("note.read")?;
    let query = part.read()?;
    let comments = match account.has("comment.read") {
        true => Some(comment_list(&account, note.id, &query).await?),
        false => None,
    };
    Ok(Page(NotePage {
        top: Top::new(&account, &app),
        note,
        comments,
        is_first: query.after.is_none(),
    }))
}

pub(super) async fn edit(
    State(app): State<App>,
    account: RequestAccount,
    NoteId(note): NoteId,
) -> Result<Page<impl Template>, Problem> {
    let note = note_find(&account.read(), note).await?;
    account.require("note.update")?;
    Ok(Page(WritePage {
        top: Top::new(&account, &app),
        id: Some(note.id.to_string()),
        title: note.title,
        body: note.body,
        tags: note.tags.join(", "),
        problem: None,
        longest: MAX_TITLE,
    }))
}

pub(super) async fn change(
    State(app): State<App>,
    account: RequestAccount,
    NoteId(note): NoteId,
    fields: Fields<Written>,
) -> Result<Response, Problem> {
    let tx = account.write().await?;
    note_find(&tx, note).await?;
    account.require("note.update")?;
    let written = fields.read()?;
    let tags = split_tags(&written.tags);
    let id = note.to_string();
    match Change::new(Some(&written.title), Some(&written.body), Some(&tags)) {
        Ok(change) => {
            note_change(&tx, &account, note, change).await?;
            tx.commit().await?;
            Ok(to_note(&account, &format!("{id}#saved")).into_response())
        }
        Err(problem) => Ok(again(&app, &account, Some(id), written, &problem)),
    }
}

pub(super) async fn ask(
    State(app): State<App>,
    account: RequestAccount,
    NoteId(note): NoteId,
) -> Result<Page<impl Template>, Problem> {
    let note = note_find(&account.read(), note).await?;
    account.require("note.delete")?;
    Ok(Page(DeletePage {
        top: Top::new(&account, &app),
        note,
    }))
}

pub(super) async fn remove(
    account: RequestAccount,
    NoteId(note): NoteId,
) -> Result<Redirect, Problem> {
    let tx = account.write().await?;
    note_find(&tx, note).await?;
    account.require("note.delete")?;
    note_remove(&tx, note).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!(
        "/t/{}#deleted",
        account.tenant().slug
    )))
}

pub(super) async fn comment(
    account: RequestAccount,
    NoteId(note): NoteId,
    part: Part,
    fields: Fields<Comment>,
) -> Result<Redirect, Problem> {
    let tx = account.write().await?;
    note_find(&tx, note).await?;
    account.require("comment.create")?;
    let draft = CommentDraft::new(&fields.read()?.body)?;
    let added = comment_add(&tx, account.actor().name(), note, draft).await?;
    tx.commit().await?;
    // Where the comments take more than one page, the one that shows this.
    let from = match comment_list(&account, note, &part.read()?).await?.next {
        Some(_) => format!("?after={}", Uuid::from_u128(added.id.as_u128() - 1)),
        None => String::new(),
    };
    Ok(to_note(&account, &format!("{note}{from}#commented")))
}

fn to_note(account: &RequestAccount, note: &str) -> Redirect {
    Redirect::to(&format!("/t/{}/notes/{note}", account.tenant().slug))
}

/// Which field a draft's problem is about.
fn wrong(problem: &Problem) -> Wrong {
    let message = problem.detail();
    let fields = [("title", "title"), ("tag", "tags"), ("text", "body")];
    let found = fields.iter().find(|(word, _)| message.contains(word));
    found.map_or_else(
        || Wrong::new(problem),
        |(_, field)| Wrong::of(field, message),
    )
}

/// The form as it was filled in, with what is wrong.
fn again(
    app: &App,
    account: &RequestAccount,
    id: Option<String>,
    written: Written,
    problem: &Problem,
) -> Response {
    let page = WritePage {
        top: Top::new(account, app),
        id,
        title: written.title,
        body: written.body,
        tags: written.tags,
        problem: Some(wrong(problem)),
        longest: MAX_TITLE,
    };
    (problem.status(), Page(page)).into_response()
}
