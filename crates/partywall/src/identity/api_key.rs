use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Actor, ApiKey, AuditEntry, Error, PermissionSet, RequestAccount, model::api_key, secret::Secret,
};
use crate::db::Sql as _;

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it may do, at most.
    pub permissions: Vec<String>,
    /// Until when it is good; for ever where nothing is said.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is the tenant's own rather than the account's: it stays when the account goes, and
    /// what it may do does not follow what the account may do.
    pub is_service: bool,
}

impl RequestAccount {
    /// Makes a key and shows it, this once: its hash alone is kept. It holds no more than the account
    /// does; the key of an account does at each use what the account may do then, and no more.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `key.write`, and for whoever is no member: no key makes a key.
    /// [`Error::Impersonating`], [`Error::GrantsMore`], [`Error::Invalid`], and what the database
    /// reports.
    pub async fn key_create(&self, new: NewKey) -> Result<(api_key::Model, ApiKey), Error> {
        let maker = self.key_writer()?;
        let permissions = self.permissions_for_key(&new)?;
        let secret = Secret::generate()?;
        let hash = secret.hash();
        let key = ApiKey(secret);
        let tx = self.manage([]).await?;
        // What the account held when the request began may have been taken away since.
        let tenant = self.tenant().id;
        let holds = self.identity().rights_of_account(&tx, tenant, maker);
        check_holds(&holds.await?, &permissions)?;
        let model = api_key::Model {
            id: Uuid::now_v7(),
            tenant_id: tenant,
            account_id: (!new.is_service).then_some(maker),
            name: new.name.trim().to_owned(),
            key_hash: hash,
            hint: key.hint(),
            permissions: permissions.iter().map(str::to_owned).collect(),
            created_by: Some(maker),
            created_at: Utc::now(),
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let row = api_key::ActiveModel {
            id: Set(model.id),
            tenant_id: Set(model.tenant_id),
            account_id: Set(model.account_id),
            name: Set(model.name.clone()),
            key_hash: Set(model.key_hash.clone()),
            hint: Set(model.hint.clone()),
            permissions: Set(model.permissions.clone()),
            created_by: Set(model.created_by),
            created_at: Set(model.created_at),
            expires_at: Set(model.expires_at),
            last_used_at: Set(None),
            revoked_at: Set(None),
        };
        api_key::Entity::insert(row)
            .exec_without_returning(&tx)
            .await?;
        let detail = json!({
            "name": model.name,
            "permissions": model.permissions,
            "is_service": new.is_service,
        });
        let entry = AuditEntry::new("key.created").on(model.id).with(detail);
        self.audit(&tx, entry).await?;
        tx.commit().await?;
        Ok((model, key))
    }

    /// The keys that were not taken back, the newest first: all of the tenant's with `key.read`, and
    /// one's own without it.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `key.read` for whoever has no account, and what the database
    /// reports.
    pub async fn key_list(&self) -> Result<Vec<api_key::Model>, Error> {
        let mut keys = api_key::Entity::find()
            .filter(api_key::Column::RevokedAt.is_null())
            .order_by_desc(api_key::Column::Id);
        if !self.has("key.read") {
            let own = self.id().ok_or(Error::Forbidden("key.read".to_owned()))?;
            keys = keys.filter(api_key::Column::AccountId.eq(own));
        }
        Ok(keys.all(&self.reading()).await?)
    }

    /// Takes a key back: one's own, or any with `key.write`. It opens nothing from the next request.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a key that is unknown, taken back, or somebody else's without
    /// `key.write`; [`Error::Forbidden`] for whoever is no member; [`Error::Impersonating`]; and what
    /// the database reports.
    pub async fn key_revoke(&self, id: Uuid) -> Result<(), Error> {
        let account = self.person()?;
        let tx = self.manage([]).await?;
        let revoked = tx
            .execute_sql(
                "UPDATE identity.api_key SET revoked_at = now() \
                 WHERE id = $1 AND revoked_at IS NULL AND ($2 OR account_id = $3)",
                [id.into(), self.has("key.write").into(), account.into()],
            )
            .await?;
        if revoked == 0 {
            return Err(Error::NotFound);
        }
        let entry = AuditEntry::new("key.revoked").on(id);
        self.audit(&tx.committing(), entry).await
    }

    fn key_writer(&self) -> Result<Uuid, Error> {
        self.require("key.write")?;
        self.person()
    }

    /// The account of a person who asks as themselves.
    fn person(&self) -> Result<Uuid, Error> {
        if let Some(user) = self.user() {
            user.require_self()?;
        }
        match self.actor() {
            Actor::Member { account, .. } => Ok(*account),
            Actor::Key { .. } | Actor::Staff { .. } => {
                Err(Error::Forbidden("key.write".to_owned()))
            }
        }
    }

    fn permissions_for_key(&self, new: &NewKey) -> Result<PermissionSet, Error> {
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
            return Err(Error::invalid("name", "a name has 1 to 100 characters"));
        }
        if new.expires_at.is_some_and(|until| until <= Utc::now()) {
            return Err(Error::invalid("expires_at", "this time is over"));
        }
        if new.permissions.is_empty() {
            return Err(Error::invalid("permissions", "a key needs a permission"));
        }
        let declared = self.identity().permissions();
        let is_unknown = |name: &&String| !declared.is_declared(name);
        if let Some(unknown) = new.permissions.iter().find(is_unknown) {
            let message = format!("there is no permission `{unknown}`");
            return Err(Error::invalid("permissions", message));
        }
        let wanted = declared.effective(&[], &new.permissions);
        check_holds(self.permissions(), &wanted)?;
        Ok(wanted)
    }
}

fn check_holds(held: &PermissionSet, wanted: &PermissionSet) -> Result<(), Error> {
    match held.lacks(wanted) {
        None => Ok(()),
        Some(missing) => Err(Error::GrantsMore(missing.to_owned())),
    }
}
