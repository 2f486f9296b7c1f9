//! `partywall check`: the audit, and the forms in which its findings are shown.

mod document;
mod github;
pub(crate) use human::inferred;
mod human;
mod level;
mod sarif;

pub(crate) use level::Level;

use std::{io::Write as _, path::PathBuf};

use clap::Args;
use partywall_audit::check;

use self::document::Document;
use crate::{
    Verdict,
    args::{Common, Known},
    baseline::{self, Baseline, Entry},
    config::Config,
    database::Login,
    failure::Failure,
    interrupt::Interrupt,
    terminal::Terminal,
};

/// Audit the catalogues: which faults let one tenant reach another's rows
///
/// One read-only transaction, which is rolled back: nothing is changed. A login that is a superuser, or owns the tables,
/// sees most.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall check --app-role app_user --tenant-column org_id
  partywall check --fail-on high                     lower findings are shown and do not fail
  partywall check --sarif partywall.sarif            for code scanning, beside the text
  partywall check --baseline partywall-baseline.toml --write-baseline
                                                     accept what is there now, with reasons")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    known: Known,

    /// Count what is by design of a shared server as a finding too
    #[arg(long)]
    strict: bool,

    /// The least severity that fails (exit code 2); any finding does if left out
    #[arg(long, value_name = "SEVERITY", value_enum)]
    fail_on: Option<Level>,

    /// Findings that were accepted, each with a reason; one that is no longer found fails too
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write what is found now into the baseline file, for you to fill in the reasons
    #[arg(long, conflicts_with_all = ["json", "sarif", "github"])]
    write_baseline: bool,

    /// Write SARIF 2.1.0 to a file, or to standard output without one
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    sarif: Option<PathBuf>,

    /// Write annotations for GitHub Actions
    #[arg(long, conflicts_with = "json")]
    github: bool,
}

pub(crate) async fn run(
    common: &Common,
    args: CheckArgs,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let config = Config::read(common)?;
    let sarif_to_stdout = args
        .sarif
        .as_ref()
        .is_some_and(|path| path.as_os_str() == "-");
    if sarif_to_stdout && (common.json || args.github) {
        return Err(Failure::invalid(
            "standard output cannot hold two documents",
            "name a file: --sarif partywall.sarif",
        ));
    }
    let mut options = config.options(common, &args.known);
    options.strict = args.strict || config.check.strict;
    let path = args.baseline.as_ref().or(config.check.baseline.as_ref());
    let accepted = match path {
        _ if args.write_baseline => None,
        Some(path) => Some(Baseline::read(path)?),
        None => None,
    };
    let login = Login::admin(common)?;

    let progress = terminal.progress("reading the catalogues");
    let mut session = login.connect(interrupt).await?;
    let report = check(&mut session.client, &options).await;
    drop(progress);
    let report = report?;
    let server = session
        .server()
        .await
        .map_err(Failure::sql("ask for the version"))?;

    if args.write_baseline {
        let Some(path) = path else {
            return Err(baseline::where_to());
        };
        let found = report
            .findings
            .iter()
            .map(|finding| Entry::found(finding.id.id(), &finding.object))
            .collect();
        return baseline::write(path, found, false, terminal);
    }

    let document = Document::new(report, accepted, !options.schemas.is_empty());
    let fails = document.fails(args.fail_on.or(config.check.fail_on).unwrap_or_default());
    let file = config
        .path
        .unwrap_or_else(|| PathBuf::from(crate::config::FILE));
    if let Some(path) = &args.sarif {
        let log = sarif::log(&document, &file);
        if sarif_to_stdout {
            terminal.json(&log)?;
        } else {
            let text = serde_json::to_string_pretty(&log)? + "\n";
            std::fs::write(path, text).map_err(|source| Failure::File {
                doing: "write",
                path: path.clone(),
                source,
            })?;
        }
    }
    if args.github {
        github::write(terminal, &document)?;
    } else if common.json {
        terminal.json(&document)?;
    } else if !sarif_to_stdout {
        human::write(terminal, &document, &login.place(), &server)?;
    }
    terminal.flush()?;
    if fails {
        return Ok(Verdict::Found);
    }
    // That nothing was found must not mean that nothing was looked at.
    if let Some(missing) = document.nothing_to_check() {
        return Err(Failure::invalid(
            format!("nothing was checked: {missing}"),
            "name it, or write it into partywall.toml, which `partywall plan` begins",
        ));
    }
    Ok(Verdict::Fine)
}
