//! One statement by every way to the rows.

mod client;
mod plain;
mod query;
mod report;
mod scoped;
mod setting;
mod way;

use std::sync::Arc;

use self::{
    client::{Client, Pools},
    query::Query,
    report::Report,
    setting::Setting,
    way::Way,
};
pub(crate) use self::{plain::pool, setting::ROUND_TRIP};
use crate::{
    arguments::Arguments,
    delay::{Crossed, Delay},
    laps::{Lap, lap},
    outcome::Outcome,
    table,
    world::World,
};

/// Round trips for each call.
struct Trips {
    way: Way,
    query: Query,
    each: f64,
}

/// Calls by which round trips are counted.
const COUNTED: u32 = 100;

/// Measures every setting and prints a table for each.
pub(crate) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    let delay = Delay::start(world.socket(), setting::ROUND_TRIP)?;
    setting::calibrate(world, &delay).await?;
    let trips = count_trips(world, arguments, &delay).await?;
    for setting in setting::all() {
        if !setting.to_string().contains(&arguments.only) {
            continue;
        }
        let slow = setting.delayed.then_some(&delay);
        let pools = Pools::open(world, slow, arguments.pool).await?;
        let mut clients: Vec<_> = ways(arguments)
            .map(|way| (way, Arc::new(pools.client(way))))
            .collect();
        let mut report = Report::new(setting, arguments, &trips);
        // The first round opens the connections and prepares the statements, and does not count.
        for round in 0..=arguments.rounds {
            fastrand::shuffle(&mut clients);
            let mut laps = Vec::new();
            for (way, client) in &clients {
                laps.push((*way, run(world, setting, arguments, client).await?));
            }
            if round > 0 {
                report.add(laps);
            }
        }
        report.print();
        pools.close().await;
    }
    Ok(())
}

async fn run(
    world: &World,
    setting: Setting,
    arguments: &Arguments,
    client: &Arc<Client>,
) -> Outcome<Lap> {
    lap(
        setting.clients,
        arguments.seconds,
        world.postmaster(),
        client,
        move |client| async move { client.call(setting.query).await },
    )
    .await
}

/// Counts what crosses the slow wire for each call, when all is prepared.
async fn count_trips(world: &World, arguments: &Arguments, delay: &Delay) -> Outcome<Vec<Trips>> {
    table::heading("Round trips for each call, counted on the wire");
    println!(
        "{COUNTED} calls one after another, statements prepared. A round trip: the client spoke \
         after the server had. A burst: bytes of the client's arrived, whether it waited or not.\n"
    );
    let pools = Pools::open(world, Some(delay), 1).await?;
    let mut trips = Vec::new();
    let mut rows = Vec::new();
    for way in ways(arguments) {
        let client = pools.client(way);
        let mut cells = vec![way.to_string()];
        for query in query::all() {
            client.call(query).await?;
            client.call(query).await?;
            settle().await;
            let before = delay.crossed();
            for _ in 0..COUNTED {
                client.call(query).await?;
            }
            settle().await;
            let Crossed {
                round_trips,
                bursts,
            } = delay.crossed();
            let each = |count: u64| count as f64 / f64::from(COUNTED);
            let (round_trips, bursts) = (
                each(round_trips - before.round_trips),
                each(bursts - before.bursts),
            );
            cells.push(format!("{round_trips:.2}"));
            cells.push(format!("{bursts:.2}"));
            trips.push(Trips {
                way,
                query,
                each: round_trips,
            });
        }
        rows.push(cells);
    }
    pools.close().await;
    table::print(
        &[
            "way",
            "point: round trips",
            "bursts",
            "list: round trips",
            "bursts",
        ],
        &rows,
    );
    Ok(trips)
}

fn ways(arguments: &Arguments) -> impl Iterator<Item = Way> {
    way::all()
        .into_iter()
        .filter(|way| way.to_string().contains(&arguments.way))
}

/// Waits for what a pool does after a connection was given back.
async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
}
