use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use partywall::identity::RequestAccount;
use uuid::Uuid;

use crate::{app::App, web::Problem};

/// The top of a page inside a tenant.
pub(super) struct Top {
    pub(super) slug: String,
    pub(super) tenant: String,
    pub(super) person: String,
    pub(super) playground: bool,
    account: RequestAccount,
}

impl Top {
    pub(super) fn new(account: &RequestAccount, app: &App) -> Self {
        Self {
            slug: account.tenant().slug.clone(),
            tenant: account.tenant().name.clone(),
            person: account.actor().name().to_owned(),
            playground: app.playground.is_some() && account.has("sql.run"),
            account: account.clone(),
        }
    }

    pub(super) fn account_id(&self) -> Option<Uuid> {
        self.account.id()
    }

    /// Whether to offer what needs a permission.
    pub(super) fn may(&self, permission: &str) -> bool {
        self.account.has(permission)
    }
}

/// How something ended.
#[derive(Template)]
#[template(path = "notice.html")]
pub(super) struct Notice {
    pub(super) title: &'static str,
    pub(super) message: &'static str,
}

/// A template as an answer.
pub(super) struct Page<T>(pub(super) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page could not be made");
                Problem::internal().into_response()
            }
        }
    }
}
