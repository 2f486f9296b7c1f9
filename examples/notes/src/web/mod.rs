//! HTTP: pages for people and JSON for programs, over the same rooms.
//!
//! What is answered is one value, [`routes`]: each endpoint says who may use it, and that is checked
//! before its handler, which asks for no permission of its own.

mod api;
mod comments;
mod fields;
mod log;
mod notes;
mod openapi;
mod pages;
mod parameters;
mod reader;
mod shape;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware,
};
use partywall::web::{Answers, Routes, RoutesError, resource::CursorKey};
use utoipa::openapi::OpenApi;

pub(crate) use partywall::web::Problem;

use crate::{
    app::{App, StartError},
    policies::Policies,
};

/// Scripts and styles are files of ours, and what a page sends goes to us.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// For an answer that shows a secret: nothing keeps it, not the browser either.
const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// What is answered beside the rest, where it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// Any SQL, in a tenant's scope.
    pub playground: bool,
    /// The mail that was sent, to be read in development.
    pub mail: bool,
}

/// Everything that is answered, with who may ask for it. The key signs the cursors of lists.
///
/// # Errors
///
/// [`StartError`] for a policy or a resource that is written wrongly.
pub fn routes(extras: Extras, cursors: &CursorKey) -> Result<Routes<App>, StartError> {
    let routes = described(extras, cursors)?;
    let document = openapi::document(&routes);
    Ok(routes.extend(openapi::endpoints(&document)))
}

/// The document that describes the API (OpenAPI 3.1), as it is answered at `/api/openapi.json`.
///
/// # Errors
///
/// [`StartError`] for a policy or a resource that is written wrongly.
pub fn openapi(extras: Extras, cursors: &CursorKey) -> Result<OpenApi, StartError> {
    Ok(openapi::document(&described(extras, cursors)?))
}

fn described(extras: Extras, cursors: &CursorKey) -> Result<Routes<App>, StartError> {
    let policies = Policies::new()?;
    let answers =
        Answers::default().header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    Ok(parameters::declared()
        .answers(answers)
        .extend(notes::endpoints(&policies))
        .extend(comments::endpoints(&policies))
        .extend(pages::endpoints(&policies, extras))
        .nest("/api", api::routes(&policies, extras, cursors)?))
}

pub(crate) fn router(app: App) -> Result<Router, StartError> {
    let extras = Extras {
        playground: app.playground.is_some(),
        mail: app.mailer.is_folder(),
    };
    let identity = app.identity.clone();
    let router = routes(extras, &app.cursors)?.router(app, &identity);
    let router = router.map_err(|error: RoutesError| StartError::from(error))?;
    Ok(router.layer(middleware::from_fn(pages::problem_page)))
}
