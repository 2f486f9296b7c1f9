//! What the command line asks for, from start to end.

use std::{error::Error, process::ExitCode};

use partywall::identity;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{
    app::{self, Serving},
    args::Args,
    database::{AuditFiles, Database},
    import::{Import, ImportError},
    seed, tenant_file,
};

/// Runs the application until it is told to stop, or does with a file what is asked for.
///
/// Exit codes: 0 when all went well, 1 when it could not start, 2 when a file was refused.
pub async fn run(args: Args) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // Fails when a log is set already, as in a test: then that one is used.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
    let done = if args.import.is_some() {
        load(&args).await
    } else if args.export_tenant.is_some() || args.import_tenant.is_some() || args.purge {
        whole_tenants(&args).await
    } else {
        serve(&args).await
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", with_causes(error.as_ref()));
            let refused = error.downcast_ref::<ImportError>().is_some()
                || error.downcast_ref::<identity::ImportError>().is_some();
            ExitCode::from(if refused { 2 } else { 1 })
        }
    }
}

async fn serve(args: &Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    // First of all, so that a busy port leaves everything as it is.
    let listener = Serving::bind(args.port).await?;
    let database = Database::open(&args.place(), args.reset).await?;
    let users = seed::USERS.map(|user| user.email).join(", ");
    let settings = app::settings(listener.local_addr()?);
    let mailer = args.mailer()?;
    let has_page = mailer.is_folder();
    let serving = Serving::start(listener, &database, args.playground, settings, mailer).await?;
    println!("Notes:    http://{}", serving.address());
    if has_page {
        println!("Mail:     http://{}/dev/mail", serving.address());
    }
    println!("Users:    {users}");
    println!("Password: {}", database.password());
    if args.playground {
        println!("The SQL playground is on.");
    }
    let files = AuditFiles::write(&args.data, &database)?;
    let check = format!(
        "cargo run -q -p partywall-cli -- check --config {}",
        files.map.display()
    );
    match files.env {
        Some(env) => println!("Audit:    . {} && {check}", env.display()),
        None => println!("Audit:    {check}"),
    }
    println!("Ctrl-C stops it.");
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    eprintln!("stopping");
    serving.stop().await?;
    Ok(database.close().await?)
}

async fn load(args: &Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    let import = Import::new(args)?;
    let database = Database::open(&args.place(), args.reset).await?;
    let loaded = import.load(&database).await;
    let closed = database.close().await;
    println!("{} notes loaded", loaded?);
    Ok(closed?)
}

async fn whole_tenants(args: &Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    let database = Database::open(&args.place(), args.reset).await?;
    let done = match (&args.export_tenant, &args.import_tenant) {
        (Some(file), _) => {
            let slug = args.tenant.as_deref().unwrap_or_default();
            tenant_file::export(&database, slug, file).await
        }
        (None, Some(file)) => tenant_file::import(&database, args, file).await,
        (None, None) => tenant_file::purge(&database).await,
    };
    let closed = database.close().await;
    println!("{}", done?);
    Ok(closed?)
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
