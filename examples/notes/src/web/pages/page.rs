use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::{identity::InTenant, web::Problem};

/// The top of a page inside a tenant.
pub(super) struct Top {
    pub(super) slug: String,
    pub(super) tenant: String,
    pub(super) person: String,
    pub(super) playground: bool,
}

impl Top {
    pub(super) fn new(tenant: &InTenant, playground: bool) -> Self {
        Self {
            slug: tenant.tenant.slug.clone(),
            tenant: tenant.tenant.name.clone(),
            person: tenant.person.name.clone(),
            playground,
        }
    }
}

/// A template as an answer.
pub(super) struct Page<T>(pub(super) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page could not be made");
                Problem::Internal.into_response()
            }
        }
    }
}
