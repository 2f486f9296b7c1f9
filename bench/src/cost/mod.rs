//! What entering a scope, its policy and its seal cost in the server.

mod form;
mod looped;
mod piped;

use crate::{arguments::Arguments, outcome::Outcome, world::World};

/// The loops that every database has.
pub(crate) const LOOPS: &str = include_str!("loops.sql");

pub(crate) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    looped::measure(world, arguments).await?;
    piped::measure(world, arguments).await
}
