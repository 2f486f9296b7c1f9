//! `partywall prove`: the attacks, and how what came of them is shown.

mod accepted;
mod attack;
mod matrix;
mod page;
mod standing;

use std::{io::Write as _, path::PathBuf, time::Duration};

use clap::Args;
use partywall_audit::{Progress, ProveOptions, prove};

use self::{
    accepted::{Accepted, Document},
    matrix::Matrix,
    standing::Standing,
};
use crate::{
    Verdict,
    args::{AppLogin, Common, Known},
    baseline::{self, Baseline},
    config::Config,
    database::Login,
    failure::Failure,
    interrupt::Interrupt,
    tenant::setting,
    terminal::Terminal,
};

/// Attack the live database as one tenant against another's rows; everything is rolled back
///
/// Each attack has a control: the attacker does the same to an own row. Where that fails too, the cell says so, and
/// counts as not run. The attacks run as the application's role: with --app-url as its own login, else as --database-url's,
/// which then must be a superuser.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall prove --app-url postgresql://app@localhost/shop
  partywall prove --as app.tenant_id=1 --against app.tenant_id=2
  partywall prove --read-only                        on a replica: sends nothing that writes
  partywall prove --html proof.html                  one page for an auditor to file
  partywall prove --baseline partywall-baseline.toml --write-baseline
                                                     accept what is there now, with reasons")]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    known: Known,

    #[command(flatten)]
    app: AppLogin,

    /// The attacker's context, such as app.tenant_id=1; may be repeated; sampled if left out
    #[arg(long = "as", value_name = "SETTING=VALUE", value_parser = setting)]
    attacker: Vec<(String, String)>,

    /// The victim's context; may be repeated; sampled if left out
    #[arg(long = "against", value_name = "SETTING=VALUE", value_parser = setting)]
    victim: Vec<(String, String)>,

    /// Send no statement that writes, for a replica
    #[arg(long)]
    read_only: bool,

    /// Also send what locks a whole table until it is rolled back (TRUNCATE, ALTER TABLE, CREATE TRIGGER)
    ///
    /// Without it, these are decided by the rights that the role has.
    #[arg(long, conflicts_with = "read_only")]
    intrusive: bool,

    /// How long a statement may take; one that takes longer counts as not run [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,

    /// Breaches that were accepted, each with a reason; one that held this time fails too
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write what is breached now into the baseline file, for you to fill in the reasons
    #[arg(long, conflicts_with_all = ["json", "html"])]
    write_baseline: bool,

    /// Write what was tested and what came of it as one self-contained page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) async fn run(
    common: &Common,
    args: ProveArgs,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let config = Config::read(common)?;
    let options = config.options(common, &args.known);
    let admin = Login::admin(common)?;
    let app = Login::app(&args.app)?;
    if let Some(path) = &args.html
        && path.is_dir()
    {
        return Err(Failure::invalid(
            format!("`{}` is a folder", path.display()),
            "name a file: --html proof.html",
        ));
    }
    let path = args.baseline.as_ref().or(config.check.baseline.as_ref());
    let accepted = Accepted::of(match path {
        _ if args.write_baseline => None,
        Some(path) => Some(Baseline::read(path)?),
        None => None,
    });
    let mut how = ProveOptions::default();
    how.attacker = args.attacker;
    how.victim = args.victim;
    how.read_only = args.read_only;
    how.intrusive = args.intrusive;
    how.statement_timeout = args.timeout.map(Duration::from_secs);

    let progress = terminal.progress("attacking");
    let mut admin_session = admin.connect(interrupt).await?;
    let mut app_session = match &app {
        Some(login) => Some(login.connect(interrupt).await?),
        None => None,
    };
    // Results stream: a large database takes its time, and the first breach may be all that somebody waits for.
    let mut matrix = (!common.json).then(|| Matrix::new(terminal.width()));
    let mut broken: Option<Failure> = None;
    let came_to = prove(
        &mut admin_session.client,
        app_session.as_mut().map(|session| &mut session.client),
        &options,
        &how,
        &mut |happens| match happens {
            Progress::Started(attacks) => progress.length(attacks),
            Progress::Table(table) => {
                progress.says(format!("attacked {}", table.table));
                progress.done(table.cells.len());
                if let Some(matrix) = &mut matrix {
                    let mut table = table.clone();
                    accepted.mark(&mut table);
                    let wrote = progress.aside(|| matrix.table(terminal, &table));
                    broken = wrote.err().or(broken.take());
                }
            }
            _ => {}
        },
    )
    .await;
    drop(progress);
    let mut proof = came_to?;
    if let Some(failure) = broken {
        return Err(failure);
    }
    if interrupt.is_stopped() {
        return Err(Failure::Interrupted);
    }
    if args.write_baseline {
        let Some(path) = path else {
            return Err(baseline::where_to());
        };
        return baseline::write(path, accepted::entries(&proof), true, terminal);
    }
    for table in &mut proof.tables {
        accepted.mark(table);
    }
    let stale = accepted.stale(&proof, !options.schemas.is_empty());
    if let Some(path) = &args.html {
        let page = page::of(
            &proof,
            &admin.place(),
            app.as_ref().map(Login::place),
            args.read_only,
        )?;
        std::fs::write(path, page).map_err(|source| Failure::File {
            doing: "write",
            path: path.clone(),
            source,
        })?;
    }
    if common.json {
        terminal.json(&Document {
            proof: &proof,
            stale: &stale,
        })?;
    } else if let Some(matrix) = matrix {
        matrix.end(terminal, &proof, &stale)?;
        if let Some(path) = &args.html {
            terminal.remark(&format!("the page is in {}", path.display()));
        }
    }
    terminal.flush()?;
    let breaches = matrix::count(&proof, Standing::Breach) + stale.len();
    let held = matrix::count(&proof, Standing::Held);
    Ok(match (breaches, held) {
        // That nothing was found must not mean that nothing ran.
        (0, 0) => Verdict::Of(1),
        (0, _) => Verdict::Fine,
        _ => Verdict::Found,
    })
}
