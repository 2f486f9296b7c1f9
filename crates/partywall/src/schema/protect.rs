//! The statements that make one table and protect it.

use sea_orm::sea_query::ForeignKeyAction;

use super::{
    Rights, Roles,
    declared::Audience,
    sql::{ident, idents, object_name, short_hash},
    table::{By, Dimensioned, ForeignKey, Parent, Table},
};

/// Something in the database that belongs to a table and has a name.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) create: String,
    pub(super) drop: String,
}

/// How the policy calls the function that reads a dimension.
///
/// In a sub-select PostgreSQL calls it once for each statement, and plans for an average tenant
/// instead of for the first one that came along. A partitioned table needs the plain call: with the
/// sub-select its partitions are not pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Once,
    Plain,
}

impl Table {
    /// Creates the types and the table, without keys but the primary one.
    pub(super) fn create_sql(&self) -> String {
        let mut lines: Vec<String> = self
            .columns
            .iter()
            .map(|(name, rest)| format!("  {} {rest}", ident(name)))
            .collect();
        for (owned, column) in self.copies() {
            lines.push(format!("  {} {} NOT NULL", ident(column), owned.sql_type));
        }
        lines.push(format!(
            "  CONSTRAINT {} PRIMARY KEY ({})",
            ident(&object_name(&[&self.name.table, "pkey"])),
            idents(&self.led(&self.primary_key))
        ));
        format!(
            "CREATE TABLE {} (\n{}\n);\n",
            self.name.sql(),
            lines.join(",\n")
        )
    }

    /// Columns that copy a parent's owner.
    pub(super) fn copies(&self) -> impl Iterator<Item = (&Dimensioned, &str)> {
        self.owned.iter().filter_map(|owned| match &owned.by {
            By::Copy { column, .. } => Some((owned, column.as_str())),
            By::Column(_) | By::Exists(_) => None,
        })
    }

    /// Fills a copied column from the parent, for a table that had rows before it had the column.
    pub(super) fn fill_sql(&self) -> String {
        let mut sql = String::new();
        for owned in &self.owned {
            let By::Copy { column, from } = &owned.by else {
                continue;
            };
            let Some(source) = &from.column else { continue };
            sql.push_str(&format!(
                "ALTER TABLE {child} NO FORCE ROW LEVEL SECURITY;\n\
                 ALTER TABLE {parent} NO FORCE ROW LEVEL SECURITY;\n\
                 UPDATE {child} AS child SET {column} = parent.{source} FROM {parent} AS parent \
                 WHERE {on} AND child.{column} IS NULL;\n\
                 ALTER TABLE {parent} FORCE ROW LEVEL SECURITY;\n",
                child = self.name.sql(),
                parent = from.table.sql(),
                column = ident(column),
                source = ident(source),
                on = from.join("child", "parent"),
            ));
        }
        sql
    }

    /// The owner's columns: never NULL, and the scope's value where a statement gives none.
    pub(super) fn columns_sql(&self) -> String {
        self.owner_columns()
            .map(|(owned, column)| {
                let (table, column) = (self.name.sql(), ident(column));
                format!(
                    "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, \
                     ALTER COLUMN {column} SET DEFAULT partywall.{}();\n",
                    owned.dimension
                )
            })
            .collect()
    }

    /// The primary key, tenant-leading.
    pub(super) fn primary_key(&self) -> Object {
        let name = object_name(&[&self.name.table, "pkey"]);
        Object {
            create: format!(
                "ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({});\n",
                self.name.sql(),
                ident(&name),
                idents(&self.led(&self.primary_key))
            ),
            drop: self.drop_key(&name),
            name,
        }
    }

    /// Drops a key, whether it is a constraint or, put in its place, an index. Foreign keys that
    /// point at it go as well; those that are declared are made anew.
    fn drop_key(&self, name: &str) -> String {
        format!(
            "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name} CASCADE;\n\
             DROP INDEX IF EXISTS {}.{name};\n",
            self.name.sql(),
            ident(&self.name.schema),
            name = ident(name),
        )
    }

    /// The columns of the primary key, tenant-leading, and a unique constraint on them: for a table
    /// that has another primary key already.
    pub(super) fn led_key(&self) -> (Vec<String>, Object) {
        let columns = self.led(&self.primary_key);
        let (table, name) = (self.name.sql(), self.object_name(&columns, "key"));
        let unique = Object {
            create: format!(
                "ALTER TABLE {table} ADD CONSTRAINT {} UNIQUE ({});\n",
                ident(&name),
                idents(&columns)
            ),
            drop: format!("ALTER TABLE {table} DROP CONSTRAINT {};\n", ident(&name)),
            name,
        };
        (columns, unique)
    }

    /// Unique constraints and indexes, tenant-leading.
    pub(super) fn keys(&self) -> Vec<Object> {
        let table = self.name.sql();
        let mut objects = Vec::new();
        let primary = self.led(&self.primary_key);
        let mut seen = vec![primary];
        let led = self.uniques.iter().map(|columns| self.led(columns));
        for columns in led.chain(self.targets.iter().cloned()) {
            if seen.contains(&columns) {
                continue;
            }
            let name = self.object_name(&columns, "key");
            objects.push(Object {
                create: format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {} UNIQUE ({});\n",
                    ident(&name),
                    idents(&columns)
                ),
                drop: self.drop_key(&name),
                name,
            });
            seen.push(columns);
        }
        let foreign = self.references.iter().map(|key| key.columns.clone());
        for columns in self
            .indexes
            .iter()
            .map(|columns| self.led(columns))
            .chain(foreign)
        {
            if seen.iter().any(|known| known.starts_with(&columns)) {
                continue;
            }
            let name = self.object_name(&columns, "idx");
            objects.push(Object {
                create: format!(
                    "CREATE INDEX {} ON {table} ({});\n",
                    ident(&name),
                    idents(&columns)
                ),
                drop: self.drop_key(&name),
                name,
            });
            seen.push(columns);
        }
        objects
    }

    /// Foreign keys, tenant-leading.
    pub(super) fn foreign_keys(&self) -> Vec<Object> {
        let table = self.name.sql();
        self.references
            .iter()
            .map(|key| {
                let name = self.object_name(&key.columns, "fkey");
                Object {
                    create: format!(
                        "ALTER TABLE {table} ADD CONSTRAINT {} {};\n",
                        ident(&name),
                        key.definition()
                    ),
                    drop: format!(
                        "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {};\n",
                        ident(&name)
                    ),
                    name,
                }
            })
            .collect()
    }

    /// The trigger that fills a copied column where the scope does not: in a list scope, and on the
    /// way across.
    pub(super) fn triggers(&self) -> Vec<Object> {
        let table = self.name.sql();
        self.owned
            .iter()
            .filter_map(|owned| {
                let By::Copy { column, from } = &owned.by else { return None };
                let source = from.column.as_ref()?;
                let full = format!("{}.{}", self.name.schema, self.name.table);
                let function = format!("fill_{}_{}", owned.dimension, short_hash(&full));
                let name = object_name(&["partywall_fill", owned.dimension]);
                let on = from
                    .on
                    .iter()
                    .map(|(own, theirs)| {
                        format!("p.{} OPERATOR(pg_catalog.=) NEW.{}", ident(theirs), ident(own))
                    })
                    .collect::<Vec<_>>()
                    .join(" AND ");
                Some(Object {
                    create: format!(
                        "CREATE OR REPLACE FUNCTION partywall.{function}() RETURNS trigger\n\
                         LANGUAGE plpgsql AS $partywall$\nBEGIN\n  \
                         -- Two tenants may use one id; then nobody guesses which of them is meant.\n  \
                         SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 \
                         THEN (pg_catalog.array_agg(p.{source}))[1] END\n  INTO NEW.{column} \
                         FROM {parent} p WHERE {on};\n  RETURN NEW;\nEND\n$partywall$;\n\
                         REVOKE ALL ON FUNCTION partywall.{function}() FROM PUBLIC;\n\
                         CREATE TRIGGER {trigger} BEFORE INSERT ON {table} FOR EACH ROW \
                         WHEN (NEW.{column} IS NULL) EXECUTE FUNCTION partywall.{function}();\n",
                        source = ident(source),
                        column = ident(column),
                        parent = from.table.sql(),
                        trigger = ident(&name),
                    ),
                    drop: format!("DROP TRIGGER {} ON {table};\n", ident(&name)),
                    name,
                })
            })
            .collect()
    }

    /// The policies: one permissive that lets rows through to the restrictive ones, and for each
    /// dimension a bare equality, for one value and for a list.
    pub(super) fn policies(&self, roles: &Roles, call: Call) -> Vec<Object> {
        let (list, across) = (ident(roles.list()), ident(roles.across()));
        let ones = self.audience.single_owner_logins(roles);
        if self.is_global() {
            return vec![
                self.policy(
                    "partywall_read",
                    "PERMISSIVE FOR SELECT",
                    &format!("{ones}, {list}"),
                    "true",
                ),
                self.policy("partywall_across", "PERMISSIVE FOR ALL", &across, "true"),
            ];
        }
        let all = format!("{ones}, {list}, {across}");
        let mut policies = vec![self.policy("partywall_rows", "PERMISSIVE FOR ALL", &all, "true")];
        if let Audience::Identity(_) = self.audience {
            // For the functions that answer to a secret: they run as the owner and only read.
            policies.push(self.policy(
                "partywall_lookup",
                "PERMISSIVE FOR SELECT",
                "CURRENT_USER",
                "true",
            ));
        }
        for owned in &self.owned {
            let dimension = owned.dimension;
            policies.push(self.policy(
                &object_name(&["partywall_app", dimension]),
                "RESTRICTIVE FOR ALL",
                &ones,
                &self.one(owned, call),
            ));
            policies.push(self.policy(
                &object_name(&["partywall_list", dimension]),
                "RESTRICTIVE FOR ALL",
                &list,
                &self.any(owned, call),
            ));
        }
        policies
    }

    fn policy(&self, name: &str, kind: &str, roles: &str, expression: &str) -> Object {
        let table = self.name.sql();
        let check = if kind.ends_with("SELECT") {
            String::new()
        } else {
            format!("\n  WITH CHECK ({expression})")
        };
        Object {
            name: name.to_owned(),
            create: format!(
                "CREATE POLICY {} ON {table} AS {kind} TO {roles}\n  USING ({expression}){check};\n",
                ident(name)
            ),
            drop: format!("DROP POLICY {} ON {table};\n", ident(name)),
        }
    }

    fn one(&self, owned: &Dimensioned, call: Call) -> String {
        let reads = match call {
            Call::Once => format!("(SELECT partywall.{}())", owned.dimension),
            Call::Plain => format!("partywall.{}()", owned.dimension),
        };
        match &owned.by {
            By::Column(column) | By::Copy { column, .. } => {
                format!("{} OPERATOR(pg_catalog.=) {reads}", ident(column))
            }
            By::Exists(parent) => self.exists(parent, |column| {
                format!("{column} OPERATOR(pg_catalog.=) {reads}")
            }),
        }
    }

    fn any(&self, owned: &Dimensioned, call: Call) -> String {
        let (dimension, sql_type) = (owned.dimension, owned.sql_type);
        let reads = match call {
            Call::Once => format!("ANY ((SELECT partywall.{dimension}_list())::{sql_type}[])"),
            Call::Plain => format!("ANY (partywall.{dimension}_list())"),
        };
        match &owned.by {
            By::Column(column) | By::Copy { column, .. } => {
                format!("{} OPERATOR(pg_catalog.=) {reads}", ident(column))
            }
            By::Exists(parent) => self.exists(parent, |column| {
                format!("{column} OPERATOR(pg_catalog.=) {reads}")
            }),
        }
    }

    /// The parent's own policies apply inside the sub-select as well, so the comparison is for the
    /// planner where the parent has the column, and the parent's business where it has not.
    fn exists(&self, parent: &Parent, matches: impl Fn(&str) -> String) -> String {
        let compare = parent.column.as_ref().map_or_else(String::new, |column| {
            format!(" AND {}", matches(&format!("p.{}", ident(column))))
        });
        format!(
            "EXISTS (SELECT 1 FROM {} AS p WHERE {}{compare})",
            parent.table.sql(),
            parent.join(&self.name.sql(), "p")
        )
    }

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

    /// Row-level security on, also for the owner.
    pub(super) fn enable_sql(&self) -> String {
        let table = self.name.sql();
        format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;\n\
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;\n"
        )
    }

    fn object_name(&self, columns: &[String], suffix: &str) -> String {
        let mut parts = vec![self.name.table.as_str()];
        parts.extend(columns.iter().map(String::as_str));
        parts.push(suffix);
        object_name(&parts)
    }
}

impl Audience {
    /// The logins whose policies compare with one value.
    fn single_owner_logins(self, roles: &Roles) -> String {
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

impl Parent {
    pub(super) fn join(&self, child: &str, parent: &str) -> String {
        self.on
            .iter()
            .map(|(own, theirs)| {
                format!(
                    "{parent}.{} OPERATOR(pg_catalog.=) {child}.{}",
                    ident(theirs),
                    ident(own)
                )
            })
            .collect::<Vec<_>>()
            .join(" AND ")
    }
}

impl ForeignKey {
    fn definition(&self) -> String {
        let mut sql = format!(
            "FOREIGN KEY ({}) REFERENCES {} ({})",
            idents(&self.columns),
            self.table.sql(),
            idents(&self.to)
        );
        if let Some(action) = &self.reference.on_delete {
            sql.push_str(&format!(" ON DELETE {}", self.action(*action)));
        }
        match &self.reference.on_update {
            Some(action) => sql.push_str(&format!(" ON UPDATE {}", self.action(*action))),
            // The copy follows its parent.
            None if self.keeps_copy => sql.push_str(" ON UPDATE CASCADE"),
            None => {}
        }
        sql
    }

    /// An action that empties columns empties the model's own, never the tenant's: it names them,
    /// which needs PostgreSQL 15.
    fn action(&self, action: ForeignKeyAction) -> String {
        let own = |action: &str| {
            if self.columns == self.own_columns {
                action.to_owned()
            } else {
                format!("{action} ({})", idents(&self.own_columns))
            }
        };
        match action {
            ForeignKeyAction::Restrict => "RESTRICT".to_owned(),
            ForeignKeyAction::Cascade => "CASCADE".to_owned(),
            ForeignKeyAction::SetNull => own("SET NULL"),
            ForeignKeyAction::SetDefault => own("SET DEFAULT"),
            // The enum is open: what SeaQuery adds later does nothing rather than too much.
            ForeignKeyAction::NoAction | _ => "NO ACTION".to_owned(),
        }
    }
}
