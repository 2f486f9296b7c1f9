use std::fmt;

use sqlx::postgres::PgPoolOptions;

use super::{app::App, bare, bare_sqlx, call::Call, site::Site, stack};
use crate::{access, arguments::Arguments, delay::Delay, outcome::Outcome};

/// An application that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A bare handler on tokio-postgres.
    Bare,
    /// A bare handler on sqlx.
    BareSqlx,
    /// Partywall, with policies that ask for a permission.
    Stack,
    /// Partywall, with policies that look at the rows.
    StackByRows,
}

/// The way that all others are compared with.
pub(super) const REFERENCE: Way = Way::Bare;

pub(super) fn all() -> [Way; 4] {
    [Way::Bare, Way::BareSqlx, Way::Stack, Way::StackByRows]
}

/// Those that were asked for.
pub(super) fn wanted(arguments: &Arguments) -> impl Iterator<Item = Way> {
    all()
        .into_iter()
        .filter(|way| way.to_string().contains(&arguments.way))
}

impl Way {
    /// Starts the application, with so many connections in each of its pools.
    pub(super) async fn start(
        self,
        site: &Site<'_>,
        by: Option<&Delay>,
        connections: usize,
    ) -> Outcome<App> {
        match self {
            Self::Bare => {
                let pool = access::pool(&site.superuser_url(by)?, connections)?;
                App::start(async move { Ok(bare::router(pool)) }).await
            }
            Self::BareSqlx => {
                let url = site.superuser_url(by)?;
                let options = PgPoolOptions::new().max_connections(u32::try_from(connections)?);
                App::start(async move { Ok(bare_sqlx::router(options.connect(&url).await?)) }).await
            }
            Self::Stack => App::start(stack::router(site.config(by, connections)?)).await,
            Self::StackByRows => {
                App::start(stack::router_by_rows(site.config(by, connections)?)).await
            }
        }
    }

    /// Whether it has an endpoint.
    pub(super) fn answers(self, call: Call) -> bool {
        match call {
            Call::List | Call::Create => true,
            Call::Show | Call::Change => self == Self::Stack,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare handler, tokio-postgres",
            Self::BareSqlx => "bare handler, sqlx",
            Self::Stack => "Partywall",
            Self::StackByRows => "Partywall, policy on rows",
        })
    }
}
