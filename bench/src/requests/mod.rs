//! Whole requests: a list and a create over HTTP, by all of Partywall and by bare handlers.

mod app;
mod bare;
mod bare_sqlx;
mod call;
mod clients;
mod connection;
mod failed;
mod report;
mod setting;
mod shape;
mod site;
mod stack;
mod trips;
mod way;

use std::sync::Arc;

pub(crate) use self::{
    app::App,
    site::{Site, Visitor},
    stack::identity,
};
use self::{
    call::Call, clients::Clients, report::Report, setting::Setting, trips::Trips, way::Way,
};
use crate::{
    access::ROUND_TRIP,
    arguments::Arguments,
    delay::Delay,
    laps::lap,
    outcome::Outcome,
    table,
    world::{TENANTS, World},
};

/// Measures every setting and prints a table for each.
pub(crate) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    let site = Site::open(world, arguments.fresh).await?;
    table::heading("Whole requests");
    println!(
        "{TENANTS} tenants, as many people with ten accounts each. HTTP/1.1 over the loopback, each client with \
         a connection that it keeps. The bare handlers ask nobody who they are, filter by hand and use one \
         statement; Partywall's read a session's cookie, check access and hold the scope, the seal on. Clients, \
         applications and database share the cores; the client does as little as it can, and looks at each answer: \
         its status, how many records, whose they are."
    );
    let delay = Delay::start(world.socket(), ROUND_TRIP)?;
    let trips = trips::count(&site, arguments, &delay).await?;
    let bench = Bench {
        world,
        site: &site,
        arguments,
        trips: &trips,
    };
    for delayed in [true, false] {
        let mut apps = Vec::new();
        for way in way::wanted(arguments) {
            let by = delayed.then_some(&delay);
            apps.push((way, way.start(&site, by, arguments.pool).await?));
        }
        compare(&apps).await?;
        for setting in setting::over(delayed) {
            if setting.to_string().contains(&arguments.only) {
                bench.run(setting, &apps).await?;
            }
        }
    }
    Ok(())
}

struct Bench<'a> {
    world: &'a World,
    site: &'a Site<'a>,
    arguments: &'a Arguments,
    trips: &'a [Trips],
}

impl Bench<'_> {
    async fn run(&self, setting: Setting, apps: &[(Way, App)]) -> Outcome {
        let mut all = Vec::new();
        for (way, app) in apps {
            let clients = Clients::open(app.address, setting.clients).await?;
            all.push((*way, Arc::new(clients)));
        }
        let mut report = Report::new(setting, self.arguments, self.trips);
        // The first round opens the connections to the database and prepares the statements, and does
        // not count.
        for round in 0..=self.arguments.rounds {
            fastrand::shuffle(&mut all);
            let mut laps = Vec::new();
            for (way, clients) in &all {
                let lap = lap(
                    setting.clients,
                    self.arguments.seconds,
                    self.world.postmaster(),
                    clients,
                    move |clients| async move { clients.call(setting.call).await },
                );
                let lap = lap.await?;
                let created = self.site.clear().await?;
                let wanted = match setting.call {
                    Call::Create => lap.calls,
                    Call::List | Call::Show | Call::Change => 0,
                };
                if created != wanted {
                    return Err(format!("{way}: {created} rows of {wanted} requests").into());
                }
                laps.push((*way, lap));
            }
            if round > 0 {
                report.add(laps);
            }
        }
        report.print();
        Ok(())
    }
}

/// All ways have to answer the same, to the byte.
async fn compare(apps: &[(Way, App)]) -> Outcome {
    const VISITORS: u64 = 10;
    let mut known = Vec::new();
    for (way, app) in apps {
        let clients = Clients::open(app.address, 1).await?;
        let mut answers = Vec::new();
        for person in 0..VISITORS {
            let visitor = Visitor::of(person, person % 7)?;
            answers.push(clients.read(Call::List, &visitor).await?);
        }
        if known.is_empty() {
            known = answers;
        } else if known != answers {
            return Err(format!("{way} answers otherwise than the others").into());
        }
    }
    Ok(())
}
