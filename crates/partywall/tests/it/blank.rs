//! A database to which no schema was applied yet.

use std::sync::atomic::{AtomicU32, Ordering};

use partywall::{Config, Db, Schema, schema::Passwords, testing::server};
use tokio_postgres::Client;

use crate::probe::session;

const PASSWORD: &str = "blank";

pub struct Blank {
    pub name: String,
    /// A superuser's session in it.
    pub admin: Client,
}

impl Blank {
    /// The database is owned by a login that is no superuser and may not create roles.
    pub async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("blank_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = tokio::task::spawn_blocking(server).await.unwrap().unwrap();
        let admin = session(&server.superuser_url("postgres")).await;
        let create = format!("CREATE ROLE {name}_owner LOGIN PASSWORD '{PASSWORD}'");
        admin.batch_execute(&create).await.unwrap();
        admin
            .batch_execute(&format!("CREATE DATABASE {name} OWNER {name}_owner"))
            .await
            .unwrap();
        Self {
            admin: session(&server.superuser_url(&name)).await,
            name,
        }
    }

    pub async fn bootstrapped(schema: &Schema) -> Self {
        let blank = Self::new().await;
        blank.bootstrap(schema).await;
        blank
    }

    pub async fn bootstrap(&self, schema: &Schema) {
        let password = || PASSWORD.to_owned();
        let passwords = Passwords {
            app: password(),
            list: password(),
            across: password(),
            identity: password(),
        };
        let url = server().unwrap().superuser_url(&self.name);
        schema.bootstrap(&url, &passwords).await.unwrap();
    }

    pub fn url(&self, login: &str) -> String {
        server().unwrap().url(login, PASSWORD, &self.name)
    }

    pub fn owner_url(&self) -> String {
        self.url(&format!("{}_owner", self.name))
    }

    pub fn config(&self, schema: &Schema) -> Config {
        let roles = schema.roles();
        Config::new(schema, &self.url(roles.app()))
            .unwrap()
            .list_login(&self.url(roles.list()))
            .unwrap()
            .across_login(&self.url(roles.across()))
            .unwrap()
    }

    pub async fn connect(&self, schema: &Schema) -> Db {
        Db::connect(self.config(schema)).await.unwrap()
    }

    /// Everything that the catalogues say, and every row, as one text.
    pub async fn state(&self) -> String {
        const CATALOGUES: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
            SELECT format('relation %s %s %s %s %s', oid::regclass, relkind, relacl, relrowsecurity,
                          relforcerowsecurity) FROM pg_class
            WHERE relnamespace::regnamespace::text !~ '^pg_|^information_schema$'
            UNION ALL SELECT format('column %s %s %s %s %s', attrelid::regclass, attname, atttypid,
                                    attnotnull, attacl) FROM pg_attribute
            WHERE attnum > 0 AND attrelid::regclass::text !~ '^pg_|^information_schema'
            UNION ALL SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid))
            FROM pg_constraint
            UNION ALL SELECT format('policy %s', polname) FROM pg_policy
            UNION ALL SELECT format('trigger %s', tgname) FROM pg_trigger
            UNION ALL SELECT format('function %s %s %s', oid::regprocedure, md5(prosrc), proacl)
            FROM pg_proc WHERE pronamespace <> 'pg_catalog'::regnamespace
            UNION ALL SELECT format('schema %s %s', nspname, nspacl) FROM pg_namespace
            WHERE nspname !~ '^pg_toast|^pg_temp'
            UNION ALL SELECT format('database %s', datacl) FROM pg_database
            WHERE datname = current_database()
            UNION ALL SELECT format('type %s', typname) FROM pg_type WHERE typtype = 'e'
          ) AS lines (line)";
        let mut state: String = self.admin.query_one(CATALOGUES, &[]).await.unwrap().get(0);
        let tables = self
            .admin
            .query(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' \
                 AND relnamespace::regnamespace::text !~ '^pg_|^information_schema$' ORDER BY 1",
                &[],
            )
            .await
            .unwrap();
        for table in tables {
            let table: String = table.get(0);
            let sql = format!("SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM {table} t");
            let rows: Option<String> = self.admin.query_one(&sql, &[]).await.unwrap().get(0);
            state.push_str(&format!("\n{table}: {}", rows.unwrap_or_default()));
        }
        state
    }
}
