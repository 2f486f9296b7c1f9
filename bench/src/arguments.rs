use std::time::Duration;

use crate::outcome::Outcome;

pub(crate) const USAGE: &str = "\
usage: partywall-bench [access|path|policies|memory|people|requests|streams|all] [options]

  access     point read and list of 50: plain drivers, the usual way, Partywall
  path       EXISTS through the parent against a copied tenant column
  policies   plans of every policy form; what entering a scope and the seal cost in the server
  memory     growth of the client and of one backend
  people     who asks: session, account, tenant and permissions of a million accounts; signing in
  requests   a list and a create over HTTP, by all of Partywall and by a bare handler
  streams    memory of each open stream of events; --way bare for one without Partywall
  all        everything but `streams`, which wants a process of its own (the default)

  --quick         a smoke run: few short rounds, figures of no worth
  --seconds N     seconds for each variant in each round of `access`, `people` and `requests` (1)
  --rounds N      rounds of these and of the loops in the server (7)
  --pool N        connections in every pool (16)
  --only TEXT     of `access` and `requests`, only settings with TEXT in their title (`1 ms`, `64 clients`, `list`)
  --way TEXT      of these, only ways with TEXT in their name (`raw, seal on`): for profiling
  --fresh         load the rows anew";

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Access,
    Path,
    Policies,
    Memory,
    People,
    Requests,
    Streams,
    All,
}

/// The command line.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    command: Command,
    pub(crate) quick: bool,
    pub(crate) seconds: Duration,
    pub(crate) rounds: usize,
    pub(crate) pool: usize,
    pub(crate) only: String,
    pub(crate) way: String,
    pub(crate) fresh: bool,
}

impl Arguments {
    /// Reads the command line; nothing where help was asked for.
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Outcome<Option<Self>> {
        let mut words = words.peekable();
        let mut read = Self {
            command: Command::All,
            quick: false,
            seconds: Duration::from_secs(1),
            rounds: 7,
            pool: 16,
            only: String::new(),
            way: String::new(),
            fresh: false,
        };
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| format!("`{word}` needs a value"))
            };
            match word.as_str() {
                "access" => read.command = Command::Access,
                "path" => read.command = Command::Path,
                "policies" => read.command = Command::Policies,
                "memory" => read.command = Command::Memory,
                "people" => read.command = Command::People,
                "requests" => read.command = Command::Requests,
                "streams" => read.command = Command::Streams,
                "all" => read.command = Command::All,
                "--quick" => {
                    read.quick = true;
                    read.rounds = 3;
                    read.seconds = Duration::from_millis(150);
                }
                "--seconds" => read.seconds = Duration::try_from_secs_f64(value()?.parse()?)?,
                "--rounds" => read.rounds = value()?.parse::<usize>()?.max(1),
                "--pool" => read.pool = value()?.parse::<usize>()?.max(1),
                "--only" => read.only = value()?,
                "--way" => read.way = value()?,
                "--fresh" => read.fresh = true,
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("`{other}` is unknown\n\n{USAGE}").into()),
            }
        }
        Ok(Some(read))
    }

    pub(crate) fn wants(&self, command: Command) -> bool {
        let is_among_all = self.command == Command::All && command != Command::Streams;
        is_among_all || self.command == command
    }

    /// Whether the rows are needed that have no people around them.
    pub(crate) fn wants_rows(&self) -> bool {
        let with_rows = [
            Command::Access,
            Command::Path,
            Command::Policies,
            Command::Memory,
        ];
        with_rows.into_iter().any(|command| self.wants(command))
    }
}
