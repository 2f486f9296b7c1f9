use super::{
    Trips,
    setting::Setting,
    way::{self, REFERENCE, SECOND, Way},
};
use crate::{arguments::Arguments, laps::Lap, statistics::Spread, table};

/// The rounds of one setting.
pub(crate) struct Report<'a> {
    setting: Setting,
    arguments: &'a Arguments,
    trips: &'a [Trips],
    rounds: Vec<Vec<(Way, Lap)>>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(setting: Setting, arguments: &'a Arguments, trips: &'a [Trips]) -> Self {
        Self {
            setting,
            arguments,
            trips,
            rounds: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, laps: Vec<(Way, Lap)>) {
        self.rounds.push(laps);
    }

    /// Each ratio is taken within one round, where all ways met the same noise; then comes the median
    /// of the rounds.
    pub(crate) fn print(&self) {
        table::heading(&self.setting.to_string());
        let connections = self.arguments.pool;
        println!(
            "{} rounds of {:.2} s, {connections} connections. Ratios: median (lowest–highest) of the rounds.\n",
            self.rounds.len(),
            self.arguments.seconds.as_secs_f64(),
        );
        let measured = |way: &Way| self.rounds.iter().any(|round| find(round, *way).is_some());
        let rows: Vec<Vec<String>> = way::all()
            .into_iter()
            .filter(measured)
            .map(|way| self.row(way))
            .collect();
        table::print(
            &[
                "way",
                "req/s",
                "req/s ÷ tokio-postgres",
                "req/s ÷ sqlx",
                "p50 ms",
                "p50 ÷ tokio-postgres",
                "p50 ÷ sqlx",
                "p99 ms",
                "p99 ÷ tokio-postgres",
                "CPU µs client + server",
                "round trips",
            ],
            &rows,
        );
    }

    fn row(&self, way: Way) -> Vec<String> {
        let median = |figure: fn(&Lap) -> f64| {
            Spread::of(
                self.rounds
                    .iter()
                    .filter_map(|round| Some(figure(find(round, way)?))),
            )
            .median
        };
        let ratio = |to: Way, figure: fn(&Lap) -> f64| {
            let ratios = self
                .rounds
                .iter()
                .filter_map(|round| Some(figure(find(round, way)?) / figure(find(round, to)?)));
            Spread::of(ratios).to_string()
        };
        let query = self.setting.query;
        let trips = self
            .trips
            .iter()
            .find(|trips| trips.way == way && trips.query == query);
        vec![
            way.to_string(),
            format!("{:.0}", median(|lap| lap.per_second)),
            ratio(REFERENCE, |lap| lap.per_second),
            ratio(SECOND, |lap| lap.per_second),
            format!("{:.2}", median(|lap| lap.p50) / 1e3),
            ratio(REFERENCE, |lap| lap.p50),
            ratio(SECOND, |lap| lap.p50),
            format!("{:.2}", median(|lap| lap.p99) / 1e3),
            ratio(REFERENCE, |lap| lap.p99),
            format!(
                "{:.0} + {:.0}",
                median(|lap| lap.client_cpu),
                median(|lap| lap.server_cpu)
            ),
            trips.map_or_else(|| "–".to_owned(), |trips| format!("{:.2}", trips.each)),
        ]
    }
}

fn find(round: &[(Way, Lap)], way: Way) -> Option<&Lap> {
    round
        .iter()
        .find(|(known, _)| *known == way)
        .map(|(_, lap)| lap)
}
