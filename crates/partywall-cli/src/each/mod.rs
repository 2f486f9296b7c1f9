//! `partywall each`: SQL, or a command, once for every tenant, each in its own scope.

mod command;
mod list;
mod outcome;
mod statement;
mod transaction;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::Write as _,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use clap::Args;
use tokio::sync::mpsc;

use self::{
    command::Program,
    outcome::{Outcome, Summary},
    statement::Statements,
};
use crate::{
    Verdict,
    args::Common,
    failure::Failure,
    interrupt::Interrupt,
    shell,
    tenant::{Door, Entering},
    terminal::Terminal,
};

/// Run SQL, or a command, once for every tenant
///
/// Each tenant has a transaction of its own, as the application's role and with the tenant's context: what it reads and
/// writes is that tenant's. One that fails is rolled back, stops nobody else, and is listed at the end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall each --sql 'SELECT count(*) FROM invoices'
  partywall each --file backfill.sql --parallel 4
  partywall each --file backfill.sql --dry-run       rolls each back
  partywall each --tenants 'SELECT id FROM tenants WHERE NOT suspended' --sql …
  partywall each -- sh -c 'pg_dump --enable-row-security --data-only > $PARTYWALL_TENANT.sql'

Exit codes: 0 all succeeded, 1 could not run, 2 some failed, 3 wrong arguments.")]
pub(crate) struct EachArgs {
    /// The SQL; leave BEGIN, COMMIT and ROLLBACK out
    #[arg(long, value_name = "SQL", conflicts_with = "file")]
    sql: Option<String>,

    /// A file with the SQL, or - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Only this tenant; may be repeated
    #[arg(long = "tenant", value_name = "ID", conflicts_with_all = ["tenants", "tenants_file"])]
    tenant: Vec<String>,

    /// A query whose first column lists the tenants, in place of all rows of their table
    #[arg(long, value_name = "QUERY", conflicts_with = "tenants_file")]
    tenants: Option<String>,

    /// A file with a tenant on each line, or - for standard input
    #[arg(long, value_name = "FILE")]
    tenants_file: Option<PathBuf>,

    /// How many at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,

    /// Roll each transaction back; of a command, say for whom it would run
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    entering: Entering,

    /// The command, with its arguments, in place of SQL
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["sql", "file"])]
    command: Vec<OsString>,
}

/// What is done for each.
enum Work {
    Sql(Statements),
    Command(Program),
}

pub(crate) async fn run(
    common: &Common,
    args: EachArgs,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let work = match (&args.sql, &args.file, args.command.split_first()) {
        (Some(sql), _, _) => Work::Sql(Statements::new(sql.clone(), args.dry_run)?),
        (None, Some(path), _) => Work::Sql(Statements::new(list::text(path)?, args.dry_run)?),
        (None, None, Some((program, rest))) => {
            Work::Command(Program::new(program, rest, args.dry_run))
        }
        (None, None, None) => {
            return Err(Failure::invalid(
                "there is nothing to run",
                "give --sql 'SELECT …', --file FILE, or a command behind `--`",
            ));
        }
    };
    let door = Door::find(common, args.entering, interrupt).await?;
    if door.is_sealed() && matches!(work, Work::Command(_)) {
        return Err(shell::sealed());
    }
    let tenants = match (&args.tenants, &args.tenants_file) {
        _ if !args.tenant.is_empty() => {
            for tenant in &args.tenant {
                door.must_have(tenant).await?;
            }
            args.tenant
        }
        (Some(query), _) => list::by_query(&door, query).await?,
        (None, Some(path)) => list::lines(&list::text(path)?),
        (None, None) => list::all(&door).await?,
    };
    let mut seen = BTreeSet::new();
    let tenants: Vec<String> = tenants
        .into_iter()
        .filter(|tenant| seen.insert(tenant.clone()))
        .collect();
    if let Some(first) = tenants.first() {
        // What is wrong with the way in is wrong for all, and is said once.
        let settings = door.settings(first).await?;
        let begins_with: &[(String, String)] = match &work {
            Work::Command(_) => &settings,
            Work::Sql(_) => &[],
        };
        let session = door.login_within(begins_with).connect(interrupt).await?;
        door.verify(&session, begins_with).await?;
    }
    let progress = terminal.progress("for each tenant");
    progress.length(tenants.len());
    let next = AtomicUsize::new(0);
    let (send, mut receive) = mpsc::unbounded_channel();
    let workers = (0..usize::from(args.parallel).min(tenants.len()))
        .map(|_| worker(&door, &tenants, &next, &work, interrupt, send.clone()));
    let working = futures_util::future::join_all(workers);
    drop(send);
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(tenants.len());
    let mut broken: Option<Failure> = None;
    let showing = async {
        while let Some(outcome) = receive.recv().await {
            progress.done(1);
            if !common.json {
                let wrote = progress.aside(|| outcome::write(terminal, &outcome));
                broken = wrote.err().map(Failure::from).or(broken.take());
            }
            outcomes.push(outcome);
        }
    };
    tokio::join!(working, showing);
    drop(progress);
    if let Some(failure) = broken {
        return Err(failure);
    }
    let order: BTreeMap<&str, usize> = tenants
        .iter()
        .enumerate()
        .map(|(at, tenant)| (tenant.as_str(), at))
        .collect();
    outcomes.sort_by_key(|outcome| order.get(outcome.tenant.as_str()).copied());
    let summary = Summary::new(outcomes, tenants.len(), args.dry_run);
    if common.json {
        terminal.json(&summary)?;
    } else {
        summary.write(terminal)?;
    }
    terminal.flush()?;
    if interrupt.is_stopped() {
        return Err(Failure::Interrupted);
    }
    Ok(if summary.failed > 0 {
        Verdict::Found
    } else {
        Verdict::Fine
    })
}

/// Takes one tenant after the other, until there is none left.
async fn worker(
    door: &Door,
    tenants: &[String],
    next: &AtomicUsize,
    work: &Work,
    interrupt: &Interrupt,
    send: mpsc::UnboundedSender<Outcome>,
) {
    let mut session = None;
    while !interrupt.is_stopped() {
        let Some(tenant) = tenants.get(next.fetch_add(1, Ordering::Relaxed)) else {
            return;
        };
        let outcome = match work {
            Work::Sql(statements) => statements.run(door, &mut session, tenant, interrupt).await,
            Work::Command(program) => program.run(door, tenant).await,
        };
        if send.send(outcome).is_err() {
            return;
        }
    }
}
