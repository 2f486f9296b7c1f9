use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use chrono::{TimeDelta, Utc};
use partywall::identity::{NewKey, RequestAccount, model::api_key};

use super::{
    page::{Page, Top},
    wrong::Wrong,
};
use crate::{
    app::App,
    notes::time,
    web::{Problem, fields::Fields, path_id::PathId},
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
    fields: Fields<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    account.require("key.write")?;
    let fields = fields.read()?;
    let given = |wanted: &'static str| {
        let found = fields.iter().filter(move |(name, _)| name == wanted);
        found.map(|(_, value)| value.clone())
    };
    let wanted = given("name").next().zip(days(given("days").next()));
    let (status, new, problem) = match wanted {
        None => {
            let wrong = Wrong::of("days", "a key is good for 1 to 3650 days");
            (StatusCode::UNPROCESSABLE_ENTITY, None, Some(wrong))
        }
        Some((name, days)) => {
            let new = NewKey {
                name,
                permissions: given("permission").collect(),
                expires_at: days.map(|days| Utc::now() + TimeDelta::days(days)),
                is_service: given("service").next().is_some(),
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
    Ok((status, Page(page)).into_response())
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
    PathId(id): PathId,
) -> Result<Redirect, Problem> {
    account.key_revoke(id).await?;
    let list = format!("/t/{}/keys#revoked", account.tenant().slug);
    Ok(Redirect::to(&list))
}
