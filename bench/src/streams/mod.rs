//! What an open stream of events takes.

mod bare;
mod listener;
mod way;

use std::{fs, net::SocketAddr, time::Duration};

use self::{listener::Listener, way::Way};
use crate::{
    arguments::Arguments,
    memory::kilobytes,
    outcome::Outcome,
    requests::{App, Site, Visitor},
    table,
    world::{TENANTS, World},
};

/// Open streams at which to look.
const LOOKS: [u64; 2] = [1_000, 5_000];
const QUICK: [u64; 2] = [20, 100];

/// Longer than a right goes without being looked at again: each stream has done that once at least.
const REST: Duration = Duration::from_secs(6);

/// How often all are closed and opened again: what is not given back would add up.
const AGAIN: usize = 4;

/// Files that the process has open besides its streams, at most.
const OTHER_FILES: u64 = 500;

/// Measures one way: a second one in the same process would use what the first gave back.
pub(crate) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    let looks = if arguments.quick { QUICK } else { LOOKS };
    let most = looks.into_iter().max().unwrap_or_default();
    enough_files(2 * most + OTHER_FILES)?;
    let way = Way::parse(&arguments.way)?;
    let site = Site::open(world, arguments.fresh).await?;
    table::heading(&format!("Open streams: {way}"));
    println!(
        "Server-sent events over the loopback, each stream of another person in a tenant of theirs. What is \
         resident of this process, in which the other end of each stream is a socket and nothing else; what the \
         kernel keeps for the sockets is not in it.\n"
    );
    let app = way.start(site.config(None, arguments.pool)?).await?;
    // Connections to the database are open then, and statements prepared.
    let few = looks.into_iter().min().unwrap_or_default() / 10;
    let first = open(&app, 0..few).await?;
    tokio::time::sleep(REST).await;
    drop(first);
    let mut table = Table {
        site: &site,
        empty: 0,
        rows: Vec::new(),
    };
    table.look("none yet", &[]).await?;
    let mut streams = Vec::new();
    for look in looks {
        streams.extend(open(&app, streams.len() as u64..look).await?);
        table.look("opened", &streams).await?;
    }
    for _ in 0..AGAIN {
        streams.clear();
        table.look("all closed", &streams).await?;
        streams.extend(open(&app, 0..most).await?);
        table.look("opened again", &streams).await?;
    }
    if way == Way::Stack {
        hear(&site, &streams).await?;
    }
    table.print();
    Ok(())
}

async fn open(app: &App, people: std::ops::Range<u64>) -> Outcome<Vec<Listener>> {
    let address: SocketAddr = app.address;
    tokio::task::spawn_blocking(move || {
        people
            .map(|person| Listener::open(address, &Visitor::of(person % TENANTS, 0)?))
            .collect()
    })
    .await?
}

/// Every stream tells of a note in its own tenant, and of none in another.
async fn hear(site: &Site<'_>, streams: &[Listener]) -> Outcome {
    let told: Vec<usize> = streams.iter().map(Listener::notes).collect();
    let first = Visitor::of(0, 0)?;
    site.touch(first.tenant).await?;
    tokio::time::sleep(REST).await;
    for (person, (stream, before)) in (0..).zip(streams.iter().zip(told)) {
        let is_own = Visitor::of(person, 0)?.tenant == first.tenant;
        let heard = stream.notes() - before;
        if heard != usize::from(is_own) {
            return Err(format!("stream {person} told of {heard} notes").into());
        }
    }
    Ok(())
}

struct Table<'a> {
    site: &'a Site<'a>,
    empty: u64,
    rows: Vec<Vec<String>>,
}

impl Table<'_> {
    /// Looks how much memory there is with so many streams, when they have come to rest.
    async fn look(&mut self, after: &str, streams: &[Listener]) -> Outcome {
        tokio::time::sleep(REST).await;
        let resident = kilobytes("/proc/self/status", "VmRSS:")
            .ok_or("the system does not tell how much memory a process has")?;
        let ended = streams.iter().filter(|stream| !stream.is_open()).count();
        if ended > 0 {
            return Err(format!("{ended} of {} streams have ended", streams.len()).into());
        }
        if self.rows.is_empty() {
            self.empty = resident;
        }
        let grown = resident as f64 - self.empty as f64;
        let each = match streams.len() {
            0 => "–".to_owned(),
            number => format!("{:.1}", grown / number as f64),
        };
        let connections = self.site.connections().await?;
        self.rows.push(vec![
            after.to_owned(),
            streams.len().to_string(),
            resident.to_string(),
            each,
            connections.to_string(),
        ]);
        Ok(())
    }

    fn print(&self) {
        table::print(
            &[
                "after",
                "streams",
                "resident KB",
                "KB for each",
                "connections to the database",
            ],
            &self.rows,
        );
    }
}

/// Both ends of a stream are files of this process.
fn enough_files(needed: u64) -> Outcome {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    match limit {
        Some(limit) if limit < needed => Err(format!(
            "{limit} open files are too few for both ends of the streams: `ulimit -n {needed}`"
        )
        .into()),
        Some(_) | None => Ok(()),
    }
}
