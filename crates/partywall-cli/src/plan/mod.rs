//! `partywall plan`: the way to row-level security, as files to review.

mod files;
mod phase;
mod shown;

pub(crate) use files::{Kept, PLAN};
pub(crate) use phase::{UpTo, name as phase_name};
pub(crate) use shown::violations;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use partywall_audit::{Plan, plan};
use serde::Serialize;

use self::files::Files;
use crate::{
    Verdict,
    args::{Common, Known},
    config::{Config, FILE},
    database::Login,
    failure::Failure,
    interrupt::Interrupt,
    terminal::Terminal,
};

/// Write the way to row-level security: partywall.toml, plan.sql and undo.sql
///
/// Finds whose the rows of each table are, and writes it down for review. Where partywall.toml is there already, it counts
/// as reviewed: it is read and not written, and the SQL follows it. The database is only read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall plan                                     writes partywall.toml, plan.sql and undo.sql
  $EDITOR partywall.toml && partywall plan           makes the SQL anew, as you decided
  partywall apply                                    carries it out

Exit codes: 2 if a table is undecided, or rows are in the way; 3 if no tenants are found.")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    known: Known,

    /// The folder to write into
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,

    /// Stop behind this phase
    #[arg(long, value_name = "PHASE", value_enum, default_value_t)]
    up_to: UpTo,

    /// Overwrite plan.sql and undo.sql even if somebody changed them by hand
    #[arg(long)]
    force: bool,
}

/// The document of `plan --json`.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    #[serde(flatten)]
    plan: &'a Plan,
}

pub(crate) async fn run(
    common: &Common,
    args: PlanArgs,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let config = reviewed(common, &args.out)?;
    let options = config.options(common, &args.known);
    let login = Login::admin(common)?;
    let progress = terminal.progress("planning");
    let mut session = login.connect(interrupt).await?;
    let planned = plan(&mut session.client, &options, config.map.as_ref()).await?;
    drop(progress);
    let planned = planned.up_to(args.up_to.into());
    // A map of it would only say that nothing is a tenant's, and every command would believe it.
    if planned.map.tenant.table.is_none() && !planned.map.has_tenants() && config.path.is_none() {
        return Err(Failure::invalid(
            "no table was found whose rows are tenants'",
            "say which column tells whose a row is, with --tenant-column; or write partywall.toml with `[tenant] table` and `key`",
        ));
    }
    if common.json {
        terminal.json(&Document {
            version: 1,
            plan: &planned,
        })?;
    } else {
        let wrote = Files::of(&planned).write(&args.out, config.path.as_deref(), args.force)?;
        shown::write(terminal, &planned, &wrote)?;
    }
    terminal.flush()?;
    let is_open = !planned.violations.is_empty() || shown::has_undecided(&planned.map);
    Ok(if is_open {
        Verdict::Found
    } else {
        Verdict::Fine
    })
}

/// The reviewed file: the one that is named, or the one in the folder that is written to.
pub(crate) fn reviewed(common: &Common, folder: &Path) -> Result<Config, Failure> {
    let there = folder.join(FILE);
    if common.config.is_none() {
        if there.is_file() {
            return Config::read_file(&there);
        }
        if folder != Path::new(".") {
            return Ok(Config::default());
        }
    }
    Config::read(common)
}
