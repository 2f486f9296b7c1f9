use std::{convert::Infallible, fmt, sync::Arc};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use http::{HeaderName, HeaderValue, header};

use super::{payload::Readers, wire};
use crate::{
    db::Changes,
    identity::{OpenStream, RequestAccount},
};

/// nginx and others hold an answer back until they have enough of it, unless they are told not to.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// An answer of server-sent events (`text/event-stream`), made by [`Events::open`](super::Events::open).
///
/// A comment is sent every 15 seconds without an event, so that proxies keep the connection.
pub struct EventStream(BoxStream<'static, Result<Event, Infallible>>);

impl EventStream {
    pub(super) fn new(
        account: &RequestAccount,
        permission: &'static str,
        open: OpenStream,
        changes: Changes,
        readers: Readers,
        is_again: bool,
    ) -> Self {
        let reading = (!readers.is_empty()).then(|| Arc::new((account.clone(), readers)));
        let told = changes.then(move |change| {
            let reading = reading.clone();
            async move {
                let row = match (wire::readable(&change), reading.as_deref()) {
                    (Some(row), Some((account, readers))) => {
                        Box::pin(readers.read(account.read(), row)).await
                    }
                    (Some(_) | None, _) => None,
                };
                wire::event(&change, row)
            }
        });
        let told = stream::iter([wire::opening(is_again)]).chain(told);
        let permitted = Box::pin(account.while_permitted(permission, told));
        let state = (permitted, open, 1_u64);
        Self(
            stream::unfold(state, |(mut told, mut open, n)| async move {
                let event = tokio::select! {
                    biased;
                    () = open.ends() => None,
                    event = told.next() => event,
                }?;
                Some((Ok(event.id(n.to_string())), (told, open, n + 1)))
            })
            .fuse()
            .boxed(),
        )
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let mut response = Sse::new(self.0)
            .keep_alive(KeepAlive::default())
            .into_response();
        let headers = response.headers_mut();
        // A proxy that compressed it would hold it back.
        let kept_by_nobody = HeaderValue::from_static("no-store, no-transform");
        headers.insert(header::CACHE_CONTROL, kept_by_nobody);
        headers.insert(BUFFERING, HeaderValue::from_static("no"));
        response
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}
