use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};

use super::super::{
    Actions, Call, Context, Granted, ModelOf, Outcome, Resource, list::read_selection,
};
use crate::web::Problem;

impl<R: Resource> Actions<R> {
    /// One row, which was found by its address.
    ///
    /// # Errors
    ///
    /// 400 for a query that asks for what is not there, and what the database reports.
    pub async fn retrieve(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        row: ModelOf<R>,
    ) -> Result<Response, Problem> {
        let chosen = read_selection(call.query, self.names(), granted.sight())?;
        let context = Context::reading(granted);
        let shown = self.shown_one(&context, row).await?;
        let etag = self.etag(granted, &shown);
        if etag.is_known(call.headers) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().insert(header::ETAG, etag.header());
            return Ok(response);
        }
        let shown = match chosen {
            Some(chosen) => shown.only(&chosen),
            None => shown,
        };
        Ok(Outcome::json(StatusCode::OK, shown.to_json())
            .with_etag(&etag)
            .into_response())
    }
}
