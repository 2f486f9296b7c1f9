//! The page of an export: how it stands, and the file once it is there.

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
};
use partywall::{
    identity::RequestAccount,
    web::{Body, Endpoint, Found, Writing},
};

use super::page::{Page, Top};
use crate::{
    app::App,
    exports::{ExportState, export_start, export_state},
    models::export,
    web::{NO_STORE, Problem, shape::html},
};

#[derive(Template)]
#[template(path = "export.html")]
struct ExportPage {
    top: Top,
    id: String,
    state: ExportState,
}

pub(super) fn endpoints() -> [Endpoint<App>; 3] {
    let one = "/t/{tenant}/exports/{export}";
    [
        Endpoint::post("/t/{tenant}/exports", create)
            .named("page.export.create")
            .require("note.export")
            .in_transaction()
            .summary("Has all notes written to a file")
            .answers(StatusCode::SEE_OTHER),
        Endpoint::get(one, show)
            .named("page.export.retrieve")
            .require("note.export")
            .summary("How an export stands")
            .output(StatusCode::OK, html()),
        Endpoint::get("/t/{tenant}/exports/{export}/notes.csv", file)
            .named("page.export.file")
            .require("note.export")
            .summary("The file of an export")
            .output(StatusCode::OK, Body::of::<String>("text/csv")),
    ]
}

async fn create(
    State(app): State<App>,
    account: RequestAccount,
    tx: Writing,
) -> Result<Redirect, Problem> {
    let id = export_start(&tx, &account).await?;
    tx.commit().await?;
    app.jobs.wake();
    let slug = &account.tenant().slug;
    Ok(Redirect::to(&format!("/t/{slug}/exports/{id}")))
}

async fn show(
    State(app): State<App>,
    account: RequestAccount,
    Found(export): Found<export::Model>,
) -> Result<impl IntoResponse, Problem> {
    let page = ExportPage {
        state: export_state(&account, &export).await?,
        id: export.id.to_string(),
        top: Top::new(&account, &app),
    };
    Ok((NO_STORE, Page(page)))
}

async fn file(Found(export): Found<export::Model>) -> Result<impl IntoResponse, Problem> {
    let csv = export.csv.ok_or_else(Problem::not_found)?;
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present",
        ),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"notes.csv\"",
        ),
    ];
    Ok((NO_STORE, headers, csv))
}
