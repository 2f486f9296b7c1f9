//! The one definition that parsing, help, completions and man pages are made from.

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::{
    apply::ApplyArgs,
    check::CheckArgs,
    doctor::DoctorArgs,
    each::EachArgs,
    explain::ExplainArgs,
    generate::{CompletionsArgs, ManArgs},
    plan::PlanArgs,
    prove::ProveArgs,
    shell::ShellArgs,
};

const EXAMPLES: &str = "\
Start here:
  export DATABASE_URL=postgresql://postgres@localhost/shop   a login that sees the catalogues
  partywall check                what is wrong, without changing anything
  partywall explain RLS_OFF      what that means, and how it is exploited
  partywall prove                attacks it live, and rolls everything back
  partywall plan                 the way there, as SQL to review; then: partywall apply

Exit codes: 0 fine, 1 could not run, 2 something was found, 3 wrong configuration or arguments.";

/// Whether tenants who share a PostgreSQL database are isolated, and how to get there
///
/// Nothing is changed but by `apply`, `each` and what you type into `shell`. Attacks are rolled back.
#[derive(Debug, Parser)]
#[command(
    name = "partywall",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    subcommand_value_name = "COMMAND"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Audit the catalogues: which faults let one tenant reach another's rows
    Check(CheckArgs),
    /// Attack the live database as one tenant against another's rows; everything is rolled back
    Prove(ProveArgs),
    /// Write the way to row-level security: partywall.toml, plan.sql and undo.sql
    Plan(PlanArgs),
    /// Carry the reviewed plan out, step by step; a second run goes on where one stopped
    Apply(ApplyArgs),
    /// Run psql, or a command, as one tenant
    Shell(ShellArgs),
    /// Run SQL, or a command, once for every tenant
    Each(EachArgs),
    /// Look at versions, roles, drift, pooler, clock and sizes
    Doctor(DoctorArgs),
    /// Say what a fault is, how it is exploited and how it is mended
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a man page, or write them all into a folder
    Man(ManArgs),
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The database, as a superuser or the tables' owner sees it
    ///
    /// Better given in the environment than here, where other users of the machine can see it. Without it, PGHOST,
    /// PGPORT, PGUSER, PGDATABASE, PGPASSWORD and ~/.pgpass count, as they do for psql.
    #[arg(
        long,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        global = true,
        help_heading = "Common options"
    )]
    pub(crate) database_url: Option<String>,

    /// What belongs to whom; ./partywall.toml if it is there
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        help_heading = "Common options"
    )]
    pub(crate) config: Option<PathBuf>,

    /// Report on this schema alone; may be repeated
    #[arg(
        long = "schema",
        value_name = "NAME",
        global = true,
        help_heading = "Common options"
    )]
    pub(crate) schemas: Vec<String>,

    /// Write one versioned JSON document to standard output
    #[arg(long, global = true, help_heading = "Common options")]
    pub(crate) json: bool,

    /// When to use colour; NO_COLOR is respected
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        global = true,
        help_heading = "Common options"
    )]
    pub(crate) color: Colour,

    /// Show no progress and no remarks, only results and errors
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub(crate) quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What is known of the database. What is left out is inferred, and the inference is shown.
#[derive(Debug, Default, Args)]
pub(crate) struct Known {
    /// A column that says whose a row is, such as tenant_id; may be repeated
    #[arg(
        long = "tenant-column",
        value_name = "NAME",
        help_heading = "What is known of the database (inferred if left out)"
    )]
    pub(crate) tenant_columns: Vec<String>,

    /// A role that requests of tenants run as; may be repeated
    #[arg(
        long = "app-role",
        value_name = "ROLE",
        help_heading = "What is known of the database (inferred if left out)"
    )]
    pub(crate) app_roles: Vec<String>,

    /// A setting that policies take the tenant from, such as app.tenant_id; may be repeated
    #[arg(
        long = "context",
        value_name = "SETTING",
        help_heading = "What is known of the database (inferred if left out)"
    )]
    pub(crate) contexts: Vec<String>,

    /// A table that belongs to no tenant, such as public.countries; may be repeated
    #[arg(
        long = "global",
        value_name = "TABLE",
        help_heading = "What is known of the database (inferred if left out)"
    )]
    pub(crate) globals: Vec<String>,
}

/// The application's own login.
#[derive(Debug, Default, Args)]
pub(crate) struct AppLogin {
    /// The application's own login, through its own pooler if it has one
    #[arg(
        long,
        value_name = "URL",
        env = "APP_DATABASE_URL",
        hide_env_values = true
    )]
    pub(crate) app_url: Option<String>,
}

/// Shows help or what is wrong with the arguments. Wrong arguments are 3, as all of a wrong configuration is.
pub(crate) fn refused(error: &clap::Error) -> ExitCode {
    use std::io::Write as _;
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let overview = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let text = error.render();
    // That nobody reads is no reason to fail.
    let _ = if asked || overview {
        let mut out = std::io::stdout();
        if out.is_terminal() {
            write!(out, "{}", text.ansi())
        } else {
            write!(out, "{text}")
        }
    } else {
        let mut err = std::io::stderr();
        if err.is_terminal() {
            write!(err, "{}", text.ansi())
        } else {
            write!(err, "{text}")
        }
    };
    if asked {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    }
}
