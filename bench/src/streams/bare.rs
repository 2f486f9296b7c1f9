//! A bare handler with streams of a channel of the process: nobody is asked who they are.

use std::convert::Infallible;

use axum::{
    Router,
    extract::{Path, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};
use uuid::Uuid;

use super::way::EVENTS;

pub(super) fn router() -> Router {
    let (sender, _) = channel(16);
    Router::new().route(EVENTS, get(open)).with_state(sender)
}

async fn open(State(sender): State<Sender<()>>, Path(_): Path<Uuid>) -> Response {
    let ready = stream::once(async { Ok(Event::default().event("ready").data("{}")) });
    Sse::new(ready.chain(events(sender.subscribe())))
        .keep_alive(KeepAlive::default())
        .into_response()
}

fn events(heard: Receiver<()>) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    stream::unfold(heard, |mut heard| async {
        match heard.recv().await {
            Ok(()) | Err(RecvError::Lagged(_)) => {
                Some((Ok(Event::default().event("note").data("{}")), heard))
            }
            Err(RecvError::Closed) => None,
        }
    })
}
