use crate::{database::versions, fault::case_on};

const IDS: [&str; 24] = [
    "RLS_OFF",
    "POLICY_DORMANT",
    "CHILD_UNSCOPED",
    "RLS_NO_POLICY",
    "PARTITION_DIRECT",
    "OWNER_NOT_FORCED",
    "OWNER_MEMBER",
    "OWNER_DDL",
    "ROLE_SUPERUSER",
    "ROLE_BYPASSRLS",
    "ROLE_SETROLE_BYPASS",
    "POLICY_ROLE_INHERITED",
    "ROLE_REPLICATION",
    "ROLE_SERVER_ACCESS",
    "PREDEFINED_READ",
    "PRIV_TRUNCATE",
    "PRIV_TRIGGER",
    "DEFAULT_PRIVS",
    "SCHEMA_CREATE",
    "NOTIFY_PAYLOAD",
    "EXPLAIN_STATS",
    "ACTIVITY",
    "ADVISORY_LOCK",
    "EXTENSION_JOBS",
];

/// Roles and privileges are what PostgreSQL changes most from one version to the next.
#[tokio::test]
async fn the_cases_hold_on_every_version() {
    let all = versions().into_iter().map(async |major| {
        for id in IDS {
            case_on(Some(major), id).await;
        }
    });
    futures_util::future::join_all(all).await;
}
