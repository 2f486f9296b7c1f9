//! How often a request waits for the database.

use std::time::Duration;

use super::{
    call::Call,
    clients::Clients,
    site::Site,
    way::{self, Way},
};
use crate::{arguments::Arguments, delay::Delay, outcome::Outcome, table};

/// Requests by which round trips are counted.
const COUNTED: u32 = 100;

/// Round trips for each request.
pub(super) struct Trips {
    pub(super) way: Way,
    pub(super) call: Call,
    pub(super) each: f64,
}

/// Counts what crosses the slow wire, when all is prepared.
pub(super) async fn count(
    site: &Site<'_>,
    arguments: &Arguments,
    delay: &Delay,
) -> Outcome<Vec<Trips>> {
    let mut trips = Vec::new();
    for way in way::wanted(arguments) {
        let app = way.start(site, Some(delay), 1).await?;
        let client = Clients::open(app.address, 1).await?;
        for call in Call::all().into_iter().filter(|call| way.answers(*call)) {
            for _ in 0..3 {
                client.call(call).await?;
            }
            settle().await;
            let before = delay.crossed().round_trips;
            for _ in 0..COUNTED {
                client.call(call).await?;
            }
            settle().await;
            let crossed = delay.crossed().round_trips - before;
            trips.push(Trips {
                way,
                call,
                each: crossed as f64 / f64::from(COUNTED),
            });
        }
    }
    site.clear().await?;
    print(&trips, arguments);
    Ok(trips)
}

fn print(trips: &[Trips], arguments: &Arguments) {
    table::heading("Round trips for each request, counted on the wire");
    println!(
        "{COUNTED} requests one after another over one kept connection, statements prepared. A round trip: \
         the application spoke to the database after that had spoken.\n"
    );
    let ways: Vec<Way> = way::wanted(arguments).collect();
    let mut head = vec!["request".to_owned()];
    head.extend(ways.iter().map(Way::to_string));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let rows = Call::all().map(|call| {
        let mut cells = vec![call.to_string()];
        cells.extend(ways.iter().map(|way| shown(trips, *way, call)));
        cells
    });
    table::print(&head, &rows);
}

/// The count as it is printed.
pub(super) fn shown(trips: &[Trips], way: Way, call: Call) -> String {
    let found = trips
        .iter()
        .find(|trips| trips.way == way && trips.call == call);
    found.map_or_else(|| "–".to_owned(), |trips| format!("{:.2}", trips.each))
}

/// Waits for what a pool does after a connection was given back.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
