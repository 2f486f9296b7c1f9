use std::collections::BTreeSet;

use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{
    AuditEntry, BuiltIn, Error, Event, RequestAccount,
    change::Change,
    member::undeclared,
    tenant::{name_of, taken},
};
use crate::db::Sql as _;

/// A role of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Which built-in role it is; those are the same in all tenants and cannot be changed.
    pub builtin: Option<BuiltIn>,
    /// What it allows by itself.
    pub permissions: Vec<String>,
    /// The roles that it includes.
    pub includes: Vec<Uuid>,
}

/// What shall be different about a role. What is `None` stays, or is empty in a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// Its name.
    pub name: Option<String>,
    /// What it shall allow by itself.
    pub permissions: Option<Vec<String>>,
    /// The roles that it shall include.
    pub includes: Option<Vec<Uuid>>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    name: String,
    builtin: Option<String>,
    permissions: Vec<String>,
    includes: Vec<Uuid>,
}

impl RequestAccount {
    /// The roles, the built-in ones first.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `role.read`, and what the database reports.
    pub async fn role_list(&self) -> Result<Vec<Role>, Error> {
        self.require("role.read")?;
        let rows: Vec<Row> = self
            .reading()
            .all(
                "SELECT r.id, r.name, r.builtin, r.permissions, \
                 ARRAY(SELECT ri.includes_id FROM identity.role_inclusion ri \
                       WHERE ri.role_id = r.id ORDER BY 1) AS includes \
                 FROM identity.role r ORDER BY r.builtin IS NULL, r.name",
                [],
            )
            .await?;
        let permissions = self.identity().permissions();
        Ok(rows
            .into_iter()
            .map(|row| {
                let builtin = row.builtin.as_deref().and_then(BuiltIn::named);
                Role {
                    id: row.id,
                    name: row.name,
                    builtin,
                    permissions: match builtin {
                        Some(role) => permissions.of(role).iter().map(str::to_owned).collect(),
                        None => row.permissions,
                    },
                    includes: row.includes,
                }
            })
            .collect())
    }

    /// Adds a role. Tells its id.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `role.write`; [`Error::Invalid`] for a name, a permission or an
    /// included role that is not as it should be; [`Error::Taken`] for a name that another role has;
    /// [`Error::GrantsMore`] where it would hold what the actor does not; and what the database
    /// reports.
    pub async fn role_create(&self, role: RoleChange) -> Result<Uuid, Error> {
        let tx = self.change("role.write").await?;
        let name = role.name.as_deref().unwrap_or_default();
        let (id, name) = (Uuid::now_v7(), name_of("name", name)?);
        tx.execute_sql(
            "INSERT INTO identity.role (id, name, permissions) VALUES ($1, $2, '{}')",
            [id.into(), name.clone().into()],
        )
        .await
        .map_err(|error| taken("name", error))?;
        let detail = tx.role_set(id, &role).await?;
        tx.require_all(&tx.rights_of_roles(&[id]).await?)?;
        let entry = AuditEntry::new("role.created").on(id);
        tx.audit(entry.with(json!({"name": name, "to": detail})))
            .await?;
        tx.commit([]).await?;
        Ok(id)
    }

    /// Changes one of the tenant's own roles.
    ///
    /// # Errors
    ///
    /// As for [`role_create`](Self::role_create), also where the role holds already what the actor
    /// does not; [`Error::NotFound`] for a role that is not the tenant's, and [`Error::Invalid`] for
    /// a built-in one.
    pub async fn role_change(&self, role: Uuid, change: RoleChange) -> Result<(), Error> {
        let tx = self.change("role.write").await?;
        tx.require_own_role(role).await?;
        tx.require_all(&tx.rights_of_roles(&[role]).await?)?;
        if let Some(name) = &change.name {
            tx.execute_sql(
                "UPDATE identity.role SET name = $2 WHERE id = $1",
                [role.into(), name_of("name", name)?.into()],
            )
            .await
            .map_err(|error| taken("name", error))?;
        }
        let detail = tx.role_set(role, &change).await?;
        tx.require_all(&tx.rights_of_roles(&[role]).await?)?;
        tx.audit(AuditEntry::new("role.changed").on(role).with(detail))
            .await?;
        let tenant = tx.tenant();
        tx.commit([Event::RightsChanged {
            tenant,
            account: None,
        }])
        .await
    }

    /// Deletes one of the tenant's own roles: whoever has it loses what it allowed.
    ///
    /// # Errors
    ///
    /// As for [`role_change`](Self::role_change).
    pub async fn role_delete(&self, role: Uuid) -> Result<(), Error> {
        let tx = self.change("role.write").await?;
        let name = tx.require_own_role(role).await?;
        tx.require_all(&tx.rights_of_roles(&[role]).await?)?;
        tx.execute_sql("DELETE FROM identity.role WHERE id = $1", [role.into()])
            .await?;
        let entry = AuditEntry::new("role.deleted").on(role);
        tx.audit(entry.with(json!({"name": name}))).await?;
        let tenant = tx.tenant();
        tx.commit([Event::RightsChanged {
            tenant,
            account: None,
        }])
        .await
    }
}

impl Change<'_> {
    /// The name of one of the tenant's own roles.
    async fn require_own_role(&self, role: Uuid) -> Result<String, Error> {
        let row: Option<Row> = self
            .optional(
                "SELECT r.id, r.name, r.builtin, r.permissions, '{}'::uuid[] AS includes \
                 FROM identity.role r WHERE r.id = $1",
                [role.into()],
            )
            .await?;
        match row.ok_or(Error::NotFound)? {
            Row {
                builtin: Some(name),
                ..
            } => {
                let message = format!("`{name}` is built in and cannot be changed");
                Err(Error::invalid("role", message))
            }
            Row { name, .. } => Ok(name),
        }
    }

    /// Sets what a role allows and includes. Tells what was set, for the audit log.
    async fn role_set(&self, role: Uuid, change: &RoleChange) -> Result<serde_json::Value, Error> {
        let mut detail = serde_json::Map::new();
        if let Some(name) = &change.name {
            detail.insert("name".to_owned(), name.trim().into());
        }
        if let Some(permissions) = &change.permissions {
            let wanted: BTreeSet<&str> = permissions.iter().map(String::as_str).collect();
            if let Some(unknown) = wanted.iter().find(|name| !self.is_declared(name)) {
                return Err(undeclared(unknown));
            }
            let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
            self.execute_sql(
                "UPDATE identity.role SET permissions = $2 WHERE id = $1",
                [role.into(), wanted.clone().into()],
            )
            .await?;
            detail.insert("permissions".to_owned(), wanted.into());
        }
        if let Some(includes) = &change.includes {
            let wanted: BTreeSet<Uuid> = includes.iter().copied().collect();
            self.role_includes_set(role, &wanted).await?;
            detail.insert("includes".to_owned(), json!(wanted));
        }
        Ok(detail.into())
    }

    async fn role_includes_set(&self, role: Uuid, wanted: &BTreeSet<Uuid>) -> Result<(), Error> {
        self.require_roles(wanted).await?;
        self.refuse_owner(wanted, "includes").await?;
        self.execute_sql(
            "DELETE FROM identity.role_inclusion WHERE role_id = $1",
            [role.into()],
        )
        .await?;
        let list: Vec<Uuid> = wanted.iter().copied().collect();
        self.execute_sql(
            "INSERT INTO identity.role_inclusion (role_id, includes_id) SELECT $1, unnest($2::uuid[])",
            [role.into(), list.into()],
        )
        .await?;
        let includes_itself: bool = self
            .scalar(
                "WITH RECURSIVE held (role_id) AS (\
                   SELECT includes_id FROM identity.role_inclusion WHERE role_id = $1 \
                   UNION \
                   SELECT ri.includes_id FROM held \
                   JOIN identity.role_inclusion ri ON ri.role_id = held.role_id\
                 ) SELECT EXISTS (SELECT FROM held WHERE role_id = $1)",
                [role.into()],
            )
            .await?;
        if includes_itself {
            return Err(Error::invalid("includes", "the role would include itself"));
        }
        Ok(())
    }

    /// Owners are made one by one: their role comes with no other and with no group.
    pub(super) async fn refuse_owner(
        &self,
        roles: &BTreeSet<Uuid>,
        field: &'static str,
    ) -> Result<(), Error> {
        if roles.contains(&self.builtin_role(BuiltIn::Owner).await?) {
            return Err(Error::invalid(field, "`owner` is given to accounts only"));
        }
        Ok(())
    }
}
