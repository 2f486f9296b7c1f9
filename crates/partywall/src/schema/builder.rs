use std::collections::BTreeMap;

use sea_orm::EntityTrait;

use super::{
    Roles, SchemaError, Scoped, Seal,
    declared::{Audience, Declared},
    migration::Migration,
    table::{self, Table, TableName},
};
use crate::scope::SqlType;

/// Everything that Partywall knows of one database: the models, the roles, the seal, and the
/// application's own migrations.
///
/// ```
/// # mod note {
/// #     use partywall::Scoped;
/// #     use sea_orm::entity::prelude::*;
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
/// #     #[sea_orm(table_name = "note")]
/// #     #[scoped(tenant = "tenant_id")]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key, auto_increment = false)]
/// #         pub id: Uuid,
/// #         pub tenant_id: Uuid,
/// #         pub title: String,
/// #     }
/// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
/// #     pub enum Relation {}
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// use partywall::schema::{Roles, Schema, Seal, SealKey};
///
/// let key = SealKey::from_hex("6b1f0c3d7e2a4958b0c1d2e3f4a5968778695a4b3c2d1e0f112233445566778a")?;
/// let schema = Schema::builder(Roles::named("notes"), Seal::on(key)).model::<note::Entity>().build()?;
/// assert!(schema.sql().contains("CREATE POLICY"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schema {
    pub(crate) roles: Roles,
    pub(crate) seal: Seal,
    pub(crate) tables: Vec<Table>,
    pub(crate) dimensions: BTreeMap<&'static str, SqlType>,
    pub(super) migrations: Vec<Migration>,
    pub(super) unprotected: Vec<Unprotected>,
    /// Functions and indexes over the tables, made anew whenever the schema is applied.
    pub(super) routines: Vec<&'static str>,
}

/// A relation that no model declares and that is left to itself, by name and for a reason. Told to
/// [`SchemaBuilder::unprotected`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unprotected {
    /// Its PostgreSQL schema.
    pub schema: String,
    /// Its name.
    pub relation: String,
    /// Why it is not protected.
    pub reason: String,
}

/// Collects models and migrations. Made by [`Schema::builder`].
#[derive(Clone, Debug)]
#[must_use = "call `build`"]
pub struct SchemaBuilder {
    roles: Roles,
    seal: Seal,
    declared: Vec<Declared>,
    announced: Vec<TableName>,
    migrations: Vec<Migration>,
    unprotected: Vec<Unprotected>,
    routines: Vec<&'static str>,
}

impl Schema {
    /// Begins a schema.
    pub fn builder(roles: Roles, seal: Seal) -> SchemaBuilder {
        SchemaBuilder {
            roles,
            seal,
            declared: Vec::new(),
            announced: Vec::new(),
            migrations: Vec::new(),
            unprotected: Vec::new(),
            routines: Vec::new(),
        }
    }

    /// The roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The relations that were left to themselves, with the reasons, in the order given.
    pub fn unprotected(&self) -> impl Iterator<Item = &Unprotected> {
        self.unprotected.iter()
    }
}

impl SchemaBuilder {
    /// Adds a model.
    pub fn model<E: EntityTrait + Scoped>(mut self) -> Self {
        self.declared.push(Declared::of::<E>());
        self
    }

    /// Adds a model whose rows the identity login works with, and the application's logins as far as
    /// `application` says.
    #[cfg(feature = "identity")]
    pub(crate) fn identity_model<E: EntityTrait + Scoped>(
        mut self,
        application: Option<super::Rights>,
    ) -> Self {
        let mut declared = Declared::of::<E>();
        declared.audience = Audience::Identity(application);
        self.declared.push(declared);
        self
    }

    /// Announces what becomes of a model's rows, to whoever listens with
    /// [`Db::changes`](crate::Db::changes).
    ///
    /// Each statement that changes rows tells, when it is committed, their keys and owners and nothing
    /// else of them. PostgreSQL lets one transaction with announcements commit at a time, so announce
    /// what somebody looks at, and not a log that is written all day.
    pub fn announces<E: EntityTrait + Scoped>(mut self) -> Self {
        let entity = E::default();
        let name = TableName::new(entity.schema_name(), entity.table_name());
        self.announced.push(name);
        self
    }

    /// Adds functions and indexes over the tables: SQL that can be repeated, in which `{app}` and
    /// `{identity}` stand for the logins.
    #[cfg(feature = "identity")]
    pub(crate) fn routines(mut self, sql: &'static str) -> Self {
        self.routines.push(sql);
        self
    }

    /// Adds a migration of the application's own: SQL that runs once, in the order given, as the
    /// owner, before the tables are protected. A migration that has run must not change.
    pub fn migration(mut self, name: impl Into<String>, sql: impl Into<String>) -> Self {
        self.migrations
            .push(Migration::new(name.into(), sql.into()));
        self
    }

    /// Leaves a relation to itself that no model declares: a view, or a table of another tool. It is
    /// not protected, and not reported at start. [`Schema::unprotected`] lists these with their
    /// reasons; the list should only shrink.
    pub fn unprotected(mut self, schema: &str, relation: &str, reason: &str) -> Self {
        self.unprotected.push(Unprotected {
            schema: schema.to_owned(),
            relation: relation.to_owned(),
            reason: reason.to_owned(),
        });
        self
    }

    /// Checks that the declarations agree with one another.
    ///
    /// # Errors
    ///
    /// [`SchemaError`], naming the table.
    pub fn build(self) -> Result<Schema, SchemaError> {
        for (n, migration) in self.migrations.iter().enumerate() {
            if self
                .migrations
                .iter()
                .take(n)
                .any(|earlier| earlier.name() == migration.name())
            {
                return Err(SchemaError::DuplicateMigration(migration.name().to_owned()));
            }
        }
        let mut roles = self.roles;
        roles.with_identity = self
            .declared
            .iter()
            .any(|model| matches!(model.audience, Audience::Identity(_)));
        let (mut tables, dimensions) = table::resolve(&self.declared)?;
        for name in &self.announced {
            let table = tables.iter_mut().find(|table| table.name == *name);
            let table = table.ok_or_else(|| SchemaError::UnknownAnnounced(name.to_string()))?;
            table.announced = true;
            table.check_announced()?;
        }
        Ok(Schema {
            roles,
            seal: self.seal,
            tables,
            dimensions,
            migrations: self.migrations,
            unprotected: self.unprotected,
            routines: self.routines,
        })
    }
}
