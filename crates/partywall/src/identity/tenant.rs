use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{
    Actor, AuditEntry, Authenticated, BuiltIn, Error, Event, RequestAccount, RequestUser,
    TenantInfo, USER, authenticate::seconds, slug::Slug,
};
use crate::{
    db::{self, Sql as _, Tx},
    scope::{Scope, TENANT},
};

/// What shall be different about a tenant. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// What people say for it.
    pub name: Option<String>,
    /// What addresses say for it.
    pub slug: Option<String>,
    /// How many accounts may be active at once; `Some(None)` for any number. Fewer than there are
    /// keeps nobody out and lets nobody in.
    pub seats: Option<Option<i32>>,
}

#[derive(FromQueryResult)]
struct Changed {
    slug: String,
    name: String,
    seats: Option<i32>,
}

impl RequestUser {
    /// Creates a tenant, whose owner is the person who asks.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a name or a slug that is not as it should be, [`Error::Taken`] for a slug
    /// that another tenant has, [`Error::Impersonating`] while acting as somebody else, and what the
    /// database reports.
    pub async fn tenant_create(&self, name: &str, slug: &str) -> Result<RequestAccount, Error> {
        if self.impersonator.is_some() {
            return Err(Error::Impersonating);
        }
        let (name, slug) = (name_of("name", name)?, Slug::parse(slug)?);
        let (tenant, account) = (Uuid::now_v7(), Uuid::now_v7());
        // The tenant is new, and the person is the one who asks.
        let scope = Scope::trusted([TENANT.is(tenant), USER.is(self.id)]);
        let tx = self.identity.begin(&scope).await?;
        let live = tx
            .rows(
                "SELECT id FROM identity.\"user\" WHERE id = $1 AND deactivated_at IS NULL FOR SHARE",
                [self.id.into()],
            )
            .await?;
        if live.is_empty() {
            return Err(Error::Anonymous);
        }
        tx.execute_sql(
            "INSERT INTO identity.tenant (id, slug, name, created_at) VALUES ($1, $2, $3, now())",
            [tenant.into(), slug.as_str().into(), name.clone().into()],
        )
        .await
        .map_err(slug_taken)?;
        let owner = builtin_roles_create(&tx).await?;
        tx.execute_sql(
            "INSERT INTO identity.account (id, user_id, name, email, created_at) \
             VALUES ($1, $2, $3, $4, now())",
            [
                account.into(),
                self.id.into(),
                self.name.clone().into(),
                self.email.clone().into(),
            ],
        )
        .await?;
        tx.execute_sql(
            "INSERT INTO identity.account_role (account_id, role_id) VALUES ($1, $2)",
            [account.into(), owner.into()],
        )
        .await?;
        let info = TenantInfo {
            id: tenant,
            slug: slug.to_string(),
            name,
            seats: None,
        };
        let actor = Actor::Member {
            account,
            name: self.name.clone(),
        };
        let held = self.identity.permissions().of(BuiltIn::Owner);
        let created =
            RequestAccount::new(&self.identity, info, actor, Some(self), held, self.address);
        let detail = json!({"slug": slug.as_str(), "name": created.tenant().name});
        created
            .audit(
                &tx,
                AuditEntry::new("tenant.created").on(tenant).with(detail),
            )
            .await?;
        tx.commit().await?;
        self.identity.emit(Event::TenantCreated { tenant });
        Ok(created)
    }

    /// Keeps a tenant's members out, as a member of the staff.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for whoever is not of the staff, for an unknown tenant and for one that is
    /// suspended already; and what the database reports.
    pub async fn tenant_suspend(&self, tenant: Uuid) -> Result<(), Error> {
        let sql = "UPDATE identity.tenant SET suspended_at = now() \
                   WHERE id = $1 AND suspended_at IS NULL";
        self.tenant_close(tenant, sql, "tenant.suspended").await?;
        self.identity.emit(Event::TenantSuspended { tenant });
        Ok(())
    }

    /// Lets a suspended tenant's members in again, as a member of the staff.
    ///
    /// # Errors
    ///
    /// As for [`tenant_suspend`](Self::tenant_suspend), and [`Error::NotFound`] for a tenant that is
    /// not suspended.
    pub async fn tenant_resume(&self, tenant: Uuid) -> Result<(), Error> {
        let sql = "UPDATE identity.tenant SET suspended_at = NULL \
                   WHERE id = $1 AND suspended_at IS NOT NULL";
        self.tenant_close(tenant, sql, "tenant.resumed").await?;
        self.identity.emit(Event::TenantResumed { tenant });
        Ok(())
    }

    async fn tenant_close(&self, tenant: Uuid, sql: &str, action: &str) -> Result<(), Error> {
        // Whoever is not of the staff does not learn that there is something to be found.
        if !self.is_staff || self.impersonator.is_some() {
            return Err(Error::NotFound);
        }
        // The staff sees to all tenants.
        let scope = Scope::trusted([TENANT.is(tenant)]);
        let tx = self.identity.begin(&scope).await?;
        if tx.execute_sql(sql, [tenant.into()]).await? == 0 {
            return Err(Error::NotFound);
        }
        self.audit_in(&tx, tenant, AuditEntry::new(action).on(tenant))
            .await?;
        Ok(tx.commit().await?)
    }
}

impl RequestAccount {
    /// Changes a tenant's name, slug or seats. Tells how it is then.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `tenant.update`, [`Error::Invalid`] and [`Error::Taken`] as for
    /// [`tenant_create`](RequestUser::tenant_create), and what the database reports.
    pub async fn tenant_change(&self, change: TenantChange) -> Result<TenantInfo, Error> {
        let TenantChange { name, slug, seats } = change;
        let tx = self.change("tenant.update").await?;
        let name = name.map(|name| name_of("name", &name)).transpose()?;
        let slug = slug.map(|slug| Slug::parse(&slug)).transpose()?;
        if seats.flatten().is_some_and(|seats| seats < 1) {
            return Err(Error::invalid("seats", "one at least"));
        }
        let tenant = tx.tenant();
        let changed: Changed = tx
            .one(
                "UPDATE identity.tenant SET name = coalesce($2, name), slug = coalesce($3, slug), \
                 seats = CASE WHEN $4 THEN $5 ELSE seats END WHERE id = $1 \
                 RETURNING slug, name, seats",
                [
                    tenant.into(),
                    name.clone().into(),
                    slug.as_ref().map(ToString::to_string).into(),
                    seats.is_some().into(),
                    seats.flatten().into(),
                ],
            )
            .await
            .map_err(slug_taken)?;
        let mut detail = serde_json::Map::new();
        if let Some(name) = name {
            detail.insert("name".to_owned(), name.into());
        }
        if let Some(slug) = slug {
            detail.insert("slug".to_owned(), slug.as_str().into());
        }
        if let Some(seats) = seats {
            detail.insert("seats".to_owned(), seats.into());
        }
        tx.audit(
            AuditEntry::new("tenant.changed")
                .on(tenant)
                .with(detail.into()),
        )
        .await?;
        tx.commit([Event::TenantChanged { tenant }]).await?;
        Ok(TenantInfo {
            id: tenant,
            slug: changed.slug,
            name: changed.name,
            seats: changed.seats,
        })
    }

    /// Deletes the tenant. Nobody gets in from then on, its slug is free, and when the time of grace
    /// is over it is [gone](super::Identity::tenants_purge). Until then an owner can
    /// [restore](Authenticated::tenant_restore) it.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `tenant.delete`, [`Error::Impersonating`] while acting as somebody
    /// else, and what the database reports.
    pub async fn tenant_delete(&self) -> Result<(), Error> {
        self.refuse_impersonation()?;
        let tx = self.change("tenant.delete").await?;
        let tenant = tx.tenant();
        tx.execute_sql(
            "UPDATE identity.tenant SET delete_after = now() + make_interval(secs => $2), slug = $3 \
             WHERE id = $1",
            [
                tenant.into(),
                f64::from(seconds(self.identity().settings().grace)).into(),
                Slug::of_deleted(tenant).as_str().into(),
            ],
        )
        .await?;
        let detail = json!({"slug": self.tenant().slug});
        tx.audit(AuditEntry::new("tenant.deleted").on(tenant).with(detail))
            .await?;
        tx.commit([Event::TenantDeleted { tenant }]).await
    }

    /// What ends or hands over a tenant is for its people to do themselves.
    pub(super) fn refuse_impersonation(&self) -> Result<(), Error> {
        match self.user().and_then(|user| user.impersonator) {
            None => Ok(()),
            Some(_) => Err(Error::Impersonating),
        }
    }
}

impl Authenticated {
    /// Whether the person could bring the tenant back that was asked for, as far as they are concerned.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is no such tenant or the person has no account in it,
    /// [`Error::Forbidden`] without `tenant.delete`, and [`Error::Impersonating`].
    pub fn tenant_restorable(&self) -> Result<(), Error> {
        let account = self.account_of_closed()?;
        account.require("tenant.delete")?;
        account.refuse_impersonation()
    }

    /// Brings a deleted tenant back, under a slug that is free.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is no such tenant, the person has no account in it, it was not
    /// deleted, or its time of grace is over; [`Error::Forbidden`] without `tenant.delete`;
    /// [`Error::Invalid`] and [`Error::Taken`] for the slug; and what the database reports.
    pub async fn tenant_restore(&self, slug: &str) -> Result<(), Error> {
        self.tenant_restorable()?;
        let account = self.account_of_closed()?;
        let slug = Slug::parse(slug)?;
        let tenant = account.tenant().id;
        let tx = account.identity().begin(account.scope()).await?;
        let restored = tx
            .execute_sql(
                "UPDATE identity.tenant SET delete_after = NULL, slug = $2 \
                 WHERE id = $1 AND delete_after > now()",
                [tenant.into(), slug.as_str().into()],
            )
            .await
            .map_err(slug_taken)?;
        if restored == 0 {
            return Err(Error::NotFound);
        }
        account.hold(&tx)?;
        let detail = json!({"slug": slug.as_str()});
        let entry = AuditEntry::new("tenant.restored").on(tenant);
        account.audit(&tx.committing(), entry.with(detail)).await?;
        account.identity().emit(Event::TenantRestored { tenant });
        Ok(())
    }
}

/// Gives a new tenant, that of the transaction's scope, its built-in roles. Tells the owner's.
async fn builtin_roles_create(tx: &Tx) -> Result<Uuid, Error> {
    let mut last = Uuid::nil();
    for role in BuiltIn::ALL {
        last = Uuid::now_v7();
        tx.execute_sql(
            "INSERT INTO identity.role (id, name, builtin, permissions) VALUES ($1, $2, $2, '{}')",
            [last.into(), role.name().into()],
        )
        .await?;
    }
    Ok(last)
}

/// A name for people: up to 200 characters, none of them invisible.
pub(super) fn name_of(field: &'static str, text: &str) -> Result<String, Error> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::invalid(field, "1 to 200 characters"));
    }
    if name.contains(char::is_control) {
        return Err(Error::invalid(field, "no control characters"));
    }
    Ok(name.to_owned())
}

pub(super) fn slug_taken(error: db::Error) -> Error {
    taken("slug", error)
}

/// Tells of a value that is unique which field it is.
pub(super) fn taken(field: &'static str, error: db::Error) -> Error {
    if error.kind() == db::ErrorKind::Unique {
        Error::Taken { field }
    } else {
        error.into()
    }
}
