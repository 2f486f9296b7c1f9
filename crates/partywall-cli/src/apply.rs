//! `partywall apply`: the reviewed plan, carried out.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use partywall_audit::{Applying, TableMap, apply, plan};

use crate::{
    Verdict,
    args::{Common, Known},
    database::Login,
    failure::Failure,
    interrupt::Interrupt,
    plan::{Kept, PLAN, reviewed, violations},
    terminal::{BOLD, DIM, GOOD, Terminal, one_line, paint, wrapped},
};

/// Carry the reviewed plan out, step by step; a second run goes on where one stopped
///
/// What partywall.toml says is done, as plan.sql shows it. Stops at the first surprise; the steps before it are done.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall plan && partywall apply                  shows the steps, and asks
  partywall apply --yes                              where nobody can be asked

Afterwards: partywall check && partywall prove")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    known: Known,

    /// The folder with the reviewed files
    #[arg(long = "from", value_name = "DIR", default_value = ".")]
    from: PathBuf,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(
    common: &Common,
    args: ApplyArgs,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let config = reviewed(common, &args.from)?;
    let Some(map) = &config.map else {
        return Err(Failure::invalid(
            "there is no partywall.toml that somebody reviewed",
            "`partywall plan` writes one; or name it with --config",
        ));
    };
    let undecided: Vec<&str> = map
        .tables
        .iter()
        .filter(|(_, table)| matches!(table, TableMap::Undecided(_)))
        .map(|(name, _)| name.as_str())
        .collect();
    if !undecided.is_empty() {
        return Err(Failure::invalid(
            format!("tables are undecided: {}", undecided.join(", ")),
            "say in partywall.toml whose their rows are: tenant, through or global",
        ));
    }
    by_hand(
        config
            .path
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(&args.from),
    )?;
    let options = config.options(common, &args.known);
    let login = Login::admin(common)?;
    let progress = terminal.progress("planning");
    let mut session = login.connect(interrupt).await?;
    let planned = plan(&mut session.client, &options, Some(map)).await?;
    drop(progress);
    if !planned.violations.is_empty() {
        violations(terminal, &planned.violations)?;
        terminal.flush()?;
        terminal.remark("nothing was done: mend these rows first");
        return Ok(Verdict::Found);
    }
    if planned.steps.is_empty() {
        report(terminal, common, 0, 0)?;
        return Ok(Verdict::Fine);
    }
    if !args.yes {
        agree(terminal, &planned.steps, &login.place())?;
    }
    let progress = terminal.progress("applying");
    progress.length(planned.steps.len());
    let (mut done, mut skipped) = (0, 0);
    let mut lines: Vec<String> = Vec::new();
    let came_to = apply(
        &mut session.client,
        &planned,
        &mut |happens| match happens {
            Applying::Step(at, of, step) => {
                progress.says(format!("{at} of {of}: {}", one_line(&step.name)))
            }
            Applying::Skipped(step) => {
                skipped += 1;
                progress.done(1);
                lines.push(format!(
                    "{} {} {}",
                    paint(DIM, "-"),
                    one_line(&step.name),
                    paint(DIM, "(done before)")
                ));
            }
            Applying::Done(step) => {
                done += 1;
                progress.done(1);
                let line = format!("{} {}", paint(GOOD, "✓"), one_line(&step.name));
                if common.json {
                    lines.push(line);
                } else {
                    // A step may take hours: each is told when it is through.
                    let _ = progress.aside(|| {
                        for line in lines.drain(..).chain([line]) {
                            writeln!(terminal, "{line}")?;
                        }
                        terminal.flush()
                    });
                }
            }
            _ => {}
        },
    )
    .await;
    drop(progress);
    if !common.json {
        for line in &lines {
            writeln!(terminal, "{line}")?;
        }
        terminal.flush()?;
    }
    came_to.map_err(Failure::Apply)?;
    report(terminal, common, done, skipped)?;
    Ok(Verdict::Fine)
}

/// Refuses where plan.sql is not what would be done.
fn by_hand(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(PLAN);
    if Kept::at(&path)? == Kept::Changed {
        return Err(Failure::invalid(
            format!(
                "`{}` was changed by hand, and `apply` does what partywall.toml says",
                path.display()
            ),
            "run the file with psql; or make it anew with `partywall plan --force`",
        ));
    }
    Ok(())
}

fn agree(
    terminal: &mut Terminal,
    steps: &[partywall_audit::Step],
    place: &str,
) -> Result<(), Failure> {
    if !terminal.can_ask() {
        return Err(Failure::invalid(
            format!(
                "{} steps would change {place}, and nobody can be asked",
                steps.len()
            ),
            "pass --yes",
        ));
    }
    let width = terminal.width();
    writeln!(
        terminal,
        "{} {}\n",
        paint(BOLD, format!("{} steps for", steps.len())),
        one_line(place)
    )?;
    for (at, step) in steps.iter().enumerate() {
        writeln!(
            terminal,
            "{:>4}  {}",
            at + 1,
            paint(BOLD, one_line(&step.name))
        )?;
        writeln!(terminal, "{}", paint(DIM, wrapped(&step.why, 6, width)))?;
    }
    writeln!(terminal)?;
    terminal.flush()?;
    if terminal.ask("Do this?")? {
        Ok(())
    } else {
        Err(Failure::refused("nothing was done", ""))
    }
}

fn report(
    terminal: &mut Terminal,
    common: &Common,
    done: usize,
    skipped: usize,
) -> Result<(), Failure> {
    if common.json {
        return terminal
            .json(&serde_json::json!({ "version": 1, "done": done, "skipped": skipped }));
    }
    if done + skipped == 0 {
        writeln!(terminal, "{} there is nothing to do", paint(GOOD, "✓"))?;
    } else {
        writeln!(
            terminal,
            "\n{} {done} steps done, {skipped} were done before\nnow: partywall check && partywall prove",
            paint(GOOD, "✓")
        )?;
    }
    terminal.flush()?;
    Ok(())
}
