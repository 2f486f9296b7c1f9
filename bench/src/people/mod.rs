//! What it costs to know who asks: one statement for session, account, tenant and permissions.

mod plans;
mod sign_ins;
pub(crate) mod town;

use std::{fmt, sync::Arc};

use partywall::{
    Sql,
    identity::{Identity, TenantSelector},
};

use self::town::{ACCOUNTS, MANY, PEOPLE, TENANTS, Town};
use crate::{
    access::ROUND_TRIP,
    arguments::Arguments,
    delay::Delay,
    laps::{Lap, lap},
    outcome::Outcome,
    statistics::Spread,
    table,
    world::World,
};

/// What is done for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// A statement in a scope, for comparison: the tenant's own row.
    Read,
    /// Knowing who asks, one of those with ten accounts.
    Few,
    /// Knowing who asks, the one with a thousand accounts.
    Many,
    /// Both, as in a request.
    Request,
    /// All accounts of one with ten.
    ListFew,
    /// All accounts of the one with a thousand.
    ListMany,
}

const CALLS: [Call; 6] = [
    Call::Read,
    Call::Few,
    Call::Many,
    Call::Request,
    Call::ListFew,
    Call::ListMany,
];

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "scoped read of one row",
            Self::Few => "authenticate, 10 accounts",
            Self::Many => "authenticate, 1,000 accounts",
            Self::Request => "authenticate and scoped read",
            Self::ListFew => "my accounts: 10",
            Self::ListMany => "my accounts: 1,000",
        })
    }
}

impl Call {
    async fn run(self, identity: &Identity) -> Outcome {
        let person = match self {
            Self::Many | Self::ListMany => PEOPLE,
            Self::Read | Self::Few | Self::Request | Self::ListFew => fastrand::u64(..PEOPLE),
        };
        let accounts = if person == PEOPLE { MANY } else { ACCOUNTS };
        let token = town::token(person)?;
        let slug = town::slug(person, fastrand::u64(..accounts));
        match self {
            Self::Read => {
                let scope = partywall::Scope::trusted([partywall::TENANT.is(town::tenant(&slug)?)]);
                let db = identity.db().scoped(&scope);
                expect(&db.rows("SELECT * FROM identity.tenant", []).await?, 1)
            }
            Self::Few | Self::Many => {
                let found = identity
                    .authenticate(&token, TenantSelector::Slug(&slug), None)
                    .await?;
                found.account()?.require("note.read")?;
                Ok(())
            }
            Self::Request => {
                let found = identity
                    .authenticate(&token, TenantSelector::Slug(&slug), None)
                    .await?;
                let account = found.account()?;
                account.require("note.read")?;
                let rows = account
                    .read()
                    .rows("SELECT * FROM identity.tenant", [])
                    .await?;
                expect(&rows, 1)
            }
            Self::ListFew | Self::ListMany => {
                let found = identity
                    .authenticate(&token, TenantSelector::Current, None)
                    .await?;
                let user = found.user.as_ref().ok_or("a session has a person")?;
                expect(&identity.accounts(user).await?, accounts)
            }
        }
    }
}

fn expect<T>(rows: &[T], wanted: u64) -> Outcome {
    if rows.len() as u64 == wanted {
        Ok(())
    } else {
        Err(format!("{} rows instead of {wanted}", rows.len()).into())
    }
}

/// Measures and prints.
pub(crate) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    let town = Town::open(world, arguments.fresh).await?;
    table::heading("Who asks");
    println!(
        "{TENANTS} tenants, {} accounts; {PEOPLE} people with {ACCOUNTS} each and one with {MANY}. A list of \
         accounts authenticates first, so it is two statements.\n",
        PEOPLE * ACCOUNTS + MANY
    );
    let delay = Delay::start(world.socket(), ROUND_TRIP)?;
    for (wire, by) in [("1 ms added", Some(&delay)), ("unix socket", None)] {
        for clients in [1, 64] {
            let identity = Arc::new(town.identity(by, arguments.pool).await?);
            let trips = match by {
                Some(delay) if clients == 1 => count(&identity, delay).await?,
                Some(_) | None => Vec::new(),
            };
            let mut rounds: Vec<Vec<(Call, Lap)>> = Vec::new();
            let mut calls = CALLS;
            for round in 0..=arguments.rounds {
                fastrand::shuffle(&mut calls);
                let mut laps = Vec::new();
                for call in calls {
                    let run =
                        move |identity: Arc<Identity>| async move { call.run(&identity).await };
                    let lap = lap(
                        clients,
                        arguments.seconds,
                        world.postmaster(),
                        &identity,
                        run,
                    );
                    laps.push((call, lap.await?));
                }
                if round > 0 {
                    rounds.push(laps);
                }
            }
            println!("{clients} client(s), {wire}:\n");
            print(&rounds, &trips);
            println!();
        }
    }
    plans::show(world).await?;
    sign_ins::measure(&town, arguments).await
}

/// Round trips of each call, counted on the wire.
async fn count(identity: &Identity, delay: &Delay) -> Outcome<Vec<(Call, f64)>> {
    const TIMES: u32 = 50;
    let mut trips = Vec::new();
    for call in CALLS {
        // All connections of the pool have prepared it then.
        for _ in 0..TIMES {
            call.run(identity).await?;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let before = delay.crossed().round_trips;
        for _ in 0..TIMES {
            call.run(identity).await?;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let crossed = delay.crossed().round_trips - before;
        trips.push((call, crossed as f64 / f64::from(TIMES)));
    }
    Ok(trips)
}

fn print(rounds: &[Vec<(Call, Lap)>], trips: &[(Call, f64)]) {
    let of = |round: &[(Call, Lap)], call: Call| {
        round
            .iter()
            .find(|(known, _)| *known == call)
            .map(|(_, lap)| *lap)
    };
    let rows: Vec<Vec<String>> = CALLS
        .into_iter()
        .map(|call| {
            let median = |figure: fn(&Lap) -> f64| {
                Spread::of(
                    rounds
                        .iter()
                        .filter_map(|round| Some(figure(&of(round, call)?))),
                )
                .median
            };
            let ratio = Spread::of(
                rounds
                    .iter()
                    .filter_map(|round| Some(of(round, call)?.p50 / of(round, Call::Read)?.p50)),
            );
            let each = trips.iter().find(|(known, _)| *known == call);
            vec![
                call.to_string(),
                format!("{:.0}", median(|lap| lap.per_second)),
                format!("{:.2}", median(|lap| lap.p50) / 1e3),
                ratio.to_string(),
                format!("{:.2}", median(|lap| lap.p99) / 1e3),
                format!(
                    "{:.0} + {:.0}",
                    median(|lap| lap.client_cpu),
                    median(|lap| lap.server_cpu)
                ),
                each.map_or_else(|| "–".to_owned(), |(_, each)| format!("{each:.2}")),
            ]
        })
        .collect();
    table::print(
        &[
            "call",
            "calls/s",
            "p50 ms",
            "p50 ÷ scoped read",
            "p99 ms",
            "CPU µs client + server",
            "round trips",
        ],
        &rows,
    );
}
