//! `partywall` on the command line: whether tenants who share a PostgreSQL database are isolated, and how to get
//! there. What it finds out is `partywall_audit`'s; here is how one asks for it and how it is shown.

mod apply;
mod args;
mod baseline;
mod check;
mod config;
mod database;
mod doctor;
mod each;
mod explain;
mod failure;
mod generate;
mod interrupt;
mod plan;
mod prove;
mod shell;
mod tenant;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Cli, Command},
    failure::Failure,
    interrupt::Interrupt,
    terminal::Terminal,
};

/// What a command came to, if it could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is wrong.
    Fine,
    /// Something was found: a fault, a breach, a tenant for whom it failed.
    Found,
    /// What another program ended with.
    Of(u8),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::refused(&error),
    };
    let mut terminal = Terminal::new(&cli.common);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let came_to = match runtime {
        Ok(runtime) => {
            let came_to = runtime.block_on(run(cli, &mut terminal));
            // A look-up of a name or a read of the terminal may still hang in a thread of its own.
            runtime.shutdown_background();
            came_to
        }
        Err(error) => Err(Failure::Start(error)),
    };
    match came_to {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Found) => ExitCode::from(2),
        Ok(Verdict::Of(code)) => ExitCode::from(code),
        Err(failure) => {
            terminal.failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}

async fn run(cli: Cli, terminal: &mut Terminal) -> Result<Verdict, Failure> {
    let Cli { common, command } = cli;
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    let work = async {
        match command {
            Command::Check(args) => check::run(&common, args, terminal, &interrupt).await,
            Command::Prove(args) => prove::run(&common, args, terminal, &interrupt).await,
            Command::Plan(args) => plan::run(&common, args, terminal, &interrupt).await,
            Command::Apply(args) => apply::run(&common, args, terminal, &interrupt).await,
            Command::Shell(args) => shell::run(&common, args, terminal, &interrupt).await,
            Command::Each(args) => each::run(&common, args, terminal, &interrupt).await,
            Command::Doctor(args) => doctor::run(&common, args, terminal, &interrupt).await,
            Command::Explain(args) => explain::run(&common, &args, terminal),
            Command::Completions(args) => generate::completions(&args, terminal),
            Command::Man(args) => generate::man(&args, terminal),
        }
    };
    stop.watch(work).await
}
