//! Notes, for people and for programs: the same is done, and the answer is a page or JSON.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use partywall::{
    identity::RequestAccount,
    web::{Endpoint, Found, Permitted, Query, Writing},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Problem,
    fields::{Input, ListQuery, Part, nullable},
    pages::notes as page,
    reader::Reader,
    shape::{form, html, json},
};
use crate::{
    app::App,
    models::note,
    notes::{
        Change, Draft, Items, NoteView, note_add, note_change, note_list, note_remove, note_view,
        split_tags,
    },
    policies::Policies,
};

/// Tags as a list, or as a form has them: `red, blue`.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Tags {
    List(Vec<String>),
    Text(String),
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewNote {
    pub(super) title: String,
    #[serde(default)]
    pub(super) body: String,
    pub(super) tags: Option<Tags>,
    /// For whoever may change the note.
    pub(super) remark: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NoteChange {
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) tags: Option<Tags>,
    /// `null` for none.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) remark: Option<Option<String>>,
}

impl Tags {
    pub(super) fn list(&self) -> Vec<String> {
        match self {
            Self::List(tags) => tags.clone(),
            Self::Text(text) => split_tags(text),
        }
    }

    /// As a form shows them.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::List(tags) => tags.join(", "),
            Self::Text(text) => text,
        }
    }
}

pub(super) fn endpoints(policies: &Policies) -> Vec<Endpoint<App>> {
    let json_notes = "/api/tenants/{tenant}/notes";
    let json_note = "/api/tenants/{tenant}/notes/{note}";
    let policy = || policies.note.clone();
    vec![
        Endpoint::get(json_notes, list)
            .named("note.list")
            .policy(policy())
            .summary("A page of notes, the newest first")
            .query(Query::of::<ListQuery>())
            .output(StatusCode::OK, json::<Items<NoteView>>()),
        Endpoint::post(json_notes, create)
            .named("note.create")
            .policy(policy())
            .in_transaction()
            .summary("Writes a note")
            .input(json::<NewNote>())
            .output(StatusCode::CREATED, json::<NoteView>()),
        Endpoint::get(json_note, show)
            .named("note.retrieve")
            .policy(policy())
            .summary("One note")
            .output(StatusCode::OK, json::<NoteView>()),
        Endpoint::patch(json_note, update)
            .named("note.update")
            .policy(policy())
            .in_transaction()
            .summary("Changes a note: what is absent stays")
            .input(json::<NoteChange>())
            .output(StatusCode::OK, json::<NoteView>()),
        Endpoint::delete(json_note, delete)
            .named("note.delete")
            .policy(policy())
            .in_transaction()
            .summary("Removes a note, and its comments with it")
            .answers(StatusCode::NO_CONTENT),
        Endpoint::get("/t/{tenant}", list)
            .named("page.note.list")
            .policy(policy())
            .summary("A page of notes, the newest first")
            .query(Query::of::<ListQuery>())
            .output(StatusCode::OK, html()),
        Endpoint::get("/t/{tenant}/new", page::new)
            .named("page.note.new")
            .policy(policy())
            .summary("The form for a note")
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/notes", create)
            .named("page.note.create")
            .policy(policy())
            .in_transaction()
            .summary("Writes a note")
            .input(form::<NewNote>())
            .answers(StatusCode::SEE_OTHER),
        Endpoint::get("/t/{tenant}/notes/{note}", show)
            .named("page.note.retrieve")
            .policy(policy())
            .summary("One note, and a page of its comments")
            .query(Query::of::<ListQuery>())
            .output(StatusCode::OK, html()),
        Endpoint::get("/t/{tenant}/notes/{note}/edit", page::edit)
            .named("page.note.edit")
            .policy(policy())
            .on_parent()
            .summary("The form for a change")
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/notes/{note}/edit", update)
            .named("page.note.update")
            .policy(policy())
            .on_parent()
            .in_transaction()
            .summary("Changes a note")
            .input(form::<NoteChange>())
            .answers(StatusCode::SEE_OTHER),
        Endpoint::get("/t/{tenant}/notes/{note}/delete", page::ask)
            .named("page.note.ask")
            .policy(policy())
            .on_parent()
            .summary("Asks whether a note shall go")
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/notes/{note}/delete", delete)
            .named("page.note.delete")
            .policy(policy())
            .on_parent()
            .in_transaction()
            .summary("Removes a note, and its comments with it")
            .answers(StatusCode::SEE_OTHER),
    ]
}

async fn list(
    State(app): State<App>,
    account: RequestAccount,
    permitted: Permitted,
    reader: Reader,
    Part(query): Part,
) -> Result<Response, Problem> {
    let notes = note_list(&account, &permitted.fields(), &query).await?;
    match reader {
        Reader::Program => Ok(Json(notes).into_response()),
        Reader::Person => page::list(&app, &account, query, notes).await,
    }
}

async fn create(
    State(app): State<App>,
    account: RequestAccount,
    permitted: Permitted,
    tx: Writing,
    reader: Reader,
    Input(new): Input<NewNote>,
) -> Result<Response, Problem> {
    let fields = permitted.fields();
    let tags = new.tags.as_ref().map(Tags::list).unwrap_or_default();
    let draft = Draft::new(&new.title, &new.body, &tags)
        .and_then(|draft| draft.with_remark(new.remark.as_deref(), &fields));
    let draft = match (draft, reader) {
        (Ok(draft), _) => draft,
        (Err(problem), Reader::Program) => return Err(problem),
        (Err(problem), Reader::Person) => {
            let written = page::Written::new(new, &fields);
            return Ok(page::again(&app, &account, written, &problem));
        }
    };
    let note = note_add(&tx, &account, &fields, draft).await?;
    tx.commit().await?;
    Ok(match reader {
        Reader::Program => (StatusCode::CREATED, Json(note)).into_response(),
        Reader::Person => page::to_note(&account, note.id, "#saved").into_response(),
    })
}

async fn show(
    State(app): State<App>,
    account: RequestAccount,
    permitted: Permitted,
    reader: Reader,
    Found(note): Found<note::Model>,
    part: Result<Part, Problem>,
) -> Result<Response, Problem> {
    let note = note_view(&account.read(), note, &permitted.fields()).await?;
    match reader {
        Reader::Program => Ok(Json(note).into_response()),
        Reader::Person => page::show(&app, &account, note, &part?.0).await,
    }
}

async fn update(
    State(app): State<App>,
    account: RequestAccount,
    permitted: Permitted,
    tx: Writing,
    reader: Reader,
    Found(note): Found<note::Model>,
    Input(new): Input<NoteChange>,
) -> Result<Response, Problem> {
    let fields = permitted.fields();
    let tags = new.tags.as_ref().map(Tags::list);
    let remark = new
        .remark
        .as_ref()
        .map(|remark| remark.as_deref().unwrap_or_default());
    let change = Change::new(new.title.as_deref(), new.body.as_deref(), tags.as_deref())
        .and_then(|change| change.with_remark(remark, &fields));
    let change = match (change, reader) {
        (Ok(change), _) => change,
        (Err(problem), Reader::Program) => return Err(problem),
        (Err(problem), Reader::Person) => {
            let written = page::Written::changed(note, new, &fields);
            return Ok(page::again(&app, &account, written, &problem));
        }
    };
    let note = note_change(&tx, &account, &fields, note.id, change).await?;
    tx.commit().await?;
    Ok(match reader {
        Reader::Program => Json(note).into_response(),
        Reader::Person => page::to_note(&account, note.id, "#saved").into_response(),
    })
}

async fn delete(
    account: RequestAccount,
    tx: Writing,
    reader: Reader,
    Found(note): Found<note::Model>,
) -> Result<Response, Problem> {
    note_remove(&tx, note.id).await?;
    tx.commit().await?;
    Ok(match reader {
        Reader::Program => StatusCode::NO_CONTENT.into_response(),
        Reader::Person => page::to_list(&account, "#deleted").into_response(),
    })
}
