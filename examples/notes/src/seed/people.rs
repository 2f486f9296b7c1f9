use chrono::Utc;
use partywall::{
    Sql as _, Tx,
    identity::{
        BuiltIn, EmailAddress,
        model::{account, account_role, credential, role, staff, tenant, user},
    },
};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _,
    QueryFilter as _,
};
use uuid::Uuid;

use super::{SeedError, hash};

/// A sample user.
pub(crate) struct User {
    pub(crate) email: &'static str,
    name: &'static str,
    /// Slugs, and what the user is there.
    accounts: &'static [(&'static str, BuiltIn)],
    is_staff: bool,
}

pub(crate) const USERS: [User; 5] = [
    User {
        email: "ann@example.com",
        name: "Ann",
        accounts: &[("acme", BuiltIn::Owner), ("globex", BuiltIn::Viewer)],
        is_staff: false,
    },
    User {
        email: "bob@example.com",
        name: "Bob",
        accounts: &[("acme", BuiltIn::Member)],
        is_staff: false,
    },
    User {
        email: "eve@example.com",
        name: "Eve",
        accounts: &[("globex", BuiltIn::Owner)],
        is_staff: false,
    },
    User {
        email: "ivy@example.com",
        name: "Ivy",
        accounts: &[("initech", BuiltIn::Owner)],
        is_staff: false,
    },
    User {
        email: "sue@example.com",
        name: "Sue",
        accounts: &[],
        is_staff: true,
    },
];

/// Adds the users that are missing. They share a password and so may share its hash, which is made
/// only where it is needed: most starts need none.
pub(super) async fn fill(tx: &Tx, password: &str, password_is_new: bool) -> Result<(), SeedError> {
    let mut missing = Vec::new();
    let mut known = Vec::new();
    for user in USERS {
        let email = EmailAddress::parse(user.email)?;
        match credential::Entity::find_by_id(email.key()).one(tx).await? {
            None => missing.push((user, email)),
            Some(row) => known.push(row),
        }
    }
    if !password_is_new {
        known.clear();
    }
    if missing.is_empty() && known.is_empty() {
        return Ok(());
    }
    let password = password.to_owned();
    let hash = tokio::task::spawn_blocking(move || hash(&password)).await??;
    for row in known {
        let mut changed: credential::ActiveModel = row.into();
        changed.password_hash = Set(hash.clone());
        changed.update(tx).await?;
    }
    for (user, email) in missing {
        add(tx, &user, &email, &hash).await?;
    }
    Ok(())
}

async fn add(tx: &Tx, sample: &User, email: &EmailAddress, hash: &str) -> Result<(), DbErr> {
    let row = user::ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set(email.as_typed().to_owned()),
        name: Set(sample.name.to_owned()),
        created_at: Set(Utc::now()),
        ..Default::default()
    };
    let user = row.insert(tx).await?;
    let row = credential::ActiveModel {
        email_key: Set(email.key().to_owned()),
        user_id: Set(user.id),
        password_hash: Set(hash.to_owned()),
        ..Default::default()
    };
    row.insert(tx).await?;
    if sample.is_staff {
        let row = staff::ActiveModel {
            user_id: Set(user.id),
        };
        row.insert(tx).await?;
    }
    for (slug, builtin) in sample.accounts {
        let tenant = tenant::Entity::find()
            .filter(tenant::Column::Slug.eq(*slug))
            .one(tx)
            .await?;
        // Somebody has renamed or deleted it: then there is no such account.
        if let Some(tenant) = tenant {
            add_account(tx, &user, tenant.id, *builtin).await?;
        }
    }
    Ok(())
}

async fn add_account(
    tx: &Tx,
    user: &user::Model,
    tenant: Uuid,
    builtin: BuiltIn,
) -> Result<(), DbErr> {
    let row = account::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant),
        user_id: Set(Some(user.id)),
        name: Set(user.name.clone()),
        email: Set(user.email.clone()),
        created_at: Set(Utc::now()),
        ..Default::default()
    };
    let account = row.insert(tx).await?;
    let role = role::Entity::find()
        .filter(role::Column::TenantId.eq(tenant))
        .filter(role::Column::Builtin.eq(builtin.name()))
        .one(tx)
        .await?;
    let role = role.ok_or_else(|| DbErr::RecordNotFound(builtin.name().to_owned()))?;
    let row = account_role::ActiveModel {
        account_id: Set(account.id),
        role_id: Set(role.id),
        tenant_id: Set(tenant),
    };
    row.insert(tx).await?;
    tx.execute_sql(
        "UPDATE comment c SET author_id = $1 FROM note n WHERE n.id = c.note_id \
         AND n.tenant_id = $2 AND c.author = $3 AND c.author_id IS NULL",
        [account.id.into(), tenant.into(), user.name.clone().into()],
    )
    .await
    .map_err(DbErr::from)?;
    Ok(())
}
