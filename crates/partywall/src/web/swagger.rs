//! A page to browse the document of the routes with: Swagger UI, from files of its crate's own.

use std::sync::Arc;

use axum::{
    extract::Path,
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderValue, header};
use utoipa_swagger_ui::{Config, serve};

use super::{Endpoint, Parameter, Problem};

/// It writes styles into its page, and shows images that it brings along.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The parameter that names a file of the page.
#[must_use]
pub fn swagger_parameter() -> Parameter {
    Parameter::text("swagger_file")
}

/// Two endpoints that show the document at `document` on a page at `at`. Who may see them is still to
/// be said: `.map(|endpoint| endpoint.public("the API is no secret"))`. The routes need
/// [`swagger_parameter`].
#[must_use]
pub fn swagger<S>(at: &str, document: &str) -> [Endpoint<S>; 2]
where
    S: Clone + Send + Sync + 'static,
{
    let config = Arc::new(Config::from(document.to_owned()));
    let first = format!("{at}/index.html");
    let show = move |Path(file): Path<String>| {
        let config = config.clone();
        async move { page(&file, config) }
    };
    [
        Endpoint::get(at, async move || Redirect::to(&first)).named("swagger.index"),
        Endpoint::get(format!("{at}/{{swagger_file}}"), show).named("swagger.file"),
    ]
}

fn page(file: &str, config: Arc<Config<'static>>) -> Response {
    let found = match serve(file, config) {
        Ok(Some(found)) => found,
        Ok(None) => return Problem::not_found().into_response(),
        Err(error) => {
            tracing::error!(%error, "the page of the routes cannot be made");
            return Problem::internal().into_response();
        }
    };
    let kind = HeaderValue::try_from(found.content_type);
    let kind = kind.unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, found.bytes.into_owned()).into_response()
}
