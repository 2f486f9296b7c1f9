//! Tables that tools keep for themselves.

use crate::catalogue::Relation;

/// Which tool keeps a table of this name. All of them are what the tools' own documents call their default.
const TABLES: &[(&str, &str)] = &[
    ("schema_migrations", "Rails and others"),
    ("ar_internal_metadata", "Rails"),
    ("django_migrations", "Django"),
    ("django_content_type", "Django"),
    ("django_site", "Django"),
    ("_prisma_migrations", "Prisma"),
    ("alembic_version", "Alembic"),
    ("flyway_schema_history", "Flyway"),
    ("schema_version", "Flyway"),
    ("databasechangelog", "Liquibase"),
    ("databasechangeloglock", "Liquibase"),
    ("knex_migrations", "Knex"),
    ("knex_migrations_lock", "Knex"),
    ("_sqlx_migrations", "SQLx"),
    ("seaql_migrations", "SeaORM"),
    ("__diesel_schema_migrations", "Diesel"),
    ("refinery_schema_history", "Refinery"),
    ("sequelizemeta", "Sequelize"),
    ("__drizzle_migrations", "Drizzle"),
    ("mikro_orm_migrations", "MikroORM"),
    ("typeorm_metadata", "TypeORM"),
    ("goose_db_version", "Goose"),
    ("gorp_migrations", "sql-migrate"),
    ("atlas_schema_revisions", "Atlas"),
    ("pgmigrations", "node-pg-migrate"),
    ("phinxlog", "Phinx"),
    ("doctrine_migration_versions", "Doctrine"),
    ("__efmigrationshistory", "Entity Framework"),
    ("ecto_schema_migrations", "Ecto"),
    ("yoyo_migration", "yoyo"),
    ("spatial_ref_sys", "PostGIS"),
];

/// Which tool keeps the table, if one does.
pub(super) fn keeper(relation: &Relation) -> Option<&'static str> {
    let name = relation.name.name.to_lowercase();
    TABLES
        .iter()
        .find_map(|(table, tool)| (*table == name).then_some(*tool))
}
