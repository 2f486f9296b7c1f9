use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use super::page::{Page, Top};
use crate::{
    app::App,
    identity::InTenant,
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
    comments: Items<CommentView>,
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
    problem: Option<String>,
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
    tenant: InTenant,
    Part(query): Part,
) -> Result<Page<impl Template>, Problem> {
    let notes = note_list(&tenant, &query).await?;
    let tags = tag_list(&tenant.db, &tenant.scope).await?;
    Ok(Page(ListPage {
        top: Top::new(&tenant, app.playground.is_some()),
        is_first: query.after.is_none(),
        search: query.search.unwrap_or_default(),
        tag: query.tag.unwrap_or_default(),
        tags,
        notes,
    }))
}

pub(super) async fn new(State(app): State<App>, tenant: InTenant) -> Page<impl Template> {
    Page(WritePage {
        top: Top::new(&tenant, app.playground.is_some()),
        id: None,
        title: String::new(),
        body: String::new(),
        tags: String::new(),
        problem: None,
        longest: MAX_TITLE,
    })
}

pub(super) async fn add(
    State(app): State<App>,
    tenant: InTenant,
    Fields(written): Fields<Written>,
) -> Result<Response, Problem> {
    match Draft::new(&written.title, &written.body, &split_tags(&written.tags)) {
        Ok(draft) => {
            let note = note_add(&tenant, draft).await?;
            Ok(to_note(&tenant, &note.id.to_string()).into_response())
        }
        Err(problem) => Ok(again(&app, &tenant, None, written, &problem)),
    }
}

pub(super) async fn show(
    State(app): State<App>,
    tenant: InTenant,
    NoteId(note): NoteId,
    Part(query): Part,
) -> Result<Page<impl Template>, Problem> {
    let comments = comment_list(&tenant, note, &query).await?;
    let note = note_find(&tenant.db, note).await?;
    Ok(Page(NotePage {
        top: Top::new(&tenant, app.playground.is_some()),
        note,
        comments,
    }))
}

pub(super) async fn edit(
    State(app): State<App>,
    tenant: InTenant,
    NoteId(note): NoteId,
) -> Result<Page<impl Template>, Problem> {
    let note = note_find(&tenant.db, note).await?;
    Ok(Page(WritePage {
        top: Top::new(&tenant, app.playground.is_some()),
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
    tenant: InTenant,
    NoteId(note): NoteId,
    Fields(written): Fields<Written>,
) -> Result<Response, Problem> {
    let tags = split_tags(&written.tags);
    let id = note.to_string();
    match Change::new(Some(&written.title), Some(&written.body), Some(&tags)) {
        Ok(change) => {
            note_change(&tenant, note, change).await?;
            Ok(to_note(&tenant, &id).into_response())
        }
        Err(problem) => {
            note_find(&tenant.db, note).await?;
            Ok(again(&app, &tenant, Some(id), written, &problem))
        }
    }
}

pub(super) async fn ask(
    State(app): State<App>,
    tenant: InTenant,
    NoteId(note): NoteId,
) -> Result<Page<impl Template>, Problem> {
    let note = note_find(&tenant.db, note).await?;
    Ok(Page(DeletePage {
        top: Top::new(&tenant, app.playground.is_some()),
        note,
    }))
}

pub(super) async fn remove(tenant: InTenant, NoteId(note): NoteId) -> Result<Redirect, Problem> {
    note_remove(&tenant.db, note).await?;
    Ok(Redirect::to(&format!("/t/{}", tenant.tenant.slug)))
}

pub(super) async fn comment(
    tenant: InTenant,
    NoteId(note): NoteId,
    Fields(comment): Fields<Comment>,
) -> Result<Redirect, Problem> {
    let draft = CommentDraft::new(&comment.body)?;
    comment_add(&tenant.db, &tenant.person.name, note, draft).await?;
    Ok(to_note(&tenant, &note.to_string()))
}

fn to_note(tenant: &InTenant, note: &str) -> Redirect {
    Redirect::to(&format!("/t/{}/notes/{note}", tenant.tenant.slug))
}

/// The form as it was filled in, with what is wrong.
fn again(
    app: &App,
    tenant: &InTenant,
    id: Option<String>,
    written: Written,
    problem: &Problem,
) -> Response {
    let page = WritePage {
        top: Top::new(tenant, app.playground.is_some()),
        id,
        title: written.title,
        body: written.body,
        tags: written.tags,
        problem: Some(problem.message().to_owned()),
        longest: MAX_TITLE,
    };
    (problem.status(), Page(page)).into_response()
}
