use std::collections::BTreeMap;

use super::{Extras, Map, TableMap, column::TenantColumn, given, names, settled};
use crate::{
    AuditError,
    catalogue::{Catalogue, Command, Constraint, Oid, Privilege, Reference, Relation},
    sql::Name,
    subject::Subject,
    wall::{Standing, Wall},
};

/// Whose the rows of a table are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Belongs {
    /// The tenants themselves.
    Root,
    /// A column that is there says it.
    Own,
    /// The row that this foreign key refers to says it; a column is to be added, or was.
    Path(Oid),
    Global,
    Undecided,
}

/// A table, and what is to become of it.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) relation: &'a Relation,
    pub(super) belongs: Belongs,
    /// In one line.
    pub(super) reason: String,
    /// The column that says whose a row is, or will.
    pub(super) tenant: Option<TenantColumn>,
    /// Whether policies that hold for the application are there already; they are left alone.
    pub(super) walled: bool,
    /// Its partitions of all levels, those that hold partitions before those that they hold.
    pub(super) partitions: Vec<&'a Relation>,
}

/// A role, which may have to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) name: String,
    pub(super) oid: Option<Oid>,
}

/// What is to become of a database.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) extras: &'a Extras,
    pub(super) root: Option<Oid>,
    /// The setting that new policies take the tenant from.
    pub(super) context: String,
    /// What columns that are added are called.
    pub(super) column: String,
    pub(super) owner: Actor,
    pub(super) apps: Vec<Actor>,
    tables: BTreeMap<Oid, Table<'a>>,
    /// Parents before what is reached through them, and by name.
    order: Vec<Oid>,
}

impl<'a> Outline<'a> {
    /// Decides, from what was inferred and from what a person reviewed.
    ///
    /// # Errors
    ///
    /// [`AuditError::Map`] where the map contradicts the database or itself.
    pub(super) fn of(
        catalogue: &'a Catalogue,
        extras: &'a Extras,
        subject: &Subject,
        wall: &Wall<'_>,
        map: &Map,
    ) -> Result<Self, AuditError> {
        let mut decided = given::inferred(catalogue, subject);
        let root = given::root(catalogue, subject, map, &mut decided)?;
        let column = map
            .tenant
            .columns
            .first()
            .or(subject
                .inferred
                .tenant_columns
                .first()
                .map(|taken| &taken.value))
            .cloned()
            .unwrap_or_else(|| "tenant_id".to_owned());
        given::overlay(catalogue, map, &column, &mut decided)?;
        let depths = settled::settle(catalogue, &mut decided, &column)?;

        let apps = apps(catalogue, subject, map);
        let owner = owner(catalogue, map, &apps, &decided)?;
        let mut tables: BTreeMap<Oid, Table<'a>> = BTreeMap::new();
        let mut order: Vec<(usize, &Name, Oid)> = Vec::new();
        for (oid, it) in decided {
            let Some(relation) = catalogue.relations.get(&oid) else {
                continue;
            };
            let walled = relation.row_security
                && matches!(it.belongs, Belongs::Root | Belongs::Own | Belongs::Path(_))
                && is_walled(catalogue, wall, relation, &apps);
            order.push((
                depths.get(&oid).copied().unwrap_or_default(),
                &relation.name,
                oid,
            ));
            tables.insert(
                oid,
                Table {
                    relation,
                    belongs: it.belongs,
                    reason: it.reason,
                    tenant: it.tenant,
                    walled,
                    partitions: partitions(catalogue, oid),
                },
            );
        }
        order.sort();
        let context = map
            .tenant
            .contexts
            .first()
            .or_else(|| subject.contexts.first())
            .cloned()
            .unwrap_or_else(|| "app.tenant_id".to_owned());
        let mut outline = Self {
            catalogue,
            extras,
            root,
            context,
            column,
            owner,
            apps,
            tables,
            order: order.into_iter().map(|(_, _, oid)| oid).collect(),
        };
        outline.leave_what_is_walled();
        Ok(outline)
    }

    /// A table whose own policies go by its parent's needs no column.
    fn leave_what_is_walled(&mut self) {
        for table in self.tables.values_mut().filter(|table| table.walled) {
            let added = table
                .tenant
                .as_ref()
                .is_some_and(|tenant| tenant.number.is_none());
            if added {
                table.tenant = None;
                table.reason += "; its policies look there already";
            }
        }
    }

    /// All tables, parents before what is reached through them.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Table<'a>> {
        self.order.iter().filter_map(|oid| self.tables.get(oid))
    }

    /// Those that have or will have a column that says whose a row is.
    pub(super) fn tenants(&self) -> impl Iterator<Item = (&Table<'a>, &TenantColumn)> {
        self.tables()
            .filter_map(|table| Some((table, table.tenant.as_ref()?)))
    }

    pub(super) fn table(&self, oid: Oid) -> Option<&Table<'a>> {
        self.tables.get(&oid)
    }

    /// The foreign keys of a table to tables whose rows are tenants', but those to the tenants themselves.
    pub(super) fn references<'t>(
        &'t self,
        table: &'t Table<'a>,
    ) -> impl Iterator<
        Item = (
            &'a Constraint,
            &'a Reference,
            &'t Table<'a>,
            &'t TenantColumn,
        ),
    > {
        let relation = table.relation;
        relation
            .foreign_keys()
            .filter(|(constraint, _)| constraint.parent.is_none())
            .filter_map(|(constraint, reference)| {
                let parent = self.tables.get(&reference.relation)?;
                let tenant = parent.tenant.as_ref()?;
                (self.root != Some(reference.relation))
                    .then_some((constraint, reference, parent, tenant))
            })
    }
}

impl Table<'_> {
    pub(super) fn name(&self) -> &Name {
        &self.relation.name
    }

    pub(super) fn is_partitioned(&self) -> bool {
        self.relation.kind == crate::catalogue::RelationKind::Partitioned
    }

    /// Those that hold rows: itself, or its partitions that are not partitioned themselves.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Relation> {
        std::iter::once(self.relation)
            .chain(self.partitions.iter().copied())
            .filter(|relation| relation.kind == crate::catalogue::RelationKind::Table)
    }

    /// Itself and its partitions.
    pub(super) fn all(&self) -> impl Iterator<Item = &Relation> {
        std::iter::once(self.relation).chain(self.partitions.iter().copied())
    }

    /// As the map has it.
    pub(super) fn entry(&self) -> TableMap {
        let column = || {
            self.tenant
                .as_ref()
                .map(|tenant| tenant.name.clone())
                .unwrap_or_default()
        };
        match &self.belongs {
            Belongs::Root | Belongs::Own => TableMap::Tenant(column()),
            Belongs::Path(constraint) => TableMap::Through(
                self.relation
                    .constraints
                    .iter()
                    .find(|it| it.oid == *constraint)
                    .map(|it| given::path_columns(self.relation, it, self.tenant.as_ref()))
                    .unwrap_or_default(),
            ),
            Belongs::Global => TableMap::Global(self.reason.clone()),
            Belongs::Undecided => TableMap::Undecided(self.reason.clone()),
        }
    }
}

fn partitions(catalogue: &Catalogue, of: Oid) -> Vec<&Relation> {
    let mut found: Vec<&Relation> = Vec::new();
    let mut ahead = vec![of];
    while let Some(parent) = ahead.pop() {
        let mut children: Vec<&Relation> = catalogue
            .relations
            .values()
            .filter(|relation| relation.is_partition && relation.parents.contains(&parent))
            .collect();
        children.sort_by(|a, b| a.name.cmp(&b.name));
        ahead.extend(children.iter().rev().map(|relation| relation.oid));
        found.extend(children);
    }
    found
}

fn is_walled(catalogue: &Catalogue, wall: &Wall<'_>, relation: &Relation, apps: &[Actor]) -> bool {
    let roles: Vec<Oid> = apps.iter().filter_map(|app| app.oid).collect();
    !roles.is_empty()
        && roles.iter().all(|&role| {
            Command::ALL.into_iter().all(|command| {
                let right = match command {
                    Command::Select => Privilege::Select,
                    Command::Insert => Privilege::Insert,
                    Command::Update => Privilege::Update,
                    Command::Delete => Privilege::Delete,
                };
                match wall.standing(role, relation.oid, command) {
                    Standing::Scoped => true,
                    Standing::Closed => !catalogue.may_any_column(role, relation, right),
                    Standing::Exempt | Standing::Open(_) => false,
                }
            })
        })
}

fn actor(catalogue: &Catalogue, name: &str) -> Actor {
    Actor {
        name: name.to_owned(),
        oid: catalogue.roles.named(name).map(|role| role.oid),
    }
}

/// What a role that is made is called.
fn role_name(catalogue: &Catalogue, of: &str) -> String {
    let database = &catalogue.server.database;
    // Names that begin so are the server's.
    let prefix = if database.starts_with("pg_") {
        "db_"
    } else {
        ""
    };
    names::joined(&[&format!("{prefix}{database}"), of])
}

fn apps(catalogue: &Catalogue, subject: &Subject, map: &Map) -> Vec<Actor> {
    if !map.roles.app.is_empty() {
        return map
            .roles
            .app
            .iter()
            .map(|name| actor(catalogue, name))
            .collect();
    }
    let inferred: Vec<Actor> = subject
        .app_roles
        .iter()
        // Whoever administers the server may be all that comes; the application gets a login of its own.
        .filter(|oid| !catalogue.roles.is_superuser(**oid))
        .map(|&oid| actor(catalogue, catalogue.roles.name(oid)))
        .collect();
    if inferred.is_empty() {
        vec![actor(catalogue, &role_name(catalogue, "app"))]
    } else {
        inferred
    }
}

/// Who owns the tables: the role that owns most of them already, unless it could step around the policies or
/// the application could become it.
fn owner(
    catalogue: &Catalogue,
    map: &Map,
    apps: &[Actor],
    tables: &BTreeMap<Oid, given::Decided>,
) -> Result<Actor, AuditError> {
    if let Some(name) = &map.roles.owner {
        if apps.iter().any(|app| app.name == *name) {
            return Err(AuditError::map(
                "roles.owner",
                format!(
                    "`{name}` is among the application's roles, and an owner can switch the policies off"
                ),
            ));
        }
        return Ok(actor(catalogue, name));
    }
    let mut counts: BTreeMap<Oid, usize> = BTreeMap::new();
    for (oid, _) in tables.iter().filter(|(_, it)| it.tenant.is_some()) {
        if let Some(relation) = catalogue.relations.get(oid) {
            *counts.entry(relation.owner).or_default() += 1;
        }
    }
    let best = counts
        .into_iter()
        .filter(|(role, _)| {
            !catalogue.roles.bypasses(*role)
                && !apps.iter().filter_map(|app| app.oid).any(|app| {
                    catalogue.roles.reachable(app).contains(role)
                        || catalogue.roles.has_rights_of(app, *role)
                })
        })
        .max_by_key(|(role, count)| (*count, std::cmp::Reverse(*role)));
    Ok(match best {
        Some((role, _)) => actor(catalogue, catalogue.roles.name(role)),
        None => actor(catalogue, &role_name(catalogue, "owner")),
    })
}
