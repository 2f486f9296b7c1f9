//! The server, and what belongs to no table.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::{
    super::{
        DefaultAcl, EventTrigger, ForeignServer, Job, LargeObject, Oid, Publication, Server,
        Setting,
    },
    cell, grant, grouped, letter, read,
};
use crate::AuditError;

pub(super) async fn server(client: &Client) -> Result<Server, AuditError> {
    let large =
        "SELECT m.oid, m.lomowner FROM pg_largeobject_metadata m ORDER BY m.oid LIMIT 10000";
    let large_grants = "SELECT m.oid, a.grantee, a.privilege_type FROM (SELECT * FROM pg_largeobject_metadata ORDER BY oid LIMIT 10000) m, \
                        aclexplode(coalesce(m.lomacl, acldefault('L', m.lomowner))) a";
    // Where hardening has hidden them, whoever asks is a tenant's login as well, and sees what it sees.
    let readable: Vec<bool> = read(
        client,
        "SELECT has_table_privilege('pg_largeobject_metadata', 'SELECT')",
        |row| cell(row, 0),
    )
    .await?;
    let large_objects = if readable == [true] {
        let mut grants = grouped(client, large_grants, |row| grant(row, 1, None)).await?;
        read(client, large, |row| {
            Ok(LargeObject {
                owner: cell(row, 1)?,
                grants: grants.remove(&cell(row, 0)?).unwrap_or_default(),
            })
        })
        .await?
    } else {
        Vec::new()
    };
    let grants = read(
        client,
        "SELECT a.grantee, a.privilege_type FROM pg_database d, \
         aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE d.datname = current_database()",
        |row| grant(row, 0, None),
    )
    .await?;
    let file_functions = read(
        client,
        "SELECT 'pg_catalog.' || p.oid::regprocedure::text, a.grantee FROM pg_proc p, aclexplode(p.proacl) a \
          WHERE p.pronamespace = 'pg_catalog'::regnamespace AND a.grantee <> p.proowner \
            AND p.proname IN ('pg_read_file', 'pg_read_binary_file', 'lo_import', 'lo_export') ORDER BY 1, 2",
        |row| Ok((cell(row, 0)?, cell(row, 1)?)),
    )
    .await?;
    let mut servers = read(client, include_str!("../sql/server.sql"), |row| {
        Ok(Server {
            version: cell(row, 0)?,
            version_text: cell(row, 1)?,
            database: cell(row, 2)?,
            database_owner: cell(row, 3)?,
            database_grants: grants.clone(),
            user: cell(row, 4)?,
            in_recovery: cell(row, 5)?,
            activity_public: cell(row, 6)?,
            large_objects_public: cell(row, 7)?,
            advisory_locks_public: cell(row, 8)?,
            set_config_public: cell(row, 9)?,
            extended_statistics_leak: cell(row, 10)?,
            large_objects_unchecked: cell(row, 11)?,
            large_objects: large_objects.clone(),
            file_functions: file_functions.clone(),
        })
    })
    .await?;
    servers.pop().ok_or_else(|| AuditError::Catalogue {
        what: "the current database".to_owned(),
        why: "it is not among the databases".to_owned(),
    })
}

pub(super) async fn publications(
    client: &Client,
    major: i32,
) -> Result<Vec<Publication>, AuditError> {
    let sql = if major >= 15 {
        "SELECT p.pubname::text, c.oid, t.rowfilter, \
           (SELECT r.prrelid FROM pg_publication_rel r WHERE r.prpubid = p.oid \
              AND r.prrelid IN (SELECT c.oid UNION ALL SELECT relid FROM pg_partition_ancestors(c.oid)) LIMIT 1) \
           FROM pg_publication_tables t JOIN pg_publication p ON p.pubname = t.pubname \
           JOIN pg_namespace n ON n.nspname = t.schemaname \
           JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename ORDER BY 1, 2"
    } else {
        "SELECT p.pubname::text, c.oid, NULL::text, \
           (SELECT r.prrelid FROM pg_publication_rel r WHERE r.prpubid = p.oid \
              AND r.prrelid IN (SELECT c.oid UNION ALL SELECT relid FROM pg_partition_ancestors(c.oid)) LIMIT 1) \
           FROM pg_publication_tables t JOIN pg_publication p ON p.pubname = t.pubname \
           JOIN pg_namespace n ON n.nspname = t.schemaname \
           JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename ORDER BY 1, 2"
    };
    read(client, sql, |row| {
        Ok(Publication {
            name: cell(row, 0)?,
            relation: cell(row, 1)?,
            filter: cell(row, 2)?,
            named: cell(row, 3)?,
        })
    })
    .await
}

pub(super) async fn default_acls(client: &Client) -> Result<Vec<DefaultAcl>, AuditError> {
    let mut grants = grouped(
        client,
        "SELECT d.oid, a.grantee, a.privilege_type FROM pg_default_acl d, aclexplode(d.defaclacl) a",
        |row| grant(row, 1, None),
    )
    .await?;
    read(
        client,
        "SELECT oid, defaclrole, defaclnamespace, defaclobjtype::text FROM pg_default_acl ORDER BY oid",
        |row| {
            Ok(DefaultAcl {
                maker: cell(row, 1)?,
                namespace: Some(cell(row, 2)?).filter(|namespace: &Oid| *namespace != 0),
                kind: letter(row, 3)?,
                grants: grants.remove(&cell(row, 0)?).unwrap_or_default(),
            })
        },
    )
    .await
}

pub(super) async fn event_triggers(client: &Client) -> Result<Vec<EventTrigger>, AuditError> {
    read(
        client,
        "SELECT evtevent::text, coalesce(evttags, '{}'), evtfoid, evtenabled <> 'D' FROM pg_event_trigger ORDER BY evtname",
        |row| {
            Ok(EventTrigger {
                event: cell(row, 0)?,
                tags: cell(row, 1)?,
                function: cell(row, 2)?,
                enabled: cell(row, 3)?,
            })
        },
    )
    .await
}

pub(super) async fn foreign_servers(client: &Client) -> Result<Vec<ForeignServer>, AuditError> {
    let mut grants = grouped(
        client,
        "SELECT s.oid, a.grantee, a.privilege_type FROM pg_foreign_server s, \
         aclexplode(coalesce(s.srvacl, acldefault('S', s.srvowner))) a",
        |row| grant(row, 1, None),
    )
    .await?;
    let allowed: Vec<bool> = read(
        client,
        "SELECT has_table_privilege('pg_user_mappings', 'SELECT')",
        |row| cell(row, 0),
    )
    .await?;
    let mut mapped = if allowed == [true] {
        grouped(
            client,
            "SELECT srvid, umuser FROM pg_user_mappings",
            |row| cell(row, 1),
        )
        .await?
    } else {
        BTreeMap::new()
    };
    read(
        client,
        "SELECT oid, srvname::text, srvowner FROM pg_foreign_server ORDER BY srvname",
        |row| {
            let oid: Oid = cell(row, 0)?;
            Ok(ForeignServer {
                name: cell(row, 1)?,
                owner: cell(row, 2)?,
                grants: grants.remove(&oid).unwrap_or_default(),
                mapped: mapped.remove(&oid).unwrap_or_default(),
            })
        },
    )
    .await
}

pub(super) async fn settings(client: &Client) -> Result<Vec<Setting>, AuditError> {
    let rows = read(
        client,
        "SELECT s.setrole, s.setdatabase <> 0, c FROM pg_db_role_setting s, unnest(s.setconfig) c \
          WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 1, 2, 3",
        |row| {
            let entry: String = cell(row, 2)?;
            let (name, value) = entry.split_once('=').unwrap_or((&entry, ""));
            Ok(Setting {
                role: Some(cell(row, 0)?).filter(|role: &Oid| *role != 0),
                in_database: cell(row, 1)?,
                name: name.to_owned(),
                value: value.to_owned(),
            })
        },
    )
    .await?;
    Ok(rows)
}

/// Custom settings of the server's configuration files, where they may be read.
pub(super) async fn file_settings(client: &Client) -> Result<Vec<(String, String)>, AuditError> {
    let allowed: Vec<bool> = read(
        client,
        "SELECT has_function_privilege('pg_show_all_file_settings()', 'EXECUTE') \
            AND has_table_privilege('pg_file_settings', 'SELECT')",
        |row| cell(row, 0),
    )
    .await?;
    if allowed != [true] {
        return Ok(Vec::new());
    }
    read(
        client,
        "SELECT lower(name), coalesce(setting, '') FROM pg_file_settings WHERE name LIKE '%.%' ORDER BY seqno",
        |row| Ok((cell(row, 0)?, cell(row, 1)?)),
    )
    .await
}

/// The jobs of `pg_cron` that may be seen and that run here: older versions have no `active` and no `database`.
pub(super) async fn jobs(client: &Client) -> Result<Vec<Job>, AuditError> {
    let allowed: Vec<bool> = read(
        client,
        "SELECT has_schema_privilege('cron', 'USAGE') AND has_table_privilege('cron.job', 'SELECT')",
        |row| cell(row, 0),
    )
    .await?;
    if allowed != [true] {
        return Ok(Vec::new());
    }
    read(
        client,
        "SELECT j.jobid::int8, j.username::text, j.command::text FROM cron.job j \
          WHERE coalesce((to_jsonb(j) ->> 'active')::boolean, true) \
            AND coalesce(to_jsonb(j) ->> 'database', current_database()) = current_database() ORDER BY j.jobid",
        |row| {
            Ok(Job {
                id: cell(row, 0)?,
                user: cell(row, 1)?,
                command: cell(row, 2)?,
            })
        },
    )
    .await
}
