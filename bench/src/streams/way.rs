use std::fmt;

use axum::{Router, http::HeaderMap};
use partywall::{
    Config,
    identity::{Identity, RequestAccount},
    web::{Endpoint, EventStream, Problem, Routes},
};

use super::bare;
use crate::{
    model::note,
    outcome::Outcome,
    requests::{App, identity},
};

pub(super) const EVENTS: &str = "/tenants/{tenant}/events";

/// An application that has streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A bare handler.
    Bare,
    /// Partywall, which looks again and again whether the right is still there.
    Stack,
}

impl Way {
    /// A way by its name on the command line.
    pub(super) fn parse(name: &str) -> Outcome<Self> {
        match name {
            "bare" => Ok(Self::Bare),
            "" => Ok(Self::Stack),
            other => Err(format!("`{other}` is no way to a stream: say `bare`, or nothing").into()),
        }
    }

    pub(super) async fn start(self, config: Config) -> Outcome<App> {
        match self {
            Self::Bare => App::start(async { Ok(bare::router()) }).await,
            Self::Stack => App::start(stack(config)).await,
        }
    }
}

async fn stack(config: Config) -> Outcome<Router> {
    let routes: Routes<Identity> = Routes::new().route(
        Endpoint::get(EVENTS, open)
            .named("note.events")
            .require("note.read"),
    );
    let identity = identity(config).await?;
    Ok(routes.router(identity.clone(), &identity)?)
}

async fn open(account: RequestAccount, headers: HeaderMap) -> Result<EventStream, Problem> {
    let events = account.events("note.read").of::<note::Entity>();
    events.after(&headers).open().await
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare handler",
            Self::Stack => "Partywall",
        })
    }
}
