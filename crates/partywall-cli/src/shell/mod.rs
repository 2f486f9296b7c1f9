//! `partywall shell`: psql, or a command, as one tenant.

mod rc;

use std::ffi::OsString;

use clap::Args;

use self::rc::Rc;
use crate::{
    Verdict,
    args::Common,
    database::Login,
    failure::Failure,
    interrupt::Interrupt,
    tenant::{Door, Entering},
    terminal::{Terminal, one_line, wrapped},
};

/// Run psql, or a command, as one tenant
///
/// The session has the application's role, and begins with the tenant's settings: what it reads is what that tenant
/// reads. A command gets them as PGHOST, PGUSER, PGPASSWORD, PGOPTIONS and so on, which psql, pg_dump and most drivers
/// understand, and the tenant as PARTYWALL_TENANT.
///
/// Whoever sits in the shell can set another tenant: it guards against slips, not against its user.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  partywall shell --tenant 7f3c…                     psql, as that tenant
  partywall shell --tenant 7f3c… -- psql -c 'SELECT count(*) FROM invoices'
  partywall shell --tenant 7f3c… -- python report.py

A context that Partywall sealed is good for one transaction: psql then begins inside of it, and other
commands are refused. `partywall each --tenant ID --sql …` seals anew for each transaction.")]
pub(crate) struct ShellArgs {
    /// Whose scope: the tenant's key, as its table has it
    #[arg(long, value_name = "ID", required_unless_present = "set")]
    tenant: Option<String>,

    #[command(flatten)]
    entering: Entering,

    /// What to run in place of psql, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn run(
    common: &Common,
    args: ShellArgs,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    if common.json {
        return Err(Failure::invalid(
            "--json has no meaning for `shell`",
            "the output is the command's own",
        ));
    }
    let is_named = args.entering.set.is_empty();
    let door = Door::find(common, args.entering, interrupt).await?;
    let tenant = args.tenant.unwrap_or_default();
    if is_named {
        door.must_have(&tenant).await?;
    }
    let (program, rest) = match args.command.split_first() {
        Some((program, rest)) => (program.clone(), rest.to_vec()),
        None => (OsString::from("psql"), Vec::new()),
    };
    if door.is_sealed() {
        if !args.command.is_empty() {
            return Err(sealed());
        }
        return within_a_transaction(&door, &tenant, terminal, interrupt).await;
    }
    let settings = door.settings(&tenant).await?;
    let login = door.login_within(&settings);
    let session = login.connect(interrupt).await?;
    door.verify(&session, &settings).await?;
    drop(session);
    terminal.remark(&greeting(&door, &tenant, terminal));
    let mut child = std::process::Command::new(&program);
    child.args(rest);
    if args.command.is_empty() {
        child.args(prompt(&tenant, terminal));
    }
    equip(&mut child, &login, &tenant);
    become_it(child, &program, interrupt).await
}

/// Why a command cannot have a sealed context.
pub(crate) fn sealed() -> Failure {
    Failure::refused(
        "the context is sealed and good for one transaction that begins within a minute, so a command with connections of its own cannot be given it",
        "use psql (`partywall shell --tenant ID`), or SQL (`partywall each --tenant ID --sql …`), which seals anew for each transaction",
    )
}

/// Gives a command the login and the tenant, by its environment alone.
pub(crate) fn equip(child: &mut std::process::Command, login: &Login, tenant: &str) {
    // What is set outside would speak of another login.
    for name in [
        "DATABASE_URL",
        "APP_DATABASE_URL",
        "PGSERVICE",
        "PGHOSTADDR",
        "PGPASSWORD",
        "PGOPTIONS",
    ] {
        child.env_remove(name);
    }
    child.envs(login.environment());
    child.env("PARTYWALL_TENANT", tenant);
}

/// psql inside the one transaction that a sealed context is good for, however long that takes.
async fn within_a_transaction(
    door: &Door,
    tenant: &str,
    terminal: &mut Terminal,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let settings = door.settings(tenant).await?;
    let login = door.login_within(&[]);
    let session = login.connect(interrupt).await?;
    door.verify(&session, &[]).await?;
    drop(session);
    let context = settings
        .first()
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let rc = Rc::write(&context)?;
    terminal.remark(&greeting(door, tenant, terminal));
    terminal.remark(
        "The context is sealed: it holds for this one transaction, until COMMIT or ROLLBACK. Nothing is kept without COMMIT.",
    );
    let mut child = std::process::Command::new("psql");
    child.args(prompt(tenant, terminal));
    equip(&mut child, &login, tenant);
    child.env("PSQLRC", rc.path());
    interrupt.leave_to_child();
    let status = tokio::process::Command::from(child)
        .status()
        .await
        .map_err(|source| Failure::Program {
            program: "psql".to_owned(),
            source,
        })?;
    drop(rc);
    Ok(Verdict::Of(code(status)))
}

fn greeting(door: &Door, tenant: &str, terminal: &Terminal) -> String {
    let role = match &door.role {
        Some(role) => format!(", which becomes `{role}`"),
        None => String::new(),
    };
    let text = format!("tenant `{tenant}` in {}{role}", door.login.place());
    wrapped(&one_line(&text), 0, terminal.width())
}

/// psql's prompt names the tenant, so that nobody forgets where he is. What psql would take for an escape is left out.
fn prompt(tenant: &str, terminal: &Terminal) -> Vec<String> {
    if !terminal.is_terminal() {
        return Vec::new();
    }
    let name: String = tenant
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))
        .take(36)
        .collect();
    vec![format!("--set=PROMPT1=%/ [{name}]%R%x%# ")]
}

/// Lets the command take this program's place, so that signals, the terminal and the exit code are its own.
async fn become_it(
    mut child: std::process::Command,
    program: &OsString,
    interrupt: &Interrupt,
) -> Result<Verdict, Failure> {
    let failed = |source| Failure::Program {
        program: program.to_string_lossy().into_owned(),
        source,
    };
    interrupt.leave_to_child();
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        Err(failed(child.exec()))
    }
    #[cfg(not(unix))]
    {
        let status = tokio::process::Command::from(child)
            .status()
            .await
            .map_err(failed)?;
        Ok(Verdict::Of(code(status)))
    }
}

/// What a shell would say of an end: the code, or 128 and the signal.
pub(crate) fn code(status: std::process::ExitStatus) -> u8 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return u8::try_from(128 + signal).unwrap_or(255);
        }
    }
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1)
}
