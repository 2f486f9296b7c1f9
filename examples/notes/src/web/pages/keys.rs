use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use chrono::{TimeDelta, Utc};
use partywall::{
    identity::{NewKey, RequestAccount, model::api_key},
    web::{Endpoint, Found},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    notes::time,
    policies::Policies,
    web::{
        NO_STORE, Problem,
        fields::Fields,
        parameters::KeyId,
        shape::{form, html},
    },
};

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    top: Top,
    keys: Vec<api_key::Model>,
    /// What a new key can be permitted: what the visitor may do.
    permissions: Vec<String>,
    /// A key that was just made.
    new: Option<String>,
    problem: Option<Wrong>,
}

impl KeysPage {
    fn last_use(&self, key: &api_key::Model) -> String {
        key.last_used_at.map_or_else(|| "never".to_owned(), time)
    }

    fn end(&self, key: &api_key::Model) -> String {
        key.expires_at.map_or_else(|| "never".to_owned(), time)
    }
}

/// What is filled in and ticked.
#[derive(Default, Deserialize, ToSchema)]
#[serde(from = "Vec<(String, String)>")]
#[schema(as = KeyForm)]
pub(super) struct Wanted {
    name: Option<String>,
    /// How many days it is good for; for ever where nothing is said.
    days: Option<String>,
    permission: Vec<String>,
    service: Option<String>,
}

impl From<Vec<(String, String)>> for Wanted {
    fn from(fields: Vec<(String, String)>) -> Self {
        let mut wanted = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "name" => wanted.name = Some(value),
                "days" => wanted.days = Some(value),
                "permission" => wanted.permission.push(value),
                "service" => wanted.service = Some(value),
                _ => {}
            }
        }
        wanted
    }
}

pub(super) fn endpoints(policies: &Policies) -> [Endpoint<App>; 3] {
    [
        Endpoint::get("/t/{tenant}/keys", list)
            .named("page.key.list")
            .policy(policies.keys.clone())
            .summary("The keys of programs: one's own, or all with `key.read`")
            .output(StatusCode::OK, html()),
        Endpoint::post("/t/{tenant}/keys", add)
            .named("page.key.create")
            .require("key.write")
            .summary("Makes a key, which is shown this once")
            .input(form::<Wanted>())
            .output(StatusCode::CREATED, html()),
        Endpoint::post("/t/{tenant}/keys/{key}/revoke", revoke)
            .named("page.key.delete")
            .policy(policies.keys.clone())
            .on_parent()
            .summary("Takes a key back: one's own, or any with `key.write`")
            .answers(StatusCode::SEE_OTHER),
    ]
}

async fn page(app: &App, account: &RequestAccount) -> Result<KeysPage, Problem> {
    let permissions = account.permissions().iter().map(str::to_owned);
    Ok(KeysPage {
        keys: account.key_list().await?,
        permissions: permissions.collect(),
        top: Top::new(account, app),
        new: None,
        problem: None,
    })
}

pub(super) async fn list(
    State(app): State<App>,
    account: RequestAccount,
) -> Result<Page<impl Template>, Problem> {
    page(&app, &account).await.map(Page)
}

pub(super) async fn add(
    State(app): State<App>,
    account: RequestAccount,
    Fields(wanted): Fields<Wanted>,
) -> Result<Response, Problem> {
    let named = wanted.name.zip(days(wanted.days));
    let (status, new, problem) = match named {
        None => {
            let wrong = Wrong::of("days", "a key is good for 1 to 3650 days");
            (StatusCode::UNPROCESSABLE_ENTITY, None, Some(wrong))
        }
        Some((name, days)) => {
            let new = NewKey {
                name,
                permissions: wanted.permission,
                expires_at: days.map(|days| Utc::now() + TimeDelta::days(days)),
                is_service: wanted.service.is_some(),
            };
            match account.key_create(new).await {
                Ok((_, key)) => (StatusCode::CREATED, Some(key.expose()), None),
                Err(error) => {
                    let problem = Problem::from(error);
                    if problem.status() != StatusCode::UNPROCESSABLE_ENTITY {
                        return Err(problem);
                    }
                    (problem.status(), None, Some(Wrong::new(&problem)))
                }
            }
        }
    };
    let page = KeysPage {
        new,
        problem,
        ..page(&app, &account).await?
    };
    Ok((status, NO_STORE, Page(page)).into_response())
}

/// How many days; for ever where nothing is said.
fn days(text: Option<String>) -> Option<Option<i64>> {
    let text = text.unwrap_or_default();
    if text.trim().is_empty() {
        return Some(None);
    }
    let days = text.trim().parse().ok();
    days.filter(|days| (1..=3_650).contains(days)).map(Some)
}

pub(super) async fn revoke(
    account: RequestAccount,
    Found(KeyId(id)): Found<KeyId>,
) -> Result<Redirect, Problem> {
    account.key_revoke(id).await?;
    let list = format!("/t/{}/keys#revoked", account.tenant().slug);
    Ok(Redirect::to(&list))
}
