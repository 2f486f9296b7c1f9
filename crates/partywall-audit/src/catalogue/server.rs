use super::{Grant, Oid};

/// The server and the session.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// `150018` for 15.18.
    pub(crate) version: i32,
    /// As the server writes it.
    pub(crate) version_text: String,
    pub(crate) database: String,
    pub(crate) database_owner: Oid,
    pub(crate) database_grants: Vec<Grant>,
    /// Who asks.
    pub(crate) user: Oid,
    /// Whether it is a replica.
    pub(crate) in_recovery: bool,
    /// Whether PUBLIC may read other sessions' statements, by a view or by the function under it.
    pub(crate) activity_public: bool,
    /// Whether PUBLIC may read large objects' names and call what reads them (`lo_get`).
    pub(crate) large_objects_public: bool,
    /// Whether this session reads and writes large objects without a right to them (`lo_compat_privileges`).
    pub(crate) large_objects_unchecked: bool,
    /// Whether PUBLIC may call the functions that take advisory locks.
    pub(crate) advisory_locks_public: bool,
    /// Whether PUBLIC may call `set_config` or change `pg_settings`.
    pub(crate) set_config_public: bool,
    /// Whether everybody may read samples of all tables in `pg_stats_ext`: the view as it was made before the
    /// fix of CVE-2024-4317, which no upgrade changes.
    pub(crate) extended_statistics_leak: bool,
    pub(crate) large_objects: Vec<LargeObject>,
    /// The functions of PostgreSQL's own that read or write files of the server, and to whom they were granted
    /// besides their owner: `pg_catalog.pg_read_file(text)`.
    pub(crate) file_functions: Vec<(String, Oid)>,
}

impl Server {
    /// `15` for 15.18.
    pub(crate) fn major(&self) -> i32 {
        self.version / 10_000
    }
}

/// A large object, of which only rights and owner are looked at.
#[derive(Clone, Debug)]
pub(crate) struct LargeObject {
    pub(crate) owner: Oid,
    pub(crate) grants: Vec<Grant>,
}

/// One table that a publication carries.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    pub(crate) name: String,
    pub(crate) relation: Oid,
    /// Which rows it carries, if not all (PostgreSQL 15 and newer).
    pub(crate) filter: Option<String>,
    /// The table that the publication names: this one, or one that it is a partition of. None where it carries
    /// all tables, or all of a schema.
    pub(crate) named: Option<Oid>,
}

/// Rights that new objects get by themselves.
#[derive(Clone, Debug)]
pub(crate) struct DefaultAcl {
    /// Who makes the objects.
    pub(crate) maker: Oid,
    /// In which schema, or in all.
    pub(crate) namespace: Option<Oid>,
    /// One letter: `r`elations, `S`equences, `f`unctions, `T`ypes, schemas `n`.
    pub(crate) kind: char,
    pub(crate) grants: Vec<Grant>,
}

/// A value that a role or a database gives to a setting.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// `None` for every role.
    pub(crate) role: Option<Oid>,
    /// Whether it is for this database alone.
    pub(crate) in_database: bool,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A server that foreign tables are of.
#[derive(Clone, Debug)]
pub(crate) struct ForeignServer {
    pub(crate) name: String,
    pub(crate) owner: Oid,
    pub(crate) grants: Vec<Grant>,
    /// The roles with a user mapping, [`PUBLIC`](super::PUBLIC) among them.
    pub(crate) mapped: Vec<Oid>,
}

/// A job of `pg_cron` that is active.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) user: String,
    pub(crate) command: String,
}

/// A trigger on DDL.
#[derive(Clone, Debug)]
pub(crate) struct EventTrigger {
    /// `ddl_command_end` …
    pub(crate) event: String,
    /// The commands that it is for; all if empty.
    pub(crate) tags: Vec<String>,
    pub(crate) function: Oid,
    pub(crate) enabled: bool,
}
