use std::error::Error;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// An error of a bare handler's. Its text is the answer, so that the client can print it.
pub(super) struct Failed(Box<dyn Error>);

impl<E: Error + 'static> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}
