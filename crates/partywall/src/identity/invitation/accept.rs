use std::net::IpAddr;

use chrono::Utc;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
};
use serde_json::json;
use uuid::Uuid;

use super::open::{Link, Tenant};
use crate::{
    db::{Sql as _, Tx},
    identity::{
        AuditEntry, EMAIL, EmailAddress, Error, Event, Identity, RequestUser, USER,
        audit::Who,
        model::{account, account_role, credential, invitation, role, user},
        password::NewPassword,
        sign_up::person_name,
    },
    scope::{Scope, TENANT},
};

/// What came of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The tenant.
    pub tenant: Uuid,
    /// The tenant's slug.
    pub slug: String,
    /// The person's account in it.
    pub account: Uuid,
    /// The person.
    pub user: Uuid,
    /// Whether the person had an account already. It is as it was: what it may do is not changed, and
    /// one that is deactivated stays so.
    pub was_member: bool,
}

struct Person<'a> {
    id: Uuid,
    name: &'a str,
    email: &'a str,
    address: Option<IpAddr>,
}

impl Identity {
    /// Joins the tenant that a link invites to.
    ///
    /// The account gets the role as it is today, if the inviter may still give it today: an active
    /// account that may invite and holds all that the role gives. Otherwise, and where the role is
    /// gone, the account is made without a role, for the tenant to give it one.
    ///
    /// # Errors
    ///
    /// [`Error::BadLink`] as for [`invitation_show`](Self::invitation_show), [`Error::OtherAddress`]
    /// where it is for another address than the person's, after which it can still be accepted,
    /// [`Error::NoSeat`], [`Error::Impersonating`], and what the database reports.
    pub async fn invitation_accept(
        &self,
        user: &RequestUser,
        token: &str,
    ) -> Result<Accepted, Error> {
        user.require_self()?;
        let link = self.invitation_find(token).await?;
        // The token was found to be this tenant's: what is done there follows from the invitation. The
        // person has just been authenticated.
        let scope = Scope::trusted([TENANT.is(link.tenant), USER.is(user.id)]);
        let tx = self.begin(&scope).await?;
        let (tenant, invitation) = link.take(&tx).await?;
        if EmailAddress::parse(&user.email)?.key() != invitation.email_key {
            return Err(Error::OtherAddress);
        }
        // Whoever deactivates the person waits, and then finds the account.
        let is_active = tx
            .rows(
                "SELECT 1 FROM identity.\"user\" WHERE id = $1 AND deactivated_at IS NULL FOR SHARE",
                [user.id.into()],
            )
            .await?;
        if is_active.is_empty() {
            return Err(Error::Anonymous);
        }
        let person = Person {
            id: user.id,
            name: &user.name,
            email: &user.email,
            address: user.address,
        };
        let accepted = self.join(&tx, &link, tenant, invitation, &person).await?;
        tx.commit().await?;
        self.joined(&accepted);
        Ok(accepted)
    }

    /// Signs up whom a link was mailed to, and joins the tenant. That the person has the link shows
    /// that the address is theirs. The token never sets the password of a person who has one.
    ///
    /// # Errors
    ///
    /// [`Error::SignInFirst`] for an address that is registered, [`Error::Invalid`] for a name or a
    /// password that is none, and otherwise as for [`invitation_accept`](Self::invitation_accept).
    pub async fn invitation_accept_new(
        &self,
        token: &str,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<Accepted, Error> {
        // Passwords are hashed for good links only: hashing is costly.
        let email = self.invitation_show(token).await?.email;
        let link = self.invitation_find(token).await?;
        let name = person_name(name)?;
        let password = NewPassword::parse("password", password)?;
        let id = Uuid::now_v7();
        // The token was mailed to this address and found to be this tenant's; the person is new.
        let scope = Scope::trusted([
            TENANT.is(link.tenant),
            EMAIL.is(link.email_key.clone()),
            USER.is(id),
        ]);
        let known = credential::Entity::find()
            .one(&self.inner.db.identity(&scope).read_only())
            .await?;
        if known.is_some() {
            return Err(Error::SignInFirst);
        }
        let hash = self.inner.passwords.hash(password).await?;
        let tx = self.begin(&scope).await?;
        let (tenant, invitation) = link.take(&tx).await?;
        // Whoever else began to sign up with this address ends here. Confirming a sign-up locks these
        // rows first as well.
        tx.execute_sql(
            "DELETE FROM identity.sign_up WHERE email_key = $1",
            [link.email_key.clone().into()],
        )
        .await?;
        let row = user::ActiveModel {
            id: Set(id),
            email: Set(email.clone()),
            name: Set(name.clone()),
            created_at: Set(Utc::now()),
            deactivated_at: Set(None),
            last_account: Set(None),
        };
        user::Entity::insert(row)
            .exec_without_returning(&tx)
            .await?;
        let is_first = tx
            .execute_sql(
                "INSERT INTO identity.credential (email_key, user_id, password_hash) \
                 VALUES ($1, $2, $3) ON CONFLICT (email_key) DO NOTHING",
                [link.email_key.clone().into(), id.into(), hash.into()],
            )
            .await?;
        if is_first == 0 {
            return Err(Error::SignInFirst);
        }
        let person = Person {
            id,
            name: &name,
            email: &email,
            address,
        };
        let accepted = self.join(&tx, &link, tenant, invitation, &person).await?;
        tx.commit().await?;
        self.emit(Event::UserCreated { user: id });
        self.joined(&accepted);
        Ok(accepted)
    }

    fn joined(&self, accepted: &Accepted) {
        if !accepted.was_member {
            self.emit(Event::MemberAdded {
                tenant: accepted.tenant,
                account: accepted.account,
            });
        }
    }

    /// Makes the account. The tenant and the invitation are held.
    async fn join(
        &self,
        tx: &Tx,
        link: &Link,
        tenant: Tenant,
        invitation: invitation::Model,
        person: &Person<'_>,
    ) -> Result<Accepted, Error> {
        let known = account::Entity::find()
            .filter(account::Column::UserId.eq(person.id))
            .one(tx)
            .await?;
        let mut role = None;
        let account = match &known {
            Some(known) => known.id,
            None => {
                check_seats(tx, tenant.seats).await?;
                let account = account_add(tx, link.tenant, person).await?;
                role = self.role_of_invitation(tx, &invitation).await?;
                if let Some(role) = &role {
                    let row = account_role::ActiveModel {
                        account_id: Set(account),
                        role_id: Set(role.id),
                        tenant_id: Set(link.tenant),
                    };
                    account_role::Entity::insert(row)
                        .exec_without_returning(tx)
                        .await?;
                }
                account
            }
        };
        let mut row = invitation.into_active_model();
        row.accepted_at = Set(Some(Utc::now()));
        row.update(tx).await?;
        let who = Who {
            tenant: link.tenant,
            user: Some(person.id),
            account: Some(account),
            name: person.name,
            subject: None,
            address: person.address,
        };
        let detail = json!({
            "account": account,
            "role": role.map(|role| role.name),
            "was_member": known.is_some(),
        });
        let entry = AuditEntry::new("invitation.accepted")
            .on(link.id)
            .with(detail);
        who.audit(tx, entry).await?;
        Ok(Accepted {
            tenant: link.tenant,
            slug: tenant.slug,
            account,
            user: person.id,
            was_member: known.is_some(),
        })
    }

    /// The role that the account gets, if the inviter may give it at this moment.
    async fn role_of_invitation(
        &self,
        tx: &Tx,
        invitation: &invitation::Model,
    ) -> Result<Option<role::Model>, Error> {
        let (Some(role), Some(inviter)) = (invitation.role_id, invitation.invited_by) else {
            return Ok(None);
        };
        let role = role::Entity::find_by_id(role)
            .lock(sea_orm::sea_query::LockType::KeyShare)
            .one(tx)
            .await?;
        let is_active: bool = tx
            .scalar(
                "SELECT EXISTS (SELECT FROM identity.account WHERE id = $1 \
                 AND deactivated_at IS NULL AND partywall.identity_is_live(user_id))",
                [inviter.into()],
            )
            .await?;
        let Some(role) = role.filter(|_| is_active) else {
            return Ok(None);
        };
        let gives = self.rights_of_roles(tx, &[role.id]).await?;
        let holds = self
            .rights_of_account(tx, invitation.tenant_id, inviter)
            .await?;
        let may_give = holds.has("invitation.write") && holds.lacks(&gives).is_none();
        Ok(may_give.then_some(role))
    }
}

/// The tenant's row is held, so nobody else counts.
async fn check_seats(tx: &Tx, seats: Option<i32>) -> Result<(), Error> {
    let Some(seats) = seats else { return Ok(()) };
    let taken: i64 = tx
        .scalar(
            "SELECT count(*) FROM identity.account \
             WHERE user_id IS NOT NULL AND deactivated_at IS NULL",
            [],
        )
        .await?;
    if taken < i64::from(seats) {
        Ok(())
    } else {
        Err(Error::NoSeat)
    }
}

async fn account_add(tx: &Tx, tenant: Uuid, person: &Person<'_>) -> Result<Uuid, Error> {
    let id = Uuid::now_v7();
    let row = account::ActiveModel {
        id: Set(id),
        tenant_id: Set(tenant),
        user_id: Set(Some(person.id)),
        name: Set(person.name.to_owned()),
        email: Set(person.email.to_owned()),
        created_at: Set(Utc::now()),
        deactivated_at: Set(None),
        removed_at: Set(None),
    };
    account::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(id)
}
