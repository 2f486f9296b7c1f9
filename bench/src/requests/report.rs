use super::{
    setting::Setting,
    trips::{Trips, shown},
    way::{self, REFERENCE, Way},
};
use crate::{arguments::Arguments, laps::Lap, statistics::Spread, table};

/// The rounds of one setting.
pub(super) struct Report<'a> {
    setting: Setting,
    arguments: &'a Arguments,
    trips: &'a [Trips],
    rounds: Vec<Vec<(Way, Lap)>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(setting: Setting, arguments: &'a Arguments, trips: &'a [Trips]) -> Self {
        Self {
            setting,
            arguments,
            trips,
            rounds: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, laps: Vec<(Way, Lap)>) {
        self.rounds.push(laps);
    }

    /// Each ratio is taken within one round, where all ways met the same noise; then comes the median
    /// of the rounds.
    pub(super) fn print(&self) {
        table::heading(&self.setting.to_string());
        let laps = self.rounds.iter().flatten();
        println!(
            "{} rounds of {:.2} s, {} connections in each pool, {} requests, none of them failed. \
             Ratios: median (lowest–highest) of the rounds.\n",
            self.rounds.len(),
            self.arguments.seconds.as_secs_f64(),
            self.arguments.pool,
            laps.map(|(_, lap)| lap.calls).sum::<u64>(),
        );
        let rows: Vec<Vec<String>> = way::wanted(self.arguments)
            .map(|way| self.row(way))
            .collect();
        table::print(
            &[
                "way",
                "req/s",
                "req/s ÷ bare",
                "p50 ms",
                "p50 ÷ bare",
                "p99 ms",
                "p99 ÷ bare",
                "CPU µs application + database",
                "client",
                "round trips",
            ],
            &rows,
        );
    }

    fn row(&self, way: Way) -> Vec<String> {
        let each = |figure: fn(&Lap) -> f64| {
            let rounds = self.rounds.iter();
            Spread::of(rounds.filter_map(|round| Some(figure(find(round, way)?)))).median
        };
        let ratio = |figure: fn(&Lap) -> f64| {
            let ratios = self.rounds.iter().filter_map(|round| {
                Some(figure(find(round, way)?) / figure(find(round, REFERENCE)?))
            });
            Spread::of(ratios).to_string()
        };
        vec![
            way.to_string(),
            format!("{:.0}", each(|lap| lap.per_second)),
            ratio(|lap| lap.per_second),
            format!("{:.2}", each(|lap| lap.p50) / 1e3),
            ratio(|lap| lap.p50),
            format!("{:.2}", each(|lap| lap.p99) / 1e3),
            ratio(|lap| lap.p99),
            format!(
                "{:.0} + {:.0}",
                each(|lap| lap.app_cpu),
                each(|lap| lap.server_cpu)
            ),
            format!("{:.0}", each(|lap| lap.client_cpu)),
            shown(self.trips, way, self.setting.call),
        ]
    }
}

fn find(round: &[(Way, Lap)], way: Way) -> Option<&Lap> {
    round
        .iter()
        .find(|(known, _)| *known == way)
        .map(|(_, lap)| lap)
}
