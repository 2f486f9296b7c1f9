//! What each login may do with a table.

use super::{
    Rights, Roles,
    declared::Audience,
    sql::{ident, idents},
    table::Table,
};

impl Table {
    /// What each login may do.
    pub(super) fn grants_sql(&self, roles: &Roles) -> String {
        let table = self.name.sql();
        let across = ident(roles.across());
        let mut sql = format!("REVOKE ALL ON {table} FROM PUBLIC, {};\n", roles.quoted());
        for (login, rights) in self.audience.grants(roles, self.rights) {
            let rights = self.rights_sql(rights);
            sql.push_str(&format!("GRANT {rights} ON {table} TO {login};\n"));
        }
        sql.push_str(&format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {across};\n"
        ));
        sql
    }

    fn rights_sql(&self, rights: Rights) -> String {
        let owners: Vec<&str> = self.owner_columns().map(|(_, column)| column).collect();
        let free: Vec<&str> = self
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !owners.contains(name))
            .collect();
        let mut sql = match (self.is_global(), rights) {
            (true, _) | (false, Rights::ReadOnly) => "SELECT".to_owned(),
            (false, Rights::AppendOnly) => "SELECT, INSERT".to_owned(),
            (false, Rights::ReadWrite) => "SELECT, INSERT, DELETE".to_owned(),
        };
        if !self.is_global() && rights == Rights::ReadWrite && !free.is_empty() {
            sql.push_str(&format!(", UPDATE ({})", idents(&free)));
        }
        sql
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

impl Audience {
    /// The logins whose policies compare with one value.
    pub(super) fn single_owner_logins(self, roles: &Roles) -> String {
        let app = ident(roles.app());
        match (self, roles.identity().map(ident)) {
            (Self::Identity(Some(_)), Some(identity)) => format!("{app}, {identity}"),
            (Self::Identity(None), Some(identity)) => identity,
            (Self::Application, _) | (_, None) => app,
        }
    }

    /// What the logins may do that see the rows of a scope.
    fn grants(self, roles: &Roles, rights: Rights) -> Vec<(String, Rights)> {
        match (self, roles.identity()) {
            (Self::Identity(app), Some(identity)) => app
                .map(|rights| (ident(roles.app()), rights))
                .into_iter()
                .chain([(ident(identity), rights)])
                .collect(),
            (Self::Application, _) | (_, None) => {
                let logins = format!("{}, {}", ident(roles.app()), ident(roles.list()));
                vec![(logins, rights)]
            }
        }
    }
}
