//! A tenant's whole data in a file, and the end of deleted tenants: what the command line does with
//! all of a tenant at once.

use std::{error::Error, net::Ipv4Addr, path::Path};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use partywall::identity::{Identity, NewTenant};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
};

use crate::{app, args::Args, database::Database, permissions::permissions};

type Done = Result<String, Box<dyn Error + Send + Sync>>;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

fn identity(database: &Database) -> Result<Identity, Box<dyn Error + Send + Sync>> {
    // No link is mailed from here.
    let settings = app::settings((Ipv4Addr::LOCALHOST, 0).into());
    Ok(Identity::new(
        database.db().clone(),
        permissions()?,
        settings,
    ))
}

/// Writes a tenant to a file, which is there only when all of it is.
pub(crate) async fn export(database: &Database, slug: &str, file: &Path) -> Done {
    let mut lines = Box::pin(identity(database)?.tenant_export(slug).await?);
    let part = file.with_added_extension("part");
    let mut written = File::create(&part).await?;
    let mut bytes = 0;
    while let Some(chunk) = lines.try_next().await? {
        written.write_all(&chunk).await?;
        bytes += chunk.len();
    }
    written.sync_all().await?;
    tokio::fs::rename(&part, file).await?;
    Ok(format!("{bytes} bytes written to {}", file.display()))
}

/// Reads such a file as a new tenant.
pub(crate) async fn import(database: &Database, args: &Args, file: &Path) -> Done {
    let new = NewTenant {
        name: None,
        slug: args.tenant.clone().unwrap_or_default(),
        owner: args.owner.clone(),
    };
    let chunks = stream::try_unfold(File::open(file).await?, async |mut file| {
        let mut chunk = vec![0; CHUNK];
        let length = file.read(&mut chunk).await?;
        chunk.truncate(length);
        Ok::<_, std::io::Error>((length > 0).then(|| (chunk.into(), file)))
    });
    let imported = identity(database)?
        .tenant_import(chunks.boxed(), new)
        .await?;
    let rows: u64 = imported.rows.values().sum();
    let mut told = format!(
        "{rows} rows read, {} people have their accounts",
        imported.linked.len()
    );
    if !imported.unlinked.is_empty() {
        told += &format!("\nto be invited: {}", imported.unlinked.join(", "));
    }
    if !imported.has_owner {
        told += "\nnobody owns it: read it again with --owner";
    }
    Ok(told)
}

/// Removes the tenants whose time of grace is over, and tells how far it is.
pub(crate) async fn purge(database: &Database) -> Done {
    let purged = identity(database)?
        .tenants_purge(|step| eprintln!("{}: {} {}", step.tenant, step.table, step.rows))
        .await?;
    for (tenant, error) in &purged.failed {
        eprintln!("{tenant}: {error}");
    }
    match purged.failed.len() {
        0 => Ok(format!("{} tenants removed", purged.gone.len())),
        some => Err(format!("{some} tenants could not be removed").into()),
    }
}
