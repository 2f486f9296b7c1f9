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
use partywall::{
    policy::PolicyError,
    web::{Answers, Routes, RoutesError},
};

pub(crate) use partywall::web::Problem;

use utoipa::openapi::OpenApi;

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

/// Everything that is answered, with who may ask for it.
///
/// # Errors
///
/// [`PolicyError`] for a policy that is written wrongly.
pub fn routes(extras: Extras) -> Result<Routes<App>, PolicyError> {
    let routes = described(extras)?;
    let document = openapi::document(&routes);
    Ok(routes.extend(openapi::endpoints(&document)))
}

/// The document that describes the API (OpenAPI 3.1), as it is answered at `/api/openapi.json`.
///
/// # Errors
///
/// [`PolicyError`] for a policy that is written wrongly.
pub fn openapi(extras: Extras) -> Result<OpenApi, PolicyError> {
    Ok(openapi::document(&described(extras)?))
}

fn described(extras: Extras) -> Result<Routes<App>, PolicyError> {
    let policies = Policies::new()?;
    let answers =
        Answers::default().header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    Ok(parameters::declared()
        .answers(answers)
        .extend(notes::endpoints(&policies))
        .extend(comments::endpoints(&policies))
        .extend(pages::endpoints(&policies, extras))
        .nest("/api", api::routes(&policies, extras)))
}

pub(crate) fn router(app: App) -> Result<Router, StartError> {
    let extras = Extras {
        playground: app.playground.is_some(),
        mail: app.mailer.is_folder(),
    };
    let identity = app.identity.clone();
    let router = routes(extras)?.router(app, &identity);
    let router = router.map_err(|error: RoutesError| StartError::from(error))?;
    Ok(router.layer(middleware::from_fn(pages::problem_page)))
}
