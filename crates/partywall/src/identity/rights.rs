use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Error, Identity, PermissionSet};
use crate::db::{Sql as _, Tx};

#[derive(FromQueryResult)]
struct Rights {
    builtins: Vec<String>,
    permissions: Vec<String>,
}

impl Identity {
    /// What roles of the transaction's tenant come to together, with all that they include.
    pub(super) async fn rights_of_roles(
        &self,
        tx: &Tx,
        roles: &[Uuid],
    ) -> Result<PermissionSet, Error> {
        let rights: Rights = tx
            .one(
                "WITH RECURSIVE held (role_id) AS ( \
                   SELECT unnest($1::uuid[]) UNION \
                   SELECT ri.includes_id FROM held \
                   JOIN identity.role_inclusion ri ON ri.role_id = held.role_id \
                 ), roles AS ( \
                   SELECT r.builtin, r.permissions FROM held \
                   JOIN identity.role r ON r.id = held.role_id \
                 ) \
                 SELECT ARRAY(SELECT r.builtin FROM roles r WHERE r.builtin IS NOT NULL) AS builtins, \
                        ARRAY(SELECT unnest(r.permissions) FROM roles r) AS permissions",
                [roles.to_vec().into()],
            )
            .await?;
        Ok(self.held(&rights))
    }

    /// What an account holds at this moment.
    pub(crate) async fn rights_of_account(
        &self,
        tx: &Tx,
        tenant: Uuid,
        account: Uuid,
    ) -> Result<PermissionSet, Error> {
        let rights: Rights = tx
            .one(
                "SELECT builtins, permissions FROM partywall.identity_rights($1, $2)",
                [tenant.into(), account.into()],
            )
            .await?;
        Ok(self.held(&rights))
    }

    fn held(&self, rights: &Rights) -> PermissionSet {
        self.permissions()
            .effective(&rights.builtins, &rights.permissions)
    }
}
