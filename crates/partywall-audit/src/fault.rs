use serde::{Serialize, Serializer};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Rows of another tenant can be read or written.
    High,
    /// Something of another tenant leaks, or one more mistake opens the wall.
    Medium,
    /// A small leak, an outage, or a mistake waiting to happen.
    Low,
    /// The wall holds, and makes queries slow.
    Perf,
}

macro_rules! faults {
    ($($variant:ident $id:literal $severity:ident $title:literal,)*) => {
        /// A way in which tenants who share a database fail to be isolated.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = $title] $variant,)*
        }

        impl Fault {
            /// Every fault that is looked for.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, which never changes: `RLS_OFF`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// What it is, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

faults! {
    RlsOff "RLS_OFF" High "a tenant's table without row-level security",
    PolicyDormant "POLICY_DORMANT" High "policies on a table whose row-level security is off",
    ChildUnscoped "CHILD_UNSCOPED" High "a child of a tenant's table, without a tenant or a policy of its own",
    RlsNoPolicy "RLS_NO_POLICY" Low "row-level security without a permissive policy: nobody sees anything",
    PartitionDirect "PARTITION_DIRECT" High "a partition that can be read without its parent's policies",
    OwnerNotForced "OWNER_NOT_FORCED" High "the application owns a table that does not force its policies on the owner",
    OwnerMember "OWNER_MEMBER" High "the application inherits the rights of a table's owner",
    OwnerDdl "OWNER_DDL" High "the application can change the tables that protect it",
    RoleSuperuser "ROLE_SUPERUSER" High "the application is a superuser",
    RoleBypassrls "ROLE_BYPASSRLS" High "the application bypasses row-level security",
    RoleSetroleBypass "ROLE_SETROLE_BYPASS" High "the application can become a role that bypasses row-level security",
    PolicyRoleInherited "POLICY_ROLE_INHERITED" High "a wider policy of another role applies to the application",
    RoleReplication "ROLE_REPLICATION" High "the application can read the write-ahead log",
    RoleServerAccess "ROLE_SERVER_ACCESS" High "the application can run programs or read files of the server",
    PredefinedRead "PREDEFINED_READ" Medium "the application is a member of a role that reads everything",
    PolicyTrue "POLICY_TRUE" High "a policy that lets every row through",
    PolicyWidens "POLICY_WIDENS" High "a permissive policy that does not ask for the tenant",
    CheckOpenInsert "CHECK_OPEN_INSERT" High "rows can be inserted for another tenant",
    CheckOpenUpdate "CHECK_OPEN_UPDATE" High "rows can be moved to another tenant",
    RestrictivePartial "RESTRICTIVE_PARTIAL" High "the tenant's restrictive policy does not cover every command",
    NullTenantWritable "NULL_TENANT_WRITABLE" High "rows without a tenant can be written by every tenant",
    MembershipSelfGrant "MEMBERSHIP_SELF_GRANT" High "the application can write the memberships that the policies trust",
    TenantPatternMatch "TENANT_PATTERN_MATCH" High "the tenant is compared as a pattern",
    TenantCaseFold "TENANT_CASE_FOLD" High "tenants that differ in case alone are the same",
    PolicyFnImmutable "POLICY_FN_IMMUTABLE" High "a policy calls a function that claims to be immutable and is not",
    PolicyFnSearchPath "POLICY_FN_SEARCH_PATH" High "a policy calls a function that resolves names by the caller's search path",
    PolicySubselectOpen "POLICY_SUBSELECT_OPEN" High "a policy trusts a table that the application can write",
    FailOpenUnset "FAIL_OPEN_UNSET" High "without a context every row is seen",
    FailOpenEmpty "FAIL_OPEN_EMPTY" High "with an empty context every row is seen",
    GucError "GUC_ERROR" Low "without a context a query fails, where it should find nothing",
    GucDefault "GUC_DEFAULT" High "the context has a value before anybody set one",
    GucInconsistent "GUC_INCONSISTENT" High "policies read the tenant from different settings",
    GucAdminFlag "GUC_ADMIN_FLAG" High "a setting that anybody can change opens the policies",
    FnSetsContext "FN_SETS_CONTEXT" High "a function that the application can call sets the context",
    GucSettable "GUC_SETTABLE" Low "the context is a plain setting, which one injected statement changes",
    CtxPoolLeak "CTX_POOL_LEAK" High "the context outlives its transaction",
    CtxCursorTemp "CTX_CURSOR_TEMP" High "cursors and temporary tables outlive the tenant on a shared session",
    ViewDefiner "VIEW_DEFINER" High "a view reads past the policies, as its owner",
    ViewNoBarrier "VIEW_NO_BARRIER" High "a view filters by tenant and is no security barrier",
    Matview "MATVIEW" High "a materialized view holds the rows of every tenant",
    SecdefFn "SECDEF_FN" High "a function reads past the policies, as its owner",
    SecdefTrigger "SECDEF_TRIGGER" High "a trigger acts past the policies, as its owner",
    RuleDefiner "RULE_DEFINER" Medium "a rule acts as the table's owner",
    FnLeakproof "FN_LEAKPROOF" High "a function claims to be leakproof",
    ForeignTable "FOREIGN_TABLE" High "a foreign table that no policy protects",
    LargeObject "LARGE_OBJECT" High "large objects, which no policy protects",
    Publication "PUBLICATION" Medium "a publication without a row filter carries every tenant",
    FkCrossTenant "FK_CROSS_TENANT" High "a row can refer to another tenant's row",
    FkActionCrosses "FK_ACTION_CROSSES" High "deleting a shared row changes other tenants' rows",
    UniqueGlobal "UNIQUE_GLOBAL" Medium "a unique key over all tenants tells what others have",
    ExcludeGlobal "EXCLUDE_GLOBAL" Medium "an exclusion constraint over all tenants tells what others have",
    SeqShared "SEQ_SHARED" Low "numbers from one sequence tell how much others do",
    SeqWritable "SEQ_WRITABLE" Medium "the application can set a sequence back",
    TenantMutableNull "TENANT_MUTABLE_NULL" Low "the tenant's column can be empty",
    PrivTruncate "PRIV_TRUNCATE" High "the application can truncate, which no policy stops",
    PrivTrigger "PRIV_TRIGGER" Medium "the application can put triggers on tables of all tenants",
    DefaultPrivs "DEFAULT_PRIVS" Medium "the next table is the application's before it is protected",
    SchemaCreate "SCHEMA_CREATE" High "the application can make functions that others will call",
    NotifyPayload "NOTIFY_PAYLOAD" High "notifications carry whole rows, and everybody may listen",
    ExplainStats "EXPLAIN_STATS" Low "estimates tell of rows that are not seen",
    Activity "ACTIVITY" Low "statements of other tenants are seen while they run",
    AdvisoryLock "ADVISORY_LOCK" Low "tenants can wait for each other's locks",
    ServerCve "SERVER_CVE" High "the server has a known hole in row-level security",
    ExtensionJobs "EXTENSION_JOBS" Medium "scheduled jobs run past the policies",
    PerfVolatile "PERF_VOLATILE" Perf "a volatile function in a policy keeps it from an index",
    PerfCast "PERF_CAST" Perf "a cast of the tenant's column keeps the policy from an index",
    PerfNoIndex "PERF_NO_INDEX" Perf "no index is led by the tenant's column",
    PerfLeakyOp "PERF_LEAKY_OP" Perf "row-level security keeps this index from being used",
    PerfInitplanPartition "PERF_INITPLAN_PARTITION" Perf "a sub-select in the policy keeps partitions from being pruned",
    Drift "DRIFT" High "a database that Partywall made is not as it was applied",
}

impl Fault {
    /// Whether it is by design of a shared server or of plain settings: told apart from the findings, as
    /// what remains, unless the options are strict.
    #[must_use]
    pub const fn is_residual(self) -> bool {
        matches!(
            self,
            Self::GucSettable
                | Self::CtxCursorTemp
                | Self::ExplainStats
                | Self::Activity
                | Self::AdvisoryLock
        )
    }

    /// The fault of this name.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.id() == id)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
