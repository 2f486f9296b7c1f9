use std::collections::BTreeSet;

use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{
    AuditEntry, Error, Event, RequestAccount,
    change::Change,
    tenant::{name_of, taken},
};
use crate::db::Sql as _;

/// Accounts that are given roles together.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
#[non_exhaustive]
pub struct Group {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The accounts in it.
    pub members: Vec<Uuid>,
    /// The roles that they have by it.
    pub roles: Vec<Uuid>,
}

/// What shall be different about a group. What is `None` stays, or is empty in a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// Its name.
    pub name: Option<String>,
    /// The accounts that shall be in it.
    pub members: Option<Vec<Uuid>>,
    /// The roles that they shall have by it.
    pub roles: Option<Vec<Uuid>>,
}

impl RequestAccount {
    /// The groups, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `group.read`, and what the database reports.
    pub async fn group_list(&self) -> Result<Vec<Group>, Error> {
        self.require("group.read")?;
        let groups = self
            .reading()
            .all(
                "SELECT g.id, g.name, \
                 ARRAY(SELECT gm.account_id FROM identity.group_member gm \
                       WHERE gm.group_id = g.id ORDER BY 1) AS members, \
                 ARRAY(SELECT gr.role_id FROM identity.group_role gr \
                       WHERE gr.group_id = g.id ORDER BY 1) AS roles \
                 FROM identity.account_group g ORDER BY g.name",
                [],
            )
            .await?;
        Ok(groups)
    }

    /// Adds a group. Tells its id.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `group.write`; [`Error::Invalid`] for a name, an account or a role
    /// that is not as it should be; [`Error::Taken`] for a name that another group has;
    /// [`Error::GrantsMore`] where it would hold what the actor does not; and what the database
    /// reports.
    pub async fn group_create(&self, group: GroupChange) -> Result<Uuid, Error> {
        let tx = self.change("group.write").await?;
        let name = group.name.as_deref().unwrap_or_default();
        let (id, name) = (Uuid::now_v7(), name_of("name", name)?);
        tx.execute_sql(
            "INSERT INTO identity.account_group (id, name) VALUES ($1, $2)",
            [id.into(), name.into()],
        )
        .await
        .map_err(|error| taken("name", error))?;
        let detail = tx.group_set(id, &group).await?;
        tx.require_all(&tx.rights_of_group(id).await?)?;
        tx.audit(AuditEntry::new("group.created").on(id).with(detail))
            .await?;
        let tenant = tx.tenant();
        tx.commit([Event::RightsChanged {
            tenant,
            account: None,
        }])
        .await?;
        Ok(id)
    }

    /// Changes a group: its name, who is in it, what they have by it.
    ///
    /// # Errors
    ///
    /// As for [`group_create`](Self::group_create), also where the group holds already what the actor
    /// does not; and [`Error::NotFound`] for a group that is not the tenant's.
    pub async fn group_change(&self, group: Uuid, change: GroupChange) -> Result<(), Error> {
        let tx = self.change("group.write").await?;
        tx.require_group(group).await?;
        tx.require_all(&tx.rights_of_group(group).await?)?;
        if let Some(name) = &change.name {
            tx.execute_sql(
                "UPDATE identity.account_group SET name = $2 WHERE id = $1",
                [group.into(), name_of("name", name)?.into()],
            )
            .await
            .map_err(|error| taken("name", error))?;
        }
        let detail = tx.group_set(group, &change).await?;
        tx.require_all(&tx.rights_of_group(group).await?)?;
        tx.audit(AuditEntry::new("group.changed").on(group).with(detail))
            .await?;
        let tenant = tx.tenant();
        tx.commit([Event::RightsChanged {
            tenant,
            account: None,
        }])
        .await
    }

    /// Deletes a group: its members lose what they had by it.
    ///
    /// # Errors
    ///
    /// As for [`group_change`](Self::group_change).
    pub async fn group_delete(&self, group: Uuid) -> Result<(), Error> {
        let tx = self.change("group.write").await?;
        let name = tx.require_group(group).await?;
        tx.require_all(&tx.rights_of_group(group).await?)?;
        tx.execute_sql(
            "DELETE FROM identity.account_group WHERE id = $1",
            [group.into()],
        )
        .await?;
        let entry = AuditEntry::new("group.deleted").on(group);
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
    /// The name of one of the tenant's groups.
    async fn require_group(&self, group: Uuid) -> Result<String, Error> {
        let found = self
            .rows(
                "SELECT name FROM identity.account_group WHERE id = $1",
                [group.into()],
            )
            .await?;
        let row = found.first().ok_or(Error::NotFound)?;
        Ok(row.try_get_by_index(0).map_err(crate::db::Error::Row)?)
    }

    async fn rights_of_group(&self, group: Uuid) -> Result<super::PermissionSet, Error> {
        let roles: Vec<Uuid> = self
            .scalar(
                "SELECT ARRAY(SELECT role_id FROM identity.group_role WHERE group_id = $1)",
                [group.into()],
            )
            .await?;
        self.rights_of_roles(&roles).await
    }

    /// Sets who is in a group and what they have by it. Tells what was set, for the audit log.
    async fn group_set(
        &self,
        group: Uuid,
        change: &GroupChange,
    ) -> Result<serde_json::Value, Error> {
        let mut detail = serde_json::Map::new();
        if let Some(name) = &change.name {
            detail.insert("name".to_owned(), name.trim().into());
        }
        if let Some(members) = &change.members {
            let wanted: BTreeSet<Uuid> = members.iter().copied().collect();
            self.require_accounts(&wanted).await?;
            self.execute_sql(
                "DELETE FROM identity.group_member WHERE group_id = $1",
                [group.into()],
            )
            .await?;
            let list: Vec<Uuid> = wanted.iter().copied().collect();
            self.execute_sql(
                "INSERT INTO identity.group_member (group_id, account_id) SELECT $1, unnest($2::uuid[])",
                [group.into(), list.into()],
            )
            .await?;
            detail.insert("members".to_owned(), json!(wanted));
        }
        if let Some(roles) = &change.roles {
            let wanted: BTreeSet<Uuid> = roles.iter().copied().collect();
            self.require_roles(&wanted).await?;
            self.refuse_owner(&wanted, "roles").await?;
            self.execute_sql(
                "DELETE FROM identity.group_role WHERE group_id = $1",
                [group.into()],
            )
            .await?;
            let list: Vec<Uuid> = wanted.iter().copied().collect();
            self.execute_sql(
                "INSERT INTO identity.group_role (group_id, role_id) SELECT $1, unnest($2::uuid[])",
                [group.into(), list.into()],
            )
            .await?;
            detail.insert("roles".to_owned(), json!(wanted));
        }
        Ok(detail.into())
    }
}
