use sea_orm::{
    DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    sea_query::{
        ColumnDef, ForeignKeyAction, PostgresQueryBuilder, Table as TableStatement, TableRef,
    },
};

use super::{Ownership, Rights, Scoped, table::TableName};
use crate::value::Kind;

/// What one model says of its table, before the models are compared with one another.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: TableName,
    /// Name and the rest of the definition, `uuid NOT NULL` say.
    pub(super) columns: Vec<(String, String)>,
    pub(super) primary_key: Vec<String>,
    pub(super) uniques: Vec<Vec<String>>,
    pub(super) indexes: Vec<Vec<String>>,
    pub(super) references: Vec<Reference>,
    /// `CREATE TYPE … AS ENUM` statements with the names of the types.
    pub(super) enums: Vec<(String, String)>,
    pub(super) ownership: Ownership,
    pub(super) rights: Rights,
    pub(super) audience: Audience,
    pub(super) kinds: Vec<(&'static str, Kind)>,
}

/// Whose statements a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// The application's, under the application and the list login.
    Application,
    /// Those of the `identity` room, under the identity login; and the application's as far as this
    /// says.
    #[cfg_attr(
        not(feature = "identity"),
        expect(dead_code, reason = "only the `identity` room has such tables")
    )]
    Identity(Option<Rights>),
}

/// A foreign key.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) columns: Vec<String>,
    pub(super) table: TableName,
    pub(super) to: Vec<String>,
    pub(super) on_delete: Option<ForeignKeyAction>,
    pub(super) on_update: Option<ForeignKeyAction>,
}

impl Declared {
    pub(super) fn of<E: EntityTrait + Scoped>() -> Self {
        let entity = E::default();
        let orm = sea_orm::Schema::new(DbBackend::Postgres);
        let table = orm.create_table_from_entity(E::default());
        let indexes = orm.create_index_from_entity(E::default());
        let of = |unique: bool| {
            indexes
                .iter()
                .filter(|index| index.is_unique_key() == unique)
                .map(|index| index.get_index_spec().get_column_names())
                .collect::<Vec<_>>()
        };
        let mut uniques = of(true);
        uniques.extend(
            table
                .get_columns()
                .iter()
                .filter(|column| column.get_column_spec().unique)
                .map(|column| vec![column.get_column_name()]),
        );
        Self {
            name: TableName::new(entity.schema_name(), entity.table_name()),
            columns: table.get_columns().iter().map(definition).collect(),
            primary_key: E::PrimaryKey::iter()
                .map(|key| key.into_column().as_str().to_owned())
                .collect(),
            uniques,
            indexes: of(false),
            references: table
                .get_foreign_key_create_stmts()
                .iter()
                .filter_map(|statement| {
                    let key = statement.get_foreign_key();
                    Some(Reference {
                        columns: key.get_columns(),
                        table: TableName::of(key.get_ref_table()?)?,
                        to: key.get_ref_columns(),
                        on_delete: key.get_on_delete(),
                        on_update: key.get_on_update(),
                    })
                })
                .collect(),
            enums: orm
                .create_enum_from_entity(E::default())
                .iter()
                .map(|statement| {
                    let sql = statement.to_string(PostgresQueryBuilder);
                    let name = sql.split('"').nth(1).unwrap_or_default().to_owned();
                    (name, sql)
                })
                .collect(),
            ownership: E::ownership(),
            rights: E::rights(),
            audience: Audience::Application,
            kinds: E::kinds(),
        }
    }
}

impl TableName {
    pub(super) fn of(table: &TableRef) -> Option<Self> {
        let TableRef::Table(name, _) = table else {
            return None;
        };
        let schema = name.0.as_ref().map(|schema| schema.1.to_string());
        Some(Self::new(schema.as_deref(), &name.1.to_string()))
    }
}

/// A column's definition without PRIMARY KEY and UNIQUE, which become tenant-leading constraints.
fn definition(column: &ColumnDef) -> (String, String) {
    let name = column.get_column_name();
    let spec = column.get_column_spec();
    let mut plain = match column.get_column_type() {
        Some(kind) => ColumnDef::new_with_type(name.clone(), kind.clone()),
        None => ColumnDef::new(name.clone()),
    };
    if spec.nullable == Some(false) {
        plain.not_null();
    }
    if let Some(default) = &spec.default {
        plain.default(default.clone());
    }
    if spec.auto_increment {
        plain.auto_increment();
    }
    if let Some(check) = &spec.check {
        plain.check(check.clone());
    }
    if let Some(generated) = &spec.generated {
        plain.generated(generated.expr.clone(), generated.stored);
    }
    if let Some(extra) = &spec.extra {
        plain.extra(extra.clone());
    }
    let rendered = TableStatement::create()
        .table("t")
        .col(&mut plain)
        .to_string(PostgresQueryBuilder);
    let inside = rendered
        .split_once('(')
        .and_then(|(_, rest)| rest.rsplit_once(')'))
        .map_or("", |(inside, _)| inside)
        .trim();
    let quoted = super::sql::ident(&name);
    (
        name,
        inside
            .strip_prefix(&quoted)
            .unwrap_or(inside)
            .trim()
            .to_owned(),
    )
}
