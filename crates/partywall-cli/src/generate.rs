//! `partywall completions` and `man`: made from the same definition that parses the arguments.

use std::{io::Write as _, path::PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Verdict, args::Cli, failure::Failure, terminal::Terminal};

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall completions bash > /etc/bash_completion.d/partywall
  partywall completions zsh > ~/.zfunc/_partywall
  partywall completions fish > ~/.config/fish/completions/partywall.fish")]
pub(crate) struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print a man page, or write them all into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall man check | man -l -
  partywall man --out /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Of which command; of partywall itself if left out
    #[arg(value_name = "COMMAND")]
    command: Option<String>,

    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

pub(crate) fn completions(
    args: &CompletionsArgs,
    terminal: &mut Terminal,
) -> Result<Verdict, Failure> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "partywall", &mut script);
    terminal.write_all(&script)?;
    Ok(Verdict::Fine)
}

pub(crate) fn man(args: &ManArgs, terminal: &mut Terminal) -> Result<Verdict, Failure> {
    // A page names the version that it is of.
    let mut root = Cli::command().propagate_version(true);
    root.build();
    if let Some(folder) = &args.out {
        let failed = |source| Failure::File {
            doing: "write",
            path: folder.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command().propagate_version(true), folder).map_err(failed)?;
        return Ok(Verdict::Fine);
    }
    let command = match &args.command {
        None => root,
        Some(name) => root.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::invalid(
                format!("there is no command `{name}`"),
                "`partywall help` lists them",
            )
        })?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    terminal.write_all(&page)?;
    Ok(Verdict::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(command: &clap::Command, see: &mut impl FnMut(&clap::Command)) {
        see(command);
        for sub in command.get_subcommands() {
            every(sub, see);
        }
    }

    #[test]
    fn the_definition_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_help() {
        let mut root = Cli::command();
        root.build();
        every(&root, &mut |command| {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
        });
    }

    #[test]
    fn help_fits_a_hundred_columns() {
        let mut root = Cli::command();
        root.build();
        every(&root, &mut |command| {
            let help = command.clone().render_long_help().to_string();
            for line in help.lines() {
                assert!(
                    line.chars().count() <= 100,
                    "{}: {line}",
                    command.get_name()
                );
            }
        });
    }
}
