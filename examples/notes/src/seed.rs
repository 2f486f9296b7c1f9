//! The sample data: three tenants with their notes, and five users.

mod notes;
mod people;
mod samples;

use argon2::{Argon2, PasswordHasher as _, password_hash};
use chrono::Utc;
use partywall::{
    Db, Sql as _, Tx,
    db::Error,
    identity::{
        self, BuiltIn,
        model::{role, tenant},
    },
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _,
    QueryFilter as _, TransactionTrait as _,
};
use uuid::Uuid;

pub(crate) use people::USERS;
use samples::{SampleTenant, TENANTS};

/// Why the sample data could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// Through SeaORM.
    #[error(transparent)]
    Orm(#[from] DbErr),
    /// Beside it.
    #[error(transparent)]
    Database(#[from] Error),
    /// A sample user's address.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// The password cannot be hashed.
    #[error("the password cannot be hashed")]
    Password(#[from] password_hash::Error),
    /// A background task failed.
    #[error("a task failed")]
    Task(#[from] tokio::task::JoinError),
}

/// Adds what is missing. What a visitor changed or deleted stays so.
///
/// Nobody is signed in who could do this in a scope of theirs, so it goes across.
pub(crate) async fn fill(db: &Db, password: &str, password_is_new: bool) -> Result<(), SeedError> {
    let across = db.across("the sample tenants and users are added").await?;
    let tx = across.begin().await?;
    tx.execute_sql("DELETE FROM identity.session WHERE expires_at <= now()", [])
        .await?;
    for sample in &TENANTS {
        let known = tenant::Column::Slug.eq(sample.slug);
        let known = tenant::Entity::find().filter(known).one(&tx).await?;
        if known.is_none() {
            add_tenant(&tx, sample).await?;
        }
    }
    people::fill(&tx, password, password_is_new).await?;
    Ok(tx.commit().await?)
}

async fn add_tenant(tx: &Tx, sample: &SampleTenant) -> Result<(), SeedError> {
    let row = tenant::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(sample.slug.to_owned()),
        name: Set(sample.name.to_owned()),
        created_at: Set(Utc::now()),
        ..Default::default()
    };
    let tenant = row.insert(tx).await?;
    let roles = BuiltIn::ALL.map(|builtin| role::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant.id),
        name: Set(builtin.name().to_owned()),
        builtin: Set(Some(builtin.name().to_owned())),
        permissions: Set(Vec::new()),
    });
    role::Entity::insert_many(roles)
        .exec_without_returning(tx)
        .await?;
    for (age, note) in sample.notes.iter().enumerate().rev() {
        notes::add(tx, tenant.id, age, note).await?;
    }
    Ok(())
}

/// Takes some tens of milliseconds and 19 MiB on purpose: not for the threads that answer requests.
pub(crate) fn hash(password: &str) -> Result<String, password_hash::Error> {
    Ok(Argon2::default()
        .hash_password(password.as_bytes())?
        .to_string())
}
