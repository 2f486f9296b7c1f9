//! The pages of notes.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use partywall::{
    identity::RequestAccount,
    policy::Fields,
    web::{Found, Permitted},
};
use uuid::Uuid;

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    models::note,
    notes::{
        CommentView, Items, MAX_TITLE, NoteQuery, NoteView, comment_list, note_view, tag_list,
    },
    web::{
        Problem,
        notes::{NewNote, NoteChange, Tags},
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

impl NotePage {
    /// Whether to offer it. What may be done is checked when it is.
    fn may_delete(&self, comment: &CommentView) -> bool {
        let is_own = comment.author_id.is_some() && comment.author_id == self.top.account_id();
        self.top.may("comment.delete") || is_own && self.top.may("comment.create")
    }
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
    /// Absent for whoever may not see it.
    remark: Option<String>,
    problem: Option<Wrong>,
    longest: usize,
}

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage {
    top: Top,
    note: note::Model,
}

/// What the form holds.
pub(in crate::web) struct Written {
    /// Absent for a new note.
    id: Option<Uuid>,
    title: String,
    body: String,
    tags: String,
    remark: Option<String>,
}

impl Written {
    pub(in crate::web) fn new(new: NewNote, fields: &Fields) -> Self {
        Self {
            id: None,
            title: new.title,
            body: new.body,
            tags: new.tags.map(Tags::into_text).unwrap_or_default(),
            remark: (!fields.hides("remark")).then(|| new.remark.unwrap_or_default()),
        }
    }

    pub(in crate::web) fn changed(note: note::Model, new: NoteChange, fields: &Fields) -> Self {
        let remark = new.remark.unwrap_or(note.remark);
        Self {
            id: Some(note.id),
            title: new.title.unwrap_or(note.title),
            body: new.body.unwrap_or(note.body),
            tags: new.tags.map(Tags::into_text).unwrap_or_default(),
            remark: (!fields.hides("remark")).then(|| remark.unwrap_or_default()),
        }
    }

    fn into_page(
        self,
        app: &App,
        account: &RequestAccount,
        problem: Option<&Problem>,
    ) -> WritePage {
        WritePage {
            top: Top::new(account, app),
            id: self.id.map(|id| id.to_string()),
            title: self.title,
            body: self.body,
            tags: self.tags,
            remark: self.remark,
            problem: problem.map(wrong),
            longest: MAX_TITLE,
        }
    }
}

pub(in crate::web) async fn list(
    app: &App,
    account: &RequestAccount,
    query: NoteQuery,
    notes: Items<NoteView>,
) -> Result<Response, Problem> {
    let tags = tag_list(&account.read(), account.scope()).await?;
    let page = ListPage {
        top: Top::new(account, app),
        is_first: query.after.is_none(),
        search: query.search.unwrap_or_default(),
        tag: query.tag.unwrap_or_default(),
        tags,
        notes,
    };
    Ok(Page(page).into_response())
}

pub(in crate::web) async fn show(
    app: &App,
    account: &RequestAccount,
    note: NoteView,
    query: &NoteQuery,
) -> Result<Response, Problem> {
    let comments = match account.has("comment.read") {
        true => Some(comment_list(account, note.id, query).await?),
        false => None,
    };
    let page = NotePage {
        top: Top::new(account, app),
        note,
        comments,
        is_first: query.after.is_none(),
    };
    Ok(Page(page).into_response())
}

pub(in crate::web) async fn new(
    State(app): State<App>,
    account: RequestAccount,
    permitted: Permitted,
) -> impl IntoResponse {
    let empty = Written {
        id: None,
        title: String::new(),
        body: String::new(),
        tags: String::new(),
        remark: (!permitted.fields().hides("remark")).then(String::new),
    };
    Page(empty.into_page(&app, &account, None))
}

pub(in crate::web) async fn edit(
    State(app): State<App>,
    account: RequestAccount,
    permitted: Permitted,
    Found(note): Found<note::Model>,
) -> Result<impl IntoResponse, Problem> {
    let note = note_view(&account.read(), note, &permitted.fields()).await?;
    let written = Written {
        id: Some(note.id),
        title: note.title,
        body: note.body,
        tags: note.tags.join(", "),
        remark: note.remark.map(Option::unwrap_or_default),
    };
    Ok(Page(written.into_page(&app, &account, None)))
}

pub(in crate::web) async fn ask(
    State(app): State<App>,
    account: RequestAccount,
    Found(note): Found<note::Model>,
) -> impl IntoResponse {
    Page(DeletePage {
        top: Top::new(&account, &app),
        note,
    })
}

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
pub(in crate::web) fn again(
    app: &App,
    account: &RequestAccount,
    written: Written,
    problem: &Problem,
) -> Response {
    let page = written.into_page(app, account, Some(problem));
    (problem.status(), Page(page)).into_response()
}

/// To a note's page. `part` says where on it: `#saved`.
pub(in crate::web) fn to_note(account: &RequestAccount, note: Uuid, part: &str) -> Redirect {
    let slug = &account.tenant().slug;
    Redirect::to(&format!("/t/{slug}/notes/{note}{part}"))
}

pub(in crate::web) fn to_list(account: &RequestAccount, part: &str) -> Redirect {
    Redirect::to(&format!("/t/{}{part}", account.tenant().slug))
}
