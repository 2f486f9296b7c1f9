//! Roles and schemas.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::{
    super::{Membership, Namespace, Oid, Role, Roles},
    cell, grant, grouped, read,
};
use crate::AuditError;

pub(super) async fn roles(client: &Client, major: i32) -> Result<Roles, AuditError> {
    // PostgreSQL 16 moved the two from the member to the membership.
    let memberships = if major >= 16 {
        "SELECT m.member, m.roleid, m.inherit_option, m.set_option, m.admin_option, m.grantor FROM pg_auth_members m ORDER BY 1, 2, 6"
    } else {
        "SELECT m.member, m.roleid, r.rolinherit, true, m.admin_option, m.grantor FROM pg_auth_members m \
         JOIN pg_roles r ON r.oid = m.member ORDER BY 1, 2"
    };
    let mut members = grouped(client, memberships, |row| {
        Ok(Membership {
            role: cell(row, 1)?,
            inherit: cell(row, 2)?,
            set: cell(row, 3)?,
            admin: cell(row, 4)?,
            grantor: cell(row, 5)?,
        })
    })
    .await?;
    // Nobody is granted this one: the owner of the database has its rights (PostgreSQL 14 and newer).
    let owners = read(
        client,
        "SELECT d.datdba, r.oid FROM pg_database d, pg_roles r \
          WHERE d.datname = current_database() AND r.rolname = 'pg_database_owner'",
        |row| Ok((cell(row, 0)?, cell(row, 1)?)),
    )
    .await?;
    for (owner, role) in owners {
        let implied = Membership {
            role,
            inherit: true,
            set: false,
            admin: false,
            grantor: owner,
        };
        members.entry(owner).or_default().push(implied);
    }
    let roles = read(
        client,
        "SELECT oid, rolname::text, rolsuper, rolbypassrls, rolreplication, rolcanlogin, rolcreaterole \
         FROM pg_roles ORDER BY oid",
        |row| {
            let oid = cell(row, 0)?;
            Ok(Role {
                oid,
                name: cell(row, 1)?,
                superuser: cell(row, 2)?,
                bypasses_row_security: cell(row, 3)?,
                replication: cell(row, 4)?,
                login: cell(row, 5)?,
                create_role: cell(row, 6)?,
                member_of: members.remove(&oid).unwrap_or_default(),
            })
        },
    )
    .await?;
    Ok(Roles::new(roles))
}

pub(super) async fn namespaces(client: &Client) -> Result<BTreeMap<Oid, Namespace>, AuditError> {
    let mut grants = grouped(
        client,
        "SELECT n.oid, a.grantee, a.privilege_type FROM pg_namespace n, \
         aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a",
        |row| grant(row, 1, None),
    )
    .await?;
    let namespaces = read(
        client,
        "SELECT oid, nspname::text, nspowner FROM pg_namespace \
         WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY oid",
        |row| {
            let oid = cell(row, 0)?;
            Ok(Namespace {
                oid,
                name: cell(row, 1)?,
                owner: cell(row, 2)?,
                grants: grants.remove(&oid).unwrap_or_default(),
            })
        },
    )
    .await?;
    Ok(namespaces.into_iter().map(|it| (it.oid, it)).collect())
}
