//! A list as a whole, as CSV or lines of JSON.

mod csv;
mod format;
mod rows;

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{HeaderValue, header};
use sea_orm::Select;

pub use format::Format;

use super::{Actions, Granted, Resource, action::VARY};
use crate::web::Problem;

impl<R: Resource> Actions<R> {
    /// Answers with all rows of a query. The answer ends when the permission to it does.
    pub(super) async fn export(
        self: &Arc<Self>,
        granted: &Granted,
        select: Select<R::Entity>,
        chosen: Option<Vec<String>>,
        format: Format,
    ) -> Result<Response, Problem> {
        // Who reads slowly keeps a connection: some of them, and not all that there are.
        let permit = Arc::clone(self.exports()).try_acquire_owned();
        let permit = permit.map_err(|_| Problem::busy().with_retry_after(5))?;
        let rows = self.rows(granted, select, chosen, format, permit).await?;
        let rows = granted.account().while_allowed(granted.still_holds(), rows);
        Ok(Self::exported(Body::from_stream(rows), format))
    }

    /// What is told of an export to who does not want it.
    pub(super) fn export_head(format: Format) -> Response {
        Self::exported(Body::empty(), format)
    }

    fn exported(body: Body, format: Format) -> Response {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, format.content_type());
        let file = format!(
            "attachment; filename=\"{}.{}\"",
            R::NAME,
            format.extension()
        );
        if let Ok(file) = HeaderValue::try_from(file) {
            headers.insert(header::CONTENT_DISPOSITION, file);
        }
        headers.insert(header::VARY, VARY);
        response
    }
}
