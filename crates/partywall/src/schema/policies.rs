//! The policies of a table.

use super::{
    Roles,
    declared::Audience,
    object::Object,
    sql::{ident, object_name},
    table::{By, Dimensioned, Parent, Table},
};

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
    /// Row-level security on, also for the owner.
    pub(super) fn enable_sql(&self) -> String {
        let table = self.name.sql();
        format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;\n\
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;\n"
        )
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
        policies.extend(self.links.iter().map(|link| {
            let mut parts = vec!["partywall_link"];
            parts.extend(link.columns.iter().map(String::as_str));
            let name = object_name(&parts);
            let using = if link.hides {
                format!("\n  USING ({})", link.condition)
            } else {
                String::new()
            };
            Object {
                create: format!(
                    "CREATE POLICY {} ON {} AS RESTRICTIVE FOR ALL TO {ones}, {list}{using}\n  WITH CHECK ({});\n",
                    ident(&name),
                    self.name.sql(),
                    link.condition
                ),
                drop: format!("DROP POLICY {} ON {};\n", ident(&name), self.name.sql()),
                name,
            }
        }));
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
