//! The sample data: three tenants, four users.

mod samples;

use chrono::{TimeDelta, Utc};
use partywall::{Db, Tx, db::Error};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, DbErr, EntityTrait as _,
    QueryFilter as _, TransactionTrait as _,
};
use uuid::Uuid;

use crate::{
    identity,
    models::{comment, credential, membership, note, note_tag, person, tag, tenant},
};
use samples::{SampleNote, TENANTS};

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
    /// The password cannot be hashed.
    #[error("the password cannot be hashed")]
    Password(#[from] argon2::password_hash::Error),
}

/// A sample user.
pub(crate) struct User {
    pub(crate) email: &'static str,
    name: &'static str,
    tenants: &'static [&'static str],
}

pub(crate) const USERS: [User; 4] = [
    User {
        email: "ann@example.com",
        name: "Ann",
        tenants: &["acme", "globex"],
    },
    User {
        email: "bob@example.com",
        name: "Bob",
        tenants: &["acme"],
    },
    User {
        email: "eve@example.com",
        name: "Eve",
        tenants: &["globex"],
    },
    User {
        email: "ivy@example.com",
        name: "Ivy",
        tenants: &["initech"],
    },
];

/// Adds what is missing. What a visitor changed or deleted stays so.
///
/// Tenants and users belong to no scope that a request could have, so this goes across.
pub(crate) async fn fill(db: &Db, password: &str, password_is_new: bool) -> Result<(), SeedError> {
    identity::session_expire(db).await?;
    let across = db.across("the sample tenants and users are added").await?;
    let tx = across.begin().await?;
    for sample in TENANTS {
        let known = tenant::Column::Slug.eq(sample.slug);
        if tenant::Entity::find()
            .filter(known)
            .one(&tx)
            .await?
            .is_some()
        {
            continue;
        }
        let row = tenant::ActiveModel {
            id: Set(Uuid::now_v7()),
            slug: Set(sample.slug.to_owned()),
            name: Set(sample.name.to_owned()),
        };
        let tenant = row.insert(&tx).await?;
        for (age, note) in sample.notes.iter().enumerate().rev() {
            add_note(&tx, tenant.id, age, note).await?;
        }
    }
    for user in USERS {
        let known = credential::Entity::find_by_id(user.email).one(&tx).await?;
        match known {
            None => add_user(&tx, &user, password).await?,
            Some(known) if password_is_new => {
                let mut changed: credential::ActiveModel = known.into();
                changed.password_hash = Set(identity::hash(password)?);
                changed.update(&tx).await?;
            }
            Some(_) => {}
        }
    }
    Ok(tx.commit().await?)
}

async fn add_user(tx: &Tx, user: &User, password: &str) -> Result<(), SeedError> {
    let row = person::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(user.name.to_owned()),
        email: Set(user.email.to_owned()),
    };
    let person = row.insert(tx).await?;
    let credential = credential::ActiveModel {
        email: Set(user.email.to_owned()),
        person_id: Set(person.id),
        password_hash: Set(identity::hash(password)?),
    };
    credential.insert(tx).await?;
    let mine = tenant::Column::Slug.is_in(user.tenants.iter().copied());
    for tenant in tenant::Entity::find().filter(mine).all(tx).await? {
        let membership = membership::ActiveModel {
            person_id: Set(person.id),
            tenant_id: Set(tenant.id),
        };
        membership.insert(tx).await?;
    }
    Ok(())
}

async fn add_note(tx: &Tx, tenant: Uuid, age: usize, sample: &SampleNote) -> Result<(), SeedError> {
    let hours = i64::try_from(age).unwrap_or_default() * 29 + 3;
    let written = Utc::now() - TimeDelta::hours(hours);
    let row = note::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant),
        title: Set(sample.title.to_owned()),
        body: Set(sample.body.to_owned()),
        author: Set(sample.author.to_owned()),
        created_at: Set(written),
        updated_at: Set(written),
    };
    let note = row.insert(tx).await?;
    for (n, (author, body)) in sample.comments.iter().enumerate() {
        let minutes = i64::try_from(n).unwrap_or_default() * 17 + 12;
        let comment = comment::ActiveModel {
            id: Set(Uuid::now_v7()),
            note_id: Set(note.id),
            author: Set((*author).to_owned()),
            body: Set((*body).to_owned()),
            created_at: Set(written + TimeDelta::minutes(minutes)),
        };
        comment.insert(tx).await?;
    }
    for label in sample.tags {
        let tag = find_or_add_tag(tx, tenant, label).await?;
        note_tag::ActiveModel {
            note_id: Set(note.id),
            tag_id: Set(tag),
        }
        .insert(tx)
        .await?;
    }
    Ok(())
}

async fn find_or_add_tag(tx: &Tx, tenant: Uuid, label: &str) -> Result<Uuid, SeedError> {
    let known = Condition::all()
        .add(tag::Column::TenantId.eq(tenant))
        .add(tag::Column::Label.eq(label));
    if let Some(known) = tag::Entity::find().filter(known).one(tx).await? {
        return Ok(known.id);
    }
    let row = tag::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant),
        label: Set(label.to_owned()),
    };
    Ok(row.insert(tx).await?.id)
}
