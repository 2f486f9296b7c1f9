//! What each login may do with a table.

use super::{
    Rights, Roles,
    sql::{ident, idents},
    table::Table,
};

impl Table {
    /// What each login may do.
    pub(super) fn grants_sql(&self, roles: &Roles) -> String {
        let table = self.name.sql();
        let (app, list, across) = (
            ident(roles.app()),
            ident(roles.list()),
            ident(roles.across()),
        );
        let owners: Vec<&str> = self.owner_columns().map(|(_, column)| column).collect();
        let free: Vec<&str> = self
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !owners.contains(name))
            .collect();
        let mut rights = match (self.is_global(), self.rights) {
            (true, _) | (false, Rights::ReadOnly) => "SELECT".to_owned(),
            (false, Rights::AppendOnly) => "SELECT, INSERT".to_owned(),
            (false, Rights::ReadWrite) => "SELECT, INSERT, DELETE".to_owned(),
        };
        if !self.is_global() && self.rights == Rights::ReadWrite && !free.is_empty() {
            rights.push_str(&format!(", UPDATE ({})", idents(&free)));
        }
        format!(
            "REVOKE ALL ON {table} FROM PUBLIC, {};\n\
             GRANT {rights} ON {table} TO {app}, {list};\n\
             GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {across};\n",
            roles.quoted()
        )
    }

    /// The logins that may insert rows.
    pub(super) fn writers(&self, roles: &Roles) -> String {
        if self.is_global() || self.rights == Rights::ReadOnly {
            ident(roles.across())
        } else {
            roles.quoted()
        }
    }
}
