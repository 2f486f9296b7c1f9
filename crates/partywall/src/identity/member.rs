use std::collections::BTreeSet;

use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{
    Actor, AuditEntry, BuiltIn, Error, Event, RequestAccount,
    change::{Change, owners_remain},
};
use crate::db::Sql as _;

/// An account in a tenant, as others there see it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
#[non_exhaustive]
pub struct Member {
    /// The account.
    pub id: Uuid,
    /// Whose it is. Nobody's where it came with an imported tenant and nobody has its address.
    pub user: Option<Uuid>,
    /// How the tenant knows the person.
    pub name: String,
    /// The address that the person had when they joined.
    pub email: String,
    /// Whether the account opens anything.
    pub active: bool,
    /// The roles that it has by itself.
    pub roles: Vec<Uuid>,
    /// The names of these, in the same order.
    pub role_names: Vec<String>,
    /// The groups that it is in.
    pub groups: Vec<Uuid>,
    /// The permissions that it has by itself.
    pub grants: Vec<String>,
}

/// What shall be different about a member. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// All roles that the account shall have by itself.
    pub roles: Option<Vec<Uuid>>,
    /// Whether it shall open anything.
    pub active: Option<bool>,
}

/// An account that is about to be changed, whose row is locked: writes in flight have ended.
#[derive(FromQueryResult)]
struct Target {
    is_active: bool,
    /// Whether somebody can sign in to it.
    is_live: bool,
    is_owner: bool,
}

const MEMBERS: &str = "\
SELECT a.id, a.user_id AS \"user\", a.name, a.email, a.deactivated_at IS NULL AS active, \
ARRAY(SELECT r.id FROM identity.account_role ar JOIN identity.role r ON r.id = ar.role_id \
      WHERE ar.account_id = a.id ORDER BY r.name) AS roles, \
ARRAY(SELECT r.name FROM identity.account_role ar JOIN identity.role r ON r.id = ar.role_id \
      WHERE ar.account_id = a.id ORDER BY r.name) AS role_names, \
ARRAY(SELECT gm.group_id FROM identity.group_member gm WHERE gm.account_id = a.id ORDER BY 1) AS groups, \
ARRAY(SELECT ag.permission FROM identity.account_grant ag WHERE ag.account_id = a.id ORDER BY 1) AS grants \
FROM identity.account a WHERE a.removed_at IS NULL";

impl RequestAccount {
    /// The members, in the order in which they joined: up to `limit`, behind the account `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `member.read`, and what the database reports.
    pub async fn member_list(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<Member>, Error> {
        self.require("member.read")?;
        let sql = format!("{MEMBERS} AND ($1::uuid IS NULL OR a.id > $1) ORDER BY a.id LIMIT $2");
        let page = [after.into(), i64::from(limit).into()];
        Ok(self.reading().all(&sql, page).await?)
    }

    /// One member.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `member.read`, [`Error::NotFound`], and what the database reports.
    pub async fn member(&self, account: Uuid) -> Result<Member, Error> {
        self.require("member.read")?;
        let sql = format!("{MEMBERS} AND a.id = $1");
        let found = self.reading().optional(&sql, [account.into()]).await?;
        found.ok_or(Error::NotFound)
    }

    /// Who may do something: all members that are active, can sign in and have the permission, by
    /// whichever way.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `member.read`, [`Error::Invalid`] for a permission that is not
    /// declared, and what the database reports.
    pub async fn members_with(&self, permission: &str) -> Result<Vec<Member>, Error> {
        self.require("member.read")?;
        let permissions = self.identity().permissions();
        if !permissions.is_declared(permission) {
            return Err(undeclared(permission));
        }
        let builtins: Vec<String> = BuiltIn::ALL
            .into_iter()
            .filter(|role| permissions.of(*role).has(permission))
            .map(|role| role.name().to_owned())
            .collect();
        let sql = format!(
            "WITH RECURSIVE giving (role_id) AS (\
               SELECT r.id FROM identity.role r WHERE r.builtin = ANY ($1) OR $2 = ANY (r.permissions) \
               UNION \
               SELECT ri.role_id FROM giving \
               JOIN identity.role_inclusion ri ON ri.includes_id = giving.role_id\
             ), holding (account_id) AS (\
               SELECT ar.account_id FROM giving \
               JOIN identity.account_role ar ON ar.role_id = giving.role_id \
               UNION \
               SELECT gm.account_id FROM giving \
               JOIN identity.group_role gr ON gr.role_id = giving.role_id \
               JOIN identity.group_member gm ON gm.group_id = gr.group_id \
               UNION \
               SELECT ag.account_id FROM identity.account_grant ag WHERE ag.permission = $2\
             ) {MEMBERS} AND a.id IN (SELECT h.account_id FROM holding h) \
             AND a.deactivated_at IS NULL AND partywall.identity_is_live(a.user_id) ORDER BY a.id"
        );
        let parameters = [builtins.into(), permission.into()];
        Ok(self.reading().all(&sql, parameters).await?)
    }

    /// Changes a member's roles, or whether the account opens anything, or both at once.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] without `member.write`; [`Error::NotFound`] for an account that is not the
    /// tenant's; [`Error::Invalid`] for a role that is not; [`Error::GrantsMore`] where the roles, or
    /// the member, hold what the actor does not, and for an account to be opened that nobody can sign
    /// in to; [`Error::LastOwner`]; [`Error::NoSeat`]; and what the database reports.
    pub async fn member_change(&self, account: Uuid, change: MemberChange) -> Result<(), Error> {
        let tx = self.change("member.write").await?;
        let target = tx.target(account).await?;
        tx.require_all(&tx.rights_of(account).await?)?;
        let tenant = tx.tenant();
        let mut events = Vec::new();
        if let Some(roles) = change.roles
            && tx.account_roles_set(account, &target, &roles).await?
        {
            events.push(Event::RightsChanged {
                tenant,
                account: Some(account),
            });
        }
        match change.active {
            Some(true) if !target.is_active => {
                if !target.is_live {
                    let message = "nobody can sign in to this account: invite the person";
                    return Err(Error::invalid("active", message));
                }
                seat_require(&tx, tenant).await?;
                tx.execute_sql(
                    "UPDATE identity.account SET deactivated_at = NULL WHERE id = $1",
                    [account.into()],
                )
                .await?;
                tx.audit(AuditEntry::new("member.reactivated").on(account))
                    .await?;
                events.push(Event::MemberReactivated { tenant, account });
            }
            Some(false) if target.is_active => {
                tx.keep_owner(&target, account).await?;
                tx.execute_sql(
                    "UPDATE identity.account SET deactivated_at = now() WHERE id = $1",
                    [account.into()],
                )
                .await?;
                tx.audit(AuditEntry::new("member.deactivated").on(account))
                    .await?;
                events.push(Event::MemberDeactivated { tenant, account });
            }
            Some(_) | None => {}
        }
        tx.commit(events).await
    }

    /// Removes a member. What they wrote stays and keeps their name; what the account could do is gone,
    /// and writes in flight have ended.
    ///
    /// # Errors
    ///
    /// As for [`member_change`](Self::member_change).
    pub async fn member_remove(&self, account: Uuid) -> Result<(), Error> {
        let tx = self.change("member.write").await?;
        let target = tx.target(account).await?;
        tx.require_all(&tx.rights_of(account).await?)?;
        tx.remove(account, &target, "member.removed").await?;
        let tenant = tx.tenant();
        tx.commit([Event::MemberRemoved { tenant, account }]).await
    }

    /// Leaves the tenant: one's own account is removed.
    ///
    /// # Errors
    ///
    /// [`Error::LastOwner`], [`Error::Impersonating`] while acting as somebody else,
    /// [`Error::NotFound`] for whoever has no account, and what the database reports.
    pub async fn leave(&self) -> Result<(), Error> {
        self.refuse_impersonation()?;
        let Actor::Member { account, .. } = *self.actor() else {
            return Err(Error::NotFound);
        };
        let tx = self.change_unchecked().await?;
        let target = tx.target(account).await?;
        tx.remove(account, &target, "member.left").await?;
        let tenant = tx.tenant();
        tx.commit([Event::MemberRemoved { tenant, account }]).await
    }
}

impl Change<'_> {
    /// Locks an account of the tenant: waits for the writes of it that are in flight.
    async fn target(&self, account: Uuid) -> Result<Target, Error> {
        let locked = self
            .rows(
                "SELECT id FROM identity.account WHERE id = $1 AND removed_at IS NULL FOR UPDATE",
                [account.into()],
            )
            .await?;
        if locked.is_empty() {
            return Err(Error::NotFound);
        }
        let target = self
            .one(
                "SELECT a.deactivated_at IS NULL AS is_active, \
                 partywall.identity_is_live(a.user_id) AS is_live, EXISTS (\
                   SELECT FROM identity.account_role ar JOIN identity.role r ON r.id = ar.role_id \
                   WHERE ar.account_id = a.id AND r.builtin = $2) AS is_owner \
                 FROM identity.account a WHERE a.id = $1",
                [account.into(), BuiltIn::Owner.name().into()],
            )
            .await?;
        Ok(target)
    }

    /// Refuses to go on where the account is the last that owns the tenant.
    async fn keep_owner(&self, target: &Target, account: Uuid) -> Result<(), Error> {
        if !target.is_owner || owners_remain(self, self.tenant(), account).await? {
            Ok(())
        } else {
            Err(Error::LastOwner)
        }
    }

    /// Gives an account these roles and no others. Tells whether that changed anything.
    async fn account_roles_set(
        &self,
        account: Uuid,
        target: &Target,
        roles: &[Uuid],
    ) -> Result<bool, Error> {
        let wanted: BTreeSet<Uuid> = roles.iter().copied().collect();
        self.require_roles(&wanted).await?;
        let held: Vec<Uuid> = self
            .scalar(
                "SELECT ARRAY(SELECT role_id FROM identity.account_role WHERE account_id = $1)",
                [account.into()],
            )
            .await?;
        let held: BTreeSet<Uuid> = held.into_iter().collect();
        if held == wanted {
            return Ok(false);
        }
        let given: Vec<Uuid> = wanted.difference(&held).copied().collect();
        self.require_all(&self.rights_of_roles(&given).await?)?;
        let owner = self.builtin_role(BuiltIn::Owner).await?;
        if !wanted.contains(&owner) && target.is_active {
            self.keep_owner(target, account).await?;
        }
        let taken: Vec<Uuid> = held.difference(&wanted).copied().collect();
        self.execute_sql(
            "DELETE FROM identity.account_role WHERE account_id = $1 AND role_id = ANY ($2)",
            [account.into(), taken.clone().into()],
        )
        .await?;
        self.execute_sql(
            "INSERT INTO identity.account_role (account_id, role_id) SELECT $1, unnest($2::uuid[])",
            [account.into(), given.clone().into()],
        )
        .await?;
        let detail = json!({"given": given, "taken": taken});
        self.audit(
            AuditEntry::new("member.roles_changed")
                .on(account)
                .with(detail),
        )
        .await?;
        Ok(true)
    }

    /// Takes all that an account could do. Its row stays, for what points at it.
    async fn remove(&self, account: Uuid, target: &Target, action: &str) -> Result<(), Error> {
        if target.is_active {
            self.keep_owner(target, account).await?;
        }
        for sql in [
            "DELETE FROM identity.account_role WHERE account_id = $1",
            "DELETE FROM identity.account_grant WHERE account_id = $1",
            "DELETE FROM identity.group_member WHERE account_id = $1",
            "UPDATE identity.api_key SET revoked_at = now() \
             WHERE account_id = $1 AND revoked_at IS NULL",
            "UPDATE identity.account SET user_id = NULL, removed_at = now(), \
             deactivated_at = coalesce(deactivated_at, now()) WHERE id = $1",
        ] {
            self.execute_sql(sql, [account.into()]).await?;
        }
        self.audit(AuditEntry::new(action).on(account)).await
    }

    /// The tenant's row of a built-in role.
    pub(super) async fn builtin_role(&self, role: BuiltIn) -> Result<Uuid, Error> {
        let sql = "SELECT id FROM identity.role WHERE builtin = $1";
        Ok(self.scalar(sql, [role.name().into()]).await?)
    }

    /// Refuses roles that are not the tenant's.
    pub(super) async fn require_roles(&self, roles: &BTreeSet<Uuid>) -> Result<(), Error> {
        let wanted: Vec<Uuid> = roles.iter().copied().collect();
        let known: i64 = self
            .scalar(
                "SELECT count(*) FROM identity.role WHERE id = ANY ($1)",
                [wanted.into()],
            )
            .await?;
        if usize::try_from(known) == Ok(roles.len()) {
            Ok(())
        } else {
            Err(Error::invalid("roles", "there is no such role"))
        }
    }

    /// Refuses an account that is not the tenant's, or no longer.
    pub(super) async fn require_accounts(&self, accounts: &BTreeSet<Uuid>) -> Result<(), Error> {
        let wanted: Vec<Uuid> = accounts.iter().copied().collect();
        let known: i64 = self
            .scalar(
                "SELECT count(*) FROM identity.account WHERE id = ANY ($1) AND removed_at IS NULL",
                [wanted.into()],
            )
            .await?;
        if usize::try_from(known) == Ok(accounts.len()) {
            Ok(())
        } else {
            Err(Error::invalid("members", "there is no such account"))
        }
    }
}

/// Refuses where no account more may be active. The transaction's scope holds the tenant, and the
/// transaction its row.
pub(super) async fn seat_require(tx: &crate::Tx, tenant: Uuid) -> Result<(), Error> {
    let free: bool = tx
        .scalar(
            "SELECT t.seats IS NULL OR t.seats > (\
               SELECT count(*) FROM identity.account a \
               WHERE a.tenant_id = t.id AND a.user_id IS NOT NULL AND a.deactivated_at IS NULL) \
             FROM identity.tenant t WHERE t.id = $1",
            [tenant.into()],
        )
        .await?;
    if free { Ok(()) } else { Err(Error::NoSeat) }
}

pub(super) fn undeclared(permission: &str) -> Error {
    let message = format!("`{permission}` is no permission of this application");
    Error::invalid("permissions", message)
}
