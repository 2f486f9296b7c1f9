//! The static audit: what the catalogues say, held against the list of faults. One file for each part of it.

mod app;
mod context;
mod keys;
mod objects;
mod policies;
mod privileges;
mod report;
mod roles;
mod row_security;
mod speed;

pub use report::Report;

use tokio_postgres::Client;

use crate::{
    AuditError, Finding, Options,
    catalogue::{self, Catalogue},
    drift,
    subject::Subject,
    wall::{self, Wall},
};

/// What the rules look at.
#[derive(Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) subject: &'a Subject,
    pub(crate) wall: &'a Wall<'a>,
}

/// Audits a database, without changing anything: all looks are in one read-only transaction, which is
/// rolled back.
///
/// Any login can ask; one that is a superuser, or a member of the application's roles, sees more (what
/// policies do when they are tried).
///
/// # Errors
///
/// [`AuditError`]. That something was found is none.
pub async fn check(client: &mut Client, options: &Options) -> Result<Report, AuditError> {
    let begun = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(AuditError::doing("begin"))?;
    begun
        .batch_execute("SET LOCAL search_path = pg_catalog")
        .await
        .map_err(AuditError::doing("begin"))?;
    let report = audit(begun.client(), options).await;
    begun
        .rollback()
        .await
        .map_err(AuditError::doing("roll back"))?;
    report
}

async fn audit(client: &Client, options: &Options) -> Result<Report, AuditError> {
    let catalogue = catalogue::load(client).await?;
    let subject = Subject::of(&catalogue, options)?;
    let evaluations = wall::evaluate(client, &catalogue, &subject).await?;
    let wall = Wall::new(&catalogue, &subject, &evaluations);
    let audit = Audit {
        catalogue: &catalogue,
        subject: &subject,
        wall: &wall,
    };
    let mut found: Vec<Finding> = Vec::new();
    row_security::find(&audit, &mut found);
    roles::find(&audit, &mut found);
    policies::find(&audit, &mut found);
    context::find(&audit, &mut found);
    objects::find(&audit, &mut found);
    keys::find(&audit, &mut found);
    privileges::find(&audit, &mut found);
    speed::find(&audit, &mut found);
    drift::find(client, &catalogue, &mut found).await?;
    Ok(Report::new(found, &subject, options))
}
