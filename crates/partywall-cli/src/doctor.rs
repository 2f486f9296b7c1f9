//! `partywall doctor`: how the database and the way to it are.

use std::io::Write as _;

use clap::Args;
use partywall_audit::{Line, Status, check, doctor, pooler};
use serde::Serialize;

use crate::{
    Verdict,
    args::{AppLogin, Common, Known},
    baseline::Baseline,
    config::Config,
    database::Login,
    failure::Failure,
    interrupt::Interrupt,
    terminal::{BOLD, CODE, DIM, GOOD, HIGH, Terminal, WARN, one_line, paint, shown, wrapped},
};

/// Look at versions, roles, drift, pooler, clock and sizes
///
/// Reads, and changes nothing. Whether a pooler hands sessions on is found out with a setting of the tool's own, over
/// --app-url if it is given: that is the way that the application takes.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    known: Known,

    #[command(flatten)]
    app: AppLogin,
}

/// The document of `doctor --json`.
#[derive(Serialize)]
struct Document {
    version: u32,
    lines: Vec<Line>,
}

pub(crate) async fn run(
    common: &Common,
    args: DoctorArgs,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let config = Config::read(common)?;
    let options = config.options(common, &args.known);
    let admin = Login::admin(common)?;
    let app = Login::app(&args.app)?;
    let progress = terminal.progress("looking");
    let mut session = admin.connect(interrupt).await?;
    let mut report = check(&mut session.client, &options).await?;
    // What is accepted is nothing to mend.
    if let Some(path) = &config.check.baseline {
        let accepted = Baseline::read(path)?.accepted;
        report.findings.retain(|finding| {
            let (id, object) = (finding.id.id(), &finding.object);
            !accepted.iter().any(|entry| entry.is_for(id, object))
        });
    }
    let mut lines = doctor(&mut session.client, &options, &report).await?;
    let way = app.as_ref().unwrap_or(&admin);
    lines.extend(
        pooler(async || -> Result<_, Failure> { Ok(way.connect(interrupt).await?.client) }).await?,
    );
    drop(progress);
    let fails = lines.iter().any(|line| line.status == Status::Fail);
    if common.json {
        terminal.json(&Document { version: 1, lines })?;
    } else {
        write(terminal, &lines, &admin.place())?;
    }
    terminal.flush()?;
    Ok(if fails { Verdict::Found } else { Verdict::Fine })
}

fn write(terminal: &mut Terminal, lines: &[Line], place: &str) -> Result<(), Failure> {
    let width = terminal.width();
    writeln!(terminal, "{}\n", paint(DIM, one_line(place)))?;
    let mut last = "";
    for line in lines {
        let (style, sign) = match line.status {
            Status::Ok => (GOOD, "✓"),
            Status::Warn => (WARN, "!"),
            Status::Fail => (HIGH, "✗"),
            Status::NotKnown => (DIM, "-"),
            _ => (DIM, "?"),
        };
        let topic = if line.topic == last { "" } else { line.topic };
        last = line.topic;
        let what = wrapped(&line.what, 16, width);
        writeln!(
            terminal,
            "{} {} {}",
            paint(style, sign),
            paint(BOLD, format!("{topic:<13}")),
            what.trim_start()
        )?;
        if !line.mend.is_empty() {
            for (at, text) in shown(line.mend.trim_end()).lines().enumerate() {
                let arrow = if at == 0 { "→" } else { " " };
                let text = wrapped(text, 18, width);
                writeln!(
                    terminal,
                    "                {arrow} {}",
                    paint(CODE, text.trim_start())
                )?;
            }
        }
    }
    let count = |status| lines.iter().filter(|line| line.status == status).count();
    let (fail, warn) = (count(Status::Fail), count(Status::Warn));
    let sum = match (fail, warn) {
        (0, 0) => paint(GOOD, "✓ all is well".to_owned()),
        (0, _) => paint(WARN, format!("! {warn} to look at")),
        _ => paint(HIGH, format!("✗ {fail} to mend, {warn} to look at")),
    };
    writeln!(terminal, "\n{sum}")?;
    Ok(())
}
