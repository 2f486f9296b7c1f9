use std::collections::BTreeMap;

use super::{
    Extras, Map, TableMap,
    column::TenantColumn,
    given, names, settled,
    stand::{Faults, Stand},
};
use crate::{
    AuditError,
    catalogue::{Catalogue, Constraint, Oid, Reference, Relation},
    check::{Audit, Style, keys::shows_null},
    sql::{Name, literal},
    subject::Subject,
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
    /// A person's, who may be in several tenants. A map has no word for it, and leaves it to be inferred.
    Person,
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
    pub(super) stand: Stand,
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
    pub(super) audit: &'a Audit<'a>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) extras: &'a Extras,
    /// What is found in the database as it is.
    pub(super) faults: Faults,
    /// How the policies that are there say whose a row is.
    pub(super) style: Style,
    /// Whether a person named a setting that no policy reads yet.
    pub(super) told: bool,
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
        audit: &'a Audit<'a>,
        extras: &'a Extras,
        map: &Map,
    ) -> Result<Self, AuditError> {
        let (catalogue, subject) = (audit.catalogue, audit.subject);
        let (faults, style) = (Faults::of(audit), Style::of(audit));
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
            let partitions = partitions(catalogue, oid);
            let stand = match it.belongs {
                Belongs::Root | Belongs::Own | Belongs::Path(_) => {
                    Stand::of(audit, &faults, relation, &partitions, &apps)
                }
                Belongs::Global | Belongs::Person | Belongs::Undecided => Stand::Apart,
            };
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
                    stand,
                    partitions,
                },
            );
        }
        order.sort();
        let said = map.tenant.contexts.first();
        let context = said.map_or_else(|| style.setting().to_owned(), Clone::clone);
        let told = said.is_some_and(|said| !subject.contexts.contains(&said.to_lowercase()));
        let mut outline = Self {
            audit,
            catalogue,
            extras,
            faults,
            style,
            told,
            root,
            context,
            column,
            owner,
            apps,
            tables,
            order: order.into_iter().map(|(_, _, oid)| oid).collect(),
        };
        outline.leave_what_works();
        Ok(outline)
    }

    /// Whether some tables are walled already.
    pub(super) fn is_begun(&self) -> bool {
        let mut tables = self.tables.values();
        tables.any(|table| table.stand == Stand::Walled)
    }

    /// What the plan does not touch.
    fn leave_what_works(&mut self) {
        let is_begun = self.is_begun();
        for table in self.tables.values_mut() {
            // Tenants are looked up before it is known who asks: where the others are walled, that they are
            // read by all is how it was meant.
            let is_meant = is_begun
                && table.belongs == Belongs::Root
                && !table.relation.row_security
                && !self.faults.opens(table.name());
            if is_meant {
                table.stand = Stand::Apart;
            }
            // A table whose own policies go by its parent's needs no column.
            let added = table
                .tenant
                .as_ref()
                .is_some_and(|tenant| tenant.number.is_none());
            if added && table.stand != Stand::Open {
                table.tenant = None;
                table.reason += match table.stand {
                    Stand::Walled => "; its policies look there already",
                    Stand::Apart | Stand::Open => "; the application does not reach it",
                };
            }
        }
        let by_hand: Vec<(Oid, &str)> = self
            .tenants()
            .filter(|(table, _)| table.stand == Stand::Open)
            .filter_map(|(table, tenant)| Some((table.relation.oid, self.obstacle(table, tenant)?)))
            .collect();
        for (oid, why) in by_hand {
            if let Some(table) = self.tables.get_mut(&oid) {
                table.tenant = None;
                table.belongs = Belongs::Undecided;
                table.stand = Stand::Apart;
                why.clone_into(&mut table.reason);
            }
        }
    }

    /// Why no wall can be made for a table that would do.
    fn obstacle(&self, table: &Table<'_>, tenant: &TenantColumn) -> Option<&'static str> {
        let number = tenant.number.filter(|_| !tenant.not_null);
        if number
            .is_some_and(|number| table.relation.row_security && shows_null(table.relation, number))
        {
            return Some(
                "its policies show rows without a tenant, which a wall would hide: mend them by hand, as \
                 `partywall check` says",
            );
        }
        self.condition(table, tenant).is_none().then_some(
            "how the policies of other tables say whose a row is cannot be said of it: write its policy by hand",
        )
    }

    /// The tenant of whoever asks, as new policies and triggers write it; `None` where it is not one value.
    pub(super) fn context(&self, tenant: &TenantColumn) -> Option<String> {
        if !self.told
            && let Some(value) = self.style.value(tenant.type_oid)
        {
            return Some(value.to_owned());
        }
        (self.told || self.style.is_plain()).then(|| self.setting(tenant))
    }

    /// The setting of the context, of the column's type; NULL when nobody set it.
    fn setting(&self, tenant: &TenantColumn) -> String {
        const TEXTS: [u32; 2] = [25, 1043];
        let value = format!(
            "NULLIF(current_setting({}, true), '')",
            literal(&self.context)
        );
        if TEXTS.contains(&tenant.type_oid) {
            // A cast to a length would cut a longer tenant to the name of another.
            return value;
        }
        let cast = self
            .extras
            .casts
            .get(&tenant.type_oid)
            .unwrap_or(&tenant.type_name);
        format!("{value}::{cast}")
    }

    /// The condition that a row is of the tenant that asks, as the policies that are there say it.
    pub(super) fn condition(&self, table: &Table<'_>, tenant: &TenantColumn) -> Option<String> {
        let column = tenant.sql();
        let repeated = || {
            self.style
                .repeated(table.relation, &column, tenant.type_oid)
        };
        if !self.told
            && let Some(condition) = repeated()
        {
            return Some(condition);
        }
        if !self.told && !self.style.is_plain() {
            return None;
        }
        // Read once for a statement, and not for each row. On a partitioned table the plain form, since a
        // sub-select keeps partitions from being left out.
        let setting = self.setting(tenant);
        Some(if table.is_partitioned() {
            format!("{column} = {setting}")
        } else {
            format!("{column} = (SELECT {setting})")
        })
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
            Belongs::Person | Belongs::Undecided => TableMap::Undecided(self.reason.clone()),
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
