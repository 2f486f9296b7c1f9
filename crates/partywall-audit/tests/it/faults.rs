//! Every fault of the catalogue has a case.

use partywall_audit::Fault;

use crate::fault::{case, read};

macro_rules! faults {
    ($($name:ident $id:literal,)*) => {
        $(#[tokio::test]
        async fn $name() {
            case($id).await;
        })*

        const CASES: &[&str] = &[$($id),*];
    };
}

faults! {
    rls_off "RLS_OFF",
    policy_dormant "POLICY_DORMANT",
    child_unscoped "CHILD_UNSCOPED",
    rls_no_policy "RLS_NO_POLICY",
    partition_direct "PARTITION_DIRECT",
    owner_not_forced "OWNER_NOT_FORCED",
    owner_member "OWNER_MEMBER",
    owner_ddl "OWNER_DDL",
    role_superuser "ROLE_SUPERUSER",
    role_bypassrls "ROLE_BYPASSRLS",
    role_setrole_bypass "ROLE_SETROLE_BYPASS",
    policy_role_inherited "POLICY_ROLE_INHERITED",
    role_replication "ROLE_REPLICATION",
    role_server_access "ROLE_SERVER_ACCESS",
    predefined_read "PREDEFINED_READ",
    policy_true "POLICY_TRUE",
    policy_widens "POLICY_WIDENS",
    check_open_insert "CHECK_OPEN_INSERT",
    check_open_update "CHECK_OPEN_UPDATE",
    restrictive_partial "RESTRICTIVE_PARTIAL",
    null_tenant_writable "NULL_TENANT_WRITABLE",
    membership_self_grant "MEMBERSHIP_SELF_GRANT",
    tenant_pattern_match "TENANT_PATTERN_MATCH",
    tenant_case_fold "TENANT_CASE_FOLD",
    policy_fn_immutable "POLICY_FN_IMMUTABLE",
    policy_fn_search_path "POLICY_FN_SEARCH_PATH",
    policy_subselect_open "POLICY_SUBSELECT_OPEN",
    fail_open_unset "FAIL_OPEN_UNSET",
    fail_open_empty "FAIL_OPEN_EMPTY",
    guc_error "GUC_ERROR",
    guc_default "GUC_DEFAULT",
    guc_inconsistent "GUC_INCONSISTENT",
    guc_admin_flag "GUC_ADMIN_FLAG",
    fn_sets_context "FN_SETS_CONTEXT",
    guc_settable "GUC_SETTABLE",
    ctx_pool_leak "CTX_POOL_LEAK",
    ctx_cursor_temp "CTX_CURSOR_TEMP",
    view_definer "VIEW_DEFINER",
    view_no_barrier "VIEW_NO_BARRIER",
    matview "MATVIEW",
    secdef_fn "SECDEF_FN",
    secdef_trigger "SECDEF_TRIGGER",
    rule_definer "RULE_DEFINER",
    fn_leakproof "FN_LEAKPROOF",
    foreign_table "FOREIGN_TABLE",
    large_object "LARGE_OBJECT",
    publication "PUBLICATION",
    fk_cross_tenant "FK_CROSS_TENANT",
    fk_action_crosses "FK_ACTION_CROSSES",
    unique_global "UNIQUE_GLOBAL",
    exclude_global "EXCLUDE_GLOBAL",
    seq_shared "SEQ_SHARED",
    seq_writable "SEQ_WRITABLE",
    tenant_mutable_null "TENANT_MUTABLE_NULL",
    priv_truncate "PRIV_TRUNCATE",
    priv_trigger "PRIV_TRIGGER",
    default_privs "DEFAULT_PRIVS",
    schema_create "SCHEMA_CREATE",
    notify_payload "NOTIFY_PAYLOAD",
    explain_stats "EXPLAIN_STATS",
    activity "ACTIVITY",
    advisory_lock "ADVISORY_LOCK",
    server_cve "SERVER_CVE",
    extension_jobs "EXTENSION_JOBS",
    perf_volatile "PERF_VOLATILE",
    perf_cast "PERF_CAST",
    perf_no_index "PERF_NO_INDEX",
    perf_leaky_op "PERF_LEAKY_OP",
    perf_initplan_partition "PERF_INITPLAN_PARTITION",
}

#[test]
fn every_fault_has_a_case() {
    // Drift takes a database that the library made: its cases are where the library is.
    let cases = Fault::ALL.iter().filter(|fault| **fault != Fault::Drift);
    let ids: Vec<&str> = cases.map(|fault| fault.id()).collect();
    assert_eq!(ids, CASES);
    for id in ids {
        for file in ["fault.sql", "near.sql"] {
            assert!(
                !read(&format!("{id}/{file}")).trim().is_empty(),
                "{id}/{file}"
            );
        }
    }
}
