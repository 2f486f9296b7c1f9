//! `partywall apply`: the reviewed plan, carried out.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use partywall_audit::{Applying, Plan, Step, TableMap, apply, plan};
use tokio_postgres::Client;

use crate::{
    Verdict,
    args::{Common, Known},
    database::Login,
    failure::Failure,
    interrupt::Interrupt,
    plan::{Kept, PLAN, UpTo, phase_name, reviewed, violations},
    terminal::{BOLD, DIM, GOOD, Terminal, one_line, paint, wrapped},
};

/// Carry the reviewed plan out, step by step; a second run goes on where one stopped
///
/// What partywall.toml says is done, as plan.sql shows it and nothing beside. Stops at the first surprise; the steps before it are done.
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

    /// Stop behind this phase
    #[arg(long, value_name = "PHASE", value_enum, default_value_t)]
    up_to: UpTo,

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
    let folder = config
        .path
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(&args.from);
    by_hand(folder)?;
    let options = config.options(common, &args.known);
    let login = Login::admin(common)?;
    let progress = terminal.progress("planning");
    let mut session = login.connect(interrupt).await?;
    let planned = plan(&mut session.client, &options, Some(map)).await?;
    drop(progress);
    let planned = planned.up_to(args.up_to.into());
    if !planned.violations.is_empty() {
        violations(terminal, &planned.violations)?;
        terminal.flush()?;
        terminal.remark("nothing was done: mend these rows first");
        return Ok(Verdict::Found);
    }
    if planned.steps.is_empty() {
        report(terminal, common, args.up_to, 0, 0)?;
        return Ok(Verdict::Fine);
    }
    as_reviewed(folder, &planned)?;
    if !args.yes {
        agree(terminal, &planned.steps, &login.place(), interrupt).await?;
    }
    let undo = keep_undo(folder, &planned, &session.client).await?;
    terminal.remark(&format!(
        "the way back is in {}",
        undo.strip_prefix(".").unwrap_or(&undo).display()
    ));
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
            Applying::Batch(step, rows) => {
                progress.says(format!("{}: {rows} rows", one_line(&step.name)));
            }
            Applying::Waiting(step, tries) => {
                let name = one_line(&step.name);
                progress.says(format!("{name}: others hold its lock; tried {tries} times"));
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
    report(terminal, common, args.up_to, done, skipped)?;
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

/// Refuses to do what was not in the reviewed plan.sql. Steps of it that are done already are no difference.
fn as_reviewed(folder: &Path, plan: &Plan) -> Result<(), Failure> {
    let path = folder.join(PLAN);
    let script = match std::fs::read_to_string(&path) {
        Ok(script) => script,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::invalid(
                format!("there is no `{}` that somebody reviewed", path.display()),
                "run `partywall plan`, and read it",
            ));
        }
        Err(source) => {
            return Err(Failure::File {
                doing: "read",
                path,
                source,
            });
        }
    };
    let others = plan.not_in(&script);
    let Some(first) = others.first() else {
        return Ok(());
    };
    let more = match others.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Failure::invalid(
        format!(
            "`{}` is not what would be done: it does not have the step `{}`{more} as it would run now",
            path.display(),
            one_line(&first.name)
        ),
        "run `partywall plan` again and read it; where it was made with --up-to, give that here as well",
    ))
}

/// Writes the way back down before the first step. A later plan no longer knows of what was done, so each has its own.
async fn keep_undo(folder: &Path, plan: &Plan, client: &Client) -> Result<PathBuf, Failure> {
    let row = client
        .query_one(
            "SELECT pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.clock_timestamp()), 'YYYYMMDD\"T\"HH24MISS')",
            &[],
        )
        .await?;
    let stamp: String = row.try_get(0)?;
    let text = plan.undo_sql();
    let mut number = 1_u32;
    loop {
        let name = match number {
            1 => format!("undo-{stamp}.sql"),
            more => format!("undo-{stamp}-{more}.sql"),
        };
        let path = folder.join(name);
        // Two may begin within a second, and neither takes the other's way back.
        let made = std::fs::File::create_new(&path);
        match made.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(source) => {
                return Err(Failure::File {
                    doing: "write",
                    path,
                    source,
                });
            }
        }
    }
}

async fn agree(
    terminal: &mut Terminal,
    steps: &[Step],
    place: &str,
    interrupt: &Interrupt,
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
    let mut phase = None;
    for (at, step) in steps.iter().enumerate() {
        if phase != Some(step.phase) {
            phase = Some(step.phase);
            writeln!(
                terminal,
                "{}\n{}",
                paint(BOLD, format!("To {}", phase_name(step.phase))),
                paint(DIM, wrapped(step.phase.before(), 2, width))
            )?;
        }
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
    if terminal.ask("Do this?", interrupt).await? {
        Ok(())
    } else {
        Err(Failure::refused("nothing was done", ""))
    }
}

fn report(
    terminal: &mut Terminal,
    common: &Common,
    up_to: UpTo,
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
            "\n{} {done} steps done, {skipped} were done before",
            paint(GOOD, "✓")
        )?;
        if !matches!(up_to, UpTo::Expand) {
            writeln!(terminal, "now: partywall check && partywall prove")?;
        }
    }
    terminal.flush()?;
    Ok(())
}
