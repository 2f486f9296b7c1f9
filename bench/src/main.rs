//! Measures what the wall costs: access paths, path-scoped tables, policies, memory, who asks,
//! whole requests, open streams.
//!
//! `cargo run --release -p partywall-bench -- --help`; README.md says how to read the answers.

mod access;
mod arguments;
mod cost;
mod cpu;
mod delay;
mod laps;
mod memory;
mod model;
mod outcome;
mod path;
mod people;
mod policies;
mod requests;
mod statistics;
mod streams;
mod table;
mod world;

use arguments::{Arguments, Command, USAGE};
use outcome::Outcome;
use world::World;

fn main() -> Outcome {
    let Some(arguments) = Arguments::read(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(&arguments))
}

async fn measure(arguments: &Arguments) -> Outcome {
    let world = World::open(arguments).await?;
    world.describe().await?;
    if arguments.wants(Command::Policies) {
        policies::measure(&world).await?;
        cost::measure(&world, arguments).await?;
    }
    if arguments.wants(Command::Path) {
        path::measure(&world, arguments).await?;
    }
    if arguments.wants(Command::Memory) {
        memory::measure(&world, arguments).await?;
    }
    if arguments.wants(Command::People) {
        people::measure(&world, arguments).await?;
    }
    if arguments.wants(Command::Access) {
        access::measure(&world, arguments).await?;
    }
    if arguments.wants(Command::Requests) {
        requests::measure(&world, arguments).await?;
    }
    if arguments.wants(Command::Streams) {
        streams::measure(&world, arguments).await?;
    }
    Ok(())
}
