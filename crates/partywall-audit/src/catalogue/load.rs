//! Reads the catalogues. All looks are in the transaction that the caller began, with `pg_catalog` alone
//! in the search path, so that nothing somebody planted answers for them and every name comes qualified.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row, types::FromSqlOwned};

use super::{
    Action, Builtin, Catalogue, Column, Command, Constraint, ConstraintKind, DefaultAcl,
    EventTrigger, Expression, Function, Grant, Identity, Index, IndexColumn, Job, LargeObject,
    Membership, Namespace, Oid, Operator, Policy, Privilege, Publication, Reference, Relation,
    RelationKind, Role, Roles, Rule, Server, Setting, Trigger, View, Volatility,
};
use crate::{AuditError, expression::Node, sql::Name};

/// Reads everything.
///
/// # Errors
///
/// [`AuditError::Version`] for a server that is too old or too new, [`AuditError::Sql`], and
/// [`AuditError::Catalogue`] for what is not understood.
pub(crate) async fn load(client: &Client) -> Result<Catalogue, AuditError> {
    let server = server(client).await?;
    if !(13..=18).contains(&server.major()) {
        return Err(AuditError::Version(server.version_text));
    }
    let roles = roles(client, server.major()).await?;
    let relations = relations(client).await?;
    let extensions = read(
        client,
        "SELECT extname::text FROM pg_extension ORDER BY 1",
        |row| cell(row, 0),
    )
    .await?;
    let cron = relations
        .values()
        .find(|relation| relation.name == Name::new("cron", "job"));
    let jobs = match cron {
        Some(_) => jobs(client).await?,
        None => Vec::new(),
    };
    Ok(Catalogue {
        namespaces: namespaces(client).await?,
        functions: functions(client).await?,
        operators: operators(client).await?,
        builtins: builtins(client).await?,
        folding_collations: read(
            client,
            "SELECT oid FROM pg_collation WHERE NOT collisdeterministic",
            |row| cell(row, 0),
        )
        .await?
        .into_iter()
        .collect(),
        publications: publications(client, server.major()).await?,
        default_acls: default_acls(client).await?,
        settings: settings(client).await?,
        event_triggers: event_triggers(client).await?,
        file_settings: file_settings(client).await?,
        server,
        roles,
        relations,
        jobs,
        extensions,
    })
}

fn cell<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, AuditError> {
    row.try_get(at)
        .map_err(AuditError::doing("read the catalogues"))
}

async fn read<T>(
    client: &Client,
    sql: &str,
    make: impl FnMut(&Row) -> Result<T, AuditError>,
) -> Result<Vec<T>, AuditError> {
    let rows = client
        .query(sql, &[])
        .await
        .map_err(AuditError::doing("read the catalogues"))?;
    rows.iter().map(make).collect()
}

/// Reads rows of which the first column says what they belong to.
async fn grouped<T>(
    client: &Client,
    sql: &str,
    mut make: impl FnMut(&Row) -> Result<T, AuditError>,
) -> Result<BTreeMap<Oid, Vec<T>>, AuditError> {
    let mut groups: BTreeMap<Oid, Vec<T>> = BTreeMap::new();
    for (oid, it) in read(client, sql, |row| Ok((cell(row, 0)?, make(row)?))).await? {
        groups.entry(oid).or_default().push(it);
    }
    Ok(groups)
}

fn letter(row: &Row, at: usize) -> Result<char, AuditError> {
    Ok(cell::<String>(row, at)?.chars().next().unwrap_or(' '))
}

fn tree(what: &str, text: &str) -> Result<Node, AuditError> {
    Node::read(text).map_err(|error| AuditError::Catalogue {
        what: what.to_owned(),
        why: error.to_string(),
    })
}

fn grant(row: &Row, at: usize, column: Option<i16>) -> Result<Grant, AuditError> {
    Ok(Grant {
        grantee: cell(row, at)?,
        privilege: Privilege::named(&cell::<String>(row, at + 1)?),
        column,
    })
}

async fn server(client: &Client) -> Result<Server, AuditError> {
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
            let oid = cell(row, 0)?;
            Ok(LargeObject {
                oid,
                owner: cell(row, 1)?,
                grants: grants.remove(&oid).unwrap_or_default(),
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
    let mut servers = read(client, include_str!("sql/server.sql"), |row| {
        Ok(Server {
            version: cell(row, 0)?,
            version_text: cell(row, 1)?,
            database: cell(row, 2)?,
            database_owner: cell(row, 3)?,
            database_grants: grants.clone(),
            user: cell(row, 4)?,
            in_recovery: cell(row, 5)?,
            wal_level: cell(row, 6)?,
            activity_public: cell(row, 7)?,
            large_objects_public: cell(row, 8)?,
            advisory_locks_public: cell(row, 9)?,
            set_config_public: cell(row, 10)?,
            extended_statistics_leak: cell(row, 11)?,
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

async fn roles(client: &Client, major: i32) -> Result<Roles, AuditError> {
    // PostgreSQL 16 moved the two from the member to the membership.
    let memberships = if major >= 16 {
        "SELECT m.member, m.roleid, m.inherit_option, m.set_option, m.admin_option, m.grantor FROM pg_auth_members m ORDER BY 1, 2, 6"
    } else {
        "SELECT m.member, m.roleid, r.rolinherit, true, m.admin_option, m.grantor FROM pg_auth_members m \
         JOIN pg_roles r ON r.oid = m.member ORDER BY 1, 2"
    };
    let mut members = grouped(client, memberships, |row| {
        Ok(Membership {
            role: cell(row, 1)?,
            inherit: cell(row, 2)?,
            set: cell(row, 3)?,
            admin: cell(row, 4)?,
            grantor: cell(row, 5)?,
        })
    })
    .await?;
    // Nobody is granted this one: the owner of the database has its rights (PostgreSQL 14 and newer).
    let owners = read(
        client,
        "SELECT d.datdba, r.oid FROM pg_database d, pg_roles r \
          WHERE d.datname = current_database() AND r.rolname = 'pg_database_owner'",
        |row| Ok((cell(row, 0)?, cell(row, 1)?)),
    )
    .await?;
    for (owner, role) in owners {
        let implied = Membership {
            role,
            inherit: true,
            set: false,
            admin: false,
            grantor: owner,
        };
        members.entry(owner).or_default().push(implied);
    }
    let roles = read(
        client,
        "SELECT oid, rolname::text, rolsuper, rolbypassrls, rolreplication, rolcanlogin, rolcreaterole \
         FROM pg_roles ORDER BY oid",
        |row| {
            let oid = cell(row, 0)?;
            Ok(Role {
                oid,
                name: cell(row, 1)?,
                superuser: cell(row, 2)?,
                bypasses_row_security: cell(row, 3)?,
                replication: cell(row, 4)?,
                login: cell(row, 5)?,
                create_role: cell(row, 6)?,
                member_of: members.remove(&oid).unwrap_or_default(),
            })
        },
    )
    .await?;
    Ok(Roles::new(roles))
}

async fn namespaces(client: &Client) -> Result<BTreeMap<Oid, Namespace>, AuditError> {
    let mut grants = grouped(
        client,
        "SELECT n.oid, a.grantee, a.privilege_type FROM pg_namespace n, \
         aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a",
        |row| grant(row, 1, None),
    )
    .await?;
    let namespaces = read(
        client,
        "SELECT oid, nspname::text, nspowner FROM pg_namespace \
         WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY oid",
        |row| {
            let oid = cell(row, 0)?;
            Ok(Namespace {
                oid,
                name: cell(row, 1)?,
                owner: cell(row, 2)?,
                grants: grants.remove(&oid).unwrap_or_default(),
            })
        },
    )
    .await?;
    Ok(namespaces.into_iter().map(|it| (it.oid, it)).collect())
}

async fn relations(client: &Client) -> Result<BTreeMap<Oid, Relation>, AuditError> {
    let mut grants = grouped(client, include_str!("sql/relation_grants.sql"), |row| {
        grant(row, 2, cell(row, 1)?)
    })
    .await?;
    let mut columns = columns(client).await?;
    let mut policies = policies(client).await?;
    let mut constraints = constraints(client).await?;
    let mut indexes = indexes(client).await?;
    let mut views = views(client).await?;
    let mut triggers = grouped(client, include_str!("sql/triggers.sql"), |row| {
        Ok(Trigger {
            name: cell(row, 1)?,
            function: cell(row, 2)?,
            enabled: cell(row, 3)?,
            definition: cell(row, 4)?,
        })
    })
    .await?;
    let mut rules = grouped(client, include_str!("sql/rules.sql"), |row| {
        Ok(Rule {
            name: cell(row, 2)?,
            event: match letter(row, 3)? {
                '2' => "UPDATE",
                '3' => "INSERT",
                _ => "DELETE",
            },
            definition: cell(row, 4)?,
            touches: cell::<Option<_>>(row, 5)?.unwrap_or_default(),
        })
    })
    .await?;
    let mut owned = grouped(
        client,
        "SELECT d.objid, d.refobjid, d.refobjsubid::int2 FROM pg_depend d JOIN pg_class c ON c.oid = d.objid \
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
           AND c.relkind = 'S' AND d.deptype IN ('a', 'i')",
        |row| Ok((cell(row, 1)?, cell(row, 2)?)),
    )
    .await?;
    let relations = read(client, include_str!("sql/relations.sql"), |row| {
        let oid = cell(row, 0)?;
        Ok(Relation {
            oid,
            namespace: cell(row, 1)?,
            name: Name::new(cell::<String>(row, 2)?, cell::<String>(row, 3)?),
            kind: match letter(row, 4)? {
                'r' => RelationKind::Table,
                'p' => RelationKind::Partitioned,
                'v' => RelationKind::View,
                'm' => RelationKind::MaterializedView,
                'f' => RelationKind::Foreign,
                'S' => RelationKind::Sequence,
                _ => RelationKind::Other,
            },
            owner: cell(row, 5)?,
            row_security: cell(row, 6)?,
            forced: cell(row, 7)?,
            rows: cell(row, 8)?,
            grants: grants.remove(&oid).unwrap_or_default(),
            columns: columns.remove(&oid).unwrap_or_default(),
            policies: policies.remove(&oid).unwrap_or_default(),
            constraints: constraints.remove(&oid).unwrap_or_default(),
            indexes: indexes.remove(&oid).unwrap_or_default(),
            triggers: triggers.remove(&oid).unwrap_or_default(),
            rules: rules.remove(&oid).unwrap_or_default(),
            parents: cell::<Option<_>>(row, 12)?.unwrap_or_default(),
            is_partition: cell(row, 9)?,
            partitioned_by: cell::<Option<String>>(row, 14)?.and_then(|it| it.chars().next()),
            partition_key: cell::<Option<_>>(row, 13)?.unwrap_or_default(),
            view: views.remove(&oid).and_then(|mut views| views.pop()),
            owned_by: owned.remove(&oid).and_then(|mut owners| owners.pop()),
            extension: cell(row, 11)?,
        })
    })
    .await?;
    Ok(relations.into_iter().map(|it| (it.oid, it)).collect())
}

async fn columns(client: &Client) -> Result<BTreeMap<Oid, Vec<Column>>, AuditError> {
    grouped(client, include_str!("sql/columns.sql"), |row| {
        Ok(Column {
            number: cell(row, 1)?,
            name: cell(row, 2)?,
            type_oid: cell(row, 3)?,
            type_name: cell(row, 4)?,
            type_kind: letter(row, 5)?,
            type_category: letter(row, 6)?,
            not_null: cell(row, 7)?,
            default: cell(row, 8)?,
            generated: cell(row, 9)?,
            identity: match letter(row, 10)? {
                'a' => Identity::Always,
                'd' => Identity::ByDefault,
                _ => Identity::No,
            },
            deterministic: cell(row, 11)?,
            statistics: cell(row, 12)?,
        })
    })
    .await
}

async fn policies(client: &Client) -> Result<BTreeMap<Oid, Vec<Policy>>, AuditError> {
    let expression = |row: &Row, at: usize| -> Result<Option<Expression>, AuditError> {
        let (text, nodes): (Option<String>, Option<String>) = (cell(row, at)?, cell(row, at + 1)?);
        text.zip(nodes)
            .map(|(text, nodes)| {
                let tree = tree("a policy", &nodes)?;
                Ok(Expression { text, tree })
            })
            .transpose()
    };
    grouped(client, include_str!("sql/policies.sql"), |row| {
        Ok(Policy {
            name: cell(row, 1)?,
            permissive: cell(row, 2)?,
            command: match letter(row, 3)? {
                'r' => Some(Command::Select),
                'a' => Some(Command::Insert),
                'w' => Some(Command::Update),
                'd' => Some(Command::Delete),
                _ => None,
            },
            roles: cell(row, 4)?,
            using: expression(row, 5)?,
            check: expression(row, 7)?,
        })
    })
    .await
}

async fn constraints(client: &Client) -> Result<BTreeMap<Oid, Vec<Constraint>>, AuditError> {
    grouped(client, include_str!("sql/constraints.sql"), |row| {
        let target: Oid = cell(row, 5)?;
        let columns: Option<Vec<i16>> = cell(row, 6)?;
        let (on_delete, on_update) = (letter(row, 7)?, letter(row, 8)?);
        Ok(Constraint {
            oid: cell(row, 1)?,
            name: cell(row, 2)?,
            kind: match letter(row, 3)? {
                'p' => ConstraintKind::Primary,
                'u' => ConstraintKind::Unique,
                'f' => ConstraintKind::Foreign,
                'c' => ConstraintKind::Check,
                'x' => ConstraintKind::Exclusion,
                _ => ConstraintKind::Other,
            },
            columns: cell::<Option<_>>(row, 4)?.unwrap_or_default(),
            reference: (target != 0).then(|| Reference {
                relation: target,
                columns: columns.unwrap_or_default(),
                on_delete: Action::letter(on_delete),
                on_update: Action::letter(on_update),
            }),
            validated: cell(row, 9)?,
            definition: cell(row, 10)?,
            parent: Some(cell(row, 11)?).filter(|parent: &Oid| *parent != 0),
        })
    })
    .await
}

async fn indexes(client: &Client) -> Result<BTreeMap<Oid, Vec<Index>>, AuditError> {
    grouped(client, include_str!("sql/indexes.sql"), |row| {
        let columns: Vec<i16> = cell::<Option<_>>(row, 9)?.unwrap_or_default();
        let leakproof: Vec<bool> = cell::<Option<_>>(row, 10)?.unwrap_or_default();
        let classes: Vec<String> = cell::<Option<_>>(row, 11)?.unwrap_or_default();
        Ok(Index {
            oid: cell(row, 1)?,
            name: cell(row, 2)?,
            method: cell(row, 3)?,
            unique: cell(row, 4)?,
            primary: cell(row, 5)?,
            exclusion: cell(row, 6)?,
            valid: cell(row, 7)?,
            partial: cell(row, 8)?,
            columns: columns
                .iter()
                .zip(leakproof)
                .zip(classes)
                .map(|((&column, leakproof), operator_class)| IndexColumn {
                    column: (column != 0).then_some(column),
                    leakproof,
                    operator_class,
                })
                .collect(),
            constraint: cell(row, 12)?,
            definition: cell(row, 13)?,
            parent: cell(row, 14)?,
            nulls_not_distinct: cell(row, 15)?,
        })
    })
    .await
}

async fn views(client: &Client) -> Result<BTreeMap<Oid, Vec<View>>, AuditError> {
    grouped(client, include_str!("sql/views.sql"), |row| {
        let options: Vec<String> = cell::<Option<_>>(row, 1)?.unwrap_or_default();
        let value = |name: &str| {
            options.iter().find_map(|option| {
                let (key, value) = option.split_once('=')?;
                (key == name).then_some(value)
            })
        };
        // As `parse_bool` reads them.
        let on = |name: &str| {
            value(name)
                .is_some_and(|value| matches!(value, "true" | "on" | "yes" | "1" | "t" | "y"))
        };
        Ok(View {
            security_invoker: on("security_invoker"),
            security_barrier: on("security_barrier"),
            check_option: value("check_option").is_some(),
            definition: cell(row, 2)?,
            tree: tree("a view", &cell::<String>(row, 3)?)?,
            reads: cell::<Option<_>>(row, 4)?.unwrap_or_default(),
            calls: cell::<Option<_>>(row, 5)?.unwrap_or_default(),
        })
    })
    .await
}

async fn functions(client: &Client) -> Result<BTreeMap<Oid, Function>, AuditError> {
    const TRIGGER: Oid = 2279;
    let mut grants = grouped(client, include_str!("sql/function_grants.sql"), |row| {
        grant(row, 1, None)
    })
    .await?;
    let functions = read(client, include_str!("sql/functions.sql"), |row| {
        let (oid, returns): (Oid, Oid) = (cell(row, 0)?, cell(row, 6)?);
        let body: Option<String> = cell(row, 17)?;
        Ok(Function {
            oid,
            namespace: cell(row, 1)?,
            name: Name::new(cell::<String>(row, 2)?, cell::<String>(row, 3)?),
            arguments: cell::<Option<String>>(row, 4)?.unwrap_or_default(),
            argument_types: cell(row, 5)?,
            returns,
            returns_set: cell(row, 7)?,
            is_trigger: returns == TRIGGER,
            kind: letter(row, 8)?,
            owner: cell(row, 9)?,
            language: cell(row, 10)?,
            volatility: volatility(row, 11)?,
            security_definer: cell(row, 12)?,
            leakproof: cell(row, 13)?,
            strict: cell(row, 14)?,
            config: cell::<Option<_>>(row, 15)?.unwrap_or_default(),
            source: cell(row, 16)?,
            body: body.map(|body| tree("a function", &body)).transpose()?,
            extension: cell(row, 18)?,
            definition: cell(row, 19)?,
            argument_names: cell::<Option<_>>(row, 20)?.unwrap_or_default(),
            grants: grants.remove(&oid).unwrap_or_default(),
        })
    })
    .await?;
    Ok(functions.into_iter().map(|it| (it.oid, it)).collect())
}

fn volatility(row: &Row, at: usize) -> Result<Volatility, AuditError> {
    Ok(match letter(row, at)? {
        'i' => Volatility::Immutable,
        's' => Volatility::Stable,
        _ => Volatility::Volatile,
    })
}

async fn operators(client: &Client) -> Result<BTreeMap<Oid, Operator>, AuditError> {
    let operators = read(client, include_str!("sql/operators.sql"), |row| {
        Ok((
            cell(row, 0)?,
            Operator {
                name: cell(row, 1)?,
                function: cell(row, 2)?,
                function_name: cell(row, 3)?,
                equality: cell(row, 4)?,
                folds_case: cell(row, 5)?,
                volatility: volatility(row, 6)?,
            },
        ))
    })
    .await?;
    Ok(operators.into_iter().collect())
}

async fn builtins(client: &Client) -> Result<BTreeMap<Oid, Builtin>, AuditError> {
    let builtins = read(
        client,
        "SELECT oid, proname::text, provolatile::text, proisstrict FROM pg_proc \
         WHERE pronamespace = 'pg_catalog'::regnamespace",
        |row| {
            Ok((
                cell(row, 0)?,
                Builtin {
                    name: cell(row, 1)?,
                    volatility: volatility(row, 2)?,
                    strict: cell(row, 3)?,
                },
            ))
        },
    )
    .await?;
    Ok(builtins.into_iter().collect())
}

async fn publications(client: &Client, major: i32) -> Result<Vec<Publication>, AuditError> {
    let sql = if major >= 15 {
        "SELECT p.pubname::text, c.oid, t.rowfilter IS NOT NULL, \
           (SELECT r.prrelid FROM pg_publication_rel r WHERE r.prpubid = p.oid \
              AND r.prrelid IN (SELECT c.oid UNION ALL SELECT relid FROM pg_partition_ancestors(c.oid)) LIMIT 1) \
           FROM pg_publication_tables t JOIN pg_publication p ON p.pubname = t.pubname \
           JOIN pg_namespace n ON n.nspname = t.schemaname \
           JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename ORDER BY 1, 2"
    } else {
        "SELECT p.pubname::text, c.oid, false, \
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
            filtered: cell(row, 2)?,
            named: cell(row, 3)?,
        })
    })
    .await
}

async fn default_acls(client: &Client) -> Result<Vec<DefaultAcl>, AuditError> {
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

async fn event_triggers(client: &Client) -> Result<Vec<EventTrigger>, AuditError> {
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

async fn settings(client: &Client) -> Result<Vec<Setting>, AuditError> {
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
async fn file_settings(client: &Client) -> Result<Vec<(String, String)>, AuditError> {
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
async fn jobs(client: &Client) -> Result<Vec<Job>, AuditError> {
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
