use std::{
    fmt,
    time::{Duration, Instant},
};

use super::query::{self, Query};
use crate::{
    delay::Delay,
    outcome::Outcome,
    statistics::percentile,
    table,
    world::{Data, World, connect},
};

/// What the slow wire adds to each round trip.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(1);

/// What is measured, by how many, over which wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) query: Query,
    pub(crate) clients: usize,
    pub(crate) delayed: bool,
}

pub(crate) fn all() -> Vec<Setting> {
    let mut settings = Vec::new();
    for delayed in [true, false] {
        for clients in [1, 64] {
            settings.extend(query::all().map(|query| Setting {
                query,
                clients,
                delayed,
            }));
        }
    }
    settings
}

/// Says how long the wires really take.
pub(crate) async fn calibrate(world: &World, delay: &Delay) -> Outcome {
    table::heading("The wires");
    for (name, by) in [("unix socket", None), ("slow wire", Some(delay))] {
        let client = connect(&world.superuser_url(Data::Sealed, by)?).await?;
        let statement = client.prepare("SELECT 1").await?;
        let mut taken = Vec::new();
        for _ in 0..500 {
            let asked = Instant::now();
            client.query_one(&statement, &[]).await?;
            taken.push(asked.elapsed());
        }
        taken.sort_unstable();
        let micros = |share| percentile(&taken, share).unwrap_or_default().as_micros();
        println!(
            "- {name}: `SELECT 1` takes {} µs, p99 {} µs",
            micros(0.5),
            micros(0.99)
        );
    }
    Ok(())
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = match self.query {
            Query::Point => "point read",
            Query::List => "list of 50",
        };
        let clients = if self.clients == 1 {
            "1 client".to_owned()
        } else {
            format!("{} clients", self.clients)
        };
        let wire = if self.delayed {
            "1 ms added"
        } else {
            "unix socket"
        };
        write!(f, "{query}, {clients}, {wire}")
    }
}
