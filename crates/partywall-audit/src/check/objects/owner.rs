use crate::{
    catalogue::{Oid, Privilege},
    check::{Audit, reach::Access},
};

/// A role that the policies of all these tables hold for and that may read them: an object that it owns shows
/// nobody more than the policies do.
pub(super) fn bound_owner(audit: &Audit<'_>, accesses: &[Access]) -> Option<Oid> {
    let tables: Vec<_> = accesses
        .iter()
        .filter_map(|access| audit.catalogue.relations.get(&access.table))
        .collect();
    tables.iter().map(|table| table.owner).find(|owner| {
        tables.iter().all(|table| {
            !audit.catalogue.is_exempt(*owner, table)
                && (*owner == table.owner
                    || (audit.catalogue.may_enter(*owner, table.namespace)
                        && audit.catalogue.may(*owner, table, Privilege::Select)))
        })
    })
}

/// Why a role sees more than the policies show: for the sentence in which it is named.
pub(super) fn why_exempt(audit: &Audit<'_>, access: Access) -> String {
    let roles = &audit.catalogue.roles;
    let name = crate::sql::tidy(roles.name(access.role));
    let table = audit.catalogue.relations.get(&access.table);
    if roles.is_superuser(access.role) {
        format!("{name}, a superuser")
    } else if roles.bypasses(access.role) {
        format!("{name}, which has BYPASSRLS")
    } else if table.is_some_and(|table| !table.row_security) {
        format!("{name}, and no policy is on what it reads")
    } else {
        format!("{name}, which owns the table, and its policies are not forced on the owner")
    }
}
